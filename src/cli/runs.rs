//! `runs`: what was written to AWS, from the journal.

use serde_json::json;

use super::tagging::find_run;
use super::{CommandError, Context, Outcome};
use crate::console::OutputFormat;
use crate::store::journal::{JournaledWrite, Run, RunId, RunKind};
use crate::tag::plan::FORMAT_VERSION;

/// List the runs of tag, apply and undo, or the writes of one
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Show this run's writes
    #[arg(value_name = "RUN")]
    run: Option<RunId>,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Outcome, CommandError> {
    let store = context.open_store_to_read()?;
    if let Some(run_id) = args.run {
        let run = find_run(context, &store, run_id)?;
        let writes = store.writes_of(run_id).map_err(|error| context.store_error(&error))?;
        print_run(context, &run, &writes);
        return Ok(Outcome::Done);
    }
    let runs = store.runs().map_err(|error| context.store_error(&error))?;
    match context.console.format {
        OutputFormat::Json => context.console.json(&json!({"format_version": FORMAT_VERSION, "runs": runs})),
        OutputFormat::Text => {
            runs.iter().for_each(|run| context.console.data(line(run)));
            if runs.is_empty() {
                context.console.message("nothing was written yet");
            }
        }
    }
    if let Some(run) = runs.iter().find(|run| run.finished_at.is_none()) {
        context.console.message(format_args!(
            "run {0} is not finished; unless it still runs, go on with: trailcreator apply --resume {0}",
            run.run_id
        ));
    }
    Ok(Outcome::Done)
}

fn print_run(context: &Context, run: &Run, writes: &[JournaledWrite]) {
    if context.console.format == OutputFormat::Json {
        let writes: Vec<_> = writes.iter().map(write_document).collect();
        return context.console.json(&json!({"format_version": FORMAT_VERSION, "runs": [run], "writes": writes}));
    }
    context.console.data(line(run));
    for JournaledWrite { write, result, .. } in writes {
        let value = |value: &Option<_>| value.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
        let change = format!("{}: {} -> {}", run.tag_key, value(&write.old_value), value(&write.new_value));
        let error = result.error.as_ref().map(|error| format!(" ({error})")).unwrap_or_default();
        let state = result.state.as_str();
        context.console.data(format_args!("{state} {} {} {change}{error}", write.resource_type, write.id));
    }
}

fn line(run: &Run) -> String {
    let kind = match (run.kind, run.undoes) {
        (RunKind::Undo, Some(undone)) => format!("undo of {undone}"),
        (kind, _) => kind.as_str().to_owned(),
    };
    let counts = &run.counts;
    let states = [
        (counts.written, "written"),
        (counts.failed, "failed"),
        (counts.vanished, "vanished"),
        (counts.skipped, "skipped"),
        (counts.started, "started"),
        (counts.planned, "planned"),
    ];
    let states: Vec<String> =
        states.iter().filter(|(count, _)| *count > 0).map(|(count, state)| format!("{count} {state}")).collect();
    let state = if run.finished_at.is_some() { "finished" } else { "not finished" };
    format!(
        "{} {} {kind} account:{} region:{} {} {} {state}",
        run.run_id,
        run.started_at,
        run.account_id,
        run.region,
        run.tag_key,
        states.join(" "),
    )
}

fn write_document(row: &JournaledWrite) -> serde_json::Value {
    let JournaledWrite { write, result, written_at } = row;
    json!({
        "resource_type": write.resource_type,
        "id": write.id,
        "arn": write.arn,
        "region": write.region,
        "old_value": write.old_value,
        "value": write.new_value,
        "event_id": write.event_id,
        "state": result.state,
        "error": result.error,
        "request_id": result.request_id,
        "written_at": written_at,
    })
}
