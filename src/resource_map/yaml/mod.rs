//! Our format as it is written: the shapes of a service's file, unchecked beyond keys and kinds.
//!
//! `docs/resource-maps.md` is the contract. What an author forgets most (`type`, `events`, `ids`) is optional here, so
//! that the error can point at the stanza that lacks it.

mod values;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use serde::Deserialize;
use serde_saphyr::Spanned;

pub(super) use values::{ActionStanza, ItemTextStanza, Param, ParentValueStanza, WriteStanza};

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
