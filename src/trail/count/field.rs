//! The fields of a record by which calls can be counted.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

use crate::resource_map::nearest;
use crate::trail::fields::Text;

/// The fields, as paths on the record.
///
/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>
pub const FIELDS: [&str; 25] = [
    "eventSource",
    "eventName",
    "eventType",
    "eventCategory",
    "eventVersion",
    "awsRegion",
    "recipientAccountId",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "readOnly",
    "managementEvent",
    "vpcEndpointId",
    "tlsDetails.tlsVersion",
    "userIdentity.type",
    "userIdentity.arn",
    "userIdentity.userName",
    "userIdentity.principalId",
    "userIdentity.accountId",
    "userIdentity.accessKeyId",
    "userIdentity.invokedBy",
    "userIdentity.sessionContext.sessionIssuer.arn",
    "userIdentity.sessionContext.sessionIssuer.userName",
    "userIdentity.sessionContext.sourceIdentity",
    "userIdentity.onBehalfOf.userId",
];

/// One of [`FIELDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field(&'static str);

/// A field that can't be counted by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no field {name:?} to count by{}", .nearest.map(|nearest| format!(", did you mean {nearest}?")).unwrap_or_default())]
pub struct UnknownField {
    /// What was given.
    pub name: String,
    /// The known one most like it.
    pub nearest: Option<&'static str>,
}

impl std::str::FromStr for Field {
    type Err = UnknownField;

    fn from_str(name: &str) -> Result<Self, UnknownField> {
        let known = FIELDS.into_iter().find(|known| *known == name);
        known.map(Self).ok_or_else(|| {
            let last_part_is_it = |known: &&str| known.rsplit('.').next().is_some_and(|last| last == name);
            let nearest = FIELDS.into_iter().find(last_part_is_it).or_else(|| nearest(name, FIELDS));
            UnknownField { name: name.to_owned(), nearest }
        })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl Field {
    /// The record's own field that holds it.
    pub(super) fn top_level(self) -> &'static str {
        self.0.split('.').next().unwrap_or(self.0)
    }

    /// Its value, from the text of the record's own field. What is null, empty or absent is none.
    pub(super) fn value(self, top_level: &RawValue) -> Option<String> {
        let mut raw = top_level;
        for name in self.0.split('.').skip(1) {
            let mut found = [None];
            pick(raw.get(), &[name], &mut found).ok()?;
            raw = found[0]?;
        }
        text(raw.get())
    }
}

/// A scalar's text; that of a list or an object is its JSON.
fn text(raw: &str) -> Option<String> {
    let text = match raw {
        "null" => return None,
        string if string.starts_with('"') => serde_json::from_str(string).ok()?,
        other => other.to_owned(),
    };
    (!text.is_empty()).then_some(text)
}

/// Finds `names` in an object's text, each at its index of `values`; the last of two equal keys counts. What isn't wanted
/// is skipped unparsed.
///
/// # Errors
/// It is not one JSON object.
pub(super) fn pick<'de>(
    object: &'de str,
    names: &[&str],
    values: &mut [Option<&'de RawValue>],
) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(object);
    Pick { names, values }.deserialize(&mut deserializer)
}

struct Pick<'p, 'de> {
    names: &'p [&'p str],
    values: &'p mut [Option<&'de RawValue>],
}

impl<'de> DeserializeSeed<'de> for Pick<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            match self.names.iter().position(|name| *name == key) {
                Some(index) => {
                    *self.values.get_mut(index).ok_or_else(|| A::Error::custom("no room"))? = Some(map.next_value()?)
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}
