//! Why a write is not made, decided before the first call of a run. The only place that turns these reasons into English.

use crate::model::ResourceType;
use crate::model::TagKey;
use crate::plan::ShownTag;
use crate::store::StoreError;

/// Why a write is not made.
#[derive(Debug, thiserror::Error)]
pub(super) enum Reason {
    /// The resource of a fresh plan is not among the listed ones.
    #[error("not listed")]
    NotListed,
    /// A newer resource has the name.
    #[error("it was replaced: {event} created another resource with this name at {time}")]
    AnotherResource {
        /// The name of its create event.
        event: String,
        /// The time of its create event.
        time: String,
    },
    /// The database fails.
    #[error("its events could not be read from the database: {0}")]
    EventsUnread(StoreError),
    /// The type is not in the resource map.
    #[error("the resource map has no type {0}")]
    UnknownType(ResourceType),
    /// The resource's state does not allow tagging.
    #[error("its state does not allow tagging now")]
    NotNow,
    /// The resource is no longer listed.
    #[error("it no longer exists")]
    Gone,
    /// The resource has the new value already.
    #[error("already {}", has(.key, .present.as_ref()))]
    Done {
        /// The tag to write.
        key: TagKey,
        /// The tag as it is.
        present: Option<ShownTag>,
    },
    /// The resource has neither the old value nor the new one.
    #[error("{} now; the tag was changed meanwhile", has(.key, .present.as_ref()))]
    Changed {
        /// The tag to write.
        key: TagKey,
        /// The tag as it is.
        present: Option<ShownTag>,
    },
}

/// "has Owner=bob", or "has no tag Owner".
fn has(key: &TagKey, present: Option<&ShownTag>) -> String {
    present.map_or_else(|| format!("has no tag {key}"), |tag| format!("has {tag}"))
}
