//! Tags that keep a resource from being written to, compared with its present tags just before the write.

use std::collections::BTreeMap;

use crate::resource_map::TagKeys;
use crate::store::journal::Write;

/// Why a resource with these tags is not to be written to: it has an owner by a further key, or a tag of `--skip-tag`. `keys`: how its
/// type compares tag keys.
pub(super) fn reason(write: &Write, keys: TagKeys, tags: &BTreeMap<String, String>) -> Option<String> {
    if let Some(tag) = write.skip_tags.iter().find_map(|skip| skip.find(tags, keys)) {
        return Some(format!("has the tag {}={}, which --skip-tag excludes", tag.key, tag.value));
    }
    if keys.get(tags, &write.key).is_some() {
        return None;
    }
    let owner = write.owner_keys.iter().find_map(|key| keys.get(tags, key))?;
    Some(format!("has {}={} now, which counts as the owner tag", owner.key, owner.value))
}
