//! Python processes that start by fork from one that has imported what they need: see `fork_server.py`.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use super::moto::clean;
use super::python_command;

/// A program from which processes are forked. Its first use in a test run starts it.
pub(super) struct Template {
    program: &'static str,
    server: OnceLock<ForkServer>,
}

/// A fork server. It ends with the process of the tests: its stdin closes.
struct ForkServer {
    port: u16,
    _process: Child,
}

/// A forked process. It ends when this is dropped, and when the process of the tests ends in any way.
pub(super) struct Fork {
    connection: BufReader<TcpStream>,
}

/// The client side of AWS's APIs, and any other Python code.
pub(super) static BOTO3: Template = Template::new("tests/suite/common/boto3_client.py");

/// moto's server.
pub(super) static MOTO: Template = Template::new("tests/suite/common/moto_launcher.py");

/// The proxy that plays faults.
pub(super) static FAULTS: Template = Template::new("tests/servers/faults/proxy.py");

/// The simulator of latencies and request limits.
pub(super) static LIMITS: Template = Template::new("tests/servers/limits/server.py");

/// The project's own Athena server.
pub(super) static ATHENA: Template = Template::new("tests/servers/athena/server.py");

/// Chromium.
pub(super) static BROWSER: Template = Template::new("tests/suite/common/browser.py");

impl Template {
    const fn new(program: &'static str) -> Self {
        Self { program, server: OnceLock::new() }
    }

    /// Starts a process that serves this request.
    pub(super) fn fork(&self, request: &Value) -> Fork {
        let port = if cfg!(unix) { self.server.get_or_init(|| self.start()).port } else { self.start().port };
        let mut connection = TcpStream::connect(("127.0.0.1", port)).expect("the fork server listens");
        writeln!(connection, "{request}").expect("the forked process reads");
        Fork { connection: BufReader::new(connection) }
    }

    fn start(&self) -> ForkServer {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = python_command();
        clean(&mut command);
        command.arg(repository.join("tests/suite/common/fork_server.py")).arg(repository.join(self.program));
        // Proxies are asked for by a system library of macOS that a forked process must not use.
        command.env("no_proxy", "*");
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped above")).read_line(&mut line).expect("stdout is readable");
        let port = line.trim().parse().unwrap_or_else(|_| panic!("{} failed: see its stderr", self.program));
        ForkServer { port, _process: process }
    }
}

impl Fork {
    /// Sends a further request to a process that waits for some.
    pub(super) fn send(&mut self, request: &Value) {
        writeln!(self.connection.get_mut(), "{request}").expect("the forked process reads");
    }

    /// The process's next answer; `None`: it ended without one.
    pub(super) fn answer(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.connection.read_line(&mut line).ok()?;
        serde_json::from_str(&line).ok()
    }
}
