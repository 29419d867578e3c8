//! Commands that messages suggest: with the options of the invocation that the suggested command needs too, quoted for a shell, so that
//! they can be pasted.
//!
//! Only what was given on the command line is repeated: defaults and environment variables apply again by themselves. An endpoint
//! with a password is never printed.

use std::ffi::{OsStr, OsString};
use std::fmt;

use clap::{Arg, ArgAction, ArgMatches, Command};

/// Options of one invocation only. The next command writes, to its own files.
const NOT_CARRIED: [&str; 16] = [
    "all-types",
    "debug",
    "dry-run",
    "format",
    "live",
    "no-progress",
    "offline",
    "output-dir",
    "output-file",
    "print-query",
    "query-id",
    "quiet",
    "results",
    "resume",
    "save-plan",
    "verbose",
];

/// Of these, options that are also dropped when the same command is resumed.
const NEVER_REPEATED: [&str; 3] = ["no-progress", "quiet", "verbose"];

/// Appended to a command without its endpoint. A shell treats it as a comment.
const HAS_SECRET: &str = " # and --endpoint-url as before: it holds a password";

/// The command line as typed.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    /// The subcommands: `tag-org`, or `resource-map list`.
    path: Vec<String>,
    options: Vec<Given>,
    positionals: Vec<OsString>,
}

/// An option with one of its values; several for one that was repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Given {
    long: String,
    /// `None`: a flag.
    value: Option<OsString>,
    /// Whether the value must be joined to it by `=`.
    is_joined: bool,
}

/// A command to paste: [`Display`](fmt::Display) formats it as one line.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Suggestion {
    path: Vec<String>,
    positionals: Vec<OsString>,
    options: Vec<Given>,
    hides_secret: bool,
}

impl Invocation {
    /// What `matches` of the built `command` have from the command line.
    pub(in crate::cli) fn of(command: &Command, matches: &ArgMatches) -> Self {
        let mut invocation = Self::default();
        let (mut command, mut matches) = (command, matches);
        while let Some((name, below)) = matches.subcommand() {
            let Some(subcommand) = command.find_subcommand(name) else { break };
            invocation.path.push(name.to_owned());
            (command, matches) = (subcommand, below);
        }
        for arg in command.get_arguments() {
            invocation.note(arg, matches);
        }
        invocation
    }

    fn note(&mut self, arg: &Arg, matches: &ArgMatches) {
        let id = arg.get_id().as_str();
        // Help and version are not matches.
        let source = matches.try_contains_id(id).ok().and_then(|_| matches.value_source(id));
        if source != Some(clap::parser::ValueSource::CommandLine) {
            return;
        }
        let values = || matches.get_raw(id).into_iter().flatten().map(OsStr::to_owned);
        let Some(long) = arg.get_long() else {
            self.positionals.extend(values());
            return;
        };
        let given = |value| Given { long: long.to_owned(), value, is_joined: arg.is_require_equals_set() };
        match arg.get_action() {
            ArgAction::Set | ArgAction::Append => self.options.extend(values().map(|value| given(Some(value)))),
            _ => self.options.push(given(None)),
        }
    }

    /// The given options, as words: those of all commands, if the command has no others.
    pub(in crate::cli) fn globals(&self) -> Vec<OsString> {
        let words = self.options.iter().map(|given| {
            let mut word = OsString::from(format!("--{}", given.long));
            if let Some(value) = &given.value {
                word.push("=");
                word.push(value);
            }
            word
        });
        words.collect()
    }

    /// The same command again, to resume its work.
    pub(in crate::cli) fn again(&self) -> Suggestion {
        let keeps = |given: &&Given| !NEVER_REPEATED.contains(&given.long.as_str());
        let options = self.options.iter().filter(keeps).cloned().collect();
        Suggestion { path: self.path.clone(), positionals: self.positionals.clone(), options, hides_secret: false }
            .without_secrets()
    }

    /// Another command (`undo`, `resource-map list`), with the given options that it accepts.
    pub(in crate::cli) fn suggest(&self, command: &str) -> Suggestion {
        let path: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let program = crate::cli::command();
        let target = path.iter().try_fold(&program, |command, name| command.find_subcommand(name));
        let accepts = |given: &&Given| {
            let arg = target.and_then(|target| target.get_arguments().find(|arg| arg.get_long() == Some(&given.long)));
            let is_repeated = self.options.iter().filter(|other| other.long == given.long).count() > 1;
            arg.is_some_and(|arg| {
                given.value.is_some() == arg.get_action().takes_values() && (!is_repeated || is_list(arg))
            })
        };
        let is_carried = |given: &&Given| !NOT_CARRIED.contains(&given.long.as_str());
        let options = self.options.iter().filter(is_carried).filter(accepts).cloned().collect();
        Suggestion { path, positionals: Vec::new(), options, hides_secret: false }.without_secrets()
    }
}

