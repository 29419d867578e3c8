//! moto's server, one forked process for each test, and boto3 as the witness of what is on it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::REGION;
use super::forks::{self, Fork};
use super::python::run;

/// A running server with its own state. Stopped when dropped, and when the test's process ends in any way.
pub(crate) struct Moto {
    _server: Fork,
    port: u64,
    folder: TempDir,
}

/// A request as the server received it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Request {
    /// The service by the signature's scope: `iam`, `tagging`, `s3`.
    pub(crate) service: Option<String>,
    /// The region by the signature's scope.
    pub(crate) region: Option<String>,
    /// The access key id that signed.
    pub(crate) access_key: Option<String>,
    /// `ListRoles`, or `GET /bucket?tagging` for REST.
    pub(crate) action: String,
    /// The HTTP method.
    pub(crate) method: String,
    /// The path, percent-decoded.
    pub(crate) path: String,
    /// The query string.
    pub(crate) query: String,
    /// Who called.
    pub(crate) user_agent: String,
    /// The body's first 100 kB.
    pub(crate) body: String,
}

impl Request {
    /// Whether the call can change something: by the verb of its action, or of HTTP for REST.
    pub(crate) fn is_write(&self) -> bool {
        const READ_VERBS: [&str; 8] = ["List", "Describe", "Get", "BatchGet", "Head", "Search", "Lookup", "Select"];
        if self.action.starts_with(&format!("{} /", self.method)) {
            return !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS");
        }
        !READ_VERBS.iter().any(|verb| self.action.starts_with(verb)) && !self.action.starts_with("Assume")
    }

    fn is_boto3(&self) -> bool {
        self.user_agent.contains("Boto3/")
    }
}

/// The project's own FilterLogEvents, a hook of its own or behind another.
const LOGS: &str = include_str!("../../servers/logs/filter_log_events.py");

impl Moto {
    /// Starts a server on a free port of loopback.
    pub(crate) fn start() -> Self {
        Self::launch(None, &[])
    }

    /// Starts a server that asks `hook` first: Python code that defines `before(entry, environ)`, see `moto_launcher.py`.
    pub(crate) fn start_with(hook: &str) -> Self {
        Self::launch(Some(hook), &[])
    }

    /// As [`Moto::start_with`], with environment variables for the hook.
    pub(crate) fn start_with_options(hook: &str, options: &[(&str, &str)]) -> Self {
        Self::launch(Some(hook), options)
    }

    /// Starts a server with the project's own `trail_services.py` before moto: Event history of the log files in a folder, S3
    /// Select, ListRegions. `options` are that file's environment variables.
    pub(crate) fn start_with_trail_services(history: &Path, options: &[(&str, &str)]) -> Self {
        let history = history.to_str().expect("a temporary folder's path is UTF-8");
        let own = [("TRAIL_SERVICES_HISTORY", history), ("TRAIL_LOGS_GROUP", "trail"), ("TRAIL_LOGS_FOLDER", history)];
        let variables: Vec<_> = own.into_iter().chain(options.iter().copied()).collect();
        Self::launch(Some(&format!("{}\n\n{LOGS}", include_str!("trail_services.py"))), &variables)
    }

    /// Starts a server with the project's own FilterLogEvents before moto: the log group `trail` has the records of the log files in a
    /// folder. `options` are the environment variables of `tests/servers/logs/filter_log_events.py`.
    pub(crate) fn start_with_logs(folder: Option<&Path>, options: &[(&str, &str)]) -> Self {
        let folder = folder.map(|folder| folder.to_str().expect("a temporary folder's path is UTF-8"));
        let own = [("TRAIL_LOGS_GROUP", "trail")].into_iter().chain(folder.map(|folder| ("TRAIL_LOGS_FOLDER", folder)));
        let variables: Vec<_> = own.chain(options.iter().copied()).collect();
        Self::launch(Some(LOGS), &variables)
    }

    fn launch(hook: Option<&str>, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let hook = hook.map(|hook| {
            let file = folder.path().join("hook.py");
            fs::write(&file, hook).expect("the hook can be written");
            file
        });
        let errors = folder.path().join("stderr");
        let variables: BTreeMap<_, _> = variables.iter().copied().collect();
        let mut server = forks::MOTO.fork(&json!({
            "requests": requests_file(folder.path()), "hook": hook, "variables": variables, "errors": errors,
        }));
        let Some(port) = server.answer().and_then(|answer| answer["port"].as_u64()) else {
            panic!("moto's server did not start: {}", fs::read_to_string(errors).unwrap_or_default());
        };
        Self { _server: server, port, folder }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port that it listens on.
    pub(super) fn port(&self) -> u64 {
        self.port
    }

    /// Creates a bucket with the files of a folder. Their paths below the folder are the keys.
    pub(crate) fn upload(&self, bucket: &str, folder: &Path) {
        self.boto3(&format!(
            "import pathlib
client('s3').create_bucket(Bucket={bucket:?})
root = pathlib.Path({folder:?})
for path in sorted(root.rglob('*')):
    if path.is_file():
        client('s3').put_object(Bucket={bucket:?}, Key=str(path.relative_to(root)), Body=path.read_bytes())"
        ));
    }

    /// Runs Python code that has `client(service, region=None)`, `pages(service, operation, items, **params)` and `boto3`, see
    /// `boto3_client.py`; gives what it left in `result`, as JSON.
    pub(crate) fn boto3(&self, code: &str) -> Value {
        let printed = run(code, &aws_variables(&self.endpoint()), true);
        serde_json::from_str(&printed).expect("the prelude prints JSON; the code must not print")
    }

    /// Asks the server's hook by a path that no AWS API has; what it answers, as JSON.
    pub(crate) fn played(&self, path: &str) -> Value {
        let mut connection =
            TcpStream::connect(("127.0.0.1", u16::try_from(self.port).expect("a port"))).expect("it listens");
        write!(connection, "GET /played/{path} HTTP/1.0\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("it answers with text");
        let (_, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}\n{answer}"))
    }

    /// All requests so far, in the order of arrival.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let log = fs::read_to_string(requests_file(self.folder.path())).unwrap_or_default();
        log.lines().map(|line| serde_json::from_str(line).expect("the launcher writes a request a line")).collect()
    }

    /// The requests of others than boto3: ours.
    pub(crate) fn our_requests(&self) -> Vec<Request> {
        self.requests().into_iter().filter(|request| !request.is_boto3()).collect()
    }

    /// How many of our requests could change something.
    pub(crate) fn writes(&self) -> usize {
        self.our_requests().iter().filter(|request| request.is_write()).count()
    }
}

/// Takes off what a developer's shell may say to AWS clients.
pub(super) fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("AWS_")
            || text.starts_with("TRAILCREATOR_")
            || text.starts_with("MOTO_")
            || text == "XDG_CONFIG_HOME"
        {
            command.env_remove(&name);
        }
    }
}

/// Credentials that moto takes for its default account, the region, and the endpoint; and no way to any real AWS.
pub(super) fn aws_variables(endpoint: &str) -> [(&'static str, &str); 7] {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/nonexistent"),
    ]
}

fn requests_file(folder: &Path) -> PathBuf {
    folder.join("requests.jsonl")
}
