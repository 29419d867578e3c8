//! kill -9 at moments that seeds choose. Then the database is intact, the journal says what AWS has, and the same command, or resuming,
//! ends in the state of an undisturbed run, with nothing loaded twice.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::sources::{migrations, remove, write_c7n, write_earlier, write_logs};
use crate::common::database::{assert_intact, loaded, query};
use crate::common::{Bench, Event, Seeds, Trail, Trailcreator, chance};
use crate::faults::world::{Tags, World, assert_honest, assert_nothing_lost};

/// Each test run kills each command a few times.
const SEEDS: Seeds = Seeds { name: "KILL", usual: 3 };

/// The latest schema.
const LATEST: &str = "PRAGMA user_version";

/// Starts a command, and kills it after a part of the time that it usually takes. Returns whether it was killed.
fn kill(command: Trailcreator, usual: Duration, seed: u64) -> bool {
    const STEPS: u64 = 1000;
    let step = u32::try_from(chance(seed, STEPS)).expect("below STEPS");
    let mut child = command.spawn();
    thread::sleep(usual * step / u32::try_from(STEPS).expect("small"));
    child.kill().expect("it is ours");
    child.wait().expect("it is ours").code().is_none()
}

fn ended(was_killed: bool) -> BTreeSet<String> {
    [if was_killed { "killed" } else { "done before" }.to_owned()].into()
}

/// A command that fills a database, undisturbed.
struct Filling {
    bench: Bench,
    args: &'static [&'static str],
    undisturbed: Vec<String>,
    usual: Duration,
    /// The database before the command, where there is one.
    before: Option<PathBuf>,
}

impl Filling {
    fn new(prepare: impl Fn(&Bench) -> Option<PathBuf>, args: &'static [&'static str]) -> Self {
        let bench = Bench::new();
        let before = prepare(&bench);
        let filling = Self { bench, args, undisturbed: Vec::new(), usual: Duration::ZERO, before };
        filling.reset();
        let begun = Instant::now();
        filling.command().run().success();
        let usual = begun.elapsed();
        Self { undisturbed: loaded(&filling.database()), usual, ..filling }
    }

    fn database(&self) -> PathBuf {
        self.bench.path("creators.db")
    }

    fn command(&self) -> Trailcreator {
        self.bench.trailcreator(self.args)
    }

    fn reset(&self) {
        remove(&self.database());
        if let Some(before) = &self.before {
            fs::copy(before, self.database()).expect("the folder is ours");
        }
    }

    /// Kills it up to three times in a row, then lets it end.
    fn kill(&self, seed: u64) -> BTreeSet<String> {
        self.reset();
        let mut played = BTreeSet::new();
        for again in 0..=seed % 3 {
            let was_killed = kill(self.command(), self.usual, seed * 3 + again);
            played.extend(ended(was_killed));
            if self.database().exists() {
                assert_intact(&self.database(), &format!("seed {seed}"));
            }
        }
        self.command().run().success();
        assert_eq!(loaded(&self.database()), self.undisturbed, "seed {seed}");
        assert_intact(&self.database(), &format!("seed {seed}"));
        played
    }
}

#[test]
fn a_killed_load_loses_and_doubles_nothing() {
    let prepare = |bench: &Bench| {
        write_logs(bench, 300);
        None
    };
    SEEDS.play(|| Filling::new(prepare, &["load-files", "logs"]), Filling::kill);
}

#[test]
fn a_killed_import_loses_and_doubles_nothing() {
    let prepare = |bench: &Bench| {
        write_c7n(&bench.path("c7n.db"));
        None
    };
    SEEDS.play(|| Filling::new(prepare, &["import", "c7n.db"]), Filling::kill);
}

/// Log files with queues that were deleted, loaded into a database.
fn write_deleted(bench: &Bench) -> Option<PathBuf> {
    let queues = (0..3000).flat_map(|number| {
        let url = format!("https://sqs.us-east-1.amazonaws.com/123456789012/q{number}");
        let at = |year: u32| format!("{year}-01-02T{:02}:{:02}:{:02}Z", number / 3600, number / 60 % 60, number % 60);
        let create = Event::new("sqs.amazonaws.com", "CreateQueue").at(&at(2019));
        let delete = Event::new("sqs.amazonaws.com", "DeleteQueue").at(&at(2020)).request(json!({"queueUrl": url}));
        [create.request(json!({"queueName": format!("q{number}")})).response(json!({"queueUrl": url})), delete]
    });
    queues.fold(Trail::new(), Trail::event).write(&bench.path("logs/trail.json.gz"));
    bench.trailcreator(["load-files", "logs", "--db", "full.db"]).run().success();
    Some(bench.path("full.db"))
}

