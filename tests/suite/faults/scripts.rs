//! The property: seeded scripts of every kind of fault, with a second writer.
//!
//! `TRAILCREATOR_FAULT_SEEDS=200 cargo test --test suite faults::scripts` plays 200 scripts of each test;
//! `TRAILCREATOR_FAULT_FROM` is the first seed, and `TRAILCREATOR_FAULT_JOBS` plays so many at a time.

use std::collections::BTreeSet;

use super::history::Histories;
use super::world::{Tags, World, assert_honest, assert_nothing_lost};
use crate::common::{Faults, Script, Seeds};

/// Each test run plays a few.
const SEEDS: Seeds = Seeds { name: "FAULT", usual: 4 };

/// Updates of stacks take longer.
const STACK_SEEDS: Seeds = Seeds { usual: 2, ..SEEDS };

/// Calls that write tags.
const WRITES: &str = "^(TagResources|UntagResources|CreateTags|DeleteTags|TagRole|UntagRole|TagQueue|UntagQueue|TagResource|\
                      UntagResource|PUT .*tagging|(POST|DELETE) .*tags)";

fn kinds_of(faults: &Faults) -> BTreeSet<String> {
    faults.played().iter().map(|fault| fault["kind"].as_str().expect("a text").to_owned()).collect()
}

/// Resources of each protocol, and what an undisturbed run makes of them.
struct Tagging {
    world: World,
    first: Tags,
    undisturbed: Tags,
}

impl Tagging {
    fn prepare() -> Self {
        Self::on(World::new())
    }

    /// Stacks are updated and waited for: each kind of call may be disturbed in between.
    fn prepare_stacks() -> Self {
        Self::on(World::of_stacks())
    }

    fn on(world: World) -> Self {
        let first = world.tags();
        world.run(&["tag"]).success();
        let undisturbed = world.tags();
        world.undo_all();
        assert_eq!(world.tags(), first, "undo restores what was there");
        Self { world, first, undisturbed }
    }

    /// Runs a command through the faults, with a second writer; what it printed, for messages.
    fn disturbed(&self, script: &Script<'_>, args: &[&str]) -> (Faults, String) {
        let faults = Faults::start(&self.world.lab.moto, script);
        self.world.second_writer(script.seed, 0.05);
        let run = self.world.through(&faults, args);
        self.world.end_deployments();
        let about = format!("seed {} ({:?})\n{}", script.seed, faults.played(), run.printed());
        assert!(matches!(run.code, Some(0 | 1 | 4)), "{about}");
        assert!(!run.stderr.contains("panicked"), "{about}");
        (faults, about)
    }

    /// Asserts that tags are these and the second writer's.
    fn assert_tags(&self, expected: &Tags, about: &str) {
        assert_eq!(self.world.tags(), self.world.with_notes(expected), "{about}");
    }

    /// Resumes the run that is not finished, if there is one.
    fn resume(&self) {
        if let Some(open) = self.world.runs().iter().find(|run| run["finished_at"].is_null()) {
            self.world.run(&["apply", "--resume", &open["run_id"].to_string()]);
        }
    }
}

/// Tags through the faults, and ends as an undisturbed run.
fn tag(stage: &Tagging, script: &Script<'static>) -> BTreeSet<String> {
    let Tagging { world, first, undisturbed } = stage;
    world.reset();
    let (faults, about) = stage.disturbed(script, &["tag"]);
    let now = world.tags();
    assert_nothing_lost(&world.with_notes(first), &now, &about);
    assert_honest(world, &now, &about);
    // Without faults, resuming what is open and a further run end as an undisturbed run.
    stage.resume();
    let again = world.run(&["tag"]);
    stage.assert_tags(undisturbed, &format!("{about}\n{}", again.printed()));
    world.undo_all();
    stage.assert_tags(first, &format!("undone: {about}"));
    kinds_of(&faults)
}

/// Undoes through the faults, and ends as an undisturbed undo.
fn undo(stage: &Tagging, script: &Script<'static>) -> BTreeSet<String> {
    let Tagging { world, first, .. } = stage;
    world.reset();
    world.run(&["tag"]).success();
    let (faults, about) = stage.disturbed(script, &["undo", "1"]);
    let now = world.tags();
    assert_nothing_lost(&world.with_notes(first), &now, &about);
    assert_honest(world, &now, &about);
    stage.resume();
    let again = world.run(&["undo", "1"]);
    stage.assert_tags(first, &format!("{about}\n{}", again.printed()));
    kinds_of(&faults)
}

#[test]
fn whatever_the_faults_nothing_is_lost_and_the_end_is_that_of_an_undisturbed_run() {
    let script = |seed| Script { seed, rate: 0.15, kinds: &[], actions: "", most: 30 };
    SEEDS.play(Tagging::prepare, |stage, seed| tag(stage, &script(seed)));
}

#[test]
fn whatever_happens_to_writes_the_journal_says_what_aws_has() {
    let script = |seed| Script { seed, rate: 0.6, kinds: &[], actions: WRITES, most: 30 };
    SEEDS.play(Tagging::prepare, |stage, seed| tag(stage, &script(seed)));
}

#[test]
fn whatever_the_faults_an_undo_restores_what_was_there() {
    let rate = |seed: u64| if seed.is_multiple_of(2) { 0.15 } else { 0.4 };
    let script = |seed| Script { seed, rate: rate(seed), kinds: &[], actions: "", most: 30 };
    SEEDS.play(Tagging::prepare, |stage, seed| undo(stage, &script(seed)));
}

#[test]
fn whatever_the_faults_stacks_have_all_their_tags_and_the_journal_says_so() {
    let rate = |seed: u64| if seed.is_multiple_of(2) { 0.15 } else { 0.4 };
    let script = |seed| Script { seed, rate: rate(seed), kinds: &[], actions: "", most: 15 };
    STACK_SEEDS.play(Tagging::prepare_stacks, |stage, seed| &tag(stage, &script(seed)) | &undo(stage, &script(seed)));
}

#[test]
fn whatever_the_faults_event_history_is_loaded_once_and_completely() {
    let script = |seed| Script { seed, rate: 0.3, kinds: &[], actions: "", most: 20 };
    SEEDS.play(Histories::prepare, |stage, seed| kinds_of(&stage.load(&script(seed))));
}
