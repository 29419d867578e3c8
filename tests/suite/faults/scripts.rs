//! The property: seeded scripts of every kind of fault, with a second writer.
//!
//! `TRAILCREATOR_FAULT_SEEDS=200 cargo test --test suite faults::scripts` plays 200 scripts of each test;
//! `TRAILCREATOR_FAULT_FROM` is the first seed, and `TRAILCREATOR_FAULT_JOBS` plays so many at a time.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::history::Histories;
use super::world::{Tags, World, assert_honest, assert_nothing_lost};
use crate::common::{Faults, Script};

/// Scripts that each test plays.
const SEEDS: u64 = 4;

/// Scripts at a time: they mostly wait.
const JOBS: u64 = 2;

/// Calls that write tags.
const WRITES: &str = "^(TagResources|UntagResources|CreateTags|DeleteTags|TagRole|UntagRole|TagQueue|UntagQueue|TagResource|\
                      UntagResource|PUT .*tagging|(POST|DELETE) .*tags)";

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// What one worker plays scripts in.
trait Stage {
    fn new() -> Self;

    /// Plays one script. Panics where the property does not hold. Returns the kinds of faults that were played.
    fn play(&self, script: &Script<'static>) -> BTreeSet<String>;
}

/// Plays scripts with as many workers as wanted. A failed script does not stop the others.
fn play<S: Stage>(script: impl Fn(u64) -> Script<'static> + Sync) {
    let from = number("TRAILCREATOR_FAULT_FROM", 0);
    let until = from + number("TRAILCREATOR_FAULT_SEEDS", SEEDS);
    let (next, failed, kinds) = (AtomicU64::new(from), Mutex::new(Vec::new()), Mutex::new(BTreeSet::new()));
    let work = || {
        let mut stage = S::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= until {
                break;
            }
            match catch_unwind(AssertUnwindSafe(|| stage.play(&script(seed)))) {
                Ok(played) => kinds.lock().expect("no panic within").extend(played),
                Err(_) => {
                    eprintln!("seed {seed} failed");
                    failed.lock().expect("no panic within").push(seed);
                    stage = S::new();
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..number("TRAILCREATOR_FAULT_JOBS", JOBS) {
            scope.spawn(work);
        }
    });
    let (failed, kinds) = (failed.into_inner().expect("all ended"), kinds.into_inner().expect("all ended"));
    println!("seeds {from} to {}: {} failed; faults: {kinds:?}", until - 1, failed.len());
    assert!(failed.is_empty(), "seeds {failed:?}: see above");
    assert!(!kinds.is_empty());
}

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
        let world = World::new();
        let first = world.tags();
        world.lab.run(&["tag"]).success();
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
            self.world.lab.run(&["apply", "--resume", &open["run_id"].to_string()]);
        }
    }
}

/// Tags through the faults.
struct Tag(Tagging);

impl Stage for Tag {
    fn new() -> Self {
        Self(Tagging::prepare())
    }

    fn play(&self, script: &Script<'static>) -> BTreeSet<String> {
        let Tagging { world, first, undisturbed } = &self.0;
        world.reset();
        let (faults, about) = self.0.disturbed(script, &["tag"]);
        let now = world.tags();
        assert_nothing_lost(&world.with_notes(first), &now, &about);
        assert_honest(world, &now, &about);
        // Without faults, resuming what is open and a further run end as an undisturbed run.
        self.0.resume();
        let again = world.lab.run(&["tag"]);
        self.0.assert_tags(undisturbed, &format!("{about}\n{}", again.printed()));
        world.undo_all();
        self.0.assert_tags(first, &format!("undone: {about}"));
        kinds_of(&faults)
    }
}

/// Undoes through the faults.
struct Undo(Tagging);

impl Stage for Undo {
    fn new() -> Self {
        Self(Tagging::prepare())
    }

    fn play(&self, script: &Script<'static>) -> BTreeSet<String> {
        let Tagging { world, first, .. } = &self.0;
        world.reset();
        world.lab.run(&["tag"]).success();
        let (faults, about) = self.0.disturbed(script, &["undo", "1"]);
        let now = world.tags();
        assert_nothing_lost(&world.with_notes(first), &now, &about);
        assert_honest(world, &now, &about);
        self.0.resume();
        let again = world.lab.run(&["undo", "1"]);
        self.0.assert_tags(first, &format!("{about}\n{}", again.printed()));
        kinds_of(&faults)
    }
}

impl Stage for Histories {
    fn new() -> Self {
        Self::prepare()
    }

    fn play(&self, script: &Script<'static>) -> BTreeSet<String> {
        kinds_of(&self.load(script))
    }
}

#[test]
fn whatever_the_faults_nothing_is_lost_and_the_end_is_that_of_an_undisturbed_run() {
    play::<Tag>(|seed| Script { seed, rate: 0.15, kinds: &[], actions: "", most: 30 });
}

#[test]
fn whatever_happens_to_writes_the_journal_says_what_aws_has() {
    play::<Tag>(|seed| Script { seed, rate: 0.6, kinds: &[], actions: WRITES, most: 30 });
}

#[test]
fn whatever_the_faults_an_undo_restores_what_was_there() {
    play::<Undo>(|seed| Script { seed, rate: if seed % 2 == 0 { 0.15 } else { 0.4 }, kinds: &[], actions: "", most: 30 });
}

#[test]
fn whatever_the_faults_event_history_is_loaded_once_and_completely() {
    play::<Histories>(|seed| Script { seed, rate: 0.3, kinds: &[], actions: "", most: 20 });
}
