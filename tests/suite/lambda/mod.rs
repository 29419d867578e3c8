//! `packaging/aws/lambda`: `bootstrap` against a server that plays Lambda's Runtime API, with the real binary; with another program only
//! where the real one would need minutes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::common::{Bench, Event, python_command};

const RUNTIME_API: &str = include_str!("runtime_api.py");

/// A program that completes a write after SIGTERM, as the real one does. `stop` shows which signals it got.
const STOPS: &str = "#!/bin/bash\necho \"$@\" >>ran\ntrap 'echo TERM >stop; exit 130' TERM\nsleep 60 & wait\n";
/// A program that ends only with SIGKILL.
const HANGS: &str = "#!/bin/bash\necho \"$@\" >>ran\ntrap 'echo TERM >stop' TERM\nwhile :; do sleep 60; done\n";
/// A program that needs all its time, and succeeds.
const SLOW: &str = "#!/bin/bash\necho \"$@\" >>ran\ntrap 'exit 0' TERM\nsleep 60 & wait\n";

/// The function: its folder, its commands, and the folder with the program.
struct Function {
    bench: Bench,
    commands: &'static str,
    programs: PathBuf,
}

fn packaging(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(file)
}

impl Function {
    fn new(commands: &'static str) -> Self {
        let programs = Path::new(env!("CARGO_BIN_EXE_trailcreator")).parent().expect("a file is in a folder");
        Self { bench: Bench::new(), commands, programs: programs.to_owned() }
    }

    /// With another program in the binary's place.
    fn with_program(commands: &'static str, script: &str) -> Self {
        let mut function = Self::new(commands);
        let program = function.bench.write("bin/trailcreator", script);
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
        function.programs = function.bench.path("bin");
        function
    }

    /// Runs the bootstrap for these invocations, and returns what the Runtime API got; it accepted everything.
    fn invoke(&self, invocations: &[Value]) -> Value {
        self.invoke_in(&self.bench.path(""), invocations)
    }

    fn invoke_in(&self, folder: &Path, invocations: &[Value]) -> Value {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut server = python_command();
        server.args(["-c", RUNTIME_API]).arg(packaging("aws/lambda/bootstrap")).arg(json!(invocations).to_string());
        server.env("PATH", format!("{}:{path}", self.programs.display())).current_dir(self.bench.path(""));
        // Calls of the Runtime API never use the proxy.
        server.env("http_proxy", "http://127.0.0.1:9").env("HOME", self.bench.path(""));
        server.env("TRAILCREATOR_FOLDER", folder).env("TRAILCREATOR_COMMANDS", self.commands);
        let output = server.output().expect("Python starts");
        let result: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        assert_eq!(result["faults"], json!([]), "{result:#}");
        result
    }

    fn text(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.bench.path(name)).ok()
    }
}

/// An invocation of the schedule.
fn scheduled() -> Value {
    json!({"event": {}})
}

/// An invocation with so many seconds to its deadline: SIGTERM after half of them, SIGKILL after three quarters.
fn short(seconds: u32) -> Value {
    json!({"event": {}, "seconds": seconds})
}

#[test]
fn commands_run_in_order_and_exit_code_4_is_a_success() {
    let function = Function::new("# Daily\nload-files logs\n\n  runs   --output json\n--version");
    let event = Event::new("iam.amazonaws.com", "CreateRole").response(json!({"role": {"roleName": "app"}}));
    function.bench.write("logs/good.json", json!({"Records": [event.record()]}).to_string());
    function.bench.write("logs/broken.json.gz", "not gzip");
    let result = function.invoke(&[scheduled(), scheduled()]);
    let answer = json!({"kind": "response", "body": {"commands": [
        {"command": "load-files logs", "exit_code": 4},
        {"command": "runs --output json", "exit_code": 0},
        {"command": "--version", "exit_code": 0},
    ]}});
    assert_eq!(result["answers"], json!([answer, answer]), "{result:#}");
    assert!(
        result["stdout"].as_str().expect("a text").contains("trailcreator 0."),
        "its output is in the log: {result:#}"
    );
    let log = result["stderr"].as_str().expect("a text");
    assert!(!log.contains("TRAILCREATOR_COMMANDS is set") && !log.contains("TRAILCREATOR_FOLDER is set"), "{log}");
    function.bench.trailcreator(["who", "app"]).run().success();
}

