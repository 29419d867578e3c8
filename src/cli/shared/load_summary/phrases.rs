//! Counts, sizes and costs in words.

use crate::console::{counted, number};

/// What was read, or that nothing is new. Parts that are `None` are left out.
pub(super) fn what_was_read(read: u64, noun: &str, others: &[Option<String>]) -> String {
    let others: Vec<&str> = others.iter().flatten().map(String::as_str).collect();
    match (read, others.is_empty()) {
        (0, true) => format!("no {noun}s"),
        (0, false) => format!("no new {noun}s ({})", others.join(", ")),
        (read, true) => counted(read, noun),
        (read, false) => format!("{}; {}", counted(read, noun), others.join(", ")),
    }
}

pub(super) fn already_loaded_phrase(count: u64) -> Option<String> {
    (count > 0).then(|| format!("{} already loaded", number(count)))
}

/// How many of `total` (more than none) were not in the database before.
pub(in crate::cli) fn how_new(total: u64, new: u64) -> String {
    match new {
        0 => "none new".to_owned(),
        new if new == total => "all new".to_owned(),
        new => format!("{} new", number(new)),
    }
}

/// What failed, without the zeros, and that the next load tries again.
pub(super) fn retried(failed: &[(u64, &str)]) -> String {
    let failed: Vec<String> =
        failed.iter().filter(|(count, _)| *count > 0).map(|(count, noun)| counted(*count, noun)).collect();
    format!("{}; the next load tries again", failed.join(" and "))
}

/// Identifiers that were not stored, if there are any.
pub(in crate::cli) fn pruned(ids: u64) -> Option<String> {
    let why = "not stored: their events are older than the last prune --forget-creators";
    (ids > 0).then(|| format!("{} {why}", counted(ids, "identifier")))
}

/// Athena's estimated cost, as text.
pub(in crate::cli) fn cost(dollars: f64) -> String {
    const CENT: f64 = 0.01;
    let amount = if dollars < CENT { "less than $0.01".to_owned() } else { format!("about ${dollars:.2}") };
    format!("estimated cost {amount} (at $5 per TB)")
}

/// A number of bytes, as text.
pub(in crate::cli) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
    match UNITS.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} bytes"),
    }
}
