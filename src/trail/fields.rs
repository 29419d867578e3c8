//! A record, split into its top-level fields without parsing them. Only the needed fields are parsed later.
//!
//! For duplicate keys, the last value counts, as in most JSON parsers. Only this module decides that.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use jmespath::Variable;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::identity::UserIdentity;
use super::mend;
use super::text::Text;
use crate::model::event::Identity;

/// The field with the facts of [`Identity`].
const USER_IDENTITY: &str = "userIdentity";

/// The top-level fields of a record.
///
/// Created from a record's text with [`Fields::parse`], or from parts with [`Fields::from_iter`] if a source has separate
/// fields (such as columns).
#[derive(Debug, Clone, Default)]
pub struct Fields<'a> {
    entries: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// The facts of `userIdentity` if they were read while splitting. Then it is not an entry.
    identity: Option<ReadIdentity<'a>>,
}

#[derive(Debug, Clone)]
struct ReadIdentity<'a> {
    /// Until [`Fields::identity`] takes them.
    facts: RefCell<Option<Identity>>,
    /// The record, to split it again if `userIdentity` is needed as JSON.
    record: &'a str,
}

impl<'a> Fields<'a> {
    /// Splits a record's text.
    ///
    /// # Errors
    /// The text is not one JSON object.
    pub fn parse(record: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(record)
    }

    /// Like [`Fields::parse`], for bytes that may not be UTF-8. The facts of `userIdentity`, which every event needs, are read in the same
    /// pass.
    ///
    /// # Errors
    /// Those of [`Fields::parse`].
    pub(super) fn parse_bytes(record: &'a [u8]) -> Result<Self, serde_json::Error> {
        // Checked at once, and not each value.
        let Ok(record) = str::from_utf8(record) else { return serde_json::from_slice(record) };
        let Ok(SplitRecord { entries, identity }) = serde_json::from_str(record) else { return Self::parse(record) };
        let identity = identity.map(|facts| ReadIdentity { facts: RefCell::new(Some(facts)), record });
        Ok(Self { entries, identity })
    }

    /// These fields with `userIdentity` among them. Splits the record again, which few maps need.
    fn complete(&self) -> Cow<'_, Self> {
        match &self.identity {
            Some(identity) => Cow::Owned(Self::parse(identity.record).expect("it was split before")),
            None => Cow::Borrowed(self),
        }
    }

    /// The facts of `userIdentity`. `None` if it is absent, or has faults that [`Fields::value`] replaces. Only the first call is fast.
    pub(super) fn identity(&self) -> Option<Identity> {
        let read = self.identity.as_ref().and_then(|identity| identity.facts.take());
        read.or_else(|| serde_json::from_str(self.raw(USER_IDENTITY)?).ok().map(|UserIdentity(facts)| facts))
    }

    /// Splits a record's text like [`Fields::parse`]. A record that can't be read because of faults in its texts is mended first, into `mended`.
    ///
    /// # Errors
    /// The text is not one JSON object, even when mended.
    pub fn parse_or_mend(record: &'a str, mended: &'a mut String) -> Result<Self, serde_json::Error> {
        Self::parse(record).or_else(|error| {
            *mended = mend::mended(record.as_bytes());
            Self::parse(mended).map_err(|_| error)
        })
    }

    /// The JSON text of the field, including null.
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        if self.identity.is_some() && name == USER_IDENTITY {
            return self.complete().raw(name);
        }
        self.entries.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.get())
    }

    /// The field if it is a non-empty string. Characters that can't be read are replaced.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        let raw = self.raw(name).filter(|raw| raw.starts_with('"'))?;
        // A JSON string without escapes is the text itself.
        let literal = raw[1..].strip_suffix('"').filter(|text| memchr::memchr(b'\\', text.as_bytes()).is_none());
        let text = match literal.map_or_else(|| serde_json::from_str(raw), |text| Ok(Text(Cow::Borrowed(text)))) {
            Ok(Text(text)) => text,
            Err(_) => serde_json::from_str(&mend::mended(raw.as_bytes())).map(Cow::Owned).ok()?,
        };
        (!text.is_empty()).then(|| mend::readable(text))
    }

    /// Whether the field is present and not null.
    pub fn is_set(&self, name: &str) -> bool {
        self.raw(name).is_some_and(|raw| raw != "null")
    }

    /// The field for JMESPath. `None` if it is absent. Faults in its texts and values that are nested too deep are replaced.
    ///
    /// # Errors
    /// It is not JSON, even when mended.
    pub fn variable(&self, name: &str) -> Result<Option<Variable>, serde_json::Error> {
        self.value(name)
    }

    /// The field as a value of any kind, like [`Fields::variable`].
    pub(super) fn value<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, serde_json::Error> {
        let read =
            |raw: &str| serde_json::from_str(raw).or_else(|_| serde_json::from_str(&mend::mended(raw.as_bytes())));
        self.raw(name).map(read).transpose()
    }

    /// Whether a text in one of the fields can't be read.
    pub(super) fn has_damage(&self) -> bool {
        self.complete().entries.iter().any(|(_, value)| mend::is_damaged(&mend::mended(value.get().as_bytes())))
    }

    /// Whether all values together have more than `limit` bytes of JSON.
    pub(super) fn exceed(&self, limit: usize) -> bool {
        // The sum for a short record is not needed.
        let is_small = self.identity.as_ref().is_some_and(|identity| identity.record.len() <= limit);
        !is_small && self.complete().entries.iter().map(|(_, value)| value.get().len()).sum::<usize>() > limit
    }

    /// The names, including duplicates. `userIdentity` can be out of order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let identity = self.identity.as_ref().map(|_| USER_IDENTITY);
        self.entries.iter().map(|(name, _)| name.as_ref()).chain(identity)
    }
}

