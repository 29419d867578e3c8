//! Long lists of a plan as text: a few rows of each group, and one line for the others.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::Context;
use crate::console::number;
use crate::plan::{SkipKind, SkippedResource};

/// The option that prints all rows, where `--all` means all accounts.
pub(in crate::cli) const ALL_ROWS: &str = "--all-rows";

/// The option that prints all rows.
pub(in crate::cli) const ALL: &str = "--all";

/// Rows of a group of writes that are printed before the others are counted.
const WRITES_SHOWN: usize = 10;

/// A group of more skipped resources is one line.
const SKIPPED_SHOWN: usize = 5;

/// IDs in that line.
const IDS_SHOWN: usize = 3;

/// What to print of a long list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::cli) struct Extent {
    /// Every row.
    pub(in crate::cli) all: bool,
}

/// The options of commands that print plans.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(in crate::cli) struct ExtentArgs {
    /// Print every write and every skipped resource, not only the first of each type and reason
    #[arg(long, visible_alias = "all-rows")]
    all: bool,
}

impl From<ExtentArgs> for Extent {
    fn from(ExtentArgs { all }: ExtentArgs) -> Self {
        Self { all }
    }
}

/// A row of a group: what is done, to which type, and the line, which is made when it is printed.
pub(in crate::cli) struct WriteRow<'a, L> {
    pub(in crate::cli) verb: &'static str,
    pub(in crate::cli) resource_type: &'a str,
    pub(in crate::cli) line: L,
}

/// Prints the first writes of each verb and type, then the number of the others. Returns whether there are others.
#[must_use]
pub(in crate::cli) fn print_writes<'a, L: Fn() -> String>(
    context: &Context,
    extent: Extent,
    rows: impl IntoIterator<Item = WriteRow<'a, L>>,
) -> bool {
    let mut groups: BTreeMap<(&str, &'static str), (Vec<L>, usize)> = BTreeMap::new();
    for WriteRow { verb, resource_type, line } in rows {
        let (shown, more) = groups.entry((resource_type, verb)).or_default();
        if extent.all || shown.len() < WRITES_SHOWN {
            shown.push(line);
        } else {
            *more += 1;
        }
    }
    let mut hidden = false;
    for ((resource_type, verb), (shown, more)) in groups {
        shown.iter().for_each(|line| context.console.data(line()));
        if more > 0 {
            context.console.data(format_args!("{verb} {} more {resource_type}", count(more)));
            hidden = true;
        }
    }
    hidden
}

/// Prints the skipped resources with the reasons; many of one type and reason as one line. Returns whether there is such a line.
#[must_use]
pub(in crate::cli) fn print_skipped(context: &Context, extent: Extent, left: &[SkippedResource]) -> bool {
    let mut groups: BTreeMap<(&str, SkipKind), Vec<&SkippedResource>> = BTreeMap::new();
    for resource in left {
        groups.entry((resource.resource_type.as_str(), resource.kind)).or_default().push(resource);
    }
    let mut hidden = false;
    for ((resource_type, kind), group) in groups {
        if extent.all || group.len() <= SKIPPED_SHOWN {
            for SkippedResource { id, reason, .. } in group {
                context.console.data(format_args!("skip {resource_type} {id} ({reason})"));
            }
            continue;
        }
        hidden = true;
        let first = &group[0].reason;
        let is_one = group.iter().all(|resource| resource.reason == *first);
        let reason = if is_one { first.as_str() } else { kind.phrase() };
        let ids: Vec<&str> = group.iter().take(IDS_SHOWN).map(|resource| resource.id.as_str()).collect();
        let number = count(group.len());
        context.console.data(format_args!("skip {number} {resource_type} ({reason}): {}, …", ids.join(", ")));
    }
    hidden
}

fn count(length: usize) -> impl Display {
    number(u64::try_from(length).unwrap_or(u64::MAX))
}

/// Names the option that prints all rows, if some were not printed.
pub(in crate::cli) fn show_hint(context: &Context, hidden: bool, option: &str) {
    if hidden {
        context
            .console
            .message(format_args!("only the first rows of each type and reason are printed; {option} prints all"));
    }
}
