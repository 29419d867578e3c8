//! A live resource, as the inventory lists it and the planner reads it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Arn, Region, ResourceId, ResourceType};

/// A live resource. Its JSON is for [`PackedList`](crate::packed_list::PackedList) only.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LiveResource {
    /// Its type.
    pub resource_type: ResourceType,
    /// Its ID, as defined in the map.
    pub id: ResourceId,
    /// All names that an event can have for it: ID, names, ARN. Without duplicates.
    pub identifiers: Vec<String>,
    /// Names that an event can have for several resources that it created together (an image, for its snapshots).
    pub made_with: Vec<String>,
    /// Its ARN. Empty for a type without ARNs, which can't be tagged.
    pub arn: Arn,
    /// Its region: the requested one, or its own (for buckets), or the partition's home region for global types.
    pub region: Region,
    /// Its tags.
    pub tags: Tags,
    /// The listed resource. Templates take parameters from it.
    pub item: Item,
    /// The parameters of its parent, its parent's parent and so on. Templates take parameters from them too.
    pub ancestors: Vec<Value>,
}

/// A listed resource as JSON text, which takes a fourth of the memory of its values: there can be hundreds of thousands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item(Box<str>);

impl Item {
    /// Its values.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.0).expect("it was written by the same library")
    }
}

impl From<Value> for Item {
    fn from(value: Value) -> Self {
        Self(value.to_string().into_boxed_str())
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(&self.0).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(raw.into()))
    }
}

/// The tags of a resource, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tags {
    /// All tags: an absent key is confirmed as absent.
    Known(BTreeMap<String, String>),
    /// Some tags. There can be more (from an index that lags, or does not cover the resource).
    Partial(BTreeMap<String, String>),
    /// The tags could not be read, with the reason.
    Unknown(String),
}
