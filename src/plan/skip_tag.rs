//! Tags of `--skip-tag`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::TagKey;
use crate::resource_map::{PresentTag, TagKeys};

/// A tag that keeps a resource from being written to: `KEY`, or `KEY=VALUE`. JSON has it as that text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SkipTag {
    key: TagKey,
    /// `None`: any value.
    value: Option<String>,
}

impl fmt::Display for SkipTag {
    /// As it is read.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            None => self.key.fmt(formatter),
            Some(value) => write!(formatter, "{}={value}", self.key),
        }
    }
}

impl FromStr for SkipTag {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = text.split_once('=').map_or((text, None), |(key, value)| (key, Some(value.to_owned())));
        if key.is_empty() {
            return Err("KEY or KEY=VALUE is expected, as in team=platform");
        }
        Ok(Self { key: TagKey::new(key), value })
    }
}

impl From<SkipTag> for String {
    fn from(tag: SkipTag) -> Self {
        tag.to_string()
    }
}

impl TryFrom<String> for SkipTag {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl SkipTag {
    /// Its key.
    pub fn key(&self) -> &TagKey {
        &self.key
    }

    /// The tag of a resource that this one is about; `keys`: how the resource's type compares keys.
    pub fn find<'t>(&self, tags: &'t BTreeMap<String, String>, keys: TagKeys) -> Option<PresentTag<'t>> {
        keys.get(tags, &self.key).filter(|present| self.value.as_ref().is_none_or(|wanted| wanted == present.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_tag_is_a_key_with_or_without_a_value() {
        let read = |text: &str| text.parse::<SkipTag>().map(|skip| (skip.key.to_string(), skip.value));
        assert_eq!(read("team"), Ok(("team".to_owned(), None)));
        assert_eq!(read("team="), Ok(("team".to_owned(), Some(String::new()))));
        assert_eq!(read("team=a=b"), Ok(("team".to_owned(), Some("a=b".to_owned()))));
        assert!(read("=a").is_err());
        assert_eq!("team=a".parse::<SkipTag>().unwrap().to_string(), "team=a");
    }
}
