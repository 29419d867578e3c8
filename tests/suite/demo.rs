//! The demo: the resources of `docs/demo.py` on moto with the log file of their creation, and what `docs/demo.sh` does where something
//! is missing.

use std::path::Path;

use regex::Regex;
use serde_json::Value;

use crate::common::{Bench, Moto, gzip};

/// A server with the demo's resources, and a folder with `logs/`.
pub(crate) struct Demo {
    pub(crate) moto: Moto,
    pub(crate) bench: Bench,
    /// The ids of the volumes, in the order of their creation: by root, by a service, and one that has an owner.
    pub(crate) volumes: Vec<String>,
}

impl Demo {
    pub(crate) fn new() -> Self {
        let (moto, bench) = (Moto::start(), Bench::new());
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let code = format!("sys.path.insert(0, {docs:?})\nimport demo\nresult = demo.create_resources(client)");
        let records = moto.boto3(&code);
        let volume = |record: &Value| record["responseElements"]["volumeId"].as_str().map(str::to_owned);
        let volumes = records.as_array().expect("a list of records").iter().filter_map(volume).collect();
        let log_file = gzip(serde_json::json!({"Records": records}).to_string().as_bytes());
        bench.write("logs/123456789012_CloudTrail_us-east-1_20260301T1015Z_demo.json.gz", log_file);
        Self { moto, bench, volumes }
    }

    /// What a command line prints, on both streams in their order, and its exit code where it is not 0.
    pub(crate) fn output(&self, line: &str) -> String {
        let run = self.bench.shell(&format!("{line} 2>&1")).aws(&self.moto).run();
        let code = run.code.filter(|code| *code != 0).map(|code| format!("exit code {code}\n"));
        format!("{}{}", run.stdout, code.unwrap_or_default())
    }
}

/// A machine on which `docs/demo.sh` runs: its programs are in one folder.
#[cfg(unix)]
struct Machine {
    bench: Bench,
}

/// A Cargo that notes its calls.
#[cfg(unix)]
const CARGO: &str =
    "echo \"cargo $*\" >>\"$CALLS\"\n[ \"$*\" != --version ] || echo 'cargo 1.99.0 (f2d3ce0bd 2026-03-21)'";

/// A Python that makes virtual environments of itself.
#[cfg(unix)]
const PYTHON: &str = "echo \"python $*\" >>\"$CALLS\"
case \"$*\" in '-m venv '*) mkdir -p \"$3/bin\" && cp \"$0\" \"$3/bin/python\" ;; esac";

#[cfg(unix)]
impl Machine {
    /// With everything that the demo needs, for a user of Debian.
    fn new() -> Self {
        let machine = Self { bench: Bench::new() };
        std::fs::create_dir(machine.bench.path("bin")).expect("folders can be made");
        for name in ["bash", "cat", "cp", "cut", "dirname", "grep", "mkdir", "rm", "sed", "sleep", "touch"] {
            let path = std::env::var_os("PATH").expect("it is set");
            let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
            let found = found.unwrap_or_else(|| panic!("{name} is installed"));
            std::os::unix::fs::symlink(found, machine.bench.path("bin").join(name)).expect("links can be made");
        }
        for (name, script) in [
            ("apt-get", ""),
            ("id", "echo 1000"),
            ("uname", "echo Linux"),
            ("cargo", CARGO),
            ("rustc", "echo host: here"),
            ("python3", PYTHON),
            ("cc", ""),
        ] {
            machine.program(name, script);
        }
        machine
    }

    /// A program of this machine.
    fn program(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;

        let file = self.bench.write(format!("bin/{name}"), format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    }

    fn without(&self, name: &str) {
        std::fs::remove_file(self.bench.path("bin").join(name)).expect("it was there");
    }

    /// Runs the demo, which must end with an error: its output, its errors, and the programs that it called.
    fn fails(&self) -> (String, String, String) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/demo.sh");
        let calls = self.bench.write("calls", "");
        let output = std::process::Command::new(self.bench.path("bin/bash"))
            .arg(script)
            .env_clear()
            .envs([
                ("PATH", self.bench.path("bin")),
                ("CALLS", calls.clone()),
                ("CARGO_TARGET_DIR", self.bench.path("target")),
            ])
            .output()
            .expect("bash starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it is UTF-8");
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        assert_eq!(output.status.code(), Some(1), "{stdout}{stderr}");
        (stdout, stderr, std::fs::read_to_string(calls).expect("it was written"))
    }

    /// The demo ends before anything is built, and says what it needs and what installs it.
    fn needs(&self, what: &str, command: &str) {
        let (stdout, stderr, calls) = self.fails();
        assert!(stdout.starts_with("\n\u{1b}[1m# Check what the demo needs"), "{stdout}");
        assert!(stderr.contains(&format!("The demo needs {what}")), "{what}: {stderr}");
        assert!(stderr.contains(command), "{what}: {stderr}");
        assert!(!calls.contains("cargo build"), "{what}: {calls}");
    }
}

