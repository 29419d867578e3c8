//! What `tag`, `apply` and `undo` share: opening the account, running to the end or to Ctrl-C, saving a plan.

use std::future::Future;
use std::io::{self, BufWriter};
use std::path::Path;

use super::interrupt::interrupted;
use super::private_file::NewFile;
use super::{AwsArgs, CommandError, Context};
use crate::aws::{CallError, CallerIdentity, Session};
use crate::model;
use crate::model::RunId;
use crate::model::{AccountId, Arn, Region, ResourceType, TagKey};
use crate::plan::{MoreTag, Plan};
use crate::resource_map::ResourceMap;
use crate::store::Store;
use crate::store::journal::Run;
use crate::store::organization_runs::{OrganizationRun, OrganizationRunId};
use crate::tag::run::{Prepared, RunReport, Runner, Target};

pub(in crate::cli) fn parse_key(text: &str) -> Result<TagKey, CommandError> {
    model::parse_key(text).map_err(|error| CommandError::usage(format_args!("--creator-tag: {error}")))
}

/// Checks that each key is given once, also as the named types compare keys. Of types that are not named the plan leaves the second.
pub(in crate::cli) fn check_more_tags(
    map: &ResourceMap,
    types: &[ResourceType],
    owner: &TagKey,
    more: &[MoreTag],
) -> Result<(), CommandError> {
    let keys: Vec<&TagKey> = std::iter::once(owner).chain(more.iter().map(|more| &more.key)).collect();
    let named = || types.iter().filter_map(|name| map.definition(name));
    for (at, key) in keys.iter().enumerate() {
        for earlier in &keys[..at] {
            let of_type = named().find(|definition| definition.same_key(earlier, key));
            let why = match of_type {
                _ if earlier == key => String::new(),
                Some(definition) => format!(": {earlier} is the same tag on {}", definition.resource_type),
                None => continue,
            };
            return Err(CommandError::usage(format_args!("the tag {key} is given twice{why}"))
                .hint("give one value for each key; --creator-tag names the tag of the owner"));
        }
    }
    Ok(())
}

/// Opens a session, and gets its account.
pub(in crate::cli) async fn open_account(args: AwsArgs) -> Result<(Session, CallerIdentity), CommandError> {
    let session = Session::open(&args.into()).await.map_err(|error| aws_error("opening an AWS session", &error))?;
    let caller = session.caller_identity().await;
    let caller = caller.map_err(|error| aws_error("getting the account of the credentials", &error))?.clone();
    Ok((session, caller))
}

/// Opens a session in `region` that must be `account`'s.
pub(in crate::cli) async fn open_same_account(
    args: AwsArgs,
    region: &Region,
    account: &AccountId,
    what: &str,
) -> Result<(Session, Arn), CommandError> {
    let (session, CallerIdentity { account: ours, arn }) =
        open_account(AwsArgs { region: Some(region.clone()), ..args }).await?;
    if ours == *account {
        return Ok((session, arn));
    }
    Err(CommandError::usage(format_args!("{what} is in account {account}, but the credentials belong to {ours}"))
        .hint("choose that account's credentials with --profile or --assume"))
}

pub(in crate::cli) fn aws_error(doing: &str, error: &CallError) -> CommandError {
    let mut command_error = CommandError::while_doing(doing, error);
    command_error.hints.extend(error.hint());
    command_error
}

/// Work that writes nothing, unless the user presses Ctrl-C first.
pub(in crate::cli) async fn or_interrupted<T>(context: &Context, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        result = work => Some(result),
        () = interrupted() => {
            context.console.message("interrupted: nothing was written to AWS");
            None
        }
    }
}

/// A run of the journal.
pub(in crate::cli) fn find_run(context: &Context, store: &Store, run: RunId) -> Result<Run, CommandError> {
    store.run(run).map_err(|error| context.store_error(&error))?.ok_or_else(|| {
        CommandError::usage(format_args!("there is no run {run} in {}", context.global.db.display()))
            .hint(context.list_runs())
    })
}

/// A run across an organization.
pub(in crate::cli) fn find_organization_run(
    context: &Context,
    store: &Store,
    run: OrganizationRunId,
) -> Result<OrganizationRun, CommandError> {
    store.organization_run(run).map_err(|error| context.store_error(&error))?.ok_or_else(|| {
        CommandError::usage(format_args!("there is no run {run} in {}", context.global.db.display()))
            .hint(context.list_runs())
    })
}

/// Makes the writes, with progress, until they are done or the user presses Ctrl-C.
pub(in crate::cli) async fn execute(
    context: &Context,
    runner: &Runner<'_>,
    target: Target,
    prepared: Prepared,
) -> Result<RunReport, CommandError> {
    let progress = context.console.progress("tagging", Some(count(prepared.possible())));
    let stop = async {
        interrupted().await;
        context.console.message("interrupted: waiting for the calls under way");
    };
    let mut note = |done| progress.update(done, "");
    runner
        .execute(target, prepared, stop, &mut note)
        .await
        .map_err(|error| context.store_error(&error).hint(context.written_before()))
}

pub(in crate::cli) fn count(length: usize) -> u64 {
    length.try_into().unwrap_or(u64::MAX)
}

/// Writes the plan's file as a whole or not at all.
pub(in crate::cli) fn save_plan(path: &Path, plan: &Plan) -> Result<(), CommandError> {
    save_with(path, "the plan", |file| {
        serde_json::to_writer_pretty(&mut *file, plan)?;
        file.write_all(b"\n")
    })
}

/// Writes a file as a whole or not at all. `what` it is, for messages.
pub(in crate::cli) fn save(path: &Path, what: &str, text: &str) -> Result<(), CommandError> {
    save_with(path, what, |file| file.write_all(text.as_bytes()))
}

/// As [`save`], piece by piece.
fn save_with(
    path: &Path,
    what: &str,
    pieces: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> Result<(), CommandError> {
    let write = || {
        let mut file = BufWriter::new(NewFile::create(path)?);
        pieces(&mut file)?;
        file.into_inner()?.finish()
    };
    write().map_err(|error| CommandError::while_doing(format_args!("saving {what} to {}", path.display()), &error))
}
