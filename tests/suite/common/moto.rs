//! moto's server, one process for each test, and boto3 as the witness of what is on it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use super::{REGION, python, run_python};

/// What runs before a test's boto3 code: one client for each service and region.
const PRELUDE: &str = r"
import functools, json, sys
import boto3, botocore.config
@functools.lru_cache(maxsize=None)
def client(service, region=None, key='testing'):
    return boto3.client(service, region_name=region, aws_access_key_id=key, aws_secret_access_key='testing',
                        config=botocore.config.Config(retries={'total_max_attempts': 1}))
def pages(service, operation, items, region=None, **params):
    for page in client(service, region).get_paginator(operation).paginate(**params):
        yield from page[items]
result = None
";

/// A running server with its own state. Stopped when dropped, and when the test's process ends in any way.
pub(crate) struct Moto {
    server: Child,
    port: u16,
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
        const READ_VERBS: [&str; 7] = ["List", "Describe", "Get", "BatchGet", "Head", "Search", "Lookup"];
        if self.action.starts_with(&format!("{} /", self.method)) {
            return !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS");
        }
        !READ_VERBS.iter().any(|verb| self.action.starts_with(verb)) && !self.action.starts_with("Assume")
    }

    fn is_boto3(&self) -> bool {
        self.user_agent.contains("Boto3/")
    }
}

impl Moto {
    /// Starts a server on a free port of loopback.
    pub(crate) fn start() -> Self {
        Self::launch(None, &[])
    }

    /// Starts a server that asks `hook` first: Python code that defines `before(entry, environ)`, see `moto_launcher.py`.
    pub(crate) fn start_with(hook: &str) -> Self {
        Self::launch(Some(hook), &[])
    }

    /// Starts a server with the project's own `trail_services.py` before moto: Event history of the log files in a folder, S3
    /// Select, ListRegions. `options` are that file's environment variables.
    pub(crate) fn start_with_trail_services(history: &Path, options: &[(&str, &str)]) -> Self {
        let history = history.to_str().expect("a temporary folder's path is UTF-8");
        let variables: Vec<_> =
            [("TRAIL_SERVICES_HISTORY", history)].into_iter().chain(options.iter().copied()).collect();
        Self::launch(Some(include_str!("trail_services.py")), &variables)
    }

    fn launch(hook: Option<&str>, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let launcher = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/common/moto_launcher.py");
        let mut command = Command::new(python());
        clean(&mut command);
        command.envs(variables.iter().copied());
        command.arg(launcher).arg(requests_file(folder.path()));
        if let Some(hook) = hook {
            let file = folder.path().join("hook.py");
            fs::write(&file, hook).expect("the hook can be written");
            command.arg(file);
        }
        let errors = fs::File::create(folder.path().join("stderr")).expect("the folder is writable");
        // stdin stays open as long as this value (or the process) lives: its end ends the server.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut server = command.spawn().expect("the environment's Python starts");
        let mut line = String::new();
        BufReader::new(server.stdout.take().expect("piped above")).read_line(&mut line).expect("stdout is readable");
        let Ok(port) = line.trim().parse() else {
            let errors = fs::read_to_string(folder.path().join("stderr")).unwrap_or_default();
            panic!("moto's server did not start: {errors}");
        };
        Self { server, port, folder }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes a bucket of a folder's files, whose paths below it become their keys.
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

    /// Runs Python code that has `client(service, region=None)`, `pages(service, operation, items, **params)` and `boto3`; gives what
    /// it left in `result`, as JSON.
    pub(crate) fn boto3(&self, code: &str) -> Value {
        let program = format!("{PRELUDE}\n{code}\njson.dump(result, sys.stdout, default=str)\n");
        let endpoint = self.endpoint();
        let printed = run_python(&program, &aws_variables(&endpoint));
        serde_json::from_str(&printed).expect("the prelude prints JSON; the code must not print")
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

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// Takes off what a developer's shell may say to AWS clients.
pub(super) fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("AWS_") || text.starts_with("TRAILCREATOR_") || text.starts_with("MOTO_") {
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
