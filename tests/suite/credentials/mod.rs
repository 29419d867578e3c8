//! Which credentials a command uses: every form of profile, the order of places, and what is refused.
//!
//! `sources.py` plays what hands out credentials; the request log records the access key that signed.

mod profiles;
mod refused;
mod terminal;
mod tls;

use serde_json::json;

use crate::common::{Bench, Caller, Event, Moto, Request, Run, Trail};

const SOURCES: &str = include_str!("sources.py");
/// `MOTO` in a file or variable: the server's address.
const MOTO: &str = "MOTO";
/// `HOME` in a file: the home directory.
const HOME: &str = "HOME";

/// A home directory, a database with a topic's creation, and the server.
struct Home {
    moto: Moto,
    bench: Bench,
}

impl Home {
    fn new() -> Self {
        let (moto, bench) = (Moto::start_with(SOURCES), Bench::new());
        let topic = json!({"topicArn": "arn:aws:sns:us-east-1:123456789012:t"});
        let event = Event::new("sns.amazonaws.com", "CreateTopic").request(json!({"name": "t"})).response(topic);
        Trail::new().event(event.by(Caller::iam_user("alice"))).write(&bench.path("trail.json"));
        bench.trailcreator(["load-files", "trail.json"]).run().success();
        Self { moto, bench }
    }

    /// Writes `~/.aws/config`.
    fn config(&self, text: &str) -> &Self {
        self.file("config", text)
    }

    /// Writes a file of `~/.aws`.
    fn file(&self, name: &str, text: &str) -> &Self {
        self.bench.write(format!(".aws/{name}"), self.filled(text));
        self
    }

    fn filled(&self, text: &str) -> String {
        let home = self.bench.path("");
        text.replace(MOTO, &self.moto.endpoint()).replace(HOME, home.to_str().expect("UTF-8").trim_end_matches('/'))
    }

    /// Looks for what to tag, with these options and variables and no others, and the server for all services.
    fn run(&self, options: &[&str], variables: &[(&str, &str)]) -> Run {
        let mut command = self.bench.trailcreator(["tag", "--dry-run", "--type", "sns"].iter().chain(options));
        for (name, value) in [("AWS_ENDPOINT_URL", MOTO)].iter().chain(variables) {
            command = command.env(name, &self.filled(value));
        }
        command.run()
    }

    /// The requests of a run, which has to succeed.
    fn requests(&self, options: &[&str], variables: &[(&str, &str)]) -> Vec<Request> {
        let before = self.moto.our_requests().len();
        self.run(options, variables).success();
        self.moto.our_requests().split_off(before)
    }

    /// The access key that signed the account's own calls.
    fn key(&self, options: &[&str], variables: &[(&str, &str)]) -> String {
        let requests = self.requests(options, variables);
        let identity = requests.iter().find(|request| request.action == "GetCallerIdentity");
        identity.and_then(|request| request.access_key.clone()).unwrap_or_else(|| panic!("{requests:#?}"))
    }
}

/// Keys in the environment, of another account than any profile's.
const ENVIRONMENT: [(&str, &str); 3] =
    [("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_SESSION_TOKEN", "t")];
