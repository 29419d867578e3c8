//! Files without CloudTrail records in a summary: their names and kinds, and the number of those that are not named.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::console::{counted, number};
use crate::load::{Figures, OtherFile};
use crate::trail::envelope::Kind;

/// Files that the text names. JSON names more.
const NAMED: usize = 10;

/// A file without records.
#[derive(Serialize)]
pub(in crate::cli) struct OtherEntry<'f> {
    name: &'f str,
    kind: &'static str,
}

impl<'f> From<&'f OtherFile> for OtherEntry<'f> {
    fn from(file: &'f OtherFile) -> Self {
        Self { name: &file.name, kind: file.kind.phrase() }
    }
}

/// The numbers of files or values by kind.
pub(in crate::cli) fn by_kind(counts: &BTreeMap<Kind, u64>) -> BTreeMap<&'static str, u64> {
    counts.iter().map(|(kind, count)| (kind.phrase(), *count)).collect()
}

/// "2 files", as one of the parts of what was read.
pub(in crate::cli) fn skipped_phrase(skipped: u64) -> Option<String> {
    (skipped > 0).then(|| format!("{} without records", counted(skipped, "file")))
}

/// The values in log files that are not records: "a log event that is not from CloudTrail 12".
pub(in crate::cli) fn ignored_phrase(figures: &Figures) -> Option<String> {
    let others = &figures.counts.others;
    (!others.is_empty()).then(|| kinds(others))
}

fn kinds(counts: &BTreeMap<Kind, u64>) -> String {
    let mut counts: Vec<_> = counts.iter().filter(|(_, count)| **count > 0).collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let counts = counts.iter().map(|(kind, count)| format!("{} {}", kind.phrase(), number(**count)));
    counts.collect::<Vec<_>>().join(", ")
}

/// The first files without records, one a line, and how many more there are.
pub(in crate::cli) fn named(figures: &Figures) -> Vec<String> {
    let files = &figures.other_files;
    let named = &files[..files.len().min(NAMED)];
    let mut lines: Vec<String> = named.iter().map(|file| format!("  {}: {}", file.name, file.kind.phrase())).collect();
    let mut rest = figures.other_kinds.clone();
    for file in named {
        if let Some(count) = rest.get_mut(&file.kind) {
            *count -= 1;
        }
    }
    let more: u64 = rest.values().sum();
    if more > 0 {
        lines.push(format!("  … and {} more: {}", number(more), kinds(&rest)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_files_are_named_and_the_others_counted_by_kind() {
        let mut figures = Figures::default();
        for number in 0..15 {
            let kind = if number < 12 { Kind::FlowLog } else { Kind::Config };
            figures.other_files.push(OtherFile { name: format!("{number:02}"), kind });
            *figures.other_kinds.entry(kind).or_default() += 1;
        }
        let lines = named(&figures);
        assert_eq!(lines[0], "  00: a VPC flow log");
        assert_eq!(lines[10..], ["  … and 5 more: an AWS Config snapshot 3, a VPC flow log 2"]);
    }
}
