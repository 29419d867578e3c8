//! How much memory `tag`, `tag-org`, `report`, `list`, `runs`, `undo` and `apply` take for many resources.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use trailcreator::model::RunId;
use trailcreator::model::event::{Action, Event, Identity, ResourceEvent, Touched};
use trailcreator::store::journal::{NewRun, RunKind, Write, WriteOutcome};
use trailcreator::store::{Batch, Store};

use crate::common::{ACCOUNT, Bench, Moto, REGION, chance, memory};

const SECRETS: &str = include_str!("../../servers/secrets/list_secrets.py");

/// Writes whose outcomes are stored in one transaction.
const BATCH: usize = 10_000;

/// Commands that print a run, and whether its writes were made.
const PRINTING: &[(&str, bool)] = &[("runs RUN", true), ("runs RUN --output json", true)];

/// Commands that compare the writes of a run with their resources.
const COMPARING: &[(&str, bool)] = &[
    ("undo RUN --dry-run", true),
    ("undo RUN --dry-run --output json", true),
    ("apply --resume RUN --dry-run --output json", false),
];

/// Commands that write, at the pace that AWS allows: 100 resources a second.
const WRITING: &[&str] = &["tag --type secrets-manager", "tag --type secrets-manager --output json"];

/// Commands that look at all resources of a type, each with a create event of its own.
const LOOKING: &[&str] = &[
    "tag --type secrets-manager --dry-run",
    "tag --type secrets-manager --dry-run --output json",
    "tag --type secrets-manager --dry-run --output json --id team-1/service-0015001/database",
    "tag --type secrets-manager --save-plan plan.json",
    // The plan of the command before it.
    "apply plan.json --dry-run",
    "tag --type secrets-manager --inherit --dry-run --output json",
    "tag-org accounts.yml --type secrets-manager --dry-run --output json",
    "tag-org accounts.yml --type secrets-manager --save-plan plans.jsonl",
    "report --type secrets-manager",
    "list --live --type secrets-manager --output json",
];

/// Writes of a type that `undo` prints without `--all`.
const SHOWN: usize = 10;

/// The largest memory of a write of a run that is only printed, in bytes.
const BYTES_PER_PRINTED_WRITE: u64 = 64;

/// The largest memory of a write that is compared with its resource, in bytes: the write, and the resource as listed.
const BYTES_PER_COMPARED_WRITE: u64 = 600;

/// The largest memory of a live resource, in bytes: the resource as listed, its event, and its write.
const BYTES_PER_RESOURCE: u64 = 300;

fn write(number: u32) -> Write {
    let name = format!("team-{}/service-{number:07}/database", number % 50);
    Write {
        position: number,
        resource_type: "secrets-manager".into(),
        id: name.as_str().into(),
        arn: format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}-AbCdEf").into(),
        region: REGION.into(),
        key: "Owner".into(),
        old_key: None,
        owner_keys: Vec::new(),
        skip_tags: Vec::new(),
        old_value: None,
        new_value: Some("alice".into()),
        event_id: Some(format!("{number:08x}-0000-4000-8000-{number:012x}")),
    }
}

/// A database with a run of so many writes; the run is interrupted unless `made`.
fn database(bench: &Bench, count: u32, made: bool) -> (String, RunId) {
    let name = format!("{count}-{made}.db");
    let store = Store::open(&bench.path(&name)).expect("a database");
    let run = NewRun {
        kind: RunKind::Tag,
        undoes: None,
        account: ACCOUNT.into(),
        region: REGION.into(),
        key: "Owner".into(),
        caller: "arn:aws:iam::123456789012:user/ops".into(),
        organization: None,
    };
    let writes: Vec<Write> = (0..count).map(write).collect();
    let run = store.begin_run(&run, &writes).expect("it is stored");
    for batch in writes.chunks(BATCH).filter(|_| made) {
        let outcome = |write: &Write| (write.position, WriteOutcome::Written { request_id: Some("r-1".to_owned()) });
        let outcomes: BTreeMap<u32, WriteOutcome> = batch.iter().map(outcome).collect();
        store.end_writes(run, &outcomes).expect("it is stored");
    }
    store.finish_run(run).expect("it is stored");
    (name, run)
}

