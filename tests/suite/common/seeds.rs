//! Many seeds of one property, by several workers.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Workers at a time: they mostly wait.
const JOBS: u64 = 2;

/// Which seeds a test plays: `TRAILCREATOR_{NAME}_SEEDS` of them from `TRAILCREATOR_{NAME}_FROM` on, `TRAILCREATOR_{NAME}_JOBS` at a
/// time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seeds {
    /// Names the environment variables.
    pub(crate) name: &'static str,
    /// How many are played in each test run.
    pub(crate) usual: u64,
}

impl Seeds {
    /// Plays the seeds, each worker in a world of its own that `new` makes. `one` plays a seed, panics where the property does not
    /// hold, and returns what was played. A failed seed does not stop the others.
    pub(crate) fn play<W>(self, new: impl Fn() -> W + Sync, one: impl Fn(&W, u64) -> BTreeSet<String> + Sync) {
        let from = self.number("FROM", 0);
        let until = from + self.number("SEEDS", self.usual);
        let (next, failed, all) = (AtomicU64::new(from), Mutex::new(Vec::new()), Mutex::new(BTreeSet::new()));
        let work = || {
            let mut world = new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= until {
                    break;
                }
                match catch_unwind(AssertUnwindSafe(|| one(&world, seed))) {
                    Ok(played) => all.lock().expect("no panic within").extend(played),
                    Err(_) => {
                        failed.lock().expect("no panic within").push(seed);
                        world = new();
                    }
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.number("JOBS", JOBS) {
                scope.spawn(work);
            }
        });
        let (failed, all) = (failed.into_inner().expect("all ended"), all.into_inner().expect("all ended"));
        drop(writeln!(io::stderr(), "{} seeds {from} to {}: failed {failed:?}; played {all:?}", self.name, until - 1));
        assert!(failed.is_empty(), "seeds {failed:?}: see above");
        assert!(!all.is_empty());
    }

    fn number(self, what: &str, otherwise: u64) -> u64 {
        std::env::var(format!("TRAILCREATOR_{}_{what}", self.name))
            .map_or(otherwise, |text| text.parse().expect("a number"))
    }
}

/// A number below `below`, by a seed: SplitMix64.
pub(crate) fn chance(seed: u64, below: u64) -> u64 {
    let mut mixed = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % below.max(1)
}