impl<'a> FromIterator<(Cow<'a, str>, &'a RawValue)> for Fields<'a> {
    fn from_iter<I: IntoIterator<Item = (Cow<'a, str>, &'a RawValue)>>(entries: I) -> Self {
        Self { entries: entries.into_iter().collect(), identity: None }
    }
}

/// The number of fields in a typical record, for the initial allocation.
const USUAL_FIELDS: usize = 24;

/// A record's fields. With `READS_IDENTITY`, the facts of `userIdentity` are read, and it is not an entry.
struct Split<'a, const READS_IDENTITY: bool> {
    entries: Vec<(Cow<'a, str>, &'a RawValue)>,
    identity: Option<Identity>,
}

type SplitRecord<'a> = Split<'a, true>;

impl<'de: 'a, 'a, const READS_IDENTITY: bool> Deserialize<'de> for Split<'a, READS_IDENTITY> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<const READS_IDENTITY: bool>;

        impl<'de, const READS_IDENTITY: bool> Visitor<'de> for Entries<READS_IDENTITY> {
            type Value = Split<'de, READS_IDENTITY>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a record (a JSON object)")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut entries, mut identity) = (Vec::with_capacity(USUAL_FIELDS), None);
                while let Some(Text(name)) = map.next_key()? {
                    if READS_IDENTITY && name == USER_IDENTITY {
                        let UserIdentity(found) = map.next_value()?;
                        // Rare. The record is then split without reading it, and of two equal keys the last counts.
                        if identity.replace(found).is_some() {
                            return Err(A::Error::custom("two identities"));
                        }
                    } else {
                        entries.push((name, map.next_value()?));
                    }
                }
                Ok(Split { entries, identity })
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Split { entries, .. } = Split::<'_, false>::deserialize(deserializer)?;
        Ok(Self { entries, identity: None })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
    fn an_identity_that_is_read_at_once_is_still_a_field() {
        for (record, is_read) in [
            (r#"{"a":1,"userIdentity":{"type":"Root","x":[1]},"b":2}"#, true),
            (r#"{"user\u0049dentity" : {"arn":"a"} }"#, true),
            (r#"{"userIdentity":null}"#, true),
            (r#"{"a":1}"#, false),
            (r#"{"userIdentity":{"type":"A"},"userIdentity":{"type":"B"}}"#, false),
            (r#"{"userIdentity":{"type":"\ud83d"}}"#, false),
            (r#"{"userIdentity":1e999}"#, false),
        ] {
            let (at_once, split) = (Fields::parse_bytes(record.as_bytes()).unwrap(), Fields::parse(record).unwrap());
            assert_eq!(at_once.identity.is_some(), is_read, "{record}");
            for _ in 0..2 {
                assert_eq!(at_once.identity(), split.identity(), "{record}");
            }
            for limit in 0..=record.len() {
                assert_eq!(at_once.exceed(limit), split.exceed(limit), "{limit} {record}");
            }
            for name in ["a", "b", "userIdentity"] {
                assert_eq!(at_once.raw(name), split.raw(name), "{name} of {record}");
            }
            let names = |fields: &Fields<'_>| fields.names().map(str::to_owned).collect::<BTreeSet<_>>();
            assert_eq!(names(&at_once), names(&split));
            assert_eq!(at_once.has_damage(), split.has_damage());
        }
        assert!(Fields::parse_bytes(br#"{"userIdentity":{"type":"A"}"#).is_err());
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
    fn faults_in_one_field_are_no_matter_to_the_others() {
        let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
        let record =
            format!(r#"{{"x":{deep},"n":1e999,"eventName":"A","userAgent":"cut \ud83d"}}"#).replace("\\\\", "\\");
        let fields = Fields::parse(&record).unwrap();
        assert_eq!(fields.text("eventName").unwrap(), "A");
        assert_eq!(fields.text("userAgent").unwrap(), "cut \u{fffd}");
        assert!(fields.variable("x").unwrap().is_some() && fields.variable("n").unwrap().is_some());
        let record = r#"{"\ud83d":1,"eventName":"A"}"#;
        assert!(Fields::parse(record).is_err());
        let mut mended = String::new();
        assert_eq!(Fields::parse_or_mend(record, &mut mended).unwrap().text("eventName").unwrap(), "A");
        assert!(Fields::parse_or_mend("[]", &mut String::new()).is_err());
    }

    #[test]
    fn other_values_than_objects_are_refused() {
        assert!(Fields::parse("[]").unwrap_err().to_string().contains("a record (a JSON object)"));
        assert!(Fields::parse("{} {}").is_err());
    }
}
