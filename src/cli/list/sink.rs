//! Where listed resources go: out as they come, through a sorter on disk, or into counts. Memory does not grow with their number.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde_json::json;

use super::rows::{Format, Rows};
use super::{Args, CommandError, Context};
use crate::console::{Lines, number};
use crate::report::csv::{self, Cell};
use crate::report::live::{Of, SourceOfType};
use crate::resource::{CountBy, Order, Resource};
use crate::store::recorded::Sorter;

/// The version of the JSON document's format.
const FORMAT_VERSION: u32 = 1;

/// What an absent value is called in a table of counts.
const NONE: &str = "-";

/// Takes resources.
pub(super) struct Sink<'a> {
    context: &'a Context,
    rows: Rows<'a>,
    arrangement: Arrangement,
    is_live: bool,
    limit: Option<u64>,
    count: u64,
}

enum Arrangement {
    Direct,
    Sorted(Sorter, Order),
    Counted(CountBy, BTreeMap<Option<String>, u64>),
}

impl<'a> Sink<'a> {
    pub(super) fn new(context: &'a Context, args: &Args) -> Result<Self, CommandError> {
        let arrangement = match (args.by, args.sort) {
            (Some(by), _) => Arrangement::Counted(by, BTreeMap::new()),
            (None, Some(order)) => {
                Arrangement::Sorted(Sorter::new().map_err(|error| CommandError::while_doing("sorting", &error))?, order)
            }
            (None, None) => Arrangement::Direct,
        };
        let rows = Rows::new(context, args.owner.identity_map.is_some());
        Ok(Self { context, rows, arrangement, is_live: args.live, limit: args.limit, count: 0 })
    }

    /// Starts the output.
    pub(super) fn begin(&mut self) {
        if !matches!(self.arrangement, Arrangement::Counted(..)) {
            self.rows.begin(&json!({"format_version": FORMAT_VERSION, "live": self.is_live}));
        }
    }

    /// Adds a resource. Breaks if no more are wanted.
    ///
    /// # Errors
    /// The disk is full.
    pub(super) fn add(&mut self, resource: Resource) -> Result<ControlFlow<()>, CommandError> {
        let is_full = |count: u64, limit: Option<u64>| limit.is_some_and(|limit| count >= limit);
        match &mut self.arrangement {
            Arrangement::Direct if is_full(self.count, self.limit) => return Ok(ControlFlow::Break(())),
            Arrangement::Direct => self.rows.add(resource),
            Arrangement::Sorted(sorter, order) => {
                let text = serde_json::to_string(&resource).expect("the document holds text keys only");
                let added = sorter.add_text(&order.key(&resource), &text);
                added.map_err(|error| CommandError::while_doing("sorting", &error))?;
            }
            Arrangement::Counted(by, counts) => {
                let value = by.value(&resource);
                match counts.get_mut(&value.map(str::to_owned)) {
                    Some(count) => *count += 1,
                    None => drop(counts.insert(value.map(str::to_owned), 1)),
                }
            }
        }
        self.count += 1;
        let is_enough = matches!(self.arrangement, Arrangement::Direct) && is_full(self.count, self.limit);
        Ok(if is_enough || self.context.console.is_closed() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    }

    /// Writes the rest. Returns the number of resources.
    ///
    /// # Errors
    /// The disk is full.
    pub(super) fn finish(self) -> Result<u64, CommandError> {
        self.finish_with(&[])
    }

    /// As [`Sink::finish`]. A JSON document gets the sources of the population too, if any are known.
    ///
    /// # Errors
    /// The disk is full.
    pub(super) fn finish_with(mut self, sources: &[Of<SourceOfType>]) -> Result<u64, CommandError> {
        match std::mem::replace(&mut self.arrangement, Arrangement::Direct) {
            Arrangement::Direct => {}
            Arrangement::Counted(by, counts) => {
                self.show_counts(by, &counts);
                return Ok(self.count);
            }
            Arrangement::Sorted(sorter, order) => {
                let rows = &mut self.rows;
                let mut each = |text: &str| rows.add(serde_json::from_str(text).expect("it was written here"));
                let sorted = sorter.each_text(order.is_descending, self.limit, &mut each);
                sorted.map_err(|error| CommandError::while_doing("sorting", &error))?;
            }
        }
        self.rows.finish((!sources.is_empty()).then(|| ("sources", json!(sources))));
        Ok(self.count)
    }

    fn show_counts(&self, by: CountBy, counts: &BTreeMap<Option<String>, u64>) {
        let mut counts: Vec<(Option<&str>, u64)> =
            counts.iter().map(|(value, count)| (value.as_deref(), *count)).collect();
        if by != CountBy::Month {
            counts.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(&other.0)));
        }
        let column = by.to_string();
        let console = &self.context.console;
        let entry = |(value, count): &(Option<&str>, u64)| json!({column.as_str(): value, "resources": count});
        match self.rows.format {
            Format::Json => console.json(&json!({
                "format_version": FORMAT_VERSION,
                "live": self.is_live,
                "by": column,
                "resources": self.count,
                "counts": counts.iter().map(entry).collect::<Vec<_>>(),
            })),
            Format::Jsonl => counts.iter().for_each(|count| console.json_part(&entry(count).to_string())),
            Format::Csv => {
                let cells = |(value, count): &(Option<&str>, u64)| {
                    vec![Cell::Text(value.unwrap_or_default().to_owned()), Cell::Number(Some(*count))]
                };
                console.document(&csv::table(&[column.as_str(), "resources"], counts.iter().map(cells)));
            }
            Format::Text if counts.is_empty() => {}
            Format::Text => {
                let mut rows = vec![vec!["resources".to_owned(), column]];
                let row = |(value, count): &(Option<&str>, u64)| vec![number(*count), value.unwrap_or(NONE).to_owned()];
                rows.extend(counts.iter().map(row));
                console.lines(&Lines::table(&rows, 1));
            }
        }
    }
}
