//! Text in columns.

/// Rows of equal length as lines; the first `numbers` columns are set to the right.
pub(in crate::cli) fn columns(rows: &[Vec<String>], numbers: usize) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cell = |(column, value): (usize, &String)| match widths[column] {
            width if column < numbers => format!("{value:>width$}"),
            width => format!("{value:<width$}"),
        };
        let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}
