//! An organization on moto: accounts with a queue in each region and a role, and their create events in the loaded trail.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::common::{Bench, Caller, Event, Moto, Request, Run, Trail};

/// The regions with a queue.
pub(super) const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "eu-central-1"];

/// Starts a hook: `account_of(entry)` finds the caller's account by the access key, as moto does; our own requests only are to be
/// disturbed.
const HOOK: &str = include_str!("../hooks/org_lab.py");

/// Accounts on moto, and a trail with the create events of their resources.
pub(super) struct Lab {
    pub(super) moto: Moto,
    pub(super) bench: Bench,
    /// Accounts that have something.
    made: usize,
    /// Accounts in the file and the trail.
    accounts: usize,
}

/// An account's id by its number.
pub(super) fn id(number: usize) -> String {
    format!("{:012}", 100_000 + number)
}

/// Who made what is in an account.
pub(super) fn owner(number: usize) -> String {
    format!("owner{number}")
}

impl Lab {
    /// So many accounts, on a server that `disturb(entry)` (Python) is asked by first.
    pub(super) fn new(accounts: usize, disturb: &str) -> Self {
        Self::on(Bench::new(), accounts, disturb)
    }

    pub(super) fn on(bench: Bench, accounts: usize, disturb: &str) -> Self {
        Self::of(bench, accounts, accounts, disturb)
    }

    /// So many accounts. Only the first `made` have resources.
    pub(super) fn of(bench: Bench, made: usize, accounts: usize, disturb: &str) -> Self {
        let lab = Self { moto: Moto::start_with(&format!("{HOOK}{disturb}")), bench, made, accounts };
        lab.call("make");
        lab.load();
        lab.bench.write("accounts.yml", lab.accounts_file(""));
        lab
    }

    /// The laboratory's own call, not through AWS's interface.
    fn call(&self, name: &str) -> Value {
        let (endpoint, regions) = (self.moto.endpoint(), REGIONS.map(|region| format!("&region={region}")).concat());
        let url = format!("{endpoint}/lab/{name}?accounts={}{regions}", self.made);
        self.moto.boto3(&format!(
            "import urllib.request
request = urllib.request.Request('{url}', headers={{'User-Agent': 'Boto3/lab'}})
result = json.load(urllib.request.urlopen(request))"
        ))
    }

    fn load(&self) {
        let mut trail = Trail::new();
        for number in 0..self.accounts {
            let account = id(number);
            let by = Caller::iam_user(&owner(number));
            for region in REGIONS {
                let url = format!("https://sqs.{region}.amazonaws.com/{account}/jobs");
                let event = Event::new("sqs.amazonaws.com", "CreateQueue").request(json!({"queueName": "jobs"}));
                trail.push(event.response(json!({"queueUrl": url})).by(by.clone()).region(region).account(&account));
            }
            let event = Event::new("iam.amazonaws.com", "CreateRole").request(json!({"roleName": "deploy"}));
            let arn = format!("arn:aws:iam::{account}:role/deploy");
            let response = json!({"role": {"roleName": "deploy", "arn": arn}});
            trail.push(event.response(response).by(by).account(&account));
        }
        trail.write(&self.bench.path("trail.json.gz"));
        self.bench.trailcreator(["load-files", "trail.json.gz"]).run().success();
    }

    /// The accounts in c7n-org's format, each with these further keys.
    pub(super) fn accounts_file(&self, keys: &str) -> String {
        let mut text = "accounts:\n".to_owned();
        for number in 0..self.accounts {
            let account = id(number);
            writeln!(
                text,
                "- account_id: '{account}'\n  name: account-{number}\n  email: a{number}@example.com\n  \
                 role: arn:aws:iam::{account}:role/Tagger\n  tags: ['half:{}']{keys}",
                number % 2
            )
            .expect("a String takes everything");
        }
        text
    }

    /// Runs the binary against moto.
    pub(super) fn run(&self, args: &[&str]) -> Run {
        self.bench.trailcreator(args).aws(&self.moto).run()
    }

    /// The peak of its memory in kB, and the exit code of the binary, run against moto.
    pub(super) fn peak_memory(&self, args: &[&str]) -> (u64, i64) {
        let figures = self.moto.boto3(&format!(
            "import os, resource, subprocess
run = subprocess.run([{:?}] + {args:?}, cwd={:?}, capture_output=True)
result = [resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, run.returncode]",
            env!("CARGO_BIN_EXE_trailcreator"),
            self.bench.path(""),
        ));
        (figures[0].as_u64().expect("kB"), figures[1].as_i64().expect("a code"))
    }

    /// The `Owner` of each account's role and queues (`REGIONS` in order).
    pub(super) fn owners(&self) -> BTreeMap<String, Vec<Option<String>>> {
        serde_json::from_value(self.call("owners")).expect("lists of texts")
    }

    /// Our requests since the so-manieth.
    pub(super) fn requests_since(&self, before: usize) -> Vec<Request> {
        self.moto.our_requests().split_off(before)
    }
}

/// The entry of a place, or of an account without a region.
pub(super) fn entries(list: &Value, number: usize) -> Vec<&Value> {
    let account = id(number);
    list.as_array().expect("a list").iter().filter(|entry| entry["Id"] == account.as_str()).collect()
}
