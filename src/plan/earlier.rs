//! What earlier runs wrote: the values on a type's resources that are ours to correct.
//!
//! A value is ours while the last write of the tag set it and nothing in the journal contradicts that: an undo reverts it, and a write that
//! found another value than ours shows that it was changed in between. Whether it was changed since the last write, only the present value
//! shows. Pure.

use std::collections::HashMap;

use crate::model::LiveResource;
use crate::model::{Arn, ResourceId, TagKey, TagValue};
use crate::resource_map::TagKeys;

/// Whether a write puts a value of ours on a resource or removes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A run that tags, or an undo of an undo.
    Sets,
    /// An undo of a run that tags.
    Reverts,
}

/// A write of an earlier run that was made, or may have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierWrite {
    /// The resource's id.
    pub id: ResourceId,
    /// Its ARN.
    pub arn: Arn,
    /// The tag.
    pub key: TagKey,
    /// The value before.
    pub old_value: Option<TagValue>,
    /// The value after.
    pub new_value: Option<TagValue>,
    /// The event that the new value rests on.
    pub event_id: Option<String>,
    /// What the write is for.
    pub direction: Direction,
    /// Whether AWS is known to have accepted it. Without: its run was interrupted during the call.
    pub is_certain: bool,
    /// When it ended, or else when its run began; RFC 3339, UTC.
    pub at: String,
}

/// A resource as the journal names it.
type Subject = (ResourceId, Arn);

/// The values that earlier runs wrote on the resources of a type.
#[derive(Debug, Clone, Default)]
pub struct Earlier {
    keys: TagKeys,
    values: HashMap<Subject, Vec<OfKey>>,
}

/// The values of one tag, each put in place of the one before it; the last is on the resource.
#[derive(Debug, Clone)]
struct OfKey {
    key: TagKey,
    values: Vec<Value>,
}

#[derive(Debug, Clone)]
struct Value {
    value: TagValue,
    event_id: Option<String>,
    at: String,
}

/// A value that an earlier run wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ours<'a> {
    /// The value.
    pub(crate) value: &'a TagValue,
    /// The event that it rests on.
    pub(crate) event_id: Option<&'a str>,
    /// When it was written; RFC 3339, UTC.
    pub(crate) at: &'a str,
}

impl Earlier {
    /// No write yet, of a type that compares its tag keys so.
    pub fn of_type(keys: TagKeys) -> Self {
        Self { keys, values: HashMap::new() }
    }

    /// Takes the next write, by time.
    pub fn add(&mut self, write: EarlierWrite) {
        let EarlierWrite { id, arn, key, old_value, new_value, event_id, direction, is_certain, at } = write;
        let keys = self.keys;
        let of_resource = self.values.entry((id, arn)).or_default();
        let is_same = |of_key: &OfKey| keys.are_same(of_key.key.as_str(), key.as_str());
        let position = of_resource.iter().position(is_same).unwrap_or_else(|| {
            of_resource.push(OfKey { key, values: Vec::new() });
            of_resource.len() - 1
        });
        let values = &mut of_resource[position].values;
        let is_last =
            |values: &[Value], value: &Option<TagValue>| values.last().map(|last| &last.value) == value.as_ref();
        match (direction, is_certain) {
            (Direction::Sets, true) => {
                if !is_last(values, &old_value) {
                    values.clear();
                }
                values.extend(new_value.map(|value| Value { value, event_id, at }));
            }
            // Whether it was reverted is not known: what is there now may be another's.
            (Direction::Reverts, false) => values.clear(),
            (Direction::Reverts, true) => {
                let was_last = is_last(values, &old_value);
                values.pop();
                if !was_last || !is_last(values, &new_value) {
                    values.clear();
                }
            }
            (Direction::Sets, false) => {}
        }
    }