/// The create event of a secret.
fn creation(number: u32) -> ResourceEvent {
    let Write { resource_type, id, .. } = write(number);
    // IDs in events do not compress.
    let (one, other) = (chance(number.into(), u64::MAX), chance((!number).into(), u64::MAX));
    let user = one % 200;
    let event = Event {
        event_id: format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            one >> 32,
            one >> 16 & 0xffff,
            one & 0xfff,
            other >> 52,
            other & 0xffff_ffff_ffff
        )
        .into(),
        time: format!(
            "2026-03-{:02}T{:02}:{:02}:{:02}Z",
            1 + one % 28,
            number / 3600 % 24,
            number / 60 % 60,
            number % 60
        )
        .into(),
        region: REGION.into(),
        account_id: ACCOUNT.into(),
        name: "CreateSecret".into(),
        source: "secretsmanager.amazonaws.com".into(),
        user_agent: Some("APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io)".into()),
        source_ip: Some(format!("203.0.113.{}", user % 250).into()),
        identity: Identity {
            kind: Some("AssumedRole".into()),
            arn: Some(format!("arn:aws:sts::{ACCOUNT}:assumed-role/deploy-{}/user-{user}", user % 7).into()),
            principal_id: Some(format!("AROA{:017X}:user-{user}", user % 7).into()),
            account_id: Some(ACCOUNT.into()),
            access_key_id: Some(format!("ASIA{other:016X}").into()),
            issuer_type: Some("Role".into()),
            issuer_arn: Some(format!("arn:aws:iam::{ACCOUNT}:role/deploy-{}", user % 7).into()),
            issuer_user_name: Some(format!("deploy-{}", user % 7).into()),
            ..Identity::default()
        },
        ..Event::default()
    };
    let touched =
        Touched { resource_type, resource_id: id, action: Action::Create, names: Vec::new(), renamed_to: None };
    ResourceEvent { event, touched: vec![touched], sessions: Vec::new() }
}

/// A database with the create events of so many secrets.
fn events(bench: &Bench, count: u32) -> String {
    let name = format!("{count}-events.db");
    let mut store = Store::open(&bench.path(&name)).expect("a database");
    let mut all = (0..count).map(creation);
    loop {
        let batch = Batch { events: all.by_ref().take(BATCH).collect(), ..Batch::default() };
        if batch.events.is_empty() {
            return name;
        }
        store.add(&batch).expect("it is stored");
    }
}

/// Each secret, or the one of `--id`, is in the plan with its own create event.
fn check_plan(command: &str, printed: &str, count: u32) {
    let plan: Value = serde_json::from_str(printed).expect("JSON");
    if command.starts_with("tag-org") {
        return assert_eq!(plan["Results"][0]["Result"]["tag"], count, "{command}");
    }
    let actions = plan["actions"].as_array().expect("a list");
    let expected = if command.contains("--id") { 15_001..15_002 } else { 0..count };
    assert_eq!(actions.len(), expected.len(), "{command}");
    let mut numbers: Vec<u32> = actions.iter().map(|action| number_in(&action["id"])).collect();
    for (number, action) in numbers.iter().zip(actions) {
        assert_eq!(action["event_id"], creation(*number).event.event_id.as_str(), "{command}: {action}");
    }
    assert!(actions.is_sorted_by_key(|action| action["id"].as_str()), "{command}");
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(expected), "{command}");
}

/// The number in the name of a secret: `team-1/service-0015001/database`.
fn number_in(id: &Value) -> u32 {
    let digits = id.as_str().and_then(|id| id.split("service-").nth(1)?.split('/').next());
    digits.and_then(|digits| digits.parse().ok()).expect("a secret of these tests")
}

