//! Shared by `load-files` and `load-s3`: the record filter, the pipeline with its progress, Ctrl-C and the summary.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::interrupt::stop_on_interrupt;
use super::load_summary::{S3, Summary};
use super::options::ChainsArgs;
use super::{CommandError, Context, Outcome, WindowArgs};
use crate::console::{Progress, counted, number};
use crate::load::{Figures, Queue, Versions, pipeline, queue};
use crate::model::{AccountId, Region};
use crate::resource_map::ResourceMap;
use crate::store::Store;
use crate::store::ledger::Ledger;
use crate::trail::filter::RecordFilter;
use crate::trail::scan::Scanner;
use tokio_util::sync::CancellationToken;

/// The message after the first Ctrl-C.
pub(in crate::cli) const STOPPING: &str = "stopping, and saving what was read; press Ctrl-C again to stop at once";

/// The hint when a load fails midway.
pub(in crate::cli) const RESUME: &str = "everything loaded so far is saved; run the same command again to resume";

/// Shows the progress of a load from an AWS API, in days.
pub(in crate::cli) fn show_days(progress: &Progress, figures: &Figures) {
    progress.set_total(figures.expected);
    let (records, matched) = (number(figures.counts.records), counted(figures.counts.matched, "event"));
    progress.update(figures.done(), format!("{records} records, {matched}"));
}

/// Options that select records and set the number of threads.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Loading")]
pub(in crate::cli) struct LoadArgs {
    /// Load only records of this account; repeatable
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = AccountId::parse)]
    account: Vec<AccountId>,
    /// Load only records of this region; repeatable
    #[arg(long, value_delimiter = ',', value_parser = str::parse::<Region>)]
    region: Vec<Region>,
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N", env = "TRAILCREATOR_JOBS")]
    jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    chains: ChainsArgs,
    #[command(flatten)]
    window: WindowArgs,
}

/// A load that is ready to start.
pub(in crate::cli) struct Loading<'c> {
    context: &'c Context,
    scanner: Arc<Scanner>,
    store: Store,
    jobs: usize,
}

/// What a source needs: the ledger, to skip what is loaded, and the queue, for everything else.
pub(in crate::cli) struct Feed {
    pub(in crate::cli) versions: Versions,
    pub(in crate::cli) ledger: Ledger,
    pub(in crate::cli) queue: Queue,
    pub(in crate::cli) stop: CancellationToken,
}

impl LoadArgs {
    /// The filter for the records to load.
    pub(in crate::cli) fn filter(&self) -> Result<RecordFilter, CommandError> {
        Ok(RecordFilter {
            window: self.window.window()?,
            accounts: self.account.iter().cloned().collect(),
            regions: self.region.iter().cloned().collect(),
        })
    }

    fn jobs(&self) -> usize {
        self.jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get)
    }
}

impl<'c> Loading<'c> {
    /// Reads the resource map and opens the database.
    pub(in crate::cli) fn new(
        context: &'c Context,
        args: &LoadArgs,
        filter: RecordFilter,
    ) -> Result<Self, CommandError> {
        let map = args.chains.map(context.resource_map()?);
        let scanner = Arc::new(Scanner::new(Arc::new(map), filter));
        Ok(Self { context, scanner, store: context.open_store()?, jobs: args.jobs() })
    }

    /// The resource map that selects the events.
    pub(in crate::cli) fn resource_map(&self) -> Arc<ResourceMap> {
        self.scanner.shared_map()
    }

    /// Loads everything that `source` puts into the queue, and prints the summary. `costs` returns the number of AWS requests
    /// by operation, and for S3 their cost.
    pub(in crate::cli) async fn run(
        self,
        source: impl AsyncFnOnce(Feed) -> Result<(), CommandError>,
        costs: impl FnOnce() -> (BTreeMap<String, u64>, Option<S3>),
    ) -> Result<(Outcome, Figures), CommandError> {
        let Self { context, scanner, mut store, jobs } = self;
        let stop = CancellationToken::default();
        let interrupt = stop_on_interrupt(&stop);
        let ledger = store.ledger().map_err(|error| context.store_error(&error))?;
        let (sender, items) = queue();
        let feed = Feed { versions: Versions::of(&scanner), ledger, queue: sender, stop: stop.clone() };
        let progress = context.console.progress("loading", Some(0));
        let (stop_scanning, failed) = (stop.clone(), CancellationToken::default());
        let has_failed = failed.clone();
        let scanning = tokio::task::spawn_blocking(move || {
            let mut watch = |figures: &Figures| {
                progress.set_total(figures.expected);
                progress.update(figures.done(), counted(figures.counts.matched, "event"));
            };
            let loaded = pipeline::run(&mut store, &scanner, items, jobs, &stop_scanning, &mut watch);
            if loaded.is_err() {
                has_failed.cancel();
            }
            loaded
        });
        // The source returns when the queue is closed. A request to stop ends it at once, and so does a failure of the database: the
        // source may be waiting for input that never comes.
        let found = tokio::select! {
            found = source(feed) => found,
            () = stop.cancelled() => {
                context.console.message(STOPPING);
                Ok(())
            }
            () = failed.cancelled() => Ok(()),
        };
        let figures = scanning
            .await
            .expect("the pipeline does not panic")
            .map_err(|error| context.store_error(&error).hint(RESUME))?;
        interrupt.abort();
        if found.is_err() && figures.done() == 0 {
            return found.map(|()| (Outcome::Failed, figures));
        }
        let (requests, s3) = costs();
        let summary = Summary { requests, s3, ..Summary::new(&figures, stop.is_cancelled()) };
        summary.print(&context.console);
        found?;
        let outcome = summary.outcome();
        Ok((outcome, figures))
    }
}
