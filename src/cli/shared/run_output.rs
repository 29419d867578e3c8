//! Output of `tag`, `apply` and `undo`: a line for each write, the JSON document, the summary, the exit code.

use super::suggestion::Suggestion;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::groups_of_rows::{ALL, Extent, WriteRow, print_skipped, print_writes, show_hint};
use super::{CommandError, Context, Outcome};
use crate::aws::Session;
use crate::cli::call_stats::{self, StatsArgs};
use crate::console::{Each, OutputFormat, counted};
use crate::model::{AccountId, Region, ResourceType, RunId, TagKey, TagValue};
use crate::packed_list::PackedList;
use crate::plan::{FORMAT_VERSION, Plan, PlannedWrite, SkipKind, SkippedResource};
use crate::store::journal::{Run, RunKind, RunWrite, Write, WriteOutcome};
use crate::tag::apply::StopReason;
use crate::tag::run::{RunReport, Runner};

/// A finished run, with what its report needs.
pub(in crate::cli) struct RunOutput<'a> {
    pub(in crate::cli) runner: &'a Runner<'a>,
    pub(in crate::cli) report: &'a RunReport,
    pub(in crate::cli) kind: RunKind,
    /// The plan it came from, if that is at hand.
    pub(in crate::cli) plan: Option<&'a Plan>,
    /// Whether it is only what a run would come to.
    pub(in crate::cli) dry_run: bool,
    /// Which rows are printed.
    pub(in crate::cli) extent: Extent,
    /// Whether the calls are printed by operation.
    pub(in crate::cli) stats: StatsArgs,
}

/// Prints what became of each write, and the summary.
pub(in crate::cli) fn show_run(context: &Context, output: &RunOutput<'_>) -> Outcome {
    let plan = output.plan;
    match context.console.format {
        OutputFormat::Json => context.console.json(&document(output)),
        OutputFormat::Text => {
            let rows = rows(output).filter_map(|(row, reason)| result_row(output, row, reason));
            // What was written is printed as a whole.
            let extent = Extent { all: output.extent.all || !output.dry_run };
            let has_more = print_writes(context, extent, rows);
            let has_more = plan.is_some_and(|plan| print_skipped(context, output.extent, &plan.skipped)) || has_more;
            show_hint(context, has_more, ALL);
        }
    }
    for RunWrite { write, outcome, .. } in &output.report.writes {
        if let Some(why) = failure(output.kind, &outcome) {
            context.console.warning(format_args!(
                "{} {} {}: {why}",
                write.resource_type,
                write.id,
                outcome.state().as_str()
            ));
        }
    }
    let results = counts(&output.report.writes);
    let done = if output.dry_run { dry_phrase(output.kind, &results) } else { results_phrase(output.kind, &results) };
    let run = output.report.run.map(|run| format!("run {run}: ")).unwrap_or_default();
    let left = plan.map(|plan| skipped_phrase(&plan.summary.skipped)).unwrap_or_default();
    let calls = calls_phrase(output.runner.session);
    let nothing = if output.dry_run { "; nothing was written" } else { "" };
    context.console.message(format_args!("{run}{done}{left}; {calls}{nothing}"));
    if output.stats.stats {
        call_stats::show(context, output.runner.session.counts(), written(&results));
    }
    conclude(context, output, &results)
}

/// "3 tagged, 1 failed"
pub(in crate::cli) fn results_phrase(kind: RunKind, results: &BTreeMap<&'static str, u64>) -> String {
    let written = if kind == RunKind::Tag { "tagged" } else { "undone" };
    let phrase = |result: &'static str| match result {
        "written" => written,
        "in-doubt" => "in doubt",
        result => result,
    };
    let parts: Vec<String> = results.iter().map(|(result, count)| format!("{count} {}", phrase(result))).collect();
    if parts.is_empty() { "nothing to write".to_owned() } else { parts.join(", ") }
}

/// "3 to tag, 1 skipped"
pub(in crate::cli) fn dry_phrase(kind: RunKind, results: &BTreeMap<&'static str, u64>) -> String {
    let planned = if kind == RunKind::Tag { "to tag" } else { "to undo" };
    let phrase = |result: &'static str| match result {
        "planned" => planned,
        "written" => "written before",
        result => result,
    };
    let parts: Vec<String> = results.iter().map(|(result, count)| format!("{count} {}", phrase(result))).collect();
    if parts.is_empty() { "nothing to write".to_owned() } else { parts.join(", ") }
}

/// The command that resumes a run with writes under way that update their resources.
pub(in crate::cli) fn resume_begun(context: &Context, run: RunId, types: &BTreeSet<ResourceType>) -> Suggestion {
    let apply = context.suggest("apply").option("resume", run.to_string());
    let types: Vec<&str> = types.iter().map(ResourceType::as_str).collect();
    if types.is_empty() { apply } else { apply.option("allow-updates", types.join(",")) }
}

