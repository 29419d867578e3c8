//! The record fields that calls can be counted by.

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

use crate::text::nearest;
use crate::trail::text::Text;

/// The fields, as paths in the record.
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

/// An unknown field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("can't count by {name:?}: unknown field{}", .nearest.map(|nearest| format!(", did you mean {nearest}?")).unwrap_or_default())]
pub struct UnknownField {
    /// The given name.
    pub name: String,
    /// The most similar known name.
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
    /// The top-level field of the record that has it.
    pub(super) fn top_level(self) -> &'static str {
        self.0.split('.').next().unwrap_or(self.0)
    }

    /// The text of its value, from the text of the top-level field.
    pub(super) fn raw(self, top_level: &str) -> Option<&str> {
        let mut raw = top_level;
        for name in self.0.split('.').skip(1) {
            let mut found = [None];
            pick(raw, &[name], &mut found).ok()?;
            raw = found[0]?;
        }
        Some(raw)
    }
}

/// The text of a scalar, or the JSON of a list or an object. `None` for null and empty values.
pub(super) fn text(raw: &str) -> Option<String> {
    let text = match raw {
        "null" => return None,
        string if string.starts_with('"') => serde_json::from_str(string).ok()?,
        other => other.to_owned(),
    };
    (!text.is_empty()).then_some(text)
}

/// Finds `names` in the text of an object, each at its index of `values`. For duplicate keys, the last counts. Other fields
/// are skipped without parsing.
///
/// The text is not one JSON value.
/// It is not one JSON value.
pub(super) fn pick<'de>(
    value: &'de str,
    names: &[&str],
    values: &mut [Option<&'de str>],
) -> Result<bool, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(value);
    Pick { names, values }.deserialize(&mut deserializer)
}

/// The JSON text of the value at the beginning of `json`. In strings, only the end is searched. The rest is not read.
pub(super) fn value(json: &[u8]) -> Option<&str> {
    let Some(text) = json.strip_prefix(b"\"") else {
        let raw = <&RawValue>::deserialize(&mut serde_json::Deserializer::from_slice(json)).ok()?;
        return Some(raw.get());
    };
    let mut end = 0;
    loop {
        end += memchr::memchr2(b'"', b'\\', text.get(end..)?)?;
        if text[end] == b'"' {
            return str::from_utf8(&json[..end + 2]).ok();
        }
        end += 2;
    }
}

/// Finds `names` in a value, like [`pick`]. Returns whether it is an object; other values have no fields.
struct Pick<'p, 'de> {
    names: &'p [&'p str],
    values: &'p mut [Option<&'de str>],
}

impl<'de> DeserializeSeed<'de> for Pick<'_, 'de> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_, 'de> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            let index = self.names.iter().position(|name| *name == key);
            match index.and_then(|index| self.values.get_mut(index)) {
                Some(value) => *value = Some(map.next_value::<&RawValue>()?.get()),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }
}
