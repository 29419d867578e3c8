//! Checks the examples at the end of the commands' help: they must parse.

use clap::Command;

use super::command_line;

const COMMANDS: [&str; 28] = [
    "accounts",
    "apply",
    "completions",
    "config",
    "config schema",
    "config show",
    "count",
    "import",
    "list",
    "load-athena",
    "load-files",
    "load-history",
    "load-logs",
    "load-s3",
    "man",
    "policy",
    "prune",
    "report",
    "resource-map",
    "resource-map check",
    "resource-map list",
    "resource-map show",
    "runs",
    "tag",
    "tag-org",
    "undo",
    "watch",
    "who",
];

/// The command lines below "Examples:" in a command's help.
fn examples(help: &str) -> Vec<&str> {
    let (_, examples) = help.split_once("Examples:\n").expect("the help has examples");
    examples.lines().filter_map(|line| line.strip_prefix("    ")).collect()
}

/// The words of our command in a line, split as a shell does, as far as the examples need it: pipes, a file for the output, single quotes.
fn words(line: &str) -> Vec<String> {
    let is_ours = |command: &&str| command.starts_with("trailcreator ");
    let command = line.split(" | ").find(is_ours).unwrap_or(line);
    let (command, _) = command.split_once(" > ").unwrap_or((command, ""));
    let quoted = command.split('\'').enumerate().flat_map(|(part, text)| {
        if part % 2 == 1 { vec![text.to_owned()] } else { text.split_whitespace().map(str::to_owned).collect() }
    });
    quoted.collect()
}

fn help_of<'c>(cli: &'c Command, name: &str) -> &'c Command {
    name.split(' ').fold(cli, |command, name| command.find_subcommand(name).expect("the command exists"))
}

#[test]
fn every_help_ends_with_examples_that_parse() {
    let cli = command_line::whole();
    for name in COMMANDS {
        let command = help_of(&cli, name);
        let short = command.get_after_help().expect("-h ends with examples").to_string();
        let long = command.get_after_long_help().map_or_else(|| short.clone(), ToString::to_string);
        assert_eq!(examples(&short), examples(&long), "{name}");
        let examples = examples(&long);
        assert!((2..=3).contains(&examples.len()), "{name}: {examples:?}");
        for example in examples {
            let words = words(example);
            assert!(words.join(" ").starts_with(&format!("trailcreator {name}")), "{example}");
            if let Err(error) = command_line::whole().try_get_matches_from(&words) {
                panic!("{example}\n{error}");
            }
        }
    }
}
