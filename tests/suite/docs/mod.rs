//! Every command that a page shows is executed, in the order of the page, in a laboratory that has what the pages name.
//!
//! A new command needs no entry here. If it names what the laboratory lacks, add that to `world.py` or `files.rs`. If it has a
//! placeholder (`NAME`), add its value to `laboratory::PLACEHOLDERS`. What can't be run here is in `NOT_RUN`, with the reason.
//! What all commands printed is in `target/tmp/documented-commands.txt`.

mod aws_cli;
mod files;
mod laboratory;
mod links;
mod pages;
mod trail;
mod transcripts;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command as Process;

use laboratory::{Laboratory, Outcome, PLACEHOLDERS};
use pages::{Block, Command, Kind, Page};

/// The commands that are not run, by what they begin with after their variables, and why.
const NOT_RUN: [(&str, &str); 9] = [
    ("cargo bench", "it compiles for minutes, and measures what the machine does beside the tests"),
    ("cargo install", "it compiles for minutes; `cargo install --path .` is timed by hand before a release"),
    ("cargo test", "a test can't run Cargo, which waits for it; the tests that it names are looked up instead"),
    ("bash .ci/run", "it runs this test"),
    ("python3 benches/peers/run.py", "it runs Cargo, which a test can't; .ci/run runs it small"),
    ("python3 benches/organization/run.py", "it runs Cargo, and takes minutes; the test org::limits runs it small"),
    ("pulumi", "no package registry has the program alone"),
    (
        "trailcreator apply --resume RUN",
        "no run is interrupted here; tag::interrupted and org::interrupted resume runs",
    ),
    ("trailcreator completions powershell | Out-String", "PowerShell; settings:: runs `completions powershell`"),
];

/// Everything that one page's commands did: the protocol, and what is wrong.
#[derive(Default)]
struct Report {
    protocol: String,
    failures: Vec<String>,
    run: usize,
}

impl Report {
    /// Runs the commands of a page.
    fn page(&mut self, laboratory: &Laboratory, page: &Page) {
        let desk = laboratory.desk(page, expects_database(page));
        for block in scripts(page) {
            let commands: Vec<&Command> = block.commands.iter().filter(|command| not_run(command).is_none()).collect();
            if commands.is_empty() {
                continue;
            }
            // What the text names in passing is not part of what the blocks of code do one after the other.
            let database = (block.kind == Kind::Text).then(|| desk.database());
            for (command, outcome) in commands.iter().zip(desk.run(&commands)) {
                self.command(page, command, &outcome);
            }
            desk.undo(block);
            if let Some(database) = database {
                desk.restore(database.as_deref());
            }
        }
    }

    fn command(&mut self, page: &Page, command: &Command, outcome: &Outcome) {
        self.run += 1;
        let what = format!(
            "{}:{}: {}\n--- stdout\n{}\n--- stderr\n{}\n",
            page.name, command.line, command.text, outcome.stdout, outcome.stderr
        );
        if let Some(fault) = fault(command, outcome) {
            self.failures.push(format!("{fault}: {what}"));
        }
        writeln!(self.protocol, "{what}").expect("a String takes everything");
    }
}

/// What is wrong with what a command did.
fn fault(command: &Command, outcome: &Outcome) -> Option<String> {
    match outcome.code {
        None => return Some("not reached".to_owned()),
        Some(0) => {}
        Some(code) => return Some(format!("exit code {code}")),
    }
    let printed = format!("{}{}", outcome.stdout, outcome.stderr);
    if printed.contains("panicked") {
        return Some("panic".to_owned());
    }
    let is_silent = command.text.starts_with("trailcreator ") && !command.text.contains(" > ") && printed.is_empty();
    if is_silent {
        return Some("nothing printed".to_owned());
    }
    if command.text.contains("trailcreator undo ") && printed.contains("nothing to write") {
        return Some("nothing undone".to_owned());
    }
    if let Some(line) = printed.lines().find(|line| line.starts_with(aws_cli::FAILED)) {
        return Some(line.to_owned());
    }
    // A comment can show a line of the output.
    let (_, comment) = command.text.rsplit_once(" # ")?;
    let is_output = ["skip ", "tagged "].iter().any(|start| comment.starts_with(start));
    let is_shown = |line: &str| transcripts::is_line(comment, line);
    (is_output && !printed.lines().any(is_shown)).then(|| "the line of the comment is not printed".to_owned())
}

/// The blocks of a page that the laboratory runs: the transcripts are those of the demo.
fn scripts(page: &Page) -> impl Iterator<Item = &Block> {
    page.blocks.iter().filter(|block| block.kind != Kind::Transcript)
}

