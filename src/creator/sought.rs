//! What an owner is sought for: a resource as far as it is known, and its create event.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::event::Event;
use crate::model::{AccountId, ResourceType, Tags};

/// Why the tags of a resource that is known from the database only are unknown.
pub(super) const DATABASE_HAS_NONE: &str = "the database has none";

/// What an owner is sought for.
#[derive(Debug, Clone, Default)]
pub struct Sought<'a> {
    /// The create event. `None` without one on record.
    pub event: Option<&'a Event>,
    /// The resource. `None` where only a principal is known: rules about resources do not match it.
    pub resource: Option<ResourceFacts<'a>>,
}

impl<'a> From<&'a Event> for Sought<'a> {
    fn from(event: &'a Event) -> Self {
        Self { event: Some(event), resource: None }
    }
}

/// The fields of the resource document that rules of an identity map match.
#[derive(Debug, Clone)]
pub struct ResourceFacts<'a> {
    /// `type`.
    pub resource_type: &'a ResourceType,
    /// `id`.
    pub id: &'a str,
    /// `arn`.
    pub arn: Option<&'a str>,
    /// `name`: final only if the tags are known, because the `Name` tag counts first.
    pub name: Option<Cow<'a, str>>,
    /// `account_id`.
    pub account_id: &'a AccountId,
    /// `account_name`.
    pub account_name: Option<&'a str>,
    /// `region`.
    pub region: &'a str,
    /// `tags`, as far as they are known.
    pub tags: Cow<'a, Tags>,
}

impl ResourceFacts<'_> {
    /// The tags of a resource that is known from the database only.
    pub fn tags_of_database() -> Tags {
        Tags::Unknown(DATABASE_HAS_NONE.to_owned())
    }
}

/// The tags of accounts, from accounts files.
#[derive(Debug, Clone, Default)]
pub struct AccountTags(BTreeMap<AccountId, Vec<String>>);

impl AccountTags {
    /// Adds the tags of an account, each as `KEY:VALUE`. They replace tags that were added before.
    pub fn set(&mut self, account: &AccountId, tags: &[String]) {
        self.0.insert(account.clone(), tags.to_vec());
    }

    /// The value of a tag of an account. `None` without the tag, without a value, or for an unknown account.
    pub(super) fn get(&self, account: &AccountId, key: &str) -> Option<&str> {
        let value_of = |tag| str::strip_prefix(tag, key)?.strip_prefix(':');
        let value = self.0.get(account)?.iter().find_map(|tag| value_of(tag.as_str()))?.trim();
        (!value.is_empty()).then_some(value)
    }
}
