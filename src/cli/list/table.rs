//! A text table that fits the terminal: wide columns are cut, then the least important ones are left out.

use crate::resource::Resource;
use crate::text::safe;

const COLUMNS: [&str; 11] =
    ["type", "id", "name", "account", "region", "owner", "creator", "created at", "tool", "event", "why this owner"];

/// The position of the reason for the owner.
const REASON: usize = 10;

/// The columns that are left out first where the terminal is too narrow.
const LEAST_IMPORTANT: [usize; 8] = [9, 6, 3, 4, 8, 2, 7, REASON];

/// No column is cut to less than this.
const NARROWEST: usize = 10;

const GAP: &str = "  ";

/// What an absent value is shown as.
const NONE: &str = "-";

/// The widest column, in characters.
const WIDEST: usize = 300;

/// The columns that are shown, with their widths.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Number and width.
    columns: Vec<(usize, usize)>,
    /// Whether longer values are cut.
    is_cut: bool,
}

/// The values of a resource, in the order of the columns. Each is one line without anything that a terminal obeys.
pub(super) fn cells(resource: &Resource) -> Vec<String> {
    let event = resource.event.as_ref();
    let cells = [
        Some(resource.resource_type.as_str()),
        Some(resource.id.as_str()),
        // An ID that is a name need not be there twice.
        resource.name.as_deref().filter(|name| *name != resource.id.as_str()),
        Some(resource.account_name.as_deref().unwrap_or(resource.account_id.as_str())),
        Some(resource.region.as_str()),
        resource.owner.as_deref(),
        resource.creator.as_deref(),
        resource.created_at(),
        resource.tool.as_deref(),
        event.map(|event| event.name.as_str()),
        resource.owner_reason.as_deref(),
    ];
    cells.into_iter().map(|cell| safe::one_line(cell.unwrap_or(NONE)).into_owned()).collect()
}

fn length(text: &str) -> usize {
    text.chars().count()
}

impl Layout {
    /// For these rows, and a terminal of this width. `has_reasons`: with the reason for each owner.
    pub(super) fn of(rows: &[Vec<String>], terminal: Option<usize>, has_reasons: bool) -> Self {
        let natural = |column: usize| {
            let longest = rows.iter().map(|row| length(&row[column])).max().unwrap_or_default();
            // A longer value makes its own row longer: padding the others to it would repeat its size, and formatting has a limit.
            (column, longest.max(length(COLUMNS[column])).min(WIDEST))
        };
        let mut columns: Vec<(usize, usize)> =
            (0..COLUMNS.len()).filter(|column| has_reasons || *column != REASON).map(natural).collect();
        let Some(terminal) = terminal else { return Self { columns, is_cut: false } };
        let total = |columns: &[(usize, usize)], width: &dyn Fn(usize) -> usize| {
            let gaps = GAP.len() * columns.len().saturating_sub(1);
            columns.iter().map(|(_, natural)| width(*natural)).sum::<usize>() + gaps
        };
        let narrowest = |natural: usize| natural.min(NARROWEST);
        for column in LEAST_IMPORTANT {
            if total(&columns, &narrowest) > terminal {
                columns.retain(|(shown, _)| *shown != column);
            }
        }
        while total(&columns, &|natural| natural) > terminal {
            let widest = columns.iter_mut().max_by_key(|(_, width)| *width).filter(|(_, width)| *width > 1);
            let Some((_, width)) = widest else { break };
            *width -= 1;
        }
        Self { columns, is_cut: true }
    }

    /// Adds the line of the column names.
    pub(super) fn push_header(&self, text: &mut String) {
        self.push(text, &COLUMNS.map(str::to_owned));
    }

    /// Adds the line of a row.
    pub(super) fn push(&self, text: &mut String, row: &[String]) {
        let cells = self.columns.iter().map(|(column, width)| {
            let cell = &row[*column];
            if self.is_cut && length(cell) > *width {
                let kept: String = cell.chars().take(width.saturating_sub(1)).collect();
                format!("{kept}…")
            } else {
                format!("{cell:<width$}")
            }
        });
        text.push_str(cells.collect::<Vec<_>>().join(GAP).trim_end());
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str) -> Vec<String> {
        let row = [
            "sqs",
            id,
            "-",
            "123456789012",
            "eu-west-1",
            "anna@example.com",
            "anna@example.com",
            "2026-03-01T10:00:00Z",
            "Terraform",
            "CreateQueue",
            "identity map, rule 1 (map.yml:3)",
        ];
        row.map(str::to_owned).to_vec()
    }

    fn lines(terminal: Option<usize>) -> Vec<String> {
        let rows = [row("q"), row("a-queue-with-a-name-that-is-far-too-long-for-a-terminal")];
        let layout = Layout::of(&rows, terminal, false);
        let mut text = String::new();
        layout.push_header(&mut text);
        rows.iter().for_each(|row| layout.push(&mut text, row));
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn table_fits_every_terminal() {
        for width in [20, 40, 60, 80, 100, 160] {
            let lines = lines(Some(width));
            assert!(lines.iter().all(|line| length(line) <= width), "{width}: {lines:#?}");
            assert!(lines[0].starts_with("type"), "{width}: {lines:#?}");
        }
        assert!(lines(Some(100))[0].contains("owner") && lines(Some(100))[2].contains('…'));
    }

    #[test]
    fn reasons_are_shown_on_request() {
        let text = |has_reasons| {
            let mut text = String::new();
            Layout::of(&[row("q")], None, has_reasons).push(&mut text, &row("q"));
            text
        };
        assert!(text(true).ends_with("identity map, rule 1 (map.yml:3)\n") && text(false).ends_with("CreateQueue\n"));
    }

    #[test]
    fn regression_a_value_of_any_length_is_printed() {
        let rows = [row(&"q".repeat(100_000)), row("q")];
        let layout = Layout::of(&rows, None, false);
        let mut text = String::new();
        rows.iter().for_each(|row| layout.push(&mut text, row));
        assert!(length(&text) < 101_000, "{}", length(&text));
    }

    #[test]
    fn nothing_is_cut_without_a_terminal() {
        let lines = lines(None);
        assert!(lines[2].contains("far-too-long-for-a-terminal") && lines[2].ends_with("CreateQueue"));
    }
}
