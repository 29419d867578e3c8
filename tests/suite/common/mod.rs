//! What tests stand on: Python's virtual environment, moto playing AWS, boto3 as the independent witness, the binary,
//! and CloudTrail files.
//!
//! ```no_run
//! let moto = Moto::start();
//! moto.boto3("result = client('iam').create_role(RoleName='app', AssumeRolePolicyDocument='{}')");
//! let trail = Trail::new().event(Event::new("iam.amazonaws.com", "CreateRole")
//!     .by(Caller::iam_user("alice"))
//!     .response(json!({"role": {"roleName": "app"}})));
//! let bench = Bench::new();
//! trail.write(&bench.path("logs/one.json.gz"));
//! bench.trailcreator(["load-files", "logs"]).run().success();
//! bench.trailcreator(["tag", "--output", "json"]).aws(&moto).run().success().json();
//! assert_eq!(moto.writes(), 1);
//! ```

mod athena;
mod bench;
pub(crate) mod browser;
pub(crate) mod calls;
pub(crate) mod database;
pub(crate) mod envelopes;
mod faults;
mod forks;
mod limits;
pub(crate) mod memory;
mod moto;
mod python;
mod seeds;
mod trail;

pub(crate) use {
    athena::Athena,
    bench::{Bench, Run, Trailcreator},
    faults::{Faults, Script},
    limits::Limits,
    moto::{Moto, Request},
    python::{package_alone, python, python_command, run_python},
    seeds::{Seeds, chance},
    trail::{Caller, Event, Trail, day, gzip, moment},
};

/// The account that moto's default credentials belong to.
pub(crate) const ACCOUNT: &str = "123456789012";

/// The region that tests use unless they say otherwise.
pub(crate) const REGION: &str = "us-east-1";
