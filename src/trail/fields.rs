//! A record, split into its top-level fields without parsing them. Only the needed fields are parsed later.
//!
//! For duplicate keys, the last value counts, as in most JSON parsers. Only this module decides that.

use std::borrow::Cow;
use std::fmt;

use jmespath::Variable;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The top-level fields of a record.
///
/// Created from a record's text with [`Fields::parse`], or from parts with [`Fields::from_iter`] if a source has separate
/// fields (such as columns).
#[derive(Debug, Clone, Default)]
pub struct Fields<'a> {
    entries: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Fields<'a> {
    /// Splits a record's text.
    ///
    /// # Errors
    /// The text is not one JSON object.
    pub fn parse(record: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(record)
    }

    /// The JSON text of the field, including null.
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        self.entries.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.get())
    }

    /// The field if it is a non-empty string.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        let Text(text) = self.raw(name).filter(|raw| raw.starts_with('"')).map(serde_json::from_str)?.ok()?;
        (!text.is_empty()).then_some(text)
    }

    /// Whether the field is present and not null.
    pub fn is_set(&self, name: &str) -> bool {
        self.raw(name).is_some_and(|raw| raw != "null")
    }

    /// The field for JMESPath. `None` if it is absent.
    ///
    /// # Errors
    /// It is nested deeper than the limit of `serde_json` (128 levels).
    pub fn variable(&self, name: &str) -> Result<Option<Variable>, serde_json::Error> {
        self.raw(name).map(serde_json::from_str).transpose()
    }

    /// The names in order, including duplicates.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_ref())
    }
}

impl<'a> FromIterator<(Cow<'a, str>, &'a RawValue)> for Fields<'a> {
    fn from_iter<I: IntoIterator<Item = (Cow<'a, str>, &'a RawValue)>>(entries: I) -> Self {
        Self { entries: entries.into_iter().collect() }
    }
}

/// A string that is borrowed if it has no escapes. serde's own `Cow` always copies.
#[derive(serde::Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// The number of fields in a typical record, for the initial allocation.
const USUAL_FIELDS: usize = 24;

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a record (a JSON object)")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::with_capacity(USUAL_FIELDS);
                while let Some((Text(name), value)) = map.next_entry()? {
                    entries.push((name, value));
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_map(FieldsVisitor).map(|entries| Self { entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_of_two_equal_keys_counts_in_every_spelling() {
        let fields = Fields::parse(r#"{"eventName":"A", "event\u004eame" : "B","x":null,"e":""}"#).unwrap();
        assert_eq!(fields.text("eventName").unwrap(), "B");
        assert_eq!(fields.names().collect::<Vec<_>>(), ["eventName", "eventName", "x", "e"]);
        assert!(!fields.is_set("x") && !fields.is_set("y") && fields.is_set("e"));
        assert_eq!(fields.text("e"), None, "an empty string says nothing");
    }

    #[test]
    fn fields_can_be_added_one_by_one() {
        let value: &RawValue = serde_json::from_str(r#"{"a":[1]}"#).unwrap();
        let fields: Fields<'_> = [(Cow::Borrowed("requestParameters"), value)].into_iter().collect();
        let variable = fields.variable("requestParameters").unwrap().unwrap();
        assert_eq!(variable.to_string(), r#"{"a":[1]}"#);
        assert!(fields.variable("responseElements").unwrap().is_none());
    }

    #[test]
    fn other_values_than_objects_are_refused() {
        assert!(Fields::parse("[]").unwrap_err().to_string().contains("a record (a JSON object)"));
        assert!(Fields::parse("{} {}").is_err());
    }
}
