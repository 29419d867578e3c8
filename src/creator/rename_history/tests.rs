//! Renames: handwritten cases, and random cases against a reference model.

use proptest::prelude::*;

use super::*;
use crate::creator::creation_of;
use crate::model::event::Identity;

/// `db create 3 alice`, `db delete 4 bob`, `db rename 5 carol db-old`: name, action, second, who did it, the new name.
fn event(line: &str, number: usize) -> StoredEvent {
    let words: Vec<&str> = line.split(' ').collect();
    let (action, to) = match words[1] {
        "rename" => (Action::Delete, Some(words[4].into())),
        action => (Action::parse(action).unwrap(), None),
    };
    StoredEvent {
        resource_type: "rds".into(),
        resource_id: words[0].into(),
        action,
        names: Vec::new(),
        renamed_to: to,
        event: Event {
            event_id: format!("{number}").into(),
            time: format!(
                "2026-03-01T10:{:02}:{:02}Z",
                words[2].parse::<u32>().unwrap() / 60,
                words[2].parse::<u32>().unwrap() % 60
            )
            .into(),
            name: "ModifyDBInstance".into(),
            identity: Identity { user_name: Some(words[3].into()), ..Identity::default() },
            ..Event::default()
        },
    }
}

fn history(lines: &[String]) -> RenameHistory<String> {
    let mut events: BTreeMap<String, Vec<StoredEvent>> = BTreeMap::new();
    for (number, line) in lines.iter().enumerate() {
        let event = event(line, number);
        events.entry(event.resource_id.to_string()).or_default().push(event);
    }
    RenameHistory::new(events, &|event| event.renamed_to.as_ref().map(ToString::to_string))
}

/// The creator of the resource that has the name now, for any order of lines and event IDs.
fn maker(lines: &[&str], name: &str) -> Option<SmolStr> {
    let forward: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    let backward: Vec<String> = forward.iter().rev().cloned().collect();
    let [one, other] = [forward, backward].map(|lines| maker_of(&history(&lines).of(&name.to_owned())));
    assert_eq!(one, other, "{lines:?}");
    one
}

fn maker_of(life: &[StoredEvent]) -> Option<SmolStr> {
    creation_of(life).and_then(|creation| creation.event.identity.user_name.clone())
}

#[test]
fn renamed_resource_keeps_creator_and_frees_old_name() {
    let renamed = ["db create 1 alice", "db rename 5 carol db-old"];
    assert_eq!(maker(&renamed, "db-old").as_deref(), Some("alice"));
    assert_eq!(maker(&renamed, "db"), None);
    let replaced = [&renamed[..], &["db create 9 bob"]].concat();
    assert_eq!(maker(&replaced, "db-old").as_deref(), Some("alice"));
    assert_eq!(maker(&replaced, "db").as_deref(), Some("bob"));
}

#[test]
fn events_of_previous_resource_under_a_name_do_not_count() {
    let lines = ["new create 1 bob", "old create 2 alice", "new delete 3 bob", "old rename 5 carol new"];
    assert_eq!(maker(&lines, "new").as_deref(), Some("alice"));
    let unrecorded = ["new create 3 bob", "old rename 5 carol new"];
    assert_eq!(maker(&unrecorded, "new"), None, "old's creation isn't on record, and bob made something else");
    let made_again = ["old create 1 alice", "old rename 2 carol new", "new delete 3 carol", "new create 4 bob"];
    assert_eq!(maker(&made_again, "new").as_deref(), Some("bob"));
    let gone = ["old create 1 alice", "old rename 2 carol new", "new delete 3 carol"];
    assert_eq!(maker(&gone, "new"), None);
}

#[test]
fn chains_of_renames_are_followed() {
    let lines = ["a create 1 alice", "a rename 2 x b", "b rename 3 x c", "c rename 4 x a"];
    assert_eq!(maker(&lines, "a").as_deref(), Some("alice"));
    assert_eq!((maker(&lines, "b"), maker(&lines, "c")), (None, None));
    let life = history(&lines.map(str::to_owned)).of(&"a".to_owned());
    let words = renames_in_words(&life, creation_of(&life));
    let one = |from: &str, to: &str, at: u8| {
        format!(", renamed from {from} to {to} by ModifyDBInstance at 2026-03-01T10:00:0{at}Z")
    };
    assert_eq!(words, [one("a", "b", 2), one("b", "c", 3), one("c", "a", 4)].concat());
}

#[test]
fn swapped_names_swap_creators_even_within_one_second() {
    let made = ["blue create 1 alice", "green create 2 bob"];
    for times in [[5, 6, 7], [5, 5, 6], [5, 6, 6], [5, 5, 5]] {
        let swap = [
            format!("blue rename {} x tmp", times[0]),
            format!("green rename {} x blue", times[1]),
            format!("tmp rename {} x green", times[2]),
        ];
        let lines = [&made[..], &swap.each_ref().map(String::as_str)].concat();
        assert_eq!(maker(&lines, "blue").as_deref(), Some("bob"), "{times:?}");
        assert_eq!(maker(&lines, "green").as_deref(), Some("alice"), "{times:?}");
        assert_eq!(maker(&lines, "tmp"), None, "{times:?}");
    }
}

