//! Finds the event that created a resource.

use super::rename_history::renames_in_words;
use crate::model::event::{Action, Event, StoredEvent};

/// What decides which event of a resource created it.
pub trait Dated {
    /// Its effect on the resource.
    fn action(&self) -> Action;
    /// When it was called, as CloudTrail wrote it.
    fn time(&self) -> &str;
    /// Its ID.
    fn event_id(&self) -> &str;
}

impl Dated for StoredEvent {
    fn action(&self) -> Action {
        self.action
    }

    fn time(&self) -> &str {
        &self.event.time
    }

    fn event_id(&self) -> &str {
        &self.event.event_id
    }
}

impl<E: Dated> Dated for &E {
    fn action(&self) -> Action {
        E::action(self)
    }

    fn time(&self) -> &str {
        E::time(self)
    }

    fn event_id(&self) -> &str {
        E::event_id(self)
    }
}

/// Returns the event that created the resource, from all its events in any order: the latest `Create`, else the first `Upsert`,
/// since the last `Delete`. `None` if there is no such event.
///
/// * A `Rename` has no effect here: the resource now has another name.
/// * A `Create` has priority over an `Upsert`, whichever is earlier: it fails for an existing resource, so it is certain.
/// * Events are ordered by time, across regions: events of a global type can be recorded in several.
/// * `eventTime` has whole seconds. A delete and a create event in the same second are a replacement: the create event
///   counts as later. Among create events of one second the event ID decides, so that the result is deterministic.
pub fn creation_of<E: Dated>(events: &[E]) -> Option<&E> {
    living(events, Action::Create)
        .max_by_key(|event| order(*event))
        .or_else(|| living(events, Action::Upsert).min_by_key(|event| order(*event)))
}

/// A phrase that explains the choice of [`creation_of`].
pub fn why_this_event(events: &[StoredEvent], creation: &StoredEvent) -> String {
    let since = last_deletion(events).map(|time| format!(" since the delete event at {time}")).unwrap_or_default();
    let rivals = living(events, creation.action).count();
    let Event { name, time, .. } = &creation.event;
    let which = match (creation.action, rivals) {
        (_, 0 | 1) => "the only create event".to_owned(),
        (Action::Upsert, rivals) => format!("the first of {rivals} events that create or update it"),
        (_, rivals) => format!("the latest of {rivals} create events"),
    };
    let renames = renames_in_words(events, Some(creation));
    format!("{name} at {time} is {which} on record{since}{renames}")
}

/// The events of this action since the last deletion.
fn living<E: Dated>(events: &[E], action: Action) -> impl Iterator<Item = &E> {
    let deletion = last_deletion(events);
    of(events, action).filter(move |event| deletion.is_none_or(|deletion| event.time() >= deletion))
}

fn last_deletion<E: Dated>(events: &[E]) -> Option<&str> {
    of(events, Action::Delete).map(Dated::time).max()
}

fn of<E: Dated>(events: &[E], action: Action) -> impl Iterator<Item = &E> {
    events.iter().filter(move |event| event.action() == action)
}

fn order<E: Dated>(event: &E) -> (&str, &str) {
    (event.time(), event.event_id())
}

#[cfg(test)]
mod tests {
    use smol_str::SmolStr;

    use super::*;
    use crate::creator::test_data::stored;

    /// `"create 3 alice"`: the action, the second in which it was recorded, and the event's id.
    fn events(lines: &[&str]) -> Vec<StoredEvent> {
        lines
            .iter()
            .map(|line| {
                let [action, second, id] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
                stored(Action::parse(action).unwrap(), &format!("2026-03-01T10:00:0{second}Z"), id)
            })
            .collect()
    }

    fn creation(lines: &[&str]) -> Option<SmolStr> {
        let events = events(lines);
        let forward = creation_of(&events).map(|event| event.event.event_id.clone());
        let reversed: Vec<StoredEvent> = events.iter().rev().cloned().collect();
        let backward = creation_of(&reversed).map(|event| event.event.event_id.clone());
        assert_eq!(forward, backward, "the order in which events come must not matter: {lines:?}");
        forward
    }

    #[test]
    fn latest_create_wins() {
        assert_eq!(creation(&["create 1 a"]).as_deref(), Some("a"));
        assert_eq!(creation(&["create 1 a", "create 5 b"]).as_deref(), Some("b"));
        assert_eq!(creation(&["create 1 a", "delete 3 d", "create 5 b"]).as_deref(), Some("b"));
    }

    #[test]
    fn first_upsert_since_last_delete_wins() {
        assert_eq!(creation(&["upsert 1 a", "upsert 2 b", "upsert 3 c"]).as_deref(), Some("a"));
        assert_eq!(creation(&["upsert 1 a", "delete 2 d", "upsert 3 b", "upsert 4 c"]).as_deref(), Some("b"));
        assert_eq!(
            creation(&["upsert 1 a", "delete 2 d", "upsert 3 b", "delete 5 e", "upsert 6 c"]).as_deref(),
            Some("c")
        );
    }

    #[test]
    fn create_beats_upserts_but_not_across_a_delete() {
        assert_eq!(creation(&["upsert 1 a", "create 2 b", "upsert 3 c"]).as_deref(), Some("b"));
        assert_eq!(creation(&["create 1 a", "delete 2 d", "upsert 3 b"]).as_deref(), Some("b"));
    }

    #[test]
    fn after_a_delete_there_is_no_creation() {
        assert_eq!(creation(&[]), None);
        assert_eq!(creation(&["delete 1 d"]), None);
        assert_eq!(creation(&["create 1 a", "delete 2 d"]), None);
        assert_eq!(creation(&["create 1 a", "upsert 2 b", "delete 3 d", "delete 4 e"]), None);
    }

    #[test]
    fn within_one_second_delete_comes_first_and_creates_are_ordered_by_id() {
        assert_eq!(creation(&["create 1 a", "delete 5 x", "create 5 b"]).as_deref(), Some("b"));
        assert_eq!(creation(&["create 5 b", "create 5 a"]).as_deref(), Some("b"));
        assert_eq!(creation(&["upsert 5 b", "upsert 5 a"]).as_deref(), Some("a"));
    }

    #[test]
    fn choice_is_explained() {
        let why = |lines: &[&str]| {
            let events = events(lines);
            why_this_event(&events, creation_of(&events).unwrap())
        };
        let name = &stored(Action::Create, "", "").event.name;
        let text = |second: u8, which: &str| format!("{name} at 2026-03-01T10:00:0{second}Z is {which}");
        assert_eq!(why(&["create 1 a"]), text(1, "the only create event on record"));
        assert_eq!(why(&["create 1 a", "create 2 b"]), text(2, "the latest of 2 create events on record"));
        assert_eq!(
            why(&["upsert 1 a", "delete 2 d", "upsert 3 b", "upsert 4 c"]),
            text(
                3,
                "the first of 2 events that create or update it on record since the delete event at 2026-03-01T10:00:02Z"
            )
        );
    }

    #[test]
    fn regions_do_not_matter() {
        let mut events = events(&["create 1 a", "delete 2 d", "create 3 b"]);
        events[0].event.region = "us-east-1".into();
        events[1].event.region = "eu-west-1".into();
        events[2].event.region = "ap-south-1".into();
        events.sort_by(|one, other| one.event.region.cmp(&other.event.region));
        assert_eq!(creation_of(&events).unwrap().event.event_id, "b");
    }
}