/// The reason why a command is not run.
fn not_run(command: &Command) -> Option<&'static str> {
    let words = command.text.split(' ').skip_while(|word| word.contains('='));
    let text = words.collect::<Vec<_>>().join(" ");
    NOT_RUN.iter().find(|(beginning, _)| text.starts_with(beginning)).map(|(_, reason)| *reason)
}

/// Whether a page's commands expect events in the database: those of a page that begins with loading bring their own.
fn expects_database(page: &Page) -> bool {
    let without = ["policy", "resource-map", "config", "completions", "man", "--version"];
    let commands = scripts(page).flat_map(|block| &block.commands);
    let mut verbs = commands.filter_map(|command| command.text.strip_prefix("trailcreator ")?.split(' ').next());
    let first = verbs.find(|verb| !without.contains(verb));
    first.is_none_or(|verb| !verb.starts_with("load-") && verb != "import")
}

#[test]
fn every_command_of_the_pages_runs() {
    let laboratory = Laboratory::shared();
    let mut report = Report::default();
    for page in pages::pages() {
        report.page(&laboratory, &page);
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("documented-commands.txt");
    std::fs::write(&file, &report.protocol).expect("the target directory is writable");
    assert!(report.run > 100, "{} commands", report.run);
    assert!(
        report.failures.is_empty(),
        "{} of {} commands; what the others printed is in {}\n\n{}",
        report.failures.len(),
        report.run,
        file.display(),
        report.failures.join("\n")
    );
}

#[test]
fn a_command_without_what_it_needs_is_reported_with_its_place_and_output() {
    let laboratory = Laboratory::shared();
    let text = "Look:\n\n```sh\ntrailcreator who my-queue\ntrailcreator load-s3 --bucket not-there --since 90d\n```\n\n\
                Then\n`trailcreator lst`, `trailcreator policy`, and\n\n    trailcreator load-files missing.json\n\n\
                - x\n\n   ```sh\n   trailcreator tag --dry-run # skip sqs vanished (…)\n   ```\n";
    let mut report = Report::default();
    report.page(&laboratory, &pages::page("docs/new.md".to_owned(), text));
    let begin = |failure: &String| failure.lines().next().expect("a line").to_owned();
    assert_eq!(
        report.failures.iter().map(begin).collect::<Vec<_>>(),
        [
            "exit code 1: docs/new.md:5: trailcreator load-s3 --bucket not-there --since 90d",
            "exit code 2: docs/new.md:9: trailcreator lst --help",
            "exit code 2: docs/new.md:11: trailcreator load-files missing.json",
            "the line of the comment is not printed: docs/new.md:16: trailcreator tag --dry-run # skip sqs vanished (…)",
        ]
    );
    assert!(report.failures[0].contains("bucket not-there does not exist"), "{}", report.failures[0]);
}

#[test]
fn placeholders_and_exceptions_are_those_of_the_pages() {
    let pages = pages::pages();
    let blocks = pages.iter().flat_map(|page| &page.blocks);
    let commands: Vec<&Command> = blocks.flat_map(|block: &Block| &block.commands).collect();
    for (_, reason) in NOT_RUN {
        assert!(commands.iter().any(|command| not_run(command) == Some(reason)), "no page has a command for: {reason}");
    }
    for (place, (part, _)) in PLACEHOLDERS.iter().enumerate() {
        let before = |command: &&Command| {
            PLACEHOLDERS[..place].iter().fold(command.text.clone(), |text, (page, here)| text.replace(page, here))
        };
        assert!(commands.iter().any(|command| before(command).contains(part)), "no page has {part:?}");
    }
}

#[test]
fn the_tests_that_the_pages_name_exist() {
    let listed = Process::new(std::env::current_exe().expect("a test has a program")).arg("--list").output();
    let listed = String::from_utf8(listed.expect("the program runs").stdout).expect("names are UTF-8");
    let mut seen = 0;
    for page in pages::pages() {
        for command in page.blocks.iter().flat_map(|block| &block.commands) {
            let Some((_, arguments)) = command.text.split_once("--test suite ") else { continue };
            let filter = arguments.split_whitespace().find(|word| !word.starts_with('-')).expect("a name of tests");
            seen += 1;
            assert!(
                listed.lines().any(|test| test.contains(filter)),
                "{}:{}: no test {filter}",
                page.name,
                command.line
            );
        }
    }
    assert!(seen > 1, "the pages name some tests");
}
