//! Resources as text, JSON, JSON Lines and CSV, written as they come.

use serde_json::Value;

use super::Context;
use super::table::{Layout, cells};
use crate::cli::Output;
use crate::report::csv::{self, Cell};
use crate::resource::Resource;

/// Bytes that are written at once.
const WRITTEN_AT_ONCE: usize = 64 * 1024;

/// Rows of a text table that decide how wide its columns are.
const ROWS_MEASURED: usize = 1000;

const CSV_COLUMNS: [&str; 13] = [
    "type",
    "id",
    "name",
    "account_id",
    "region",
    "owner",
    "creator",
    "created_at",
    "tool",
    "event",
    "account_name",
    "arn",
    "tags",
];

/// The format of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Json,
    Jsonl,
    Csv,
}

/// Writes rows.
pub(super) struct Rows<'a> {
    context: &'a Context,
    pub(super) format: Format,
    /// What is not written yet.
    buffer: String,
    has_first: bool,
    /// Rows before the layout is known.
    measured: Vec<Vec<String>>,
    layout: Option<Layout>,
    /// Whether the table has the reason for each owner.
    has_reasons: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn new(context: &'a Context, has_reasons: bool) -> Self {
        let format = match context.global.output {
            Output::Text => Format::Text,
            Output::Json => Format::Json,
            Output::Jsonl => Format::Jsonl,
            Output::Csv => Format::Csv,
        };
        Self {
            context,
            format,
            buffer: String::new(),
            has_first: false,
            measured: Vec::new(),
            layout: None,
            has_reasons,
        }
    }

    /// Starts the document. `head`: its first fields.
    pub(super) fn begin(&mut self, head: &Value) {
        match self.format {
            Format::Json => {
                let head = head.to_string();
                let fields = head.trim_end_matches('}');
                self.buffer.push_str(&format!("{fields},\"resources\":[\n"));
            }
            Format::Csv => self.buffer.push_str(&csv::table(&CSV_COLUMNS, [])),
            Format::Text | Format::Jsonl => {}
        }
    }

    pub(super) fn add(&mut self, resource: Resource) {
        match self.format {
            Format::Json | Format::Jsonl => {
                let separator = match (self.format, self.has_first) {
                    (Format::Json, true) => ",\n",
                    _ => "",
                };
                let end = if self.format == Format::Jsonl { "\n" } else { "" };
                let document = serde_json::to_string(&resource).expect("the document holds text keys only");
                self.buffer.extend([separator, &document, end]);
            }
            Format::Csv => csv::push_row(&mut self.buffer, &csv_cells(resource)),
            Format::Text => self.add_text(&resource),
        }
        self.has_first = true;
        if self.buffer.len() >= WRITTEN_AT_ONCE {
            self.flush();
        }
    }

    fn add_text(&mut self, resource: &Resource) {
        let row = cells(resource);
        match &self.layout {
            Some(layout) => layout.push(&mut self.buffer, &row),
            None => {
                self.measured.push(row);
                if self.measured.len() >= ROWS_MEASURED {
                    self.lay_out();
                }
            }
        }
    }

    fn lay_out(&mut self) {
        let layout = Layout::of(&self.measured, self.context.console.data_width(), self.has_reasons);
        layout.push_header(&mut self.buffer);
        self.measured.drain(..).for_each(|row| layout.push(&mut self.buffer, &row));
        self.layout = Some(layout);
    }

    /// Writes the rest, and the end of the document. `last`: its last field in JSON, if it has one.
    pub(super) fn finish(mut self, last: Option<(&str, Value)>) {
        if self.layout.is_none() && !self.measured.is_empty() {
            self.lay_out();
        }
        if self.format == Format::Json {
            let last = last.map(|(name, value)| format!(",\n\"{name}\":{value}")).unwrap_or_default();
            let end = if self.has_first { "\n]" } else { "]" };
            self.buffer.extend([end, &last, "}"]);
        }
        self.flush();
    }

    fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let console = &self.context.console;
        match self.format {
            Format::Json | Format::Jsonl => console.json_part(self.buffer.trim_end_matches('\n')),
            Format::Text | Format::Csv => console.document(&self.buffer),
        }
        self.buffer.clear();
    }
}

/// In the order of [`CSV_COLUMNS`].
fn csv_cells(resource: Resource) -> Vec<Cell> {
    let event = resource.event;
    let tags = resource.tags.map(|tags| serde_json::to_string(&tags).expect("it holds text keys only"));
    let (created_at, event_name) = event.map(|event| (event.time.to_string(), event.name.to_string())).unzip();
    let cells = [
        Some(resource.resource_type.to_string()),
        Some(resource.id.to_string()),
        resource.name,
        Some(resource.account_id.to_string()),
        Some(resource.region.to_string()),
        resource.owner,
        resource.creator,
        created_at,
        resource.tool,
        event_name,
        resource.account_name,
        resource.arn.map(|arn| arn.to_string()),
        tags,
    ];
    cells.into_iter().map(|cell| Cell::Text(cell.unwrap_or_default())).collect()
}
