//! `load-files`: CloudTrail log files on disk.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::loading::{Feed, LoadArgs, Loading};
use super::{CommandError, Context, Outcome, nothing};
use crate::load::files;

/// Load CloudTrail log files from disk
///
/// Folders are walked for .json.gz and .json; a file named here is read whatever its name. What was loaded before is not
/// read again. Loading can be stopped at any moment; the same command goes on.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folders and files; - is stdin
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    load: LoadArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let filter = args.load.filter()?;
    let roots = files::roots(&args.paths)
        .map_err(|error| CommandError::usage(error).hint("nothing was loaded; check the path and its permissions"))?;
    let source = async move |feed: Feed| {
        let Feed { versions, ledger, queue, stop } = feed;
        let finding = tokio::task::spawn_blocking(move || files::find(&roots, &versions, &ledger, &queue, &stop));
        finding.await.expect("walking folders does not panic").map_err(|error| context.store_error(&error))
    };
    let loading = Loading::new(context, &args.load, filter.clone())?;
    let (outcome, figures) = loading.run(source, || (BTreeMap::new(), None)).await?;
    if outcome == Outcome::Done && figures.done() == 0 {
        return nothing::no_files(context, &args.paths);
    }
    nothing::warn_of_filter(context, &figures, &filter);
    Ok(outcome)
}
