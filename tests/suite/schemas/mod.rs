//! Every command prints one document with `--output json`, also where it has nothing to do. Its schema in `docs/schema` describes it, and
//! it has no field that the schema lacks.
//!
//! The command lines are data, so that a command without one fails a test, as does a command without one for nothing to do.

mod worlds;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::common::{Bench, run_python};
use crate::snapshots::subcommands;
use worlds::World;

/// Validates documents.
const VALIDATE: &str = include_str!("validate.py");

/// What the schema of `config schema` is: it is a JSON Schema itself.
const JSON_SCHEMA: &str = "json-schema";

/// Commands that print text only. They refuse `--output json`.
const TEXT_ONLY: [&str; 2] = ["completions", "man"];

/// Commands that always have something to print.
const NEVER_IDLE: [&str; 4] = ["config schema", "config show", "resource-map check", "resource-map show"];

/// A command line, and the schema of what it prints.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Prints a document.
    Prints(&'static str, &'static str),
    /// Has nothing to do, and prints a document.
    Idle(&'static str, &'static str),
    /// Prints a document on each line, with `--output jsonl`.
    Lines(&'static str, &'static str),
}

use Step::{Idle, Lines, Prints};

impl Step {
    fn schema(self) -> &'static str {
        match self {
            Prints(schema, _) | Idle(schema, _) | Lines(schema, _) => schema,
        }
    }

    fn line(self) -> &'static str {
        match self {
            Prints(_, line) | Idle(_, line) | Lines(_, line) => line,
        }
    }

    /// Runs the command line. Returns its documents.
    fn run(self, world: &World) -> Vec<Value> {
        let line = self.line();
        match self {
            Lines(..) => {
                let run = world.run(&format!("--output jsonl {line}"));
                let lines = run.stdout.lines().map(|line| serde_json::from_str(line).expect("each line is JSON"));
                lines.collect()
            }
            Prints(..) | Idle(..) => vec![world.run(&format!("--output json {line}")).json()],
        }
    }
}

