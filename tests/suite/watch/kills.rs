//! `watch --tag`, killed at moments that seeds choose: every resource is tagged once, nothing is lost.
//!
//! `TRAILCREATOR_KILL_SEEDS=200 cargo test --test suite watch::kills` plays 200 seeds, with up to three kills each.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use super::bulk::{Bulk, QUICK, kill};
use crate::common::database::assert_intact;
use crate::common::{Seeds, chance};

/// Each test run plays a few.
const SEEDS: Seeds = Seeds { name: "KILL", usual: 3 };

/// Messages of a seed: one in each form, and an unreadable one.
const MESSAGES: usize = 8;

/// A kill is at a thousandth of the usual time.
const STEPS: u64 = 1000;

/// A queue, and all that was announced in it.
struct Watching {
    bulk: RefCell<Bulk>,
    unreadable: Cell<usize>,
    usual: Cell<Duration>,
}

impl Watching {
    fn prepare() -> Self {
        let watching = Self { bulk: Bulk::new(QUICK).into(), unreadable: Cell::new(0), usual: Cell::default() };
        let begun = Instant::now();
        watching.announce();
        watching.end("undisturbed");
        watching.usual.set(begun.elapsed());
        watching
    }

    /// Creates resources, and sends their messages.
    fn announce(&self) {
        let mut bulk = self.bulk.borrow_mut();
        let events = bulk.create(MESSAGES);
        self.unreadable.set(self.unreadable.get() + bulk.send(&events));
    }

    /// Watches until the queue is empty but for what is unreadable, and checks everything.
    fn end(&self, about: &str) {
        let bulk = self.bulk.borrow();
        bulk.lab.wait_until_visible();
        bulk.lab.watch(&["--tag", "--visibility", "2"]).code(4);
        assert_intact(&bulk.lab.bench.path("creators.db"), about);
        bulk.check(self.unreadable.get(), "");
    }

    /// Kills it up to three times in a row, then lets it end.
    fn kill(&self, seed: u64) -> BTreeSet<String> {
        let about = format!("seed {seed}");
        self.announce();
        for again in 0..=seed % 3 {
            let bulk = self.bulk.borrow();
            let step = u32::try_from(chance(seed * 3 + again, STEPS)).expect("below STEPS");
            let mut child = bulk.lab.spawn(&["--tag", "--visibility", "2"]);
            thread::sleep(self.usual.get() * step / u32::try_from(STEPS).expect("small"));
            kill(&mut child);
            assert_intact(&bulk.lab.bench.path("creators.db"), &about);
        }
        self.end(&about);
        [format!("killed {}", 1 + seed % 3)].into()
    }
}

#[test]
fn a_killed_watch_tags_each_resource_once_and_loses_nothing() {
    SEEDS.play(Watching::prepare, Watching::kill);
}
