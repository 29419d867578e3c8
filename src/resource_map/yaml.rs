//! Our format as it is written: the shapes of a service's file, unchecked beyond keys and kinds.
//!
//! `docs/resource-maps.md` is the contract. What an author forgets most (`type`, `events`, `ids`) is optional here, so
//! that the error can point at the stanza that lacks it.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::definition::{Protocol, WriteMethod};
use super::tag_keys::TagKeys;
use crate::text::source::Text;

/// A service's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceFile {
    pub(super) service: Option<Text>,
    pub(super) sdk_id: Option<Text>,
    pub(super) protocol: Option<Spanned<Protocol>>,
    pub(super) version: Option<Text>,
    pub(super) target: Option<Text>,
    pub(super) json: Option<Text>,
    pub(super) endpoint: Option<Text>,
    pub(super) signing: Option<Text>,
    pub(super) event_source: Option<Text>,
    pub(super) iam: Option<Text>,
    pub(super) namespace: Option<Text>,
    #[serde(default)]
    pub(super) endpoints: BTreeMap<String, EndpointStanza>,
    pub(super) resources: Vec<Spanned<TypeStanza>>,
}

/// An endpoint that doesn't follow the pattern.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointStanza {
    pub(super) url: Text,
    pub(super) region: Option<Text>,
    pub(super) discovery: Option<Text>,
}

/// A resource type.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TypeStanza {
    pub(super) r#type: Option<Text>,
    pub(super) cloudformation: Option<String>,
    #[serde(default)]
    pub(super) aliases: Vec<Text>,
    #[serde(default)]
    pub(super) global: bool,
    pub(super) doubts: Option<String>,
    pub(super) events: Option<Spanned<Vec<Spanned<EventStanza>>>>,
    #[serde(default)]
    pub(super) deletes: Vec<Spanned<PlainEventStanza>>,
    #[serde(default)]
    pub(super) renames: Vec<Spanned<RenameStanza>>,
    pub(super) list: Option<ListStanza>,
    pub(super) id: Option<Spanned<ItemTextStanza>>,
    #[serde(default)]
    pub(super) names: Vec<Spanned<ItemTextStanza>>,
    #[serde(default)]
    pub(super) made_with: Vec<Spanned<ItemTextStanza>>,
    #[serde(default)]
    pub(super) parents: Vec<Spanned<ParentRuleStanza>>,
    pub(super) arn: Option<Spanned<ItemTextStanza>>,
    #[serde(default)]
    pub(super) arn_forms: Vec<Text>,
    #[serde(default)]
    pub(super) ignore_case: bool,
    pub(super) region: Option<Text>,
    pub(super) tags: Option<Spanned<TagsStanza>>,
    pub(super) tag_keys: Option<Spanned<TagKeys>>,
    pub(super) write: Option<Spanned<WriteStanza>>,
}

/// One of `parents`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ParentRuleStanza {
    pub(super) r#type: Option<Text>,
    pub(super) id: Option<Text>,
    #[serde(default)]
    pub(super) unrecorded: bool,
}

/// An event that makes the type.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventStanza {
    pub(super) event: Option<Text>,
    pub(super) service: Option<Text>,
    pub(super) ids: Option<Text>,
    pub(super) names: Option<Text>,
    #[serde(default)]
    pub(super) upsert: bool,
    pub(super) doubts: Option<String>,
}

/// An event that can give the type another name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RenameStanza {
    pub(super) event: Option<Text>,
    pub(super) service: Option<Text>,
    pub(super) from: Option<Text>,
    pub(super) to: Option<Text>,
    pub(super) doubts: Option<String>,
}

/// An event that removes the type; in c7n-trailcreator's format, one that makes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlainEventStanza {
    pub(super) event: Option<Text>,
    pub(super) service: Option<Text>,
    pub(super) ids: Option<Text>,
    pub(super) names: Option<Text>,
}

