//! A workbench: a temporary folder in which the real binary runs with a clean environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::Moto;
use super::moto::{aws_variables, clean};

/// The folder. Removed when dropped.
pub(crate) struct Bench {
    folder: TempDir,
}

/// A command line about to run.
pub(crate) struct Trailcreator {
    command: Command,
    shown: String,
    /// Whether only our binary prints, and not to a terminal, where progress bars move the cursor.
    is_ours: bool,
}

/// How a command ended, and what it printed.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// The command line, for messages.
    pub(crate) shown: String,
    /// The exit code; `None`: killed by a signal.
    pub(crate) code: Option<i32>,
    /// Its data.
    pub(crate) stdout: String,
    /// Its messages.
    pub(crate) stderr: String,
}

impl Bench {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder can be made") }
    }

    /// A path in the folder.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Writes a file, with its folders.
    pub(crate) fn write(&self, relative: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("folders can be made");
        fs::write(&path, content).expect("the file can be written");
        path
    }

    /// The binary with arguments, in this folder, without any AWS settings: no credentials, no region, no metadata service.
    pub(crate) fn trailcreator<S: AsRef<str>>(&self, args: impl IntoIterator<Item = S>) -> Trailcreator {
        self.binary(Path::new(env!("CARGO_BIN_EXE_trailcreator")), args)
    }

    /// A line for the shell, in this folder and with the same clean environment, where `trailcreator` is the binary.
    pub(crate) fn shell(&self, line: &str) -> Trailcreator {
        let mut shell = self.binary(Path::new("/bin/sh"), ["-c", line]);
        let folder = Path::new(env!("CARGO_BIN_EXE_trailcreator")).parent().expect("a file is in a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        shell.command.env("PATH", format!("{}:{path}", folder.display()));
        line.clone_into(&mut shell.shown);
        shell.is_ours = false;
        shell
    }

    /// As [`Bench::trailcreator`], by a user without root's exemption from file modes: if the tests run as root, an unprivileged one.
    #[cfg(unix)]
    pub(crate) fn unprivileged<S: AsRef<str>>(&self, args: impl IntoIterator<Item = S>) -> Trailcreator {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        use std::os::unix::process::CommandExt;

        const UNPRIVILEGED: u32 = 65_534;
        let folder = fs::metadata(self.folder.path()).expect("it is there");
        if folder.uid() != 0 {
            return self.trailcreator(args);
        }
        // That user may have no access to the target directory. The copy is another process's work: a file that is open for writing here is
        // so for a moment in each process that another test starts meanwhile, and can't be executed ("Text file busy").
        let copy = self.path("trailcreator");
        if !copy.exists() {
            let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_trailcreator")).arg(&copy).status();
            assert!(copied.expect("cp runs").success(), "the binary can be copied");
        }
        fs::set_permissions(self.folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
        let mut trailcreator = self.binary(&copy, args);
        trailcreator.command.uid(UNPRIVILEGED).gid(UNPRIVILEGED);
        trailcreator
    }

    fn binary<S: AsRef<str>>(&self, binary: &Path, args: impl IntoIterator<Item = S>) -> Trailcreator {
        let args: Vec<String> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        let mut command = Command::new(binary);
        clean(&mut command);
        command.args(&args).current_dir(self.folder.path());
        command.env("HOME", self.folder.path());
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Trailcreator { command, shown: format!("trailcreator {}", args.join(" ")), is_ours: true }
    }
}

impl Trailcreator {
    /// Sends its AWS calls to moto, as the default account in the default region.
    #[must_use]
    pub(crate) fn aws(self, moto: &Moto) -> Self {
        self.endpoint(&moto.endpoint())
    }

    /// Sends its AWS calls to this address.
    #[must_use]
    pub(super) fn endpoint(mut self, endpoint: &str) -> Self {
        self.command.envs(aws_variables(endpoint));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end. Nothing that a terminal would obey may come out of it, whatever the test is about.
    pub(crate) fn run(mut self) -> Run {
        let output = self.command.output().expect("the binary starts");
        let run = Run {
            shown: self.shown,
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        };
        assert!(!self.is_ours || is_safe(&run.stdout) && is_safe(&run.stderr), "{run:?}");
        run
    }

    /// Runs it to its end with stdin and stderr on a terminal, where `answer` is typed when it asks; `^C` is Ctrl-C.
    #[cfg(unix)]
    pub(crate) fn on_terminal(self, answer: &str) -> Run {
        const TERMINAL: &str = include_str!("terminal.py");
        let mut command = super::python_command();
        command.args(["-c", TERMINAL, answer]).arg(self.command.get_program()).args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.current_dir(self.command.get_current_dir().expect("each runs in a bench"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, shown: self.shown, is_ours: false }.run()
    }

    /// Starts it and leaves it running: to kill it, or to feed its stdin.
    pub(crate) fn spawn(mut self) -> Child {
        self.command.stdin(Stdio::piped()).spawn().expect("the binary starts")
    }
}

/// Whether a text controls no terminal, is in the order in which it is written, and has no invisible characters.
fn is_safe(text: &str) -> bool {
    let is_unsafe = |character: char| {
        character.is_control() && character != '\n'
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    !text.replace("\r\n", "\n").contains(is_unsafe)
}

impl Run {
    /// Asserts the exit code.
    pub(crate) fn code(&self, wanted: i32) -> &Self {
        assert_eq!(self.code, Some(wanted), "exit code of {}\n{}", self.shown, self.printed());
        self
    }

    /// Asserts exit code 0.
    pub(crate) fn success(&self) -> &Self {
        self.code(0)
    }

    /// Stdout as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{} did not print JSON: {error}\n{}", self.shown, self.printed()))
    }

    /// Asserts that stdout holds each of the texts.
    pub(crate) fn shows<S: AsRef<str>>(&self, texts: impl IntoIterator<Item = S>) -> &Self {
        self.holds("stdout", &self.stdout, texts)
    }

    /// Asserts that stderr holds each of the texts.
    pub(crate) fn says<S: AsRef<str>>(&self, texts: impl IntoIterator<Item = S>) -> &Self {
        self.holds("stderr", &self.stderr, texts)
    }

    fn holds<S: AsRef<str>>(&self, name: &str, stream: &str, texts: impl IntoIterator<Item = S>) -> &Self {
        for text in texts {
            let text = text.as_ref();
            assert!(stream.contains(text), "no {text:?} in {name} of {}\n{}", self.shown, self.printed());
        }
        self
    }

    /// What it printed, for messages.
    pub(crate) fn printed(&self) -> String {
        format!("--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr)
    }
}
