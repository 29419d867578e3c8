//! Tags that keep a resource from being written to, compared with its present tags just before the write.

use std::collections::BTreeMap;

use crate::plan::ShownTag;
use crate::resource_map::TagKeys;
use crate::store::journal::Write;

/// A present tag that excludes its resource from the write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Holding {
    /// A tag of `--skip-tag`.
    #[error("has the tag {0}, which --skip-tag excludes")]
    SkipTag(ShownTag),
    /// A further owner key.
    #[error("has {0} now, which counts as the owner tag")]
    OwnerKey(ShownTag),
}

/// The tag that excludes a resource with these tags from the write. `keys`: how its type compares tag keys.
pub(super) fn holding(write: &Write, keys: TagKeys, tags: &BTreeMap<String, String>) -> Option<Holding> {
    if let Some(tag) = write.skip_tags.iter().find_map(|skip| skip.find(tags, keys)) {
        return Some(Holding::SkipTag(tag.into()));
    }
    if keys.get(tags, &write.key).is_some() {
        return None;
    }
    let owner = write.owner_keys.iter().find_map(|key| keys.get(tags, key))?;
    Some(Holding::OwnerKey(owner.into()))
}