#[test]
fn two_swaps_restore_names() {
    let made = ["blue create 1 alice", "green create 2 bob"];
    let swap = |second: u8| {
        [
            format!("blue rename {second} x tmp"),
            format!("green rename {second} x blue"),
            format!("tmp rename {second} x green"),
        ]
    };
    let (one, other) = (swap(5), swap(9));
    let swaps: Vec<&str> = one.iter().chain(&other).map(String::as_str).collect();
    let lines = [&made[..], &swaps].concat();
    let makers = ["blue", "green", "tmp"].map(|name| maker(&lines, name));
    assert_eq!(makers, [Some("alice".into()), Some("bob".into()), None]);
}

#[test]
fn duplicate_copies_of_an_event_count_once() {
    let mut events = vec![event("old create 1 alice", 0), event("old rename 2 x new", 1)];
    events.push(events[1].clone());
    let lives =
        RenameHistory::new(BTreeMap::from([("old", events)]), &|event| event.renamed_to.as_ref().map(|_| "new"));
    assert_eq!(maker_of(&lives.of(&"new")).as_deref(), Some("alice"));
}

#[test]
fn names_become_free_before_they_are_reused_within_a_second() {
    let replaced = ["db create 1 alice", "db rename 5 x db-old", "db create 5 bob"];
    assert_eq!(maker(&replaced, "db-old").as_deref(), Some("alice"));
    assert_eq!(maker(&replaced, "db").as_deref(), Some("bob"));
    let made_and_renamed = ["tmp create 5 alice", "tmp rename 5 x db"];
    assert_eq!(maker(&made_and_renamed, "db").as_deref(), Some("alice"));
    let passed_on = ["db create 1 alice", "db rename 5 x tmp", "tmp rename 5 x db-old"];
    assert_eq!(maker(&passed_on, "db-old").as_deref(), Some("alice"));
    assert_eq!(maker(&passed_on, "tmp"), None);
    let room = ["db create 1 bob", "new create 2 alice", "db delete 5 x", "new rename 5 x db"];
    assert_eq!(maker(&room, "db").as_deref(), Some("alice"));
}

#[test]
fn repeated_rename_counts_once() {
    let lines = ["db create 1 alice", "db rename 3 x new", "db rename 5 x new"];
    assert_eq!(maker(&lines, "new").as_deref(), Some("alice"));
    let another = ["db create 1 alice", "db rename 3 x new", "new delete 4 x", "db create 4 bob", "db rename 5 x new"];
    assert_eq!(maker(&another, "new").as_deref(), Some("bob"));
}

#[test]
fn rename_cycles_end() {
    let lines = ["a rename 5 x b", "b rename 5 x a"];
    assert_eq!((maker(&lines, "a"), maker(&lines, "b")), (None, None));
    let spelt_otherwise = RenameHistory::new(BTreeMap::from([("db", vec![event("DB rename 5 x db", 0)])]), &|event| {
        event.renamed_to.as_ref().map(|_| "db")
    });
    assert_eq!((spelt_otherwise.new_names().count(), spelt_otherwise.of(&"db").len()), (0, 0));
}

/// A model of a few names: each is free, or belongs to a resource with a creator.
#[derive(Debug, Default)]
struct World {
    bearers: BTreeMap<u8, String>,
    lines: Vec<String>,
}

impl World {
    /// Applies an operation if it is possible: creates under a free name, deletes, or renames to a free name.
    fn step(&mut self, (action, name, other): (u8, u8, u8)) {
        let second = self.lines.len() + 1;
        let is_there = self.bearers.contains_key(&name);
        match action {
            0..=2 if !is_there => {
                self.bearers.insert(name, format!("user-{second}"));
                self.lines.push(format!("{name} create {second} user-{second}"));
            }
            3 if is_there => {
                self.bearers.remove(&name);
                self.lines.push(format!("{name} delete {second} someone"));
            }
            4.. if is_there && !self.bearers.contains_key(&other) => {
                let bearer = self.bearers.remove(&name).unwrap();
                self.bearers.insert(other, bearer);
                self.lines.push(format!("{name} rename {second} someone {other}"));
            }
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn each_name_has_the_creator_that_the_model_has(
        steps in prop::collection::vec((0_u8..8, 0_u8..4, 0_u8..4), 0..60),
    ) {
        let mut world = World::default();
        steps.into_iter().for_each(|step| world.step(step));
        let lives = history(&world.lines);
        for name in 0..4_u8 {
            let found = maker_of(&lives.of(&name.to_string()));
            prop_assert_eq!(found.as_deref(), world.bearers.get(&name).map(String::as_str), "{} in {:?}", name, world.lines);
        }
    }
}