/// `list`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListStanza {
    pub(super) call: Text,
    pub(super) action: Option<Spanned<ActionStanza>>,
    pub(super) params: Option<Spanned<Param>>,
    pub(super) scopes: Option<Spanned<Vec<Spanned<ScopeStanza>>>>,
    pub(super) items: Text,
    pub(super) page: Option<(Text, Text)>,
    pub(super) parent: Option<Spanned<ParentStanza>>,
    pub(super) recurse: Option<Spanned<ParentValueStanza>>,
    pub(super) r#where: Option<Text>,
    pub(super) describe: Option<DescribeStanza>,
    #[serde(default)]
    pub(super) absent: Vec<String>,
}

/// One of `list.scopes`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScopeStanza {
    pub(super) params: Option<Spanned<Param>>,
    pub(super) region: Option<Text>,
}

/// `list.parent`: a type, or a listing of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ParentStanza {
    pub(super) r#type: Option<Text>,
    pub(super) list: Option<Box<ListStanza>>,
    pub(super) value: Spanned<ParentValueStanza>,
}

/// `list.describe`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DescribeStanza {
    pub(super) call: Text,
    pub(super) action: Option<Spanned<ActionStanza>>,
    pub(super) params: Option<Spanned<Param>>,
    pub(super) items: Text,
    pub(super) batch: Option<NonZeroUsize>,
}

/// `tags`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TagsStanza {
    pub(super) path: Option<Text>,
    pub(super) rgta: Option<Text>,
    pub(super) call: Option<Text>,
    pub(super) action: Option<Spanned<ActionStanza>>,
    pub(super) params: Option<Spanned<Param>>,
    pub(super) items: Option<Text>,
    pub(super) batch: Option<Spanned<NonZeroUsize>>,
    pub(super) page: Option<Spanned<(Text, Text)>>,
    pub(super) absent: Option<Spanned<Vec<String>>>,
    pub(super) otherwise: Option<Spanned<OtherTagsStanza>>,
}

/// `tags.otherwise`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OtherTagsStanza {
    pub(super) service: Option<Text>,
    pub(super) call: Text,
    pub(super) action: Option<Spanned<ActionStanza>>,
    pub(super) params: Option<Spanned<Param>>,
    pub(super) items: Text,
    #[serde(default)]
    pub(super) absent: Vec<String>,
}

/// `write`.
#[derive(Debug)]
pub(super) enum WriteStanza {
    /// The method alone.
    Short(String),
    /// The method and what it needs.
    Full(Box<FullWriteStanza>),
}

/// `write` as a mapping.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FullWriteStanza {
    pub(super) method: WriteMethod,
    pub(super) call: Option<Text>,
    pub(super) action: Option<Spanned<ActionStanza>>,
    pub(super) params: Option<Spanned<Param>>,
    pub(super) remove: Option<Spanned<RemoveStanza>>,
    pub(super) when: Option<Text>,
    pub(super) service: Option<Text>,
    pub(super) otherwise: Option<Spanned<OtherWriteStanza>>,
    pub(super) updates: Option<Spanned<UpdatesStanza>>,
}

/// `write.otherwise`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OtherWriteStanza {
    pub(super) service: Option<Text>,
    pub(super) call: Text,
    pub(super) action: Option<Spanned<ActionStanza>>,
    pub(super) params: Option<Spanned<Param>>,
    pub(super) remove: Option<Spanned<RemoveStanza>>,
}

/// `write.updates`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdatesStanza {
    pub(super) what: Option<Text>,
    pub(super) page: Option<Text>,
}

/// `write.remove`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveStanza {
    pub(super) call: Option<Text>,
    pub(super) action: Option<Spanned<ActionStanza>>,
    pub(super) params: Option<Spanned<Param>>,
}

impl<'de> Deserialize<'de> for WriteStanza {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WriteVisitor;

        impl<'de> Visitor<'de> for WriteVisitor {
            type Value = WriteStanza;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("how a tag is written: {method: …}, or a method alone")
            }