/// Makes a test of the command lines in each world, and a list of them all.
macro_rules! worlds {
    ($($(#[$attribute:meta])* $test:ident in $world:path: [$($step:expr),* $(,)?])*) => {
        $($(#[$attribute])* #[test] fn $test() {
            check(&$world(), &[$($step),*]);
        })*

        fn steps() -> Vec<Step> {
            [$(&[$($step),*][..]),*].concat()
        }
    };
}

worlds! {
    documents_of_the_database_are_as_their_schemas_say in worlds::loaded: [
        Idle("load", "load-files trail.json.gz"),
        Idle("runs", "runs"),
        Prints("list", "list"),
        Idle("list", "list --creator nemo"),
        Lines("resource", "list"),
        Prints("list-counts", "list --by creator"),
        Idle("list-counts", "list --by month --creator nemo"),
        Prints("who", "who deploy"),
        Prints("who", "who deploy unknown"),
        Idle("who", "who unknown"),
        Prints("report", "report --offline"),
        Idle("report", "report --offline --type rds"),
        Prints("prune", "prune --before 1y --dry-run"),
        Prints("prune", "prune --before 1y"),
        Idle("prune", "prune --before 1y"),
    ]

    documents_of_a_run_are_as_their_schemas_say in worlds::loaded: [
        Prints("list", "list --live"),
        Idle("list", "list --live --where name=='none'"),
        Prints("plan", "tag --dry-run"),
        Idle("plan", "tag --dry-run --where type=='none'"),
        Prints("plan", "tag --save-plan plan.json"),
        Prints("run", "tag --type ebs"),
        Idle("run", "tag --type ebs"),
        Prints("run", "apply plan.json --dry-run"),
        Prints("run", "apply plan.json"),
        Idle("run", "apply --resume 1"),
        Prints("report", "report"),
        Prints("runs", "runs"),
        Prints("runs", "runs 1"),
        Prints("run", "undo 1 --dry-run"),
        Prints("run", "undo 1"),
        Idle("run", "undo 1"),
        Prints("runs", "runs"),
    ]

    /// A plan without actions used to print no document.
    documents_of_plans_without_actions_are_as_their_schemas_say in worlds::loaded: [
        Idle("plan", "tag --type rds --save-plan none.json"),
        Idle("run", "apply none.json"),
        Idle("run", "apply none.json --dry-run"),
        Idle("organization", "apply none.json --config accounts.yml"),
        Idle("run", "apply bare.json"),
        Idle("organization", "tag-org accounts.yml --type rds --save-plan none.jsonl"),
        Idle("organization", "apply none.jsonl"),
        Idle("organization", "apply none.jsonl --config accounts.yml --dry-run"),
    ]

    documents_of_an_organization_are_as_their_schemas_say in worlds::organization: [
        Prints("organization", "tag-org accounts.yml --dry-run"),
        Prints("organization", "tag-org accounts.yml --save-plan plans.jsonl --stats"),
        Prints("plan", "tag --dry-run"),
        Prints("organization", "apply plans.jsonl --config accounts.yml --dry-run"),
        Prints("organization", "tag-org accounts.yml"),
        Idle("organization", "tag-org accounts.yml -a main"),
        Idle("organization", "apply plans.jsonl --config accounts.yml"),
        Prints("report", "report --config accounts.yml"),
        Prints("list", "list --live --config accounts.yml"),
        Prints("runs", "runs"),
        Prints("runs", "runs org-1"),
        Prints("organization", "undo org-1 --config accounts.yml --dry-run"),
        Prints("organization", "undo org-1 --config accounts.yml"),
        Idle("organization", "undo org-1 --config accounts.yml"),
        Prints("accounts", "accounts"),
        Idle("accounts", "accounts --ignore 123456789012"),
    ]

    documents_with_the_sources_of_the_population_are_as_their_schemas_say in worlds::recorded: [
        Prints("list", "list --live --population config"),
        Prints("list", "list --live --unrecorded --type sns --population config"),
        Prints("plan", "tag --dry-run --population config"),
        Prints("report", "report --population config"),
        Prints("organization", "tag-org accounts.yml --population config"),
        Prints("run", "tag --population config"),
    ]

    documents_of_loads_are_as_their_schemas_say in worlds::trails: [
        Prints("load", "load-files logs"),
        Idle("load", "load-files logs"),
        Prints("load", "load-history --db history.db"),
        Idle("load", "load-history --db history.db"),
        Prints("load", "load-logs --log-group trail --db logs.db"),
        Idle("load", "load-logs --log-group trail --db logs.db"),
        Prints("load", "load-s3 --bucket trail --db s3.db"),
        Idle("load", "load-s3 --bucket trail --db s3.db"),
        Prints("query", "load-athena --print-query"),
        Prints("load", "load-athena --db athena.db"),
        Idle("load", "load-athena --db athena.db"),
        Prints("import", "import c7n.db --db import.db"),
        Idle("import", "import c7n.db --db import.db"),
        Prints("count", "count logs"),
        Prints("count", "count s3://trail"),
        Idle("count", "count logs --day 2001/01/01"),
        Prints("load", "load-files broken logs --db broken.db"),
        Prints("count", "count broken logs"),
        Prints("who", "who made --live --db none.db"),
    ]

    documents_of_watch_are_as_their_schemas_say in worlds::queues: [
        Lines("watch-event", "watch --queue {planned} --tag --dry-run --gather 1 --wait 1 --until-empty"),
        Lines("watch-event", "watch --queue {queue} --tag --gather 2 --heartbeat 1 --wait 1 --until-empty"),
        Prints("watch", "watch --queue {others} --tag --gather 1 --wait 1 --until-empty"),
        Idle("watch", "watch --queue {empty} --wait 1 --until-empty"),
    ]

    documents_about_the_product_are_as_their_schemas_say in worlds::alone: [
        Prints("resource-map-list", "resource-map list"),
        Prints("resource-map-list", "resource-map list --omitted"),
        Idle("resource-map-list", "resource-map list --service iam --type sqs"),
        Prints("resource-map-show", "resource-map show sqs"),
        Prints("resource-map-check", "resource-map check map.yml"),
        Prints("resource-map-check", "resource-map check invalid.yml"),
        Prints("resource-map-check", "resource-map check map.yml --events trail.json"),
        Prints("policy", "policy tag"),
        Prints("policy", "policy tag --output-dir policies"),
        Idle("policy", "policy runs"),
        Prints("config-show", "config show"),
        Prints("config-show", "config show tag --creator-tag Team"),
        Prints(JSON_SCHEMA, "config schema"),
    ]
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema")
}

fn check(world: &World, steps: &[Step]) {
    let of_step = |step: &Step| {
        let documents = step.run(world).into_iter();
        documents.map(|document| json!([step.schema(), step.line(), document])).collect::<Vec<_>>()
    };
    // A file: a command line is too short for all documents.
    let documents: Vec<Value> = steps.iter().flat_map(of_step).collect();
    let file = world.bench.write("documents.json", json!(documents).to_string());
    let (folder, file) = (folder(), file.to_str().expect("a temporary folder's name is UTF-8").to_owned());
    let folder = folder.to_str().expect("the folder's name is UTF-8");
    let wrong = run_python(VALIDATE, &[("FOLDER", folder), ("DOCUMENTS", &file)]);
    assert!(wrong.trim().is_empty(), "not as the schemas say:\n{wrong}");
}

/// The commands that have no commands of their own, as the help lists them.
fn commands() -> Vec<String> {
    let bench = Bench::new();
    let mut open = vec![String::new()];
    let mut found = Vec::new();
    while let Some(command) = open.pop() {
        let help = bench.trailcreator(command.split_whitespace().chain(["--help"])).run();
        let below = subcommands(&help.success().stdout);
        if below.is_empty() {
            found.push(command);
        } else {
            open.extend(below.into_iter().map(|name| format!("{command} {name}").trim().to_owned()));
        }
    }
    found
}

fn is_of(line: &str, command: &str) -> bool {
    line.split(' ').take(command.split(' ').count()).eq(command.split(' '))
}

/// A new command fails here until its documents are validated, the one of a run with nothing to do included.
#[test]
fn documents_of_every_command_are_validated() {
    let (commands, steps) = (commands(), steps());
    assert!(commands.len() > 20, "{commands:?}");
    let lacks = |kept: &dyn Fn(&Step) -> bool| {
        let has = |command: &str| steps.iter().any(|step| kept(step) && is_of(step.line(), command));
        commands.iter().map(String::as_str).filter(|command| !has(command)).collect::<BTreeSet<_>>()
    };
    assert_eq!(lacks(&|_| true), BTreeSet::from(TEXT_ONLY), "commands without a validated document");
    let is_idle = |step: &Step| matches!(step, Idle(..));
    assert_eq!(lacks(&is_idle), TEXT_ONLY.into_iter().chain(NEVER_IDLE).collect(), "the same, with nothing to do");
}

/// A schema that no document is validated against, or that the documentation does not mention, is an error.
#[test]
fn every_schema_is_used_and_documented() {
    let page = include_str!("../../../docs/json.md");
    let files = fs::read_dir(folder()).expect("the folder is there");
    let names = files.map(|file| file.expect("it is readable").file_name().to_string_lossy().replace(".json", ""));
    let names: BTreeSet<String> = names.collect();
    let mut used: BTreeSet<String> = steps().into_iter().map(|step| step.schema().to_owned()).collect();
    used.remove(JSON_SCHEMA);
    assert_eq!(names, used, "schemas, and those that are used");
    for name in names {
        assert!(page.contains(&format!("(schema/{name}.json)")), "docs/json.md lacks {name}");
    }
    for command in commands() {
        let is_listed = page.contains(&format!("`{command}"));
        assert!(is_listed || TEXT_ONLY.contains(&command.as_str()), "docs/json.md lacks {command}");
    }
}

/// What the resource document calls `type`, `id`, `event.name` and so on has no other name anywhere.
#[test]
fn fields_have_the_names_of_the_resource_document() {
    const OTHERS: [&str; 13] = [
        "resource_type",
        "resource_id",
        "resource_name",
        "resource_arn",
        "account",
        "event_name",
        "event_source",
        "principal_arn",
        "principal_id",
        "identity_type",
        "caller_account_id",
        "created",
        "create_event",
    ];
    fn names(schema: &Value, found: &mut BTreeSet<String>) {
        let properties = schema["properties"].as_object();
        found.extend(properties.into_iter().flat_map(|properties| properties.keys().cloned()));
        match schema {
            Value::Object(members) => members.values().for_each(|value| names(value, found)),
            Value::Array(items) => items.iter().for_each(|item| names(item, found)),
            _ => {}
        }
    }
    for file in fs::read_dir(folder()).expect("the folder is there") {
        let path = file.expect("it is readable").path();
        let schema: Value = serde_json::from_str(&fs::read_to_string(&path).expect("a file")).expect("JSON");
        let mut found = BTreeSet::new();
        names(&schema, &mut found);
        let other: Vec<_> = OTHERS.into_iter().filter(|name| found.contains(*name)).collect();
        assert_eq!(other, [""; 0], "{}", path.display());
    }
}

/// The description of the resource document is the same wherever it is part of another.
#[test]
fn every_field_of_the_resource_document_is_in_the_documentation() {
    let page = include_str!("../../../docs/json.md");
    let schema: Value = serde_json::from_str(include_str!("../../../docs/schema/resource.json")).expect("JSON");
    for field in schema["properties"].as_object().expect("properties").keys() {
        assert!(page.contains(&format!("`{field}`")), "docs/json.md lacks {field}");
    }
    for other in [include_str!("../../../docs/schema/list.json"), include_str!("../../../docs/schema/who.json")] {
        let other: Value = serde_json::from_str(other).expect("JSON");
        assert_eq!(other["$defs"]["resource"]["properties"], schema["properties"]);
    }
}

/// Organizations without a recorder get all types from the services; each document names the source of each type.
#[test]
fn sources_of_the_population_are_in_the_documents() {
    let world = worlds::recorded();
    for line in ["list --live", "tag --dry-run", "report", "tag-org accounts.yml --dry-run"] {
        let document = world.run(&format!("{line} --population config --output json")).json();
        assert!(document.to_string().contains("\"from\":\""), "{line}: {document}");
    }
}

#[test]
fn an_error_leaves_stdout_empty() {
    let world = worlds::alone();
    for line in [
        "who i-1",
        "list --sort none",
        "apply missing.json",
        "undo 1",
        "tag-org accounts.yml -a nemo",
        "count missing",
        "completions bash",
        "man",
    ] {
        let run = world.run(&format!("{line} --output json"));
        assert!(matches!(run.code, Some(1 | 2)) && run.stdout.is_empty(), "{run:?}");
        run.says(["error: "]);
    }
}

/// A shell that starts asks for completions, whatever format the environment has for the other commands.
#[test]
fn a_format_of_the_environment_is_for_commands_that_print_documents() {
    let bench = Bench::new();
    for args in [["completions", "bash"], ["man", "who"]] {
        bench.trailcreator(args).env("TRAILCREATOR_OUTPUT", "json").run().success().shows(["trailcreator"]);
    }
}
