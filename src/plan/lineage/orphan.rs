//! Why a resource has no owner from its parents. The only place that turns these reasons into English.

use std::fmt;

use super::{MAX_GENERATIONS, ParentRef};
use crate::creator::NoOwner;
use crate::model::ResourceType;

/// Why a resource has no owner from its parents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Orphan {
    /// Nothing names a parent that has one. What was tried; empty if nothing names a parent.
    NoOwnerFound(Vec<Tried>),
    /// A parent could not be read, so that another answer might be the wrong one.
    Unreadable(UnreadParent),
}

/// A parent, or its tags, could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadParent {
    /// The parent.
    pub(super) parent: ParentRef,
    /// Whether only its tags could not be read.
    pub(super) only_tags: bool,
    /// The error of the AWS call.
    pub(super) error: String,
}

/// A way to a parent's owner that led nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// The ancestor is too many generations away.
    TooFar(ParentRef),
    /// The parent is in another account. Its type, and the text that names it.
    OtherAccount(ResourceType, String),
    /// The provisioning principal that a tag names is not an owner.
    Principal(NoOwner),
    /// The parent has no owner.
    Parent {
        /// The parent.
        parent: ParentRef,
        /// Why its create event gives none. `None`: it has no create event.
        no_owner: Option<NoOwner>,
        /// What was tried above it.
        above: Vec<Tried>,
    },
    /// The parent is not among the live resources, so its own parents are unknown.
    NotLive,
}

impl Orphan {
    /// Whether there is something to report.
    pub(in crate::plan) fn is_worth_a_word(&self) -> bool {
        !matches!(self, Self::NoOwnerFound(tried) if tried.is_empty())
    }
}

impl std::error::Error for Orphan {}

impl fmt::Display for Orphan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoOwnerFound(tried) => {
                for (at, tried) in tried.iter().enumerate() {
                    write!(formatter, "{}{tried}", if at == 0 { "" } else { "; " })?;
                }
                Ok(())
            }
            Self::Unreadable(unread) => unread.fmt(formatter),
        }
    }
}

impl fmt::Display for UnreadParent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.only_tags { "the tags of " } else { "" };
        write!(formatter, "{what}its parent {} could not be read: {}", self.parent, self.error)
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFar(ancestor) => {
                write!(formatter, "{ancestor} is its ancestor in the {MAX_GENERATIONS}th generation")
            }
            Self::OtherAccount(resource_type, text) => {
                write!(formatter, "its parent {resource_type} {text} is in another account")
            }
            Self::Principal(no_owner) => write!(formatter, "its provisioning principal is not an owner: {no_owner}"),
            Self::Parent { parent, no_owner, above } => {
                match no_owner {
                    Some(no_owner) => write!(formatter, "its parent {parent} has no owner: {no_owner}")?,
                    None => write!(formatter, "its parent {parent} has no record")?,
                }
                above.iter().try_for_each(|tried| write!(formatter, "; {tried}"))
            }
            Self::NotLive => formatter.write_str("it is not among the live resources"),
        }
    }
}

impl fmt::Display for ParentRef {
    /// "asg web"
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.resource_type, self.arn.as_ref().unwrap_or(&self.id))
    }
}
