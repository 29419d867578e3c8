//! Long lists of a plan as text: a few rows of each group, and one line for the others.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::Context;
use crate::console::number;
use crate::model::{ResourceId, ResourceType};
use crate::packed_list::PackedList;
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

/// A row of a group: what is done, to which type, and the line, which is made only if it is printed.
pub(in crate::cli) struct WriteRow<T, L> {
    pub(in crate::cli) verb: &'static str,
    pub(in crate::cli) resource_type: T,
    pub(in crate::cli) line: L,
}

/// Prints the first writes of each verb and type, then the number of the others. Returns whether there are others.
#[must_use]
pub(in crate::cli) fn print_writes<T: Into<String>, L: FnOnce() -> String>(
    context: &Context,
    extent: Extent,
    rows: impl IntoIterator<Item = WriteRow<T, L>>,
) -> bool {
    let mut groups: BTreeMap<(String, &'static str), (PackedList<String>, usize)> = BTreeMap::new();
    for WriteRow { verb, resource_type, line } in rows {
        let (shown, more) = groups.entry((resource_type.into(), verb)).or_default();
        if extent.all || shown.len() < WRITES_SHOWN {
            shown.push(&line());
        } else {
            *more += 1;
        }
    }
    let mut hidden = false;
    for ((resource_type, verb), (shown, more)) in groups {
        shown.iter().for_each(|line| context.console.data(line));
        if more > 0 {
            context.console.data(format_args!("{verb} {} more {resource_type}", count(more)));
            hidden = true;
        }
    }
    hidden
}

/// Skipped resources of one type and reason.
#[derive(Default)]
struct SkippedGroup {
    count: usize,
    /// Those that may be printed, as id and reason.
    shown: PackedList<(ResourceId, String)>,
    first_reason: String,
    /// Whether all have the reason of the first one.
    has_one_reason: bool,
}

impl SkippedGroup {
    fn add(&mut self, SkippedResource { id, reason, .. }: SkippedResource, extent: Extent) {
        if self.count == 0 {
            self.first_reason.clone_from(&reason);
            self.has_one_reason = true;
        }
        self.count += 1;
        self.has_one_reason &= reason == self.first_reason;
        if extent.all || self.shown.len() < SKIPPED_SHOWN {
            self.shown.push(&(id, reason));
        }
    }
}

/// Prints the skipped resources with the reasons; many of one type and reason as one line. Returns whether there is such a line.
#[must_use]
pub(in crate::cli) fn print_skipped(context: &Context, extent: Extent, left: &PackedList<SkippedResource>) -> bool {
    let mut groups: BTreeMap<(ResourceType, SkipKind), SkippedGroup> = BTreeMap::new();
    for resource in left {
        groups.entry((resource.resource_type.clone(), resource.kind)).or_default().add(resource, extent);
    }
    let mut hidden = false;
    for ((resource_type, kind), group) in groups {
        if extent.all || group.count <= SKIPPED_SHOWN {
            for (id, reason) in &group.shown {
                context.console.data(format_args!("skip {resource_type} {id} ({reason})"));
            }
            continue;
        }
        hidden = true;
        let reason = if group.has_one_reason { group.first_reason.as_str() } else { kind.phrase() };
        let ids: Vec<String> = group.shown.iter().take(IDS_SHOWN).map(|(id, _)| id.to_string()).collect();
        let number = count(group.count);
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
