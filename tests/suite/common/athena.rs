//! The project's own Athena server (`tests/servers/athena/`), which moto's can't replace: it executes the SQL.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::forks::{self, Fork};
use super::{Moto, Trailcreator};

/// A running server. Stopped when dropped, and when the test's process ends in any way.
pub(crate) struct Athena {
    _server: Fork,
    address: String,
    _folder: TempDir,
}

impl Athena {
    /// Starts a server with these tables (see `server.py`), and writes results to moto's S3. Makes the bucket that Athena's
    /// console would use.
    pub(crate) fn start(moto: &Moto, tables: &Value) -> Self {
        Self::with(moto, &json!({"tables": tables}))
    }

    /// Starts a server with any configuration but `s3`.
    pub(crate) fn with(moto: &Moto, configuration: &Value) -> Self {
        moto.boto3("client('s3').create_bucket(Bucket='aws-athena-query-results-123456789012-us-east-1')");
        let mut configuration = configuration.clone();
        configuration["s3"] = json!(moto.endpoint());
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        // The server is stopped by a signal, and cannot remove its files.
        configuration["folder"] = json!(folder.path());
        let errors = folder.path().join("stderr");
        let mut server = forks::ATHENA.fork(&json!({"configuration": configuration, "errors": errors}));
        let Some(port) = server.answer().and_then(|answer| answer["port"].as_u64()) else {
            panic!("the Athena server did not start: {}", fs::read_to_string(&errors).unwrap_or_default());
        };
        Self { address: format!("127.0.0.1:{port}"), _server: server, _folder: folder }
    }

    /// What happens from now on, see `server.py`.
    pub(crate) fn control(&self, wishes: &Value) {
        self.http("POST", "/_control", &wishes.to_string());
    }

    /// How often an operation was called.
    pub(crate) fn calls(&self, operation: &str) -> u64 {
        self.seen()["calls"][operation].as_u64().unwrap_or_default()
    }

    /// Waits until an operation was called so often.
    pub(crate) fn wait_for(&self, operation: &str, times: u64) {
        self.http("POST", "/_await", &json!({"operation": operation, "calls": times}).to_string());
    }

    /// The queries so far: `id`, `sql`, `state`, `output`.
    pub(crate) fn queries(&self) -> Vec<Value> {
        self.seen()["queries"].as_array().cloned().unwrap_or_default()
    }

    fn seen(&self) -> Value {
        serde_json::from_str(&self.http("GET", "/_calls", "")).expect("the server answers JSON")
    }

    /// Starts a query as another program would; gives its id.
    pub(crate) fn start_query(&self, sql: &str, output: &str) -> String {
        let request = json!({"QueryString": sql, "ResultConfiguration": {"OutputLocation": output}});
        let answer = self.call("StartQueryExecution", &request);
        answer["QueryExecutionId"].as_str().expect("a query id").to_owned()
    }

    fn call(&self, operation: &str, request: &Value) -> Value {
        let header = format!("X-Amz-Target: AmazonAthena.{operation}");
        serde_json::from_str(&self.http_with("POST", "/", &header, &request.to_string()))
            .expect("the server answers JSON")
    }

    fn http(&self, method: &str, path: &str, body: &str) -> String {
        self.http_with(method, path, "Accept: application/json", body)
    }

    fn http_with(&self, method: &str, path: &str, header: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("the server listens");
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{header}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n",
            self.address
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("the server reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the server answers");
        answer.split_once("\r\n\r\n").expect("an HTTP answer").1.to_owned()
    }
}

impl Trailcreator {
    /// Sends Athena's calls to the project's server, and all others to moto.
    #[must_use]
    pub(crate) fn athena(self, moto: &Moto, athena: &Athena) -> Self {
        self.aws(moto).env("AWS_ENDPOINT_URL_ATHENA", &format!("http://{}", athena.address))
    }
}
