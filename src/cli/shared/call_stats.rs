//! `--stats`: the AWS calls of a run by operation, and how many a tag took.

use serde_json::{Value, json};

use super::Context;
use crate::aws::Counts;

#[derive(Debug, Clone, Copy, clap::Args)]
pub(in crate::cli) struct StatsArgs {
    /// Print the number of AWS calls, by operation and per tag
    #[arg(long)]
    pub(in crate::cli) stats: bool,
}

/// Prints the calls, the most frequent operation first. `tags`: how many the run wrote or removed.
pub(in crate::cli) fn show(context: &Context, calls: &Counts, tags: u64) {
    let mut operations: Vec<(String, u64)> = calls.by_operation().into_iter().collect();
    operations.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (operation, count) in operations {
        context.console.message(format_args!("{count:>8} {operation}"));
    }
    if let Some(per_tag) = per_tag(calls, tags) {
        context.console.message(format_args!("{per_tag:>8.2} calls per tag"));
    }
}

/// Adds the same to the summary of a document.
pub(in crate::cli) fn add_to(summary: &mut Value, calls: &Counts, tags: u64) {
    summary["stats"] = json!(calls.by_operation());
    summary["calls_per_tag"] = json!(per_tag(calls, tags).map(|per_tag| (per_tag * 100.0).round() / 100.0));
}

fn per_tag(calls: &Counts, tags: u64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]
    (tags > 0).then(|| calls.total() as f64 / tags as f64)
}