/// The largest memory of commands that look at so many resources, in KiB.
fn peaks_of_type(count: u32, commands: &[&str]) -> Vec<u64> {
    let bench = Bench::new();
    bench.write("accounts.yml", format!("accounts:\n- {{account_id: '{ACCOUNT}', regions: [{REGION}]}}\n"));
    let moto = Moto::start_with_options(SECRETS, &[("TRAIL_SECRETS", &count.to_string())]);
    let peaks = commands.iter().map(|command| {
        let database = events(&bench, count);
        let (peak, printed) = peak(&bench, &moto, &format!("--db {database} {command}"));
        std::fs::remove_file(bench.path(&database)).expect("it is there");
        if command.starts_with("tag") && command.contains("--output json") {
            check_plan(command, &printed, count);
        }
        peak
    });
    peaks.collect()
}

/// The largest memory of a command, in KiB, and what it printed.
fn peak(bench: &Bench, moto: &Moto, line: &str) -> (u64, String) {
    let mut child = bench.shell(&format!("exec trailcreator --no-progress {line} > printed")).aws(moto).spawn();
    let peak = memory::peak_until_end(&mut child);
    assert!(child.wait().expect("it ended").success(), "{line}");
    (peak, std::fs::read_to_string(bench.path("printed")).expect("the output"))
}

