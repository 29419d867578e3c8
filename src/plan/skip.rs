//! Why a tag of a resource is not written. The planner decides with these; this is the only place that turns them into English.

use std::fmt;

use super::document::{SkipKind, SkippedResource};
use super::lineage::Orphan;
use crate::creator::{NoOwner, NoValue, Undecided};
use crate::model::{Arn, LiveResource, ResourceType, RunId, TagKey};
use crate::resource_map::PresentTag;

/// A tag of a resource, displayed as `key=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownTag {
    key: String,
    value: String,
}

impl From<PresentTag<'_>> for ShownTag {
    fn from(present: PresentTag<'_>) -> Self {
        Self { key: present.key.to_owned(), value: present.value.to_owned() }
    }
}

impl fmt::Display for ShownTag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.key, self.value)
    }
}

/// Why a tag of a resource is not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Skip {
    /// The resource map has no call that writes tags of the type.
    #[error("resources of this type can't be tagged")]
    NotTaggable,
    /// The resource has a tag of `--skip-tag`.
    #[error("has the tag {0}, which --skip-tag excludes")]
    SkipTag(ShownTag),
    /// The expression of `--where` is not true for the resource.
    #[error("--where excludes it")]
    Where,
    /// Only some tags could be read, and the expression of `--where` depends on tags.
    #[error("not all of its tags could be read, and --where depends on them")]
    MayMatch,
    /// The resource has the tag.
    #[error("already has the tag: {tag}{because}")]
    HasTag {
        /// The tag.
        tag: ShownTag,
        /// Why it counts as the tag.
        because: SameTag,
    },
    /// The resource has the tag, with the value that would be written.
    #[error("already has the tag with this value: {0}")]
    SameValue(ShownTag),
    /// With `--refresh`: the value is not from an earlier run.
    #[error("has {tag}, {why}")]
    WrittenByOthers {
        /// The tag.
        tag: ShownTag,
        /// How that is known.
        why: NotOurs,
    },
    /// No event in the database created the resource.
    #[error("no create event in the database{renames}")]
    NoRecord {
        /// The renames that are recorded, each as a phrase after a comma.
        renames: String,
    },
    /// The resource was created again without an event.
    #[error("no create event since it was last deleted")]
    NoRecordSinceDelete,
    /// An earlier resource gave the name up, or the rename waits for the maintenance window of RDS.
    #[error("no create event since the earlier resource with this name was renamed to {name} by {event} at {time}")]
    NoRecordSinceRename {
        /// The new name.
        name: String,
        /// The name of the rename event.
        event: String,
        /// The time of the rename event.
        time: String,
    },
    /// The principal of the create event is not an owner.
    #[error(transparent)]
    NoOwner(NoOwner),
    /// A parent could not be read, and may have a better owner. A tag once written would stay.
    #[error(transparent)]
    UnreadParent(Orphan),
    /// The resource has no owner of its own, nor one from its parents.
    #[error("{own}; {parents}")]
    NoParentOwner {
        /// Why it has none of its own.
        own: Box<Skip>,
        /// Why its parents give none.
        parents: Orphan,
    },
    /// An additional tag has no value.
    #[error("no {key}: {why}")]
    NoValue {
        /// The additional tag.
        key: TagKey,
        /// The reason.
        why: NoValue,
    },
    /// An additional tag is the same tag as an earlier one.
    #[error("no {key}: it is the same tag as {same} on {resource_type}")]
    SameKey {
        /// The additional tag.
        key: TagKey,
        /// The earlier one.
        same: TagKey,
        /// The type, which ignores the case of keys.
        resource_type: ResourceType,
    },
    /// The tags could not be read.
    #[error("its tags could not be read: {0}")]
    TagsUnknown(String),
    /// Only some tags could be read, so the resource may have this one.
    #[error("not all of its tags could be read: it may have {0}")]
    MayHave(String),
    /// Only some tags could be read, and the rule of the identity map depends on others.
    #[error(transparent)]
    Undecided(Box<Undecided>),
    /// The resource's state does not allow tagging.
    #[error("its state does not allow tagging now ({0})")]
    NotNow(String),
    /// The resource has as many tags as AWS allows.
    #[error("has {tags} tags already, {limit} are allowed")]
    TagLimit {
        /// The tags that count.
        tags: usize,
        /// AWS's limit.
        limit: usize,
    },
    /// Tagging the resource also updates it, which is not allowed.
    #[error("tagging it would update it ({what}); allow that with --allow-updates {resource_type}")]
    SideEffects {
        /// What tagging does beside that.
        what: String,
        /// The type.
        resource_type: ResourceType,
    },
    /// The resource's last update by a run of this database was rolled back.
    #[error(
        "its last update, by run {}, was rolled back: {}; fix the cause, then retry with --retry-rolled-back",
        .0.run,
        .0.reason
    )]
    RolledBack(Rollback),
    /// With `--refresh`: the resource keeps the value that an earlier run wrote.
    #[error("keeps {tag}, which an earlier run wrote: {why}")]
    Keeps {
        /// The tag.
        tag: ShownTag,
        /// Why there is no new value.
        why: Box<Skip>,
    },
}

