//! Event history behind the proxy.

use std::collections::BTreeSet;
use std::fs;

use jiff::{Timestamp, ToSpan};
use serde_json::json;

use crate::common::database::events;
use crate::common::{Bench, Event, Faults, Moto, Script, Trail, moment};

/// Events of some days, several pages a day, and the rows of an undisturbed load.
pub(super) struct Histories {
    bench: Bench,
    moto: Moto,
    undisturbed: Vec<String>,
}

impl Histories {
    pub(super) fn prepare() -> Self {
        let bench = Bench::new();
        let mut trail = Trail::new();
        for ago in 1..4 {
            let noon: Timestamp = moment(ago, "12:00:00").parse().expect("a moment");
            for number in 0..70 {
                let time = noon.checked_sub((number * 5).minutes()).expect("a moment");
                let request = json!({"bucketName": format!("b-{ago}-{number}")});
                trail.push(Event::new("s3.amazonaws.com", "CreateBucket").request(request).at(&time.to_string()));
            }
        }
        trail.write(&bench.path("logs/one.json.gz"));
        let moto = Moto::start_with_trail_services(&bench.path("logs"), &[("TRAIL_SERVICES_RATE", "off")]);
        bench.trailcreator(LOAD).aws(&moto).run().success();
        let undisturbed = events(&bench.path("creators.db"));
        assert_eq!(undisturbed.len(), 210);
        Self { bench, moto, undisturbed }
    }

    /// Loads through faults, then without. What the first load has is a part of what the second one has, which is everything.
    pub(super) fn load(&self, script: &Script<'_>) -> Faults {
        for suffix in ["", "-wal", "-shm"] {
            drop(fs::remove_file(self.bench.path(format!("creators.db{suffix}"))));
        }
        let faults = Faults::start(&self.moto, script);
        let run = self.bench.trailcreator(LOAD).aws(&self.moto).env("AWS_ENDPOINT_URL", &faults.endpoint()).run();
        let about = format!("seed {} ({:?})\n{}", script.seed, faults.played(), run.printed());
        assert!(matches!(run.code, Some(0 | 1 | 4)) && !run.stderr.contains("panicked"), "{about}");
        let database = self.bench.path("creators.db");
        let loaded: BTreeSet<String> =
            if database.exists() { events(&database).into_iter().collect() } else { BTreeSet::new() };
        if run.code == Some(0) {
            assert_eq!(loaded.len(), self.undisturbed.len(), "success means that all was read: {about}");
        }
        assert!(loaded.iter().all(|row| self.undisturbed.contains(row)), "{about}");
        self.bench.trailcreator(LOAD).aws(&self.moto).run().success();
        assert_eq!(events(&database), self.undisturbed, "{about}");
        faults
    }
}

const LOAD: [&str; 3] = ["load-history", "--since", "10d"];