    /// The value that an earlier run wrote on a resource under this key, if no later run reverted it.
    pub(crate) fn of(&self, resource: &LiveResource, key: &TagKey) -> Option<Ours<'_>> {
        let of_resource = self.values.get(&(resource.id.clone(), resource.arn.clone()))?;
        let last =
            of_resource.iter().find(|of_key| self.keys.are_same(of_key.key.as_str(), key.as_str()))?.values.last()?;
        Some(Ours { value: &last.value, event_id: last.event_id.as_deref(), at: &last.at })
    }

    /// Forgets what is of other resources than these.
    pub fn retain(&mut self, live: &[LiveResource]) {
        let living: std::collections::HashSet<(&ResourceId, &Arn)> =
            live.iter().map(|resource| (&resource.id, &resource.arn)).collect();
        self.values.retain(|(id, arn), _| living.contains(&(id, arn)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::test_data::live;

    fn write(direction: Direction, old: Option<&str>, new: Option<&str>) -> EarlierWrite {
        EarlierWrite {
            id: "q".into(),
            arn: "arn:q".into(),
            key: "Owner".into(),
            old_value: old.map(TagValue::from),
            new_value: new.map(TagValue::from),
            event_id: None,
            direction,
            is_certain: true,
            at: "2026-01-01T00:00:00Z".to_owned(),
        }
    }

    fn sets(old: Option<&str>, new: &str) -> EarlierWrite {
        write(Direction::Sets, old, Some(new))
    }

    fn reverts(old: &str, new: Option<&str>) -> EarlierWrite {
        write(Direction::Reverts, Some(old), new)
    }

    fn unsure(write: EarlierWrite) -> EarlierWrite {
        EarlierWrite { is_certain: false, ..write }
    }

    fn ours(writes: impl IntoIterator<Item = EarlierWrite>) -> Option<String> {
        let mut earlier = Earlier::default();
        writes.into_iter().for_each(|write| earlier.add(write));
        earlier.of(&live("q", "arn:q"), &"Owner".into()).map(|ours| ours.value.to_string())
    }

    #[test]
    fn the_last_value_that_was_not_reverted_is_ours() {
        let some = |value: &str| Some(value.to_owned());
        assert_eq!(ours([]), None);
        assert_eq!(ours([sets(None, "a")]), some("a"));
        assert_eq!(ours([sets(None, "a"), reverts("a", None)]), None);
        assert_eq!(ours([sets(None, "a"), sets(Some("a"), "b")]), some("b"));
        assert_eq!(ours([sets(None, "a"), sets(Some("a"), "b"), reverts("b", Some("a"))]), some("a"));
        assert_eq!(ours([sets(None, "a"), reverts("a", None), sets(None, "a")]), some("a"), "an undo was undone");
        assert_eq!(ours([sets(Some("zoe"), "b"), reverts("b", Some("zoe"))]), None, "another's value is restored");
    }

    #[test]
    fn a_write_that_found_another_value_shows_that_ours_was_changed() {
        let writes = [sets(None, "a"), sets(Some("zoe"), "b"), reverts("b", Some("zoe"))];
        assert_eq!(ours(writes), None);
    }

    #[test]
    fn what_an_interrupted_run_may_have_done_proves_nothing() {
        assert_eq!(ours([unsure(sets(None, "a"))]), None);
        assert_eq!(ours([sets(None, "a"), unsure(sets(Some("a"), "b"))]).as_deref(), Some("a"));
        assert_eq!(ours([sets(None, "a"), unsure(reverts("a", None))]), None);
    }

    #[test]
    fn resources_and_tags_are_kept_apart() {
        let mut earlier = Earlier::default();
        earlier.add(sets(None, "a"));
        assert_eq!(earlier.of(&live("q", "arn:other"), &"Owner".into()), None);
        assert_eq!(earlier.of(&live("q", "arn:q"), &"Team".into()), None);
        earlier.retain(&[live("p", "arn:p")]);
        assert_eq!(earlier.of(&live("q", "arn:q"), &"Owner".into()), None);
    }
}
