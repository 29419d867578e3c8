//! How the keys of a type's tags are compared: the one place that decides whether two keys are the same tag.
//!
//! Nearly all of AWS compares with case. IAM's users and roles do not: "Tag key values for IAM users and roles are not case
//! sensitive, but case is preserved." A tag `department=hr` replaces `Department=finance` there. Kendra and Q Business say
//! the same of their keys.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::TagKey;

/// How a type compares the keys of its tags (`tag_keys` of the map).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TagKeys {
    /// `Owner` and `owner` are two tags.
    #[default]
    MatchCase,
    /// `Owner` and `owner` are one tag, which keeps the spelling of the last write.
    IgnoreCase,
}

/// A tag that a resource has, with the key as it is spelled there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresentTag<'t> {
    /// Its key on the resource.
    pub key: &'t str,
    /// Its value.
    pub value: &'t str,
}

impl TagKeys {
    /// Whether a resource can have only one of the two keys.
    pub fn are_same(self, one: &str, other: &str) -> bool {
        one == other || (self == Self::IgnoreCase && folded(one).eq(folded(other)))
    }

    /// The tag that has this key by the type's comparison.
    pub fn get<'t>(self, tags: &'t BTreeMap<String, String>, key: &TagKey) -> Option<PresentTag<'t>> {
        let exact = tags.get_key_value(key.as_str());
        let found = exact.or_else(|| match self {
            Self::MatchCase => None,
            Self::IgnoreCase => tags.iter().find(|(present, _)| self.are_same(present, key.as_str())),
        });
        found.map(|(key, value)| PresentTag { key, value })
    }

    /// Writes a tag into a set of tags, or removes it, as AWS does: a key that is the same tag goes.
    pub fn set(self, tags: &mut BTreeMap<String, String>, key: &TagKey, value: Option<&str>) {
        tags.retain(|present, _| !self.are_same(present, key.as_str()));
        if let Some(value) = value {
            tags.insert(key.to_string(), value.to_owned());
        }
    }
}

/// The text without case. Upper case first: `ß` and `ſ` have a lower case of their own. Where AWS's own comparison is narrower,
/// a key counts as present that AWS takes for another one, so a tag is not written rather than lost.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn keys_are_compared_with_case_unless_the_type_ignores_it() {
        for (one, other) in [("Owner", "owner"), ("OWNER", "oWner"), ("Straße", "STRASSE"), ("ΣΑΣ", "σας"), ("ſ", "S")]
        {
            assert!(TagKeys::IgnoreCase.are_same(one, other), "{one} {other}");
            assert!(!TagKeys::MatchCase.are_same(one, other), "{one} {other}");
        }
        assert!(!TagKeys::IgnoreCase.are_same("Owner", "OwnerEmail"));
        assert!(!TagKeys::IgnoreCase.are_same("Owner", "Owner "));
    }

    #[test]
    fn a_present_tag_has_its_own_spelling() {
        let present = tags(&[("owner", "payments"), ("team", "blue")]);
        let found = TagKeys::IgnoreCase.get(&present, &"Owner".into());
        assert_eq!(found, Some(PresentTag { key: "owner", value: "payments" }));
        assert_eq!(TagKeys::MatchCase.get(&present, &"Owner".into()), None);
        let both = tags(&[("OWNER", "1"), ("Owner", "2")]);
        assert_eq!(
            TagKeys::IgnoreCase.get(&both, &"Owner".into()).map(|tag| tag.value),
            Some("2"),
            "the exact one first"
        );
    }

    #[test]
    fn setting_a_tag_replaces_the_same_tag_only() {
        let mut present = tags(&[("owner", "payments"), ("OwnerEmail", "a@b"), ("team", "blue")]);
        TagKeys::IgnoreCase.set(&mut present, &"Owner".into(), Some("alice"));
        assert_eq!(present, tags(&[("Owner", "alice"), ("OwnerEmail", "a@b"), ("team", "blue")]));
        TagKeys::IgnoreCase.set(&mut present, &"OWNER".into(), None);
        assert_eq!(present, tags(&[("OwnerEmail", "a@b"), ("team", "blue")]));
        TagKeys::MatchCase.set(&mut present, &"Team".into(), Some("red"));
        assert_eq!(present, tags(&[("OwnerEmail", "a@b"), ("Team", "red"), ("team", "blue")]));
    }

    proptest! {
        /// What is the same tag is an equivalence: reflexive, symmetric, transitive.
        #[test]
        fn being_the_same_tag_is_an_equivalence(one in "[oOwWßſsSσςΣ]{1,4}", two in "[oOwWßſsSσςΣ]{1,4}", three in "[oOwWßſsSσςΣ]{1,4}") {
            for rule in [TagKeys::MatchCase, TagKeys::IgnoreCase] {
                let same = |one: &str, other: &str| rule.are_same(one, other);
                prop_assert!(same(&one, &one));
                prop_assert_eq!(same(&one, &two), same(&two, &one));
                prop_assert!(!(same(&one, &two) && same(&two, &three)) || same(&one, &three));
                prop_assert!(!TagKeys::MatchCase.are_same(&one, &two) || rule.are_same(&one, &two));
            }
        }

        /// A tag that is set is the only one of its kind, and no other tag changes.
        #[test]
        fn setting_a_tag_changes_no_other(present in prop::collection::btree_map("[oOwW]{1,3}", "[ab]", 0..6), key in "[oOwW]{1,3}") {
            for rule in [TagKeys::MatchCase, TagKeys::IgnoreCase] {
                let mut after = present.clone();
                rule.set(&mut after, &key.as_str().into(), Some("new"));
                let others = |tags: &BTreeMap<String, String>| -> BTreeMap<String, String> {
                    tags.clone().into_iter().filter(|(other, _)| !rule.are_same(other, &key)).collect()
                };
                prop_assert_eq!(others(&after), others(&present));
                prop_assert_eq!(after.keys().filter(|other| rule.are_same(other, &key)).collect::<Vec<_>>(), [&key]);
            }
        }
    }
}
