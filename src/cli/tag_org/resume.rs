//! Resuming an interrupted run: which run, and whether the options are those that it was started with.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::Args;
use crate::cli::options::owner_options;
use crate::cli::organization::AccountsArgs;
use crate::cli::{CommandError, Context};
use crate::creator::OwnerRules;
use crate::model::TagKey;
use crate::store::Store;
use crate::store::journal::RunKind;
use crate::store::organization_runs::{NewOrganizationRun, OrganizationRun, OrganizationRunId};

/// Key of the command in the stored question; no option has this name.
const COMMAND: &str = "command";

/// Placeholder for the run's number, before the run exists.
const THIS_RUN: &str = "@RUN@";

/// Value of `--resume` without a number.
pub(super) const LATEST: &str = "latest";

/// The same command again; resumes the run if it writes.
pub(super) fn resume_advice(context: &Context, run: Option<OrganizationRunId>) -> String {
    let again = context.invocation.again();
    match run {
        Some(run) => again.option("resume", run.to_string()),
        None => again,
    }
    .to_string()
}

/// Begins a run, with what resuming it needs.
///
/// # Errors
/// The database failed.
pub(super) fn new_run(
    context: &Context,
    store: &Store,
    key: &TagKey,
    question: &Map<String, Value>,
) -> Result<OrganizationRunId, CommandError> {
    let question = with_command(context, question.clone());
    let run = NewOrganizationRun { kind: RunKind::Tag, undoes: None, key: key.clone(), question };
    store.begin_organization_run(&run).map_err(|error| context.store_error(&error))
}

/// The run to resume.
///
/// # Errors
/// There is no such run, it is finished, or it was started with other options.
pub(super) fn interrupted(
    context: &Context,
    store: &Store,
    wanted: &str,
    question: &Map<String, Value>,
) -> Result<OrganizationRunId, CommandError> {
    let runs = store.organization_runs().map_err(|error| context.store_error(&error))?;
    let run = find(context, &runs, wanted)?;
    if run.question.is_empty() {
        return Err(CommandError::usage(format_args!("run {} is not a tag-org run", run.id))
            .hint("run the same command again: apply PLAN and undo RUN skip what is already done"));
    }
    if run.finished_at.is_some() {
        return Err(CommandError::usage(format_args!("run {} is finished: there is nothing to resume", run.id))
            .hint("start a new one without --resume: resources that already have the tag are skipped"));
    }
    same_question(run, question)?;
    Ok(run.id)
}

/// The question with the command that resumes the run: [`command_of`] returns it to `runs`.
fn with_command(context: &Context, mut question: Map<String, Value>) -> String {
    let command = context.invocation.again().option("resume", THIS_RUN).to_string();
    question.insert(COMMAND.to_owned(), json!(command));
    Value::Object(question).to_string()
}

/// The command that resumes an interrupted run, as it was typed; `None` for a run of another command.
pub(in crate::cli) fn command_of(run: &OrganizationRun) -> Option<String> {
    let question: Map<String, Value> = serde_json::from_str(&run.question).ok()?;
    Some(question.get(COMMAND)?.as_str()?.replace(THIS_RUN, &run.id.to_string()))
}

fn find<'r>(context: &Context, runs: &'r [OrganizationRun], wanted: &str) -> Result<&'r OrganizationRun, CommandError> {
    let found = if wanted == LATEST {
        runs.iter().find(|run| run.finished_at.is_none() && !run.question.is_empty())
    } else {
        let wanted: OrganizationRunId = wanted.parse().map_err(CommandError::usage)?;
        runs.iter().find(|run| run.id == wanted)
    };
    found.ok_or_else(|| {
        CommandError::usage(format_args!("there is no tag-org run to resume ({wanted})")).hint(context.list_runs())
    })
}

/// The options that decide what is written: to resume with others would mix two runs.
pub(super) fn question(args: &Args, rules: &OwnerRules) -> Map<String, Value> {
    let AccountsArgs { accounts, not_accounts, tags, .. } = &args.accounts;
    let fields = [
        ("--creator-tag", json!(args.wanted.creator_tag)),
        ("--owner-keys", json!(args.wanted.owner_keys.owner_keys.iter().collect::<BTreeSet<_>>())),
        ("--tag", json!(args.wanted.more_tags.iter().map(ToString::to_string).collect::<Vec<_>>())),
        ("--type", json!(args.wanted.types)),
        ("--all-types", json!(args.wanted.all_types)),
        ("--overwrite", json!(args.wanted.overwrite)),
        ("--inherit", json!(args.wanted.inherit)),
        ("--allow-updates", json!(args.wanted.allow.allow_updates.iter().collect::<BTreeSet<_>>())),
        ("--region", json!(args.region)),
        ("--accounts", json!(accounts)),
        ("--not-accounts", json!(not_accounts)),
        ("--tags", json!(tags)),
    ];
    let fields = fields.into_iter().chain(args.wanted.scope.question()).chain(owner_options(rules));
    fields.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What an option was in a run of a version that did not have it.
fn absent(value: &Value) -> &Value {
    static OFF: LazyLock<[Value; 3]> = LazyLock::new(|| [json!(false), json!([]), Value::Null]);
    match value {
        Value::Bool(_) => &OFF[0],
        Value::Array(_) => &OFF[1],
        _ => &OFF[2],
    }
}

fn same_question(run: &OrganizationRun, question: &Map<String, Value>) -> Result<(), CommandError> {
    let before: Map<String, Value> = serde_json::from_str(&run.question).unwrap_or_default();
    let other: Vec<String> = question
        .iter()
        .filter(|(name, value)| before.get(*name).unwrap_or_else(|| absent(value)) != *value)
        .map(|(name, _)| format!("{name} was {}", before.get(name).unwrap_or(&Value::Null)))
        .collect();
    if other.is_empty() {
        return Ok(());
    }
    Err(CommandError::usage(format_args!("run {} was started with different options: {}", run.id, other.join("; ")))
        .hint("use the same options, or start a new run without --resume"))
}