/// Returns the outcome, and prints the next command: resume or undo.
fn conclude(context: &Context, output: &RunOutput<'_>, results: &BTreeMap<&'static str, u64>) -> Outcome {
    let resume = |run: RunId| {
        let apply = context.suggest("apply").option("resume", run.to_string());
        format!("resume with: {apply}")
    };
    match (&output.report.stopped, output.report.run) {
        (Some(StopReason::Asked), Some(run)) => {
            context.console.message(resume(run));
            Outcome::Interrupted
        }
        (Some(StopReason::Credentials(why)), Some(run)) => {
            let lost = CommandError::failed(format_args!("the credentials expired: {why}"));
            context.report(&lost.hint("sign in again").hint(resume(run)));
            Outcome::Failed
        }
        (_, run) => {
            let run = run.filter(|_| !output.dry_run);
            let begun = output.report.writes.iter().filter(|row| matches!(row.outcome, WriteOutcome::UnderWay(_)));
            let begun: BTreeSet<ResourceType> = begun.map(|row| row.write.resource_type).collect();
            if let Some(run) = run.filter(|_| !begun.is_empty()) {
                context.console.message(format_args!("see how it ends with: {}", resume_begun(context, run, &begun)));
            }
            if let Some(run) = run.filter(|_| results.contains_key("in-doubt")) {
                context.console.message(format_args!(
                    "some writes are in doubt: AWS may have made them; {}",
                    resume(run).replace("resume with", "find out with")
                ));
            }
            if let Some(run) = run.filter(|_| output.kind == RunKind::Tag && results.contains_key("written")) {
                let undo = context.suggest("undo").arg(run.to_string());
                context.console.message(format_args!("undo with: {undo}"));
            }
            let failed = output.report.writes.iter().any(|row| failure(output.kind, &row.outcome).is_some());
            if failed { Outcome::ItemFailures } else { Outcome::Done }
        }
    }
}

/// The writes with the plan's reasons for them: a planned write has its place in the plan as its position.
fn rows<'o>(output: &'o RunOutput<'_>) -> impl Iterator<Item = (RunWrite, Option<String>)> + 'o {
    let mut actions = output.plan.map(|plan| plan.actions.iter());
    output.report.writes.iter().map(move |row| {
        let reason = actions.as_mut().and_then(Iterator::next).map(|action: PlannedWrite| action.reason);
        (row, reason.filter(|reason| !reason.is_empty()))
    })
}

/// A write that did not fail.
fn result_row(
    output: &RunOutput<'_>,
    RunWrite { write, outcome, .. }: RunWrite,
    reason: Option<String>,
) -> Option<WriteRow<String, impl FnOnce() -> String>> {
    if failure(output.kind, &outcome).is_some() {
        return None;
    }
    let (verb, resource_type) = (verb(output, &write, &outcome), write.resource_type.to_string());
    let line = move || {
        let key = &write.key;
        let value = write.new_value.as_ref().or(write.old_value.as_ref());
        let value = value.map(|value| format!("={value}")).unwrap_or_default();
        let why = outcome.reason().or(reason.as_deref());
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        format!("{verb} {} {} {key}{value}{why}", write.resource_type, write.id)
    };
    Some(WriteRow { verb, resource_type, line })
}

/// The result for the resource, as a verb.
fn verb(output: &RunOutput<'_>, write: &Write, outcome: &WriteOutcome) -> &'static str {
    match (outcome, output.kind, &write.new_value) {
        // The interrupted run wrote it; its journal does not say so yet.
        (WriteOutcome::Written { .. }, ..) if output.dry_run => "written",
        (WriteOutcome::Written { .. }, _, None) => "untagged",
        (WriteOutcome::Written { .. }, RunKind::Undo, Some(_)) => "restored",
        (WriteOutcome::Written { .. }, RunKind::Tag, Some(_)) => "tagged",
        (WriteOutcome::Unfinished(_), _, None) if output.dry_run => "untag",
        (WriteOutcome::Unfinished(_), RunKind::Undo, Some(_)) if output.dry_run => "restore",
        (WriteOutcome::Unfinished(_), RunKind::Tag, Some(_)) if output.dry_run => "tag",
        _ => outcome.state().as_str(),
    }
}

/// A run or a plan that has nothing to write. A plan without actions may lack the rest.
pub(in crate::cli) struct NothingToDo<'a> {
    pub(in crate::cli) kind: RunKind,
    pub(in crate::cli) dry_run: bool,
    pub(in crate::cli) account: Option<&'a AccountId>,
    pub(in crate::cli) region: Option<&'a Region>,
    pub(in crate::cli) key: Option<&'a TagKey>,
}

impl<'a> NothingToDo<'a> {
    /// About a run of the journal.
    pub(in crate::cli) fn of_run(kind: RunKind, dry_run: bool, run: &'a Run) -> Self {
        let Run { account_id, region, tag_key, .. } = run;
        Self { kind, dry_run, account: Some(account_id), region: Some(region), key: Some(tag_key) }
    }
}