#[test]
fn another_exit_code_is_a_function_error_and_ends_the_invocation() {
    let function = Function::new("load-files missing\n--version");
    let result = function.invoke(&[scheduled()]);
    assert_eq!(
        result["answers"],
        json!([{"kind": "error", "type": "trailcreator.ExitCode", "body": {
            "errorType": "trailcreator.ExitCode", "errorMessage": "Exit code 2 of: trailcreator load-files missing"
        }}]),
        "{result:#}"
    );
    assert!(!result["stdout"].as_str().expect("a text").contains("trailcreator 0."), "{result:#}");
}

#[test]
fn an_event_can_name_a_command_and_nothing_in_it_is_executed_or_expanded() {
    let function = Function::new("runs");
    let events = ["--version", "who $(touch${IFS}pwned);touch pwned * `touch pwned`", r#"who "a""#, "", "\u{1}"];
    let result = function.invoke(&events.map(|event| json!({"event": event})));
    let answers = result["answers"].as_array().expect("a list");
    assert_eq!(answers[0]["body"]["commands"][0]["command"], "--version", "{result:#}");
    assert_eq!(answers[1]["body"]["errorMessage"], format!("Exit code 1 of: trailcreator {}", events[1]), "{result:#}");
    for (answer, message) in
        answers[2..].iter().zip(["A command has a quote", "There is no command", "A command has a"])
    {
        assert_eq!(answer["type"], "trailcreator.Usage");
        assert!(answer["body"]["errorMessage"].as_str().expect("a text").starts_with(message), "{answer}");
    }
    assert_eq!((answers.len(), function.text("pwned")), (5, None));
}

#[test]
fn a_command_is_stopped_before_the_deadline_and_the_next_invocation_runs() {
    let function = Function::with_program("load-s3\ntag-org accounts.yml", STOPS);
    let result = function.invoke(&[short(6), short(6)]);
    let message = "Stopped before the time limit of the function in: trailcreator load-s3 (exit code 130). Completed work is kept.";
    let error = json!({"kind": "error", "type": "trailcreator.Deadline", "body": {
        "errorType": "trailcreator.Deadline", "errorMessage": message
    }});
    assert_eq!(result["answers"], json!([error, error]), "{result:#}");
    assert_eq!(function.text("stop").as_deref(), Some("TERM\n"));
    assert_eq!(function.text("ran").as_deref(), Some("load-s3\nload-s3\n"));
}

#[test]
fn a_command_that_ignores_sigterm_is_killed_before_the_deadline() {
    let function = Function::with_program("load-s3", HANGS);
    let result = function.invoke(&[short(10)]);
    assert_eq!(result["answers"][0]["type"], "trailcreator.Deadline", "{result:#}");
    let message = result["answers"][0]["body"]["errorMessage"].as_str().expect("a text");
    assert!(message.contains("(exit code 137)"), "{message}");
    assert_eq!(function.text("stop").as_deref(), Some("TERM\n"));
}

#[test]
fn no_command_starts_after_the_time_to_stop() {
    let function = Function::with_program("load-s3\ntag-org accounts.yml", SLOW);
    let result = function.invoke(&[short(6)]);
    let message = result["answers"][0]["body"]["errorMessage"].as_str().expect("a text");
    assert!(message.contains("tag-org accounts.yml (exit code 130)"), "{message}");
    assert_eq!(function.text("ran").as_deref(), Some("load-s3\n"));
}

#[test]
fn a_function_that_can_not_run_fails_at_initialization() {
    for (commands, folder, kind) in [
        ("", ".", "Usage"),
        ("# nothing\n", ".", "Usage"),
        ("load-s3 --bucket 'my trail'", ".", "Usage"),
        ("load-s3 --bucket my\\ trail", ".", "Usage"),
        ("runs", "not-mounted", "Folder"),
    ] {
        let function = Function::new(commands);
        let result = function.invoke_in(Path::new(folder), &[scheduled()]);
        let answer = &result["answers"][0];
        let kind = format!("trailcreator.{kind}");
        assert_eq!(
            (answer["kind"].as_str(), answer["type"].as_str()),
            (Some("init/error"), Some(&*kind)),
            "{result:#}"
        );
        assert_eq!(
            (result["code"].as_i64(), result["left"].as_i64()),
            (Some(1), Some(1)),
            "no event is read: {result:#}"
        );
    }
}

#[test]
fn both_images_have_the_same_build_stage() {
    let stage = |file: &str| {
        let text = fs::read_to_string(packaging(file)).expect("the file is there");
        let from = text.find("FROM ").expect("a base");
        let to = text.find("RUN cargo build --release --locked --bin trailcreator").expect("a build");
        text[from..to].to_owned()
    };
    assert_eq!(stage("aws/lambda/Dockerfile"), stage("docker/Dockerfile"));
    let mode = fs::metadata(packaging("aws/lambda/bootstrap")).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o111, 0o111, "executable");
}
