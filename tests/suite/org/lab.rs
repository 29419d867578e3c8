//! An organization on moto: accounts with a queue in each region and a role, whose creations stand in the loaded trail.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::common::{Bench, Caller, Event, Moto, Request, Run, Trail};

/// The regions with a queue.
pub(super) const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "eu-central-1"];

/// Starts a hook: `account_of(entry)` tells whose call it is, as moto does by the access key; our own requests only are to be
/// disturbed.
const HOOK: &str = r"
import urllib.parse
from moto.iam.models import get_account_id_from
known = {}
def account_of(entry):
    key = entry['access_key']
    if key not in known:
        known[key] = get_account_id_from(key)
    return int(known[key])
def json_error(code, message, status=400):
    return status, 'application/x-amz-json-1.0', '{\x22__type\x22: \x22' + code + '\x22, \x22message\x22: \x22' + message + '\x22}'
def xml_error(code, message, status=403):
    return status, 'text/xml', f'<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>'
def role_of(entry):
    return urllib.parse.parse_qs(entry['body'])['RoleArn'][0]
def disturb(entry):
    return None
def before(entry, environ):
    return None if 'Boto3/' in entry['user_agent'] else disturb(entry)
# The laboratory's own calls: moto's state made and read in one request, for thousands of accounts.
from moto.backends import get_backend
import json
def accounts(query):
    return [f'{100000 + number:012}' for number in range(int(query['accounts'][0]))]
def make(query):
    for account in accounts(query):
        for region in query['region']:
            get_backend('sqs')[account][region].create_queue('jobs', None)
        get_backend('iam')[account]['aws'].create_role('deploy', '{}', '/', None, '', [], 3600, None)
def owners(query):
    def of(account):
        tags, _ = get_backend('iam')[account]['aws'].list_role_tags('deploy', None)
        yield {tag['Key']: tag['Value'] for tag in tags}.get('Owner')
        for region in query['region']:
            yield get_backend('sqs')[account][region].get_queue('jobs').tags.get('Owner')
    return {account: list(of(account)) for account in accounts(query)}
def laboratory(environ):
    query = urllib.parse.parse_qs(environ['QUERY_STRING'])
    return 200, 'application/json', json.dumps({'/lab/make': make, '/lab/owners': owners}[environ['PATH_INFO']](query))
def before(entry, environ):
    if entry['path'].startswith('/lab/'):
        return laboratory(environ)
    return None if 'Boto3/' in entry['user_agent'] else disturb(entry)
";

/// Accounts on moto, and a trail that tells who made what is in them.
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

    /// So many accounts, of which only the first `made` have something.
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
        let told = self.moto.boto3(&format!(
            "import os, resource, subprocess
run = subprocess.run([{:?}] + {args:?}, cwd={:?}, capture_output=True)
result = [resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, run.returncode]",
            env!("CARGO_BIN_EXE_trailcreator"),
            self.bench.path(""),
        ));
        (told[0].as_u64().expect("kB"), told[1].as_i64().expect("a code"))
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