/// The largest memory of commands on runs of so many writes, in KiB.
fn peaks(count: u32, commands: &[(&'static str, bool)]) -> Vec<u64> {
    let bench = Bench::new();
    let count_text = count.to_string();
    let tagged = Moto::start_with_options(SECRETS, &[("TRAIL_SECRETS", &count_text), ("TRAIL_SECRETS_OWNER", "alice")]);
    let untagged = Moto::start_with_options(SECRETS, &[("TRAIL_SECRETS", &count_text)]);
    let databases = [database(&bench, count, true), database(&bench, count, false)];
    let peaks = commands.iter().map(|(command, made)| {
        let ((database, run), moto) = if *made { (&databases[0], &tagged) } else { (&databases[1], &untagged) };
        let line = format!("--db {database} {}", command.replace("RUN", &run.to_string()));
        let (peak, printed) = peak(&bench, moto, &line);
        check(command, &printed, count);
        peak
    });
    peaks.collect()
}

/// All writes are printed.
fn check(command: &str, printed: &str, count: u32) {
    let count = usize::try_from(count).expect("a small number");
    if !command.contains("json") {
        let lines = if command.starts_with("runs") { count + 1 } else { SHOWN + 1 };
        return assert_eq!(printed.lines().count(), lines, "{command}");
    }
    let document: Value = serde_json::from_str(printed).expect("JSON");
    let list = if command.starts_with("runs") { "writes" } else { "actions" };
    let writes = document[list].as_array().expect("a list");
    assert_eq!(writes.len(), count, "{command}");
    if list == "actions" {
        assert!(writes.iter().all(|write| write["result"] == "planned"), "{command}: {}", writes[0]);
    }
}

/// Returns the figures, one line for each command.
fn grows_by_few_bytes(commands: &[(&'static str, bool)], few: u32, many: u32, bound: u64) -> String {
    let names: Vec<&str> = commands.iter().map(|(command, _)| *command).collect();
    compare(&names, (few, peaks(few, commands)), (many, peaks(many, commands)), bound)
}

fn compare(commands: &[&str], (few, of_few): (u32, Vec<u64>), (many, of_many): (u32, Vec<u64>), bound: u64) -> String {
    let (mut all, mut too_much) = (Vec::new(), Vec::new());
    for ((command, least), most) in commands.iter().zip(of_few).zip(of_many) {
        let growth = most.saturating_sub(least) * 1024 / u64::from(many - few);
        let (least, most) = (least / 1024, most / 1024);
        let figures = format!("{command}: {few} resources: {least} MiB; {many}: {most} MiB; {growth} bytes each");
        too_much.extend((growth >= bound).then(|| figures.clone()));
        all.push(figures);
    }
    assert!(too_much.is_empty(), "{too_much:?} of {all:?}");
    all.join("\n")
}

#[test]
fn printing_a_run_takes_the_same_memory_for_any_number_of_writes() {
    // Of fewer the page cache is not full yet.
    eprintln!("{}", grows_by_few_bytes(PRINTING, 40_000, 80_000, BYTES_PER_PRINTED_WRITE));
}

fn compare_on_type(commands: &[&str], few: u32, many: u32) -> String {
    let (of_few, of_many) = (peaks_of_type(few, commands), peaks_of_type(many, commands));
    compare(commands, (few, of_few), (many, of_many), BYTES_PER_RESOURCE)
}

/// Secrets Manager as [`SECRETS`], which sends SIGINT to the process in `pid_file` at our fifth TagResources.
fn interrupting(pid_file: &Path) -> String {
    let signal = include_str!("../hooks/tag_interrupted.py").replace("CreateTags", "TagResources");
    let signal = signal.replace("PID_FILE", &pid_file.display().to_string()).replace("SIGNAL", "SIGINT");
    let both = "def before(entry, environ):\n    interrupt(entry, environ)\n    return answer(entry, environ)";
    format!("{SECRETS}\n\nanswer = before\n\n\n{signal}\n\ninterrupt = before\n\n\n{both}\n")
}

/// With more writes than are in memory at a time.
#[test]
fn a_large_run_that_is_interrupted_is_resumed_to_its_end() {
    let count = 2_500;
    let bench = Bench::new();
    let pid_file = bench.path("pid");
    let moto = Moto::start_with_options(&interrupting(&pid_file), &[("TRAIL_SECRETS", &count.to_string())]);
    let database = events(&bench, count);
    let run_of_journal = || {
        let runs = Store::open(&bench.path(&database)).expect("the database").runs().expect("its runs");
        runs.into_iter().next().expect("one run")
    };
    let tag = ["--db", &database, "tag", "--type", "secrets-manager", "--no-progress"];
    let child = bench.trailcreator(tag).aws(&moto).spawn();
    bench.write("pid.part", child.id().to_string());
    std::fs::rename(bench.path("pid.part"), &pid_file).expect("the folder is ours");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    let interrupted = run_of_journal();
    assert_eq!((interrupted.counts.started, interrupted.finished_at), (0, None));
    assert!(interrupted.counts.planned > 2_100, "{:?}", interrupted.counts);

    let resume = ["--db", &database, "apply", "--resume", "1", "--output", "json", "--no-progress"];
    let document = bench.trailcreator(resume).aws(&moto).run().success().json();
    let actions = document["actions"].as_array().expect("a list");
    assert_eq!(actions.len(), usize::try_from(interrupted.counts.planned).expect("a small number"));
    assert!(actions.iter().all(|action| action["result"] == "written"), "{}", document["failed"]);
    let finished = run_of_journal();
    assert_eq!((finished.counts.written, finished.counts.open()), (count, 0));
    assert!(finished.finished_at.is_some());
}

#[test]
fn a_resource_that_is_looked_at_takes_little_memory() {
    // Of fewer the page cache is not full yet.
    let (few, many) = (20_000, 40_000);
    eprintln!("{}", compare_on_type(LOOKING, few, many));
}

#[test]
fn a_write_that_is_compared_with_its_resource_takes_little_memory() {
    eprintln!("{}", grows_by_few_bytes(COMPARING, 6_000, 14_000, BYTES_PER_COMPARED_WRITE));
}

/// `cargo test --release --test suite -- --ignored --nocapture two_hundred_thousand_resources`
#[test]
#[ignore = "minutes"]
fn two_hundred_thousand_resources_take_little_memory() {
    let (few, many) = (20_000, 200_000);
    eprintln!("{}", compare_on_type(LOOKING, few, many));
    eprintln!("{}", grows_by_few_bytes(&[PRINTING, COMPARING].concat(), few, many, BYTES_PER_COMPARED_WRITE));
}

/// `cargo test --release --test suite -- --ignored --nocapture two_hundred_thousand_writes`
#[test]
#[ignore = "an hour, at the pace that AWS allows"]
fn two_hundred_thousand_writes_take_little_memory() {
    eprintln!("{}", compare_on_type(WRITING, 20_000, 200_000));
}
