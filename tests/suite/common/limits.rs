//! AWS with latencies and request limits, and an organization on it: `tests/servers/limits/server.py`.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::forks::{self, Fork};
use super::{Bench, Trailcreator};

/// A running server. Stopped when dropped, and when the test's process ends in any way.
pub(crate) struct Limits {
    _server: Fork,
    port: u64,
}

impl Limits {
    /// Starts a server with so many accounts. Writes the trail with the create events of their resources, and their accounts file, to the
    /// bench. `largest` is the number of queues in each region of the largest account.
    pub(crate) fn start(bench: &Bench, accounts: usize, regions: &[&str], largest: usize) -> Self {
        let request = json!({
            "accounts": accounts, "regions": regions, "largest": largest, "folder": bench.path(""),
            "errors": bench.path("simulator-errors"),
        });
        let mut server = forks::LIMITS.fork(&request);
        let port = server.answer().and_then(|answer| answer["port"].as_u64()).expect("the simulator starts");
        Self { _server: server, port }
    }

    /// `http://127.0.0.1:PORT`
    pub(super) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What happened so far, see `server.py`.
    pub(crate) fn report(&self) -> Value {
        let port = u16::try_from(self.port).expect("a port");
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        write!(stream, "GET /_report HTTP/1.1\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers with text");
        let (_, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        serde_json::from_str(body).expect("the report is JSON")
    }
}

impl Trailcreator {
    /// Sends its AWS calls to the simulator, as the management account.
    #[must_use]
    pub(crate) fn limited(self, limits: &Limits) -> Self {
        self.endpoint(&limits.endpoint())
    }
}
