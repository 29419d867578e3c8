//! `load-files`: CloudTrail log files on disk.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::loading::{Feed, LoadArgs, Loading};
use super::{CommandError, Context, Outcome, nothing};
use crate::load::files;

const EXAMPLES: &str = "\
Examples:
  Load all log files below a folder:
    trailcreator load-files logs/
  Load the last 90 days, for one account:
    trailcreator load-files logs/ --since 90d --account 111122223333
  Load records from stdin:
    zcat export.json.gz | trailcreator load-files -";

/// Load CloudTrail log files from disk
///
/// Reads all files below the given folders, whatever their names. Besides the log files of a trail, these can be the
/// output of `aws cloudtrail lookup-events`, EventBridge events, CloudWatch Logs exports and subscription data, and
/// results of CloudTrail Lake. Files can be JSON or JSON Lines, plain or compressed (gzip, zstd). Lists files without
/// CloudTrail records, with the kind of each. Files that are already loaded are not read again. You can stop a load
/// at any time; run the same command again to resume it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Folders and files; - reads stdin
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    load: LoadArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let filter = args.load.filter()?;
    let roots = files::roots(&args.paths)
        .map_err(|error| CommandError::usage(error).hint("check the path and its permissions; nothing was loaded"))?;
    let source = async move |feed: Feed| {
        let Feed { versions, ledger, queue, stop } = feed;
        let finding = tokio::task::spawn_blocking(move || files::find(&roots, &versions, &ledger, &queue, &stop));
        finding.await.expect("walking folders does not panic").map_err(|error| context.store_error(&error))
    };
    let knows_files = nothing::knows_files(context)?;
    let loading = Loading::new(context, &args.load, filter.clone())?;
    let (outcome, figures) = loading.run(source, || (BTreeMap::new(), None)).await?;
    if outcome == Outcome::Done && figures.is_nothing() {
        return nothing::no_files(context, &args.paths, &figures, knows_files);
    }
    nothing::warn_of_filter(context, &figures, &filter);
    Ok(outcome)
}
