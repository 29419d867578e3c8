//! `runs`: the writes to AWS, from the journal.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};

use serde::ser::{Error as _, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::run_output::resume_begun;
use super::tagging::{self, find_run};
use super::{CommandError, Context, Outcome, tag_org};
use crate::console::OutputFormat;
use crate::model::{InvalidName, ResourceType, RunId};
use crate::plan::FORMAT_VERSION;
use crate::plan::updates::side_effects;
use crate::store::journal::{Run, RunKind, RunWrite};
use crate::store::organization_runs::{OrganizationRun, OrganizationRunId};
use crate::store::{Store, StoreError};

const EXAMPLES: &str = "\
Examples:
  List all runs:
    trailcreator runs
  Show the writes of run 3, as JSON:
    trailcreator runs 3 --output json
  List the runs in the accounts of a tag-org run:
    trailcreator runs org-3";

/// List the runs of tag, apply and undo, or show the writes of one run
///
/// Lists the runs of single accounts and of organizations in one list, the latest first. Reads the journal in the database; makes no
/// AWS calls.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Show the writes of this run; for a run of tag-org (org-3), list the runs in its accounts
    #[arg(value_name = "RUN")]
    run: Option<RunName>,
}

/// A run's number: of one in an account and region, or of one across an organization.
#[derive(Debug, Clone, Copy)]
pub(super) enum RunName {
    Single(RunId),
    Organization(OrganizationRunId),
}

impl std::str::FromStr for RunName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let expected = "a run's number, such as 3, or org-3 for one across an organization";
        let organization = || text.parse().map(Self::Organization);
        text.parse().map(Self::Single).or_else(|_| organization()).map_err(|error| InvalidName { expected, ..error })
    }
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Outcome, CommandError> {
    let store = context.open_store_to_read()?;
    let failed = |error| context.store_error(&error);
    let (organizations, runs) = match args.run {
        Some(RunName::Single(run_id)) => {
            let run = find_run(context, &store, run_id)?;
            print_run(context, &store, &run).map_err(failed)?;
            return Ok(Outcome::Done);
        }
        Some(RunName::Organization(number)) => {
            let organization = tagging::find_organization_run(context, &store, number)?;
            (vec![organization], store.runs_of_organization(number, None).map_err(failed)?)
        }
        None => (store.organization_runs().map_err(failed)?, store.runs().map_err(failed)?),
    };
    print_runs(context, &organizations, &runs, args.run.is_some());
    if let Some(run) = organizations.iter().find(|run| run.finished_at.is_none()) {
        let again = match tag_org::command_of(run) {
            Some(command) => format!("resume with: {command}"),
            None => format!("run its {} command again", if run.kind == RunKind::Undo { "undo" } else { "apply" }),
        };
        context.console.message(format_args!("run {} is not finished; if it is no longer running, {again}", run.id));
    }
    let is_single = |run: &&Run| run.finished_at.is_none() && run.organization_run.is_none();
    if let Some(run) = runs.iter().find(is_single) {
        let map = context.resource_map()?;
        let mut types: BTreeSet<ResourceType> = BTreeSet::new();
        let read = store.each_write_of(run.run_id, &mut |row| {
            if row.outcome.state().may_be_made() && !types.contains(&row.write.resource_type) {
                types.insert(row.write.resource_type);
            }
            Ok(())
        });
        read.map_err(failed)?;
        let has_side_effects =
            |name: &ResourceType| map.definition(name).is_some_and(|definition| side_effects(definition).is_some());
        let begun: BTreeSet<ResourceType> = types.into_iter().filter(has_side_effects).collect();
        context.console.message(format_args!(
            "run {} is not finished; if it is no longer running, resume with: {}",
            run.run_id,
            resume_begun(context, run.run_id, &begun)
        ));
    }
    Ok(Outcome::Done)
}

/// One run of the list: across an organization, or in one account and region.
#[derive(Clone, Copy)]
enum Listed<'a> {
    Organization(&'a OrganizationRun),
    Single(&'a Run),
}

impl Listed<'_> {
    fn document(self) -> Value {
        match self {
            Self::Organization(run) => json!(run),
            Self::Single(run) => json!(run),
        }
    }
}

/// All runs, the latest first. Those that belong to a run across an organization are counted there.
fn in_time_order<'a>(organizations: &'a [OrganizationRun], runs: &'a [Run]) -> Vec<Listed<'a>> {
    let mut first_runs: HashMap<OrganizationRunId, RunId> = HashMap::new();
    for run in runs {
        if let Some(organization) = run.organization_run {
            let first = first_runs.entry(organization).or_insert(run.run_id);
            *first = (*first).min(run.run_id);
        }
    }
    let organizations = organizations.iter().map(|run| {
        // Times are in whole seconds, and the runs of all kinds in one account and region have one sequence of numbers.
        let first = first_runs.get(&run.id);
        ((run.started_at.as_str(), first.is_none(), first.copied()), Listed::Organization(run))
    });
    let single = runs.iter().filter(|run| run.organization_run.is_none());
    let single = single.map(|run| ((run.started_at.as_str(), false, Some(run.run_id)), Listed::Single(run)));
    let mut listed: Vec<_> = organizations.chain(single).collect();
    listed.sort_by(|(one, _), (other, _)| other.cmp(one));
    listed.into_iter().map(|(_, run)| run).collect()
}