#[test]
fn a_killed_prune_is_finished_by_the_next_one() {
    let args = &["prune", "--before", "2023", "--forget-creators"];
    SEEDS.play(|| Filling::new(write_deleted, args), Filling::kill);
}

#[test]
fn a_killed_migration_is_made_completely_by_the_next_command() {
    let prepare = |version: usize| {
        move |bench: &Bench| {
            write_earlier(&bench.path("earlier.db"), version);
            Some(bench.path("earlier.db"))
        }
    };
    let versions = [1, 4, 12];
    let new = || versions.map(|version| Filling::new(prepare(version), &["runs"]));
    SEEDS.play(new, |fillings, seed| {
        let filling = &fillings[usize::try_from(seed).expect("small") % versions.len()];
        let played = filling.kill(seed);
        let latest = migrations().len();
        assert_eq!(query(&filling.database(), LATEST), [latest.to_string()]);
        played
    });
}

/// Resources of each protocol, and what an undisturbed run makes of them.
struct Tagging {
    world: World,
    first: Tags,
    undisturbed: Tags,
    usual: Cell<Duration>,
}

impl Tagging {
    fn prepare() -> Self {
        let world = World::new();
        let first = world.tags();
        let begun = Instant::now();
        world.lab.run(&["tag"]).success();
        let usual = Cell::new(begun.elapsed());
        let undisturbed = world.tags();
        world.lab.run(&["tag", "--dry-run", "--save-plan", "empty.json"]).success();
        world.reset();
        world.lab.run(&["tag", "--dry-run", "--save-plan", "plan.json"]).success();
        Self { world, first, undisturbed, usual }
    }

    /// Kills a command, and checks what it left behind.
    fn kill(&self, args: &[&str], seed: u64) -> BTreeSet<String> {
        let lab = &self.world.lab;
        let was_killed = kill(lab.bench.trailcreator(args).aws(&lab.moto), self.usual.get(), seed);
        let (about, now) = (format!("seed {seed}: {args:?}"), self.world.tags());
        assert_intact(&lab.bench.path("creators.db"), &about);
        assert_nothing_lost(&self.first, &now, &about);
        assert_honest(&self.world, &now, &about);
        ended(was_killed)
    }

    /// Resumes what is open, and kills that too for every second seed.
    fn resume(&self, seed: u64) {
        let open = |run: &&serde_json::Value| run["finished_at"].is_null();
        let Some(run) = self.world.runs().iter().find(open).map(|run| run["run_id"].to_string()) else { return };
        let resume = ["apply", "--resume", &run];
        if seed.is_multiple_of(2) {
            self.kill(&resume, seed + 1);
        }
        self.world.lab.run(&resume);
        let runs = self.world.runs();
        assert!(runs.iter().all(|run| !run["finished_at"].is_null()), "seed {seed}: {runs:#?}");
    }
}

#[test]
fn a_killed_tag_is_resumed_to_the_state_of_an_undisturbed_one() {
    SEEDS.play(Tagging::prepare, |stage, seed| {
        stage.world.reset();
        let played = stage.kill(&["tag"], seed);
        stage.resume(seed);
        stage.world.lab.run(&["tag"]).success();
        assert_eq!(stage.world.tags(), stage.undisturbed, "seed {seed}");
        stage.world.undo_all();
        assert_eq!(stage.world.tags(), stage.first, "seed {seed}: undone");
        played
    });
}

#[test]
fn a_killed_apply_is_resumed_to_the_state_of_an_undisturbed_one() {
    SEEDS.play(Tagging::prepare, |stage, seed| {
        stage.world.reset();
        let played = stage.kill(&["apply", "plan.json"], seed);
        stage.resume(seed);
        stage.world.lab.run(&["apply", "plan.json"]);
        assert_eq!(stage.world.tags(), stage.undisturbed, "seed {seed}");
        stage.world.undo_all();
        assert_eq!(stage.world.tags(), stage.first, "seed {seed}: undone");
        played
    });
}

#[test]
fn a_killed_undo_is_ended_by_the_next_one() {
    SEEDS.play(Tagging::prepare, |stage, seed| {
        stage.world.reset();
        stage.world.lab.run(&["tag"]).success();
        let played = stage.kill(&["undo", "1"], seed);
        stage.resume(seed);
        stage.world.lab.run(&["undo", "1"]);
        assert_eq!(stage.world.tags(), stage.first, "seed {seed}");
        played
    });
}