/// An update that was rolled back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    /// The resource.
    pub arn: Arn,
    /// The run that updated it.
    pub run: RunId,
    /// AWS's reason.
    pub reason: String,
}

/// Why a present tag counts as the one to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SameTag {
    /// It has that key.
    Itself,
    /// The type ignores the case of keys.
    OtherCase {
        /// The key to write.
        key: TagKey,
        /// The type.
        resource_type: ResourceType,
    },
    /// It is a further key of `--owner-keys`, beside this one.
    OwnerKeyBeside(TagKey),
}

impl fmt::Display for SameTag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Itself => Ok(()),
            Self::OtherCase { key, resource_type } => write!(formatter, ", the same key as {key} on {resource_type}"),
            Self::OwnerKeyBeside(key) => write!(formatter, ", an owner key beside {key}"),
        }
    }
}

/// Why a value is not the one that an earlier run wrote on this resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOurs {
    /// No run wrote one.
    #[error("which no earlier run wrote")]
    NeverWritten,
    /// The tag was changed.
    #[error("changed since an earlier run wrote {value} ({at})")]
    Changed {
        /// What the run wrote.
        value: String,
        /// When.
        at: String,
    },
    /// An earlier resource with this name had the value.
    #[error("and was recreated since an earlier run wrote that value ({at})")]
    Recreated {
        /// When the run wrote it.
        at: String,
    },
}

impl Skip {
    /// The plan's entry about a skipped tag of a resource. `key`: the tag, if it is not the owner's.
    pub(super) fn entry(&self, resource: &LiveResource, key: Option<TagKey>) -> SkippedResource {
        SkippedResource {
            resource_type: resource.resource_type.clone(),
            id: resource.id.clone(),
            key,
            kind: self.kind(),
            reason: self.to_string(),
        }
    }

    /// The skip for a resource without an owner. A rule that depends on tags is open until they are read.
    pub(super) fn of_no_owner(no_owner: NoOwner) -> Self {
        match no_owner {
            NoOwner::Undecided(undecided) => Self::Undecided(undecided),
            no_owner => Self::NoOwner(no_owner),
        }
    }

    /// Why the resource has no owner of its own.
    pub(crate) fn no_owner(&self) -> Option<&NoOwner> {
        match self {
            Self::NoOwner(no_owner) => Some(no_owner),
            Self::NoParentOwner { own: why, .. } | Self::Keeps { why, .. } => why.no_owner(),
            _ => None,
        }
    }

    /// The class of the reason, for the summary.
    pub fn kind(&self) -> SkipKind {
        match self {
            Self::NotTaggable => SkipKind::NotTaggable,
            Self::SkipTag(_) => SkipKind::SkipTag,
            Self::Where => SkipKind::Where,
            Self::HasTag { .. } => SkipKind::HasTag,
            Self::SameValue(_) => SkipKind::SameValue,
            Self::WrittenByOthers { .. } => SkipKind::WrittenByOthers,
            Self::NoRecord { .. } | Self::NoRecordSinceDelete | Self::NoRecordSinceRename { .. } => SkipKind::NoRecord,
            Self::NoOwner(_) | Self::UnreadParent(_) => SkipKind::NoOwner,
            Self::NoValue { .. } => SkipKind::NoValue,
            Self::SameKey { .. } => SkipKind::SameKey,
            Self::TagsUnknown(_) | Self::MayHave(_) | Self::MayMatch | Self::Undecided(_) => SkipKind::TagsUnknown,
            Self::NotNow(_) => SkipKind::NotNow,
            Self::TagLimit { .. } => SkipKind::TagLimit,
            Self::SideEffects { .. } => SkipKind::SideEffects,
            Self::RolledBack(_) => SkipKind::RolledBack,
            Self::NoParentOwner { own, .. } => own.kind(),
            Self::Keeps { why, .. } => why.kind(),
        }
    }
}