/// All runs in one list, the latest first; in text, those that belong to a run across an organization are only counted there.
fn print_runs(context: &Context, organizations: &[OrganizationRun], runs: &[Run], is_one_asked: bool) {
    if context.console.format == OutputFormat::Json {
        let document = json!({
            "format_version": FORMAT_VERSION,
            "all_runs": in_time_order(organizations, runs).into_iter().map(Listed::document).collect::<Vec<_>>(),
            "organization_runs": organizations,
            "runs": runs,
        });
        return context.console.json(&document);
    }
    for run in in_time_order(organizations, runs) {
        match run {
            Listed::Organization(run) => context.console.data(organization_line(run)),
            Listed::Single(run) => context.console.data(line(run)),
        }
    }
    if is_one_asked {
        runs.iter().for_each(|run| context.console.data(line(run)));
    }
    if organizations.is_empty() && runs.is_empty() {
        context.console.message("nothing was written yet");
    }
}

fn organization_line(run: &OrganizationRun) -> String {
    let kind = match (run.kind, run.undoes) {
        (RunKind::Undo, Some(undone)) => format!("undo of {undone}"),
        (kind, _) => kind.as_str().to_owned(),
    };
    let state = if run.finished_at.is_some() { "finished" } else { "not finished" };
    let OrganizationRun { id, started_at, accounts, runs, written, tag_key, .. } = run;
    format!("{id} {started_at} {kind} accounts:{accounts} runs:{runs} {tag_key} {written} written {state}")
}

/// A run with its writes, which are printed as they are read: there can be hundreds of thousands.
fn print_run(context: &Context, store: &Store, run: &Run) -> Result<(), StoreError> {
    if context.console.format == OutputFormat::Json {
        let failed = Cell::new(None);
        let writes = StoredWrites { store, run: run.run_id, failed: &failed };
        let document = RunDocument { format_version: FORMAT_VERSION, runs: [run], writes };
        let printed = context.console.try_json(&document);
        if let Some(error) = failed.take() {
            return Err(error);
        }
        printed.expect("our documents hold text keys only");
        return Ok(());
    }
    context.console.data(line(run));
    store.each_write_of(run.run_id, &mut |row| {
        print_write(context, &row);
        Ok(())
    })
}

fn print_write(context: &Context, RunWrite { write, outcome, .. }: &RunWrite) {
    let value = |value: &Option<_>| value.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
    let respelled = write.old_key.as_ref().map(|old| format!("{old} -> ")).unwrap_or_default();
    let change = format!("{respelled}{}: {} -> {}", write.key, value(&write.old_value), value(&write.new_value));
    let error = outcome.reason().map(|error| format!(" ({error})")).unwrap_or_default();
    let state = outcome.state().as_str();
    context.console.data(format_args!("{state} {} {} {change}{error}", write.resource_type, write.id));
}

/// A run in `--output json`.
#[derive(Serialize)]
struct RunDocument<'a> {
    format_version: u32,
    runs: [&'a Run; 1],
    writes: StoredWrites<'a>,
}

/// The writes of a run, read from the journal while they are written.
struct StoredWrites<'a> {
    store: &'a Store,
    run: RunId,
    /// Why they could not be read.
    failed: &'a Cell<Option<StoreError>>,
}

impl Serialize for StoredWrites<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let mut written = Ok(());
        let read = self.store.each_write_of(self.run, &mut |row| {
            if written.is_ok() {
                written = list.serialize_element(&write_document(&row));
            }
            Ok(())
        });
        written?;
        if let Err(error) = read {
            let cut = S::Error::custom(&error);
            self.failed.set(Some(error));
            return Err(cut);
        }
        list.end()
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
        (counts.in_doubt, "in doubt"),
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

fn write_document(row: &RunWrite) -> serde_json::Value {
    let RunWrite { write, outcome, written_at } = row;
    json!({
        "type": write.resource_type,
        "id": write.id,
        "arn": write.arn,
        "region": write.region,
        "key": write.key,
        "old_key": write.old_key,
        "old_value": write.old_value,
        "value": write.new_value,
        "event_id": write.event_id,
        "state": outcome.state(),
        "error": outcome.reason(),
        "request_id": outcome.request_id(),
        "written_at": written_at,
    })
}
