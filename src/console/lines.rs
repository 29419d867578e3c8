//! A text of several lines, for [`Console::lines`](super::Console::lines). Each line is escaped when it is added: no value can add another.

use std::fmt::Display;

use crate::text::safe;

/// The widest column, in characters. A longer value makes its own row longer: padding all others to it would repeat its size in each, and
/// formatting has no width above 65,535.
const WIDEST: usize = 300;

/// Lines of text, each with its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines(String);

impl Lines {
    /// Adds a line. Line breaks in it are escaped.
    pub fn line(&mut self, line: impl Display) {
        self.0.push_str(&safe::one_line(&line.to_string()));
        self.0.push('\n');
    }

    /// Adds all lines of another text.
    pub fn append(&mut self, other: &Self) {
        self.0.push_str(&other.0);
    }

    /// Rows of equal length, in columns; the first `numbers` columns are right-aligned.
    pub fn table(rows: &[Vec<String>], numbers: usize) -> Self {
        let rows: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(|cell| safe::one_line(cell)).collect()).collect();
        let columns = rows.first().map_or(0, Vec::len);
        let width =
            |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default().min(WIDEST);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut lines = Self::default();
        for row in &rows {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (value, width))| {
                if column < numbers { format!("{value:>width$}") } else { format!("{value:<width$}") }
            });
            lines.line(cells.collect::<Vec<_>>().join("  ").trim_end());
        }
        lines
    }

    /// The text, with a line end after each line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<D: Display> FromIterator<D> for Lines {
    fn from_iter<I: IntoIterator<Item = D>>(lines: I) -> Self {
        let mut text = Self::default();
        lines.into_iter().for_each(|line| text.line(line));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_adds_a_line_or_moves_a_column() {
        let cell = |text: &str| text.to_owned();
        let table = Lines::table(&[vec![cell("7"), cell("a\nb"), cell("x")], vec![cell("12"), cell("c"), cell("")]], 1);
        assert_eq!(table.as_str(), " 7  a\\nb  x\n12  c\n");
    }

    #[test]
    fn regression_a_value_of_any_length_is_printed_and_pads_no_other_row() {
        let long = "x".repeat(100_000);
        let table = Lines::table(&[vec![long.clone(), "1".to_owned()], vec!["a".to_owned(), "2".to_owned()]], 0);
        assert_eq!(table.as_str(), format!("{long}  1\na{}  2\n", " ".repeat(WIDEST - 1)));
    }
}
