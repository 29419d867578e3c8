//! `people`: the name of a file, or a mapping with the columns that are names.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::text::source::Text;

/// The table of people.
#[derive(Debug)]
pub(super) struct PeopleStanza {
    /// Relative to the identity map's folder.
    pub(super) file: String,
    /// The columns that are names. Empty: all.
    pub(super) names: Vec<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mapping {
    file: String,
    #[serde(default)]
    names: Vec<Text>,
}

impl<'de> Deserialize<'de> for PeopleStanza {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PeopleVisitor;

        impl<'de> Visitor<'de> for PeopleVisitor {
            type Value = PeopleStanza;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a file name, or a mapping with `file` and `names`")
            }

            fn visit_str<E>(self, file: &str) -> Result<PeopleStanza, E> {
                Ok(PeopleStanza { file: file.to_owned(), names: Vec::new() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PeopleStanza, A::Error> {
                let Mapping { file, names } = Mapping::deserialize(MapAccessDeserializer::new(map))?;
                Ok(PeopleStanza { file, names })
            }
        }

        deserializer.deserialize_any(PeopleVisitor)
    }
}