fn is_list(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

impl Suggestion {
    /// Adds an argument without an option.
    pub(in crate::cli) fn arg(mut self, value: impl Into<OsString>) -> Self {
        self.positionals.push(value.into());
        self
    }

    /// Sets an option, and replaces any earlier value.
    pub(in crate::cli) fn option(self, long: &str, value: impl Into<OsString>) -> Self {
        let mut suggestion = self.without(long);
        // First, for what the suggestion is about.
        suggestion.options.insert(0, Given { long: long.to_owned(), value: Some(value.into()), is_joined: false });
        suggestion
    }

    /// Leaves an option out.
    pub(in crate::cli) fn without(mut self, long: &str) -> Self {
        self.options.retain(|given| given.long != long);
        self
    }

    fn without_secrets(mut self) -> Self {
        let before = self.options.len();
        self.options.retain(|given| !given.value.as_deref().is_some_and(holds_password));
        self.hides_secret = self.options.len() < before;
        self
    }
}

/// Whether it is a URL with a user's name, and so perhaps a password, before its host.
fn holds_password(value: &OsStr) -> bool {
    let text = value.to_string_lossy();
    let authority = text.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    authority.is_some_and(|authority| authority.contains('@'))
}

impl fmt::Display for Suggestion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "trailcreator {}", self.path.join(" "))?;
        let looks_like_option = |value: &OsString| value.as_encoded_bytes().starts_with(b"-") && value != "-";
        let needs_end = self.positionals.iter().any(looks_like_option);
        let write_positionals = |formatter: &mut fmt::Formatter<'_>| {
            self.positionals.iter().try_for_each(|value| write!(formatter, " {}", quoted(value)))
        };
        if !needs_end {
            write_positionals(formatter)?;
        }
        for Given { long, value, is_joined } in &self.options {
            match value {
                None => write!(formatter, " --{long}")?,
                Some(value) if *is_joined || looks_like_option(value) => {
                    write!(formatter, " --{long}={}", quoted(value))?;
                }
                Some(value) => write!(formatter, " --{long} {}", quoted(value))?,
            }
        }
        if needs_end {
            formatter.write_str(" --")?;
            write_positionals(formatter)?;
        }
        if self.hides_secret { formatter.write_str(HAS_SECRET) } else { Ok(()) }
    }
}

/// A word of a POSIX shell. What must not reach a terminal (control characters), or is no UTF-8, is spelled in printf's octal escapes.
fn quoted(value: &OsStr) -> String {
    match value.to_str().filter(|text| !text.chars().any(char::is_control)) {
        // Without a NUL, which is a control character, it can't fail.
        Some(text) => shlex::try_quote(text).map_or_else(|_| escaped(value), |quoted| quoted.into_owned()),
        None => escaped(value),
    }
}

fn escaped(value: &OsStr) -> String {
    let mut text = String::new();
    for byte in value.as_encoded_bytes() {
        match byte {
            b'%' => text.push_str("%%"),
            // A format that begins with it is an option of printf.
            b'-' if text.is_empty() => text.push_str("\\055"),
            b' ' | b'(' | b')' => text.push(char::from(*byte)),
            byte if byte.is_ascii_punctuation() && !b"'\\".contains(byte) || byte.is_ascii_alphanumeric() => {
                text.push(char::from(*byte));
            }
            byte => text.push_str(&format!("\\{byte:03o}")),
        }
    }
    format!("\"$(printf '{text}')\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(args: &[&str]) -> Invocation {
        let command = crate::cli::command();
        let matches = command.clone().try_get_matches_from([&["trailcreator"], args].concat()).unwrap();
        Invocation::of(&command, &matches)
    }

    #[test]
    fn another_command_has_the_given_options_that_it_knows() {
        let tag = invocation(&[
            "tag",
            "--db",
            "my file.db",
            "--profile",
            "it's",
            "--creator-tag",
            "Made-By",
            "--dry-run",
            "-v",
        ]);
        assert_eq!(
            tag.suggest("undo").arg("3").to_string(),
            r#"trailcreator undo 3 --profile "it's" --db 'my file.db'"#
        );
        assert_eq!(tag.suggest("runs").to_string(), "trailcreator runs --db 'my file.db'");
        assert_eq!(
            tag.suggest("tag").to_string(),
            r#"trailcreator tag --creator-tag Made-By --profile "it's" --db 'my file.db'"#
        );
    }

    #[test]
    fn the_same_command_has_all_that_was_given() {
        let org = invocation(&[
            "tag-org",
            "accounts.yml",
            "--dry-run",
            "-r",
            "us-east-1,eu-west-1",
            "--type=ebs",
            "--tag",
            "A={creator}",
            "-q",
        ]);
        assert_eq!(
            org.again().to_string(),
            "trailcreator tag-org accounts.yml --region us-east-1 --region eu-west-1 --tag 'A={creator}' --type ebs --dry-run"
        );
        assert_eq!(org.suggest("undo").arg("org-1").to_string(), "trailcreator undo org-1", "undo takes one region");
    }

    #[test]
    fn a_new_value_replaces_the_given_one() {
        let apply = invocation(&["apply", "--resume", "3", "--region", "eu-west-1"]);
        assert_eq!(apply.again().option("resume", "4").without("region").to_string(), "trailcreator apply --resume 4");
    }

    #[test]
    fn a_password_is_not_printed() {
        let tag = invocation(&["tag", "--endpoint-url", "https://me:secret@proxy.example/x", "--region", "eu-west-1"]);
        let suggested = tag.suggest("undo").arg("1").to_string();
        assert!(!suggested.contains("secret") && suggested.contains("# and --endpoint-url as before"), "{suggested}");
        let plain = invocation(&["tag", "--endpoint-url", "http://localhost:5000"]);
        assert_eq!(plain.suggest("undo").to_string(), "trailcreator undo --endpoint-url http://localhost:5000");
    }

    #[test]
    fn words_survive_a_shell() {
        for text in [
            "plain",
            "two words",
            "it's",
            "\"quoted\"",
            "$HOME `x` \\n",
            "a\nb",
            "\u{1b}[31m",
            "-x%d\t'",
            "é",
            "*?[!]",
            "!",
        ] {
            let script = format!("printf %s {}", quoted(OsStr::new(text)));
            assert!(!script.chars().any(char::is_control), "{script}");
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), text, "{script}");
        }
    }

    #[test]
    fn an_argument_that_looks_like_an_option_is_none() {
        let files = invocation(&["load-files", "--db=-odd", "--", "-x", "-"]);
        assert_eq!(files.again().to_string(), "trailcreator load-files --db=-odd -- -x -");
    }
}
