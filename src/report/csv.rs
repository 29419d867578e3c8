//! CSV in the format of RFC 4180, safe to open in a spreadsheet.
//!
//! Spreadsheets treat a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break as a formula, and callers choose the names
//! in a trail. Such a text is prefixed with `'`, as OWASP recommends. Line breaks and characters that a terminal obeys are
//! escaped. JSON has the unchanged texts.
//!
//! The `csv` crate would be a dependency for a few lines of code, and does not escape formulas.
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc4180>, <https://owasp.org/www-community/attacks/CSV_Injection>

use std::fmt::Write;

use crate::text::safe;

/// The first characters of formulas in spreadsheets, also in their full-width forms.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A text of any content.
    Text(String),
    /// A number. Empty if it is unknown.
    Number(Option<u64>),
}

/// A header and rows, each line terminated with CR LF.
pub fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
    let mut text = format!("{}\r\n", header.join(","));
    rows.into_iter().for_each(|row| push_row(&mut text, &row));
    text
}

/// Adds a row, terminated with CR LF, for tables that are written as their rows come.
pub fn push_row(text: &mut String, row: &[Cell]) {
    let cells: Vec<String> = row.iter().map(written).collect();
    writeln!(text, "{}\r", cells.join(",")).expect("a text takes all");
}

fn written(cell: &Cell) -> String {
    match cell {
        Cell::Number(number) => number.map(|number| number.to_string()).unwrap_or_default(),
        Cell::Text(text) if text.starts_with(FORMULA) => quoted(&safe::one_line(&format!("'{text}"))),
        Cell::Text(text) => quoted(&safe::one_line(text)),
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> String {
        table(&["a", "b"], [vec![Cell::Text(text.to_owned()), Cell::Number(Some(7))]])
    }

    #[test]
    fn cells_are_quoted_if_necessary() {
        assert_eq!(row("alice"), "a,b\r\nalice,7\r\n");
        assert_eq!(row("doe, jane"), "a,b\r\n\"doe, jane\",7\r\n");
        assert_eq!(row("the \"boss\"\nhere\u{1b}"), "a,b\r\n\"the \"\"boss\"\"\\nhere\\u{1b}\",7\r\n");
        assert_eq!(table(&["a"], [vec![Cell::Number(None)], vec![Cell::Number(Some(0))]]), "a\r\n\r\n0\r\n");
    }

    #[test]
    fn texts_are_never_formulas() {
        for evil in ["=1+1", "+1", "-1", "@SUM(A1)", "＝1"] {
            assert!(row(evil).contains(&format!("\n'{evil}")), "{evil:?}");
        }
        assert!(row("\t=1").contains("\n'\\t=1"));
        assert_eq!(row("=HYPERLINK(\"http://x\",1)"), "a,b\r\n\"'=HYPERLINK(\"\"http://x\"\",1)\",7\r\n");
        assert_eq!(row("a=b-c"), "a,b\r\na=b-c,7\r\n");
    }
}