#[cfg(unix)]
#[test]
fn demo_names_what_is_missing_and_the_command_that_installs_it_before_the_build() {
    const RUSTUP: &str = "Install it with: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh\n";
    type Change = fn(&Machine);
    let cases: [(Change, &str, &str); 13] = [
        (|machine| machine.without("python3"), "Python 3.11 or newer", "sudo apt-get install python3 python3-venv"),
        (
            |machine| machine.program("python3", "exit 1"),
            "Python 3.11 or newer",
            "sudo apt-get install python3 python3-venv",
        ),
        (
            |machine| machine.program("python3", "case \"$*\" in *ensurepip*) exit 1 ;; esac"),
            "Python's venv module",
            "sudo apt-get install python3-venv\n",
        ),
        (|machine| machine.without("cargo"), "Rust 1.94 or newer (cargo)", RUSTUP),
        (|machine| machine.program("cargo", "exit 1"), "Rust 1.94 or newer (cargo)", RUSTUP),
        (|machine| machine.program("cargo", "echo cargo 1.85.1"), "Rust 1.94 or newer (found: cargo 1.85.1)", RUSTUP),
        (
            |machine| {
                machine.without("cc");
                machine.program("id", "echo 0");
            },
            "a C compiler (cc)",
            "Install it with: apt-get install build-essential",
        ),
        (
            |machine| {
                machine.without("cc");
                machine.without("apt-get");
                machine.program("dnf", "");
            },
            "a C compiler (cc)",
            "Install it with: sudo dnf install gcc",
        ),
        (
            |machine| {
                machine.without("cargo");
                machine.without("apt-get");
            },
            "Rust 1.94 or newer (cargo)",
            RUSTUP,
        ),
        (|machine| machine.without("cc"), "a C compiler (cc)", "sudo apt-get install build-essential"),
        // macOS, before its tools are installed.
        (
            |machine| {
                machine.without("apt-get");
                machine.program("uname", "echo Darwin");
                machine.program("cc", "exit 1");
            },
            "a C compiler (cc)",
            "xcode-select --install",
        ),
        (
            |machine| machine.program("python3", &format!("{PYTHON}\ncase \"$*\" in '-m pip '*) exit 1 ;; esac")),
            "PyPI, which did not answer",
            "export HTTPS_PROXY=http://HOST:PORT\nTo use a mirror: pip config set global.index-url URL\n",
        ),
        (
            |machine| machine.program("cargo", &format!("{CARGO}\n[ \"$1\" != fetch ]")),
            "crates.io, which did not answer",
            "export HTTPS_PROXY=http://HOST:PORT\n",
        ),
    ];
    for (change, what, command) in cases {
        let machine = Machine::new();
        change(&machine);
        machine.needs(what, command);
    }
}

#[cfg(unix)]
#[test]
fn demo_installs_python_packages_beside_the_build_and_stops_when_that_fails() {
    let machine = Machine::new();
    let (started, ended) = (machine.bench.path("started"), machine.bench.path("ended"));
    let made = std::process::Command::new("mkfifo").args([&started, &ended]).status();
    assert!(made.expect("mkfifo runs").success());
    // The build fails as soon as the installation runs; an installation that goes on says so at its end.
    machine.program("cargo", &format!("{CARGO}\n[ \"$1\" != build ] || {{ read -r line <{started:?}; exit 1; }}"));
    let installation = format!(
        "exec 3>{ended:?}\ntrap 'echo stopped >&3; exit 1' TERM\nsleep 30 3>&- &\necho >{started:?}\nwait\necho went on >&3"
    );
    machine.program("python3", &format!("{PYTHON}\ncase \"$*\" in *requirements.txt)\n{installation}\nesac"));
    let end = std::thread::spawn(move || std::fs::read_to_string(ended).expect("it is readable"));
    let (_, _, calls) = machine.fails();
    assert!(calls.contains("cargo build --locked"), "{calls}");
    assert_eq!(end.join().expect("it ends"), "stopped\n");
}

#[test]
fn demo_is_for_bash_3_2() {
    const LATER: [&str; 14] = [
        r"\b(declare|local|typeset)\s+-\w*[Angu]",
        r"\b(mapfile|readarray|coproc|globstar|lastpipe)\b",
        r"\$\{\w+(\[[^]]*\])?(,|\^|@[A-Za-z])",
        r"&>>",
        r"\|&",
        r";;?&(\s|$)",
        r"\[\[?\s+-v\s",
        r"\{\w+\.\.\w+\.\.\w+\}",
        r"\bexec\s+\{\w+\}",
        r"\bwait\s+-[np]",
        r"\bread\s+-\w*[Ni]",
        r"%\([^)]*\)T",
        r"\$\{?(BASHPID|EPOCHSECONDS|EPOCHREALTIME)\b",
        r"\[-\d+\]",
    ];
    let script = include_str!("../../docs/demo.sh");
    let code = script.lines().filter(|line| !line.trim_start().starts_with('#'));
    for line in code {
        for construct in LATER {
            assert!(!Regex::new(construct).expect("it is valid").is_match(line), "{construct}: {line}");
        }
    }
    for line in [
        "declare -A x",
        "${x,,}",
        "mapfile -t x",
        "a &>> b",
        "a |& b",
        "[[ -v x ]]",
        "exec {fd}>x",
        "wait -n",
        "${x[-1]}",
    ] {
        let is_found = LATER.iter().any(|construct| Regex::new(construct).expect("it is valid").is_match(line));
        assert!(is_found, "{line}");
    }
}