/// The document of a command that has nothing to do: every command prints one.
pub(in crate::cli) fn show_nothing(context: &Context, nothing: &NothingToDo<'_>) {
    if context.console.format != OutputFormat::Json {
        return;
    }
    context.console.json(&json!({
        "format_version": FORMAT_VERSION,
        "run_id": null,
        "kind": nothing.kind,
        "dry_run": nothing.dry_run,
        "interrupted": false,
        "account_id": nothing.account,
        "region": nothing.region,
        "tag_key": nothing.key,
        "actions": [],
        "failed": [],
        "skipped": [],
        "summary": {"results": {}, "calls": {"reads": 0, "writes": 0}},
    }));
}

/// The document of a run. Its writes become JSON one after the other: there can be hundreds of thousands.
fn document(output: &RunOutput<'_>) -> impl Serialize {
    let RunOutput { runner, report, kind, plan, dry_run, .. } = output;
    let calls = runner.session.counts();
    let mut summary = plan.map_or_else(|| json!({}), |plan| json!(plan.summary));
    summary["results"] = json!(counts(&report.writes));
    summary["calls"] = json!({"reads": calls.total() - calls.writes(), "writes": calls.writes()});
    if output.stats.stats {
        call_stats::add_to(&mut summary, calls, written(&counts(&report.writes)));
    }
    Document {
        format_version: FORMAT_VERSION,
        run_id: report.run,
        kind: *kind,
        dry_run: *dry_run,
        interrupted: report.stopped.is_some(),
        account_id: &runner.place.account,
        region: &runner.place.region,
        tag_key: &runner.key,
        actions: Each(|| rows(output).map(|(row, reason)| write_document(output, &row, reason.as_deref()))),
        failed: Each(|| report.writes.iter().filter_map(|row| failure_document(*kind, &row))),
        skipped: plan.map_or(&NONE_SKIPPED, |plan| &plan.skipped),
        summary,
    }
}

static NONE_SKIPPED: PackedList<SkippedResource> = PackedList::new();

#[derive(Serialize)]
struct Document<'a, A, F> {
    format_version: u32,
    run_id: Option<RunId>,
    kind: RunKind,
    dry_run: bool,
    interrupted: bool,
    account_id: &'a AccountId,
    region: &'a Region,
    tag_key: &'a TagKey,
    actions: A,
    failed: F,
    skipped: &'a PackedList<SkippedResource>,
    summary: Value,
}

/// The reason of a failed write. A resource that no longer exists is a failure of a tag run, but not of an undo.
pub(in crate::cli) fn failure(kind: RunKind, outcome: &WriteOutcome) -> Option<&str> {
    match (outcome, kind) {
        (
            WriteOutcome::Failed(why)
            | WriteOutcome::RolledBack(why)
            | WriteOutcome::UnderWay(why)
            | WriteOutcome::InDoubt(why),
            _,
        )
        | (WriteOutcome::Vanished(why), RunKind::Tag) => Some(why),
        _ => None,
    }
}

/// The entry of a failed write in `failed`.
pub(in crate::cli) fn failure_document(kind: RunKind, RunWrite { write, outcome, .. }: &RunWrite) -> Option<Value> {
    let error = failure(kind, outcome)?;
    let Write { resource_type, id, arn, key, .. } = write;
    let result = outcome.state();
    Some(json!({"type": resource_type, "id": id, "arn": arn, "key": key, "result": result, "error": error}))
}

/// One write and how it ended, in `--output json`. A `value` of null: the tag is removed.
fn write_document(output: &RunOutput<'_>, row: &RunWrite, reason: Option<&str>) -> Value {
    let RunWrite { write, outcome, .. } = row;
    let mut document = json!({
        "type": write.resource_type,
        "id": write.id,
        "arn": write.arn,
        "account_id": output.runner.place.account,
        "region": write.region,
        "key": write.key,
        "value": write.new_value,
        "event_id": write.event_id,
    });
    let optional = [
        ("old_key", write.old_key.as_ref().map(TagKey::as_str)),
        ("old_value", write.old_value.as_ref().map(TagValue::as_str)),
        ("reason", reason),
        ("result", Some(outcome.state().as_str())),
        ("error", outcome.reason()),
        ("request_id", outcome.request_id()),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            document[key] = json!(value);
        }
    }
    document
}

fn written(results: &BTreeMap<&'static str, u64>) -> u64 {
    results.get("written").copied().unwrap_or_default()
}

/// How many writes there are in each state.
pub(in crate::cli) fn counts(writes: &PackedList<RunWrite>) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for row in writes {
        *counts.entry(row.outcome.state().as_str()).or_default() += 1;
    }
    counts
}

/// "; skipped: 84 without a create event, 12 already tagged"
pub(in crate::cli) fn skipped_phrase(left: &BTreeMap<SkipKind, u64>) -> String {
    if left.is_empty() {
        return String::new();
    }
    let parts: Vec<String> = left.iter().map(|(kind, count)| format!("{count} {}", kind.phrase())).collect();
    format!("; skipped: {}", parts.join(", "))
}

/// "45 read calls, 3 write calls"; no writes are not mentioned.
pub(in crate::cli) fn calls_phrase(session: &Session) -> String {
    let calls = session.counts();
    let reads = counted(calls.total() - calls.writes(), "read call");
    match calls.writes() {
        0 => reads,
        writes => format!("{reads}, {}", counted(writes, "write call")),
    }
}
