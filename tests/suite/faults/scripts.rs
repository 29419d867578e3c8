//! The property: seeded scripts of every kind of fault.
//!
//! `TRAILCREATOR_FAULT_SEEDS=200 cargo test --test suite faults::scripts` plays more of them.

use super::world::{World, assert_honest, assert_nothing_lost};
use crate::common::{Faults, Script};

/// Scripts that each test run plays.
const SEEDS: u64 = 12;

fn seeds() -> u64 {
    std::env::var("TRAILCREATOR_FAULT_SEEDS").map_or(SEEDS, |text| text.parse().expect("a number"))
}

/// Plays scripts in one world, which each of them leaves as it was.
fn play(seeds: impl Iterator<Item = u64>, script: impl Fn(u64) -> Script<'static>) {
    let world = World::new();
    let first = world.tags();
    let undisturbed = {
        world.lab.run(&["tag"]).success();
        let tags = world.tags();
        world.undo_all();
        assert_eq!(world.tags(), first, "undo restores what was there");
        tags
    };
    let mut played = 0;
    for seed in seeds {
        let about = format!("seed {seed}");
        let faults = Faults::start(&world.lab.moto, &script(seed));
        let run = world.through(&faults, &["tag"]);
        let about = format!("{about} ({:?})\n{}", faults.played(), run.printed());
        assert!(matches!(run.code, Some(0 | 1 | 4)), "{about}");
        assert!(!run.stderr.contains("panicked"), "{about}");
        let now = world.tags();
        assert_nothing_lost(&first, &now, &about);
        assert_honest(&world, &now, &about);
        played += faults.played().len();
        // Without faults, resuming what is open and a further run end as an undisturbed run.
        let runs = world.lab.run(&["runs", "--output", "json"]).success().json();
        let last = &runs["runs"][0];
        if !last.is_null() && last["finished_at"].is_null() {
            world.lab.run(&["apply", "--resume", &last["run_id"].to_string()]);
        }
        world.lab.run(&["tag"]);
        assert_eq!(world.tags(), undisturbed, "{about}");
        world.undo_all();
        assert_eq!(world.tags(), first, "undone: {about}");
    }
    assert!(played > 0);
}

#[test]
fn whatever_the_faults_nothing_is_lost_and_the_end_is_that_of_an_undisturbed_run() {
    let script = |seed| Script { seed, rate: 0.15, kinds: &[], actions: "", most: 30 };
    play(0..seeds() / 2, script);
}

#[test]
fn whatever_happens_to_writes_the_journal_says_what_aws_has() {
    let actions = "^(TagResources|UntagResources|CreateTags|TagRole|TagQueue|TagResource|PUT .*tagging|POST .*tags)";
    let script = |seed| Script { seed, rate: 0.6, kinds: &[], actions, most: 30 };
    play(1000..1000 + seeds() / 2, script);
}