            fn visit_str<E>(self, method: &str) -> Result<WriteStanza, E> {
                Ok(WriteStanza::Short(method.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WriteStanza, A::Error> {
                FullWriteStanza::deserialize(MapAccessDeserializer::new(map))
                    .map(|stanza| WriteStanza::Full(Box::new(stanza)))
            }
        }

        deserializer.deserialize_any(WriteVisitor)
    }
}

/// JMESPath on an item, or a mapping that holds a template.
#[derive(Debug)]
pub(super) enum ItemTextStanza {
    /// JMESPath; for `arn` also a template that starts so.
    Expression(String),
    /// `{template: …}`.
    Template(TemplateStanza),
}

/// `{template: …}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TemplateStanza {
    pub(super) template: Text,
}

impl<'de> Deserialize<'de> for ItemTextStanza {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemTextVisitor;

        impl<'de> Visitor<'de> for ItemTextVisitor {
            type Value = ItemTextStanza;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("JMESPath, or {template: …}")
            }

            fn visit_str<E>(self, text: &str) -> Result<ItemTextStanza, E> {
                Ok(ItemTextStanza::Expression(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ItemTextStanza, A::Error> {
                TemplateStanza::deserialize(MapAccessDeserializer::new(map)).map(ItemTextStanza::Template)
            }
        }

        deserializer.deserialize_any(ItemTextVisitor)
    }
}

/// What of a parent is sent: JMESPath on its item, or several of them, each with a name.
#[derive(Debug)]
pub(super) enum ParentValueStanza {
    /// `{parent}`.
    One(String),
    /// `{parent.name}`.
    Several(Vec<(Text, Text)>),
}

impl<'de> Deserialize<'de> for ParentValueStanza {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ParentValueVisitor;

        impl<'de> Visitor<'de> for ParentValueVisitor {
            type Value = ParentValueStanza;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("JMESPath on the parent's item, or a mapping from names to JMESPath")
            }

            fn visit_str<E>(self, text: &str) -> Result<ParentValueStanza, E> {
                Ok(ParentValueStanza::One(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ParentValueStanza, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = map.next_entry()? {
                    values.push(value);
                }
                Ok(ParentValueStanza::Several(values))
            }
        }

        deserializer.deserialize_any(ParentValueVisitor)
    }
}

/// The IAM actions that a call needs: one, or a list.
#[derive(Debug)]
pub(super) struct ActionStanza(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for ActionStanza {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ActionVisitor;

        impl<'de> Visitor<'de> for ActionVisitor {
            type Value = ActionStanza;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an IAM action, or a list of them")
            }

            fn visit_str<E>(self, text: &str) -> Result<ActionStanza, E> {
                Ok(ActionStanza(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<ActionStanza, A::Error> {
                let mut actions = Vec::new();
                while let Some(action) = list.next_element()? {
                    actions.push(action);
                }
                Ok(ActionStanza(actions))
            }
        }

        deserializer.deserialize_any(ActionVisitor)
    }
}

/// A call's input, each text with its place.
#[derive(Debug)]
pub(super) enum Param {
    /// A number, a boolean or nothing.
    Constant(Value),
    /// A template.
    Text(String),
    /// A list.
    List(Vec<Spanned<Param>>),
    /// An object; its keys are templates.
    Object(Vec<(Text, Spanned<Param>)>),
}

impl Param {
    /// As JSON.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Constant(value) => value.clone(),
            Self::Text(text) => Value::String(text.clone()),
            Self::List(items) => items.iter().map(|item| item.value.to_value()).collect(),
            Self::Object(fields) => {
                fields.iter().map(|(key, param)| (key.value.clone(), param.value.to_value())).collect()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Param {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ParamVisitor;

        impl<'de> Visitor<'de> for ParamVisitor {
            type Value = Param;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a call's input")
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Param, E> {
                Ok(Param::Constant(flag.into()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Param, E> {
                Ok(Param::Constant(number.into()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Param, E> {
                Ok(Param::Constant(number.into()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Param, E> {
                Ok(Param::Constant(number.into()))
            }

            fn visit_unit<E>(self) -> Result<Param, E> {
                Ok(Param::Constant(Value::Null))
            }

            fn visit_str<E>(self, text: &str) -> Result<Param, E> {
                Ok(Param::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Param, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Param::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Param, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Param::Object(fields))
            }
        }

        deserializer.deserialize_any(ParamVisitor)
    }
}
