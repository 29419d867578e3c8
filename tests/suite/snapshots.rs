//! What people read, as files: the help of each command, typical reports and the main errors. A change of a text shows as
//! a diff in `tests/suite/snapshots/`. To accept changes: `INSTA_UPDATE=always cargo test --test suite snapshots::`.

use std::sync::LazyLock;

use regex::Regex;

use crate::common::Bench;
use crate::demo::Demo;

/// Compares a text with the file of this name.
fn assert_is_as_filed(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The subcommands that a help lists.
pub(crate) fn subcommands(help: &str) -> Vec<String> {
    let listed = help.split_once("\nCommands:\n").map_or("", |(_, after)| after);
    let names = listed.lines().take_while(|line| !line.is_empty());
    // A description that continues on the next line is indented further than the names are.
    let names = names.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    names.filter_map(|line| line.split(' ').next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

/// Commands that exist are found in the help itself: a new one fails until its help is filed.
#[test]
fn help_of_every_command_is_as_filed() {
    let bench = Bench::new();
    let mut commands = vec![Vec::new()];
    let mut seen = 0;
    while let Some(command) = commands.pop() {
        let args = command.iter().map(String::as_str).chain(["--help"]);
        let help = bench.trailcreator(args).env("COLUMNS", "100").run();
        let name = ["help"].into_iter().chain(command.iter().map(String::as_str)).collect::<Vec<_>>().join("-");
        assert_is_as_filed(&name, &help.success().stdout);
        for name in subcommands(&help.stdout) {
            commands.push(command.iter().cloned().chain([name]).collect());
        }
        seen += 1;
    }
    assert!(seen > 19, "only {seen} commands are in the help");
}

/// Replaces what differs from run to run, and sorts lines that a server's random ids put into an order.
fn steady(demo: &Demo, text: &str) -> String {
    static TIME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b20\d\d-\d\d-\d\dT[\d:.]+Z").unwrap());
    static UNEXAMINED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b\d+ types not examined").unwrap());
    static SIZE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?m)^size  .*$").unwrap());
    let mut text = text.replace(&demo.moto.endpoint(), "http://127.0.0.1:PORT");
    text = text.replace(demo.bench.path("").to_str().expect("the temporary folder is UTF-8"), "/home/me/");
    for (id, name) in demo.volumes.iter().zip(["vol-of-root", "vol-of-a-service", "vol-with-owner"]) {
        text = text.replace(id, name);
    }
    text = UNEXAMINED.replace_all(&text, "N types not examined").into_owned();
    text = SIZE.replace_all(&text, "size         SIZE").into_owned();
    let time = |found: &regex::Captures<'_>| {
        if found[0].starts_with("2026-03-01T10:") { found[0].to_owned() } else { "TIME".to_owned() }
    };
    text = TIME.replace_all(&text, time).into_owned();
    let mut lines: Vec<&str> = text.lines().collect();
    let kind = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    lines.chunk_by_mut(|one, next| one.contains(" ebs ") && kind(one) == kind(next)).for_each(<[&str]>::sort_unstable);
    lines.join("\n")
}

#[test]
fn reports_are_as_filed() {
    let demo = Demo::new();
    demo.bench.write("accounts.yml", "accounts:\n- {account_id: '123456789012', name: shop, regions: [us-east-1]}\n");
    for (name, lines) in [
        ("load", &["load-files logs", "load-files logs", "count logs"][..]),
        ("who", &["who orders", "who invoices", "who older-than-the-trail"]),
        (
            "tag-dry-run",
            &["tag --dry-run", "tag --dry-run --type sqs,s3 --not-type s3", "tag-org accounts.yml --dry-run"],
        ),
        ("report", &["report", "report --offline --by creator --format csv"]),
        ("tag", &["tag", "tag", "runs", "runs 1"]),
        ("undo", &["undo 1 --dry-run", "undo 1", "undo 1", "runs"]),
        (
            "tag-org",
            &["tag-org accounts.yml", "tag-org accounts.yml", "runs org-1", "undo org-1 --config accounts.yml"],
        ),
        (
            "plans",
            &[
                "tag --save-plan plan.json --type sqs",
                "apply plan.json --dry-run",
                "apply plan.json",
                "apply plan.json",
            ],
        ),
        ("maps", &["resource-map list --type sqs", "resource-map show sqs", "policy tag --type sqs", "policy load-s3"]),
    ] {
        let run = |line: &&str| format!("$ trailcreator {line}\n{}\n", demo.output(&format!("trailcreator {line}")));
        assert_is_as_filed(&format!("report-{name}"), &steady(&demo, &lines.iter().map(run).collect::<String>()));
    }
}

#[test]
fn main_errors_are_as_filed() {
    let demo = Demo::new();
    demo.bench.write("broken.yml", "service: x\nprotocol: rest-json\nresources:\n  - type: thing\n    evnts: []\n");
    demo.bench.write("rules.yml", "rules:\n- {role: ci, ownr: build}\n");
    demo.bench.write("accounts.yml", "accounts:\n- {account_id: 12, name: shop}\n");
    demo.bench.write("notes/todo.txt", "not a log file");
    demo.bench.write("torn/torn.json", r#"{"Records": [{"eventName": "CreateQueue""#);
    let lines = [
        "who orders",
        "tag",
        "runs",
        "prune",
        "load-files missing",
        "load-files notes",
        "load-files torn",
        "load-files logs --since 3m",
        "load-files logs --year 2019 --day 2019/02/01",
        "load-files logs --extend-map broken.yml",
        "load-s3 --bucket no-such-bucket",
        "load-files logs --quiet",
        "tag --type sqss",
        "tag --creator-tga Owner",
        "report --offline --region us-esat-1",
        "tag --profile work",
        "tag --identity-map rules.yml",
        "tag --tag 'CreatedAt={event_tme}'",
        "tag --max-changes 2",
        "tag --id no-such-id",
        "tag-org accounts.yml",
        "undo 7",
        "apply plan.json",
        "resource-map show sqss",
        "who nothing-like-that",
    ];
    let run = |line: &&str| format!("$ trailcreator {line}\n{}\n", demo.output(&format!("trailcreator {line}")));
    assert_is_as_filed("errors", &steady(&demo, &lines.iter().map(run).collect::<String>()));
}
