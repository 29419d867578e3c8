//! Reads CSV with the place of each cell: RFC 4180, and what spreadsheets write.
//!
//! The `csv` crate reports no columns, and takes a quote that is never closed for the rest of the file.

/// A cell, without its quotes and without spaces around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    /// From 1, in characters.
    pub(super) column: usize,
}

/// A row with at least one cell that is not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// From 1.
    pub(super) line: usize,
    pub(super) cells: Vec<Cell>,
}

/// A text that is not CSV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invalid {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) message: &'static str,
}

/// Characters that separate cells, the likeliest first: spreadsheets write a semicolon where the comma is the decimal sign.
const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// The line that some spreadsheets write and read before the header.
const SEPARATOR_LINE: &str = "sep=";

/// The rows of a text, without empty ones.
///
/// # Errors
/// A quote is not closed, or is followed by text.
pub(super) fn rows(text: &str) -> Result<Vec<Row>, Invalid> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let declared = first.get(..SEPARATOR_LINE.len()).filter(|start| start.eq_ignore_ascii_case(SEPARATOR_LINE));
    let declared = declared.and_then(|_| first[SEPARATOR_LINE.len()..].trim_matches('"').chars().next());
    let separator = declared.unwrap_or_else(|| separator_of(text));
    let mut reader = Reader { text: text.chars().peekable(), line: 1, column: 1, separator };
    let mut rows = Vec::new();
    while let Some(row) = reader.row()? {
        rows.push(row);
    }
    if declared.is_some() {
        rows.remove(0);
    }
    rows.retain(|row| row.cells.iter().any(|cell| !cell.text.is_empty()));
    Ok(rows)
}

/// The character that the first line with text has most often outside quotes.
fn separator_of(text: &str) -> char {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let outside = || header.split('"').step_by(2);
    let count = |separator: char| outside().map(|part| part.matches(separator).count()).sum::<usize>();
    SEPARATORS.into_iter().rev().max_by_key(|separator| count(*separator)).unwrap_or(',')
}

struct Reader<'t> {
    text: std::iter::Peekable<std::str::Chars<'t>>,
    line: usize,
    column: usize,
    separator: char,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.text.next()?;
        self.column += 1;
        Some(next)
    }

    /// Takes a line end: LF, CR LF or CR.
    fn line_end(&mut self) -> bool {
        let is_carriage_return = self.text.next_if_eq(&'\r').is_some();
        if self.text.next_if_eq(&'\n').is_none() && !is_carriage_return {
            return false;
        }
        self.line += 1;
        self.column = 1;
        true
    }

    fn row(&mut self) -> Result<Option<Row>, Invalid> {
        if self.text.peek().is_none() {
            return Ok(None);
        }
        let mut row = Row { line: self.line, cells: Vec::new() };
        loop {
            row.cells.push(self.cell()?);
            if self.text.peek().is_none() || self.line_end() {
                return Ok(Some(row));
            }
            // The separator: nothing else ends a cell.
            self.next();
        }
    }

    fn cell(&mut self) -> Result<Cell, Invalid> {
        while self.text.peek().is_some_and(|next| *next == ' ' && self.separator != ' ') {
            self.next();
        }
        let column = self.column;
        let text = if self.text.peek() == Some(&'"') { self.quoted()? } else { self.bare() };
        Ok(Cell { text: text.trim().to_owned(), column })
    }

    fn bare(&mut self) -> String {
        let mut text = String::new();
        let separator = self.separator;
        while let Some(next) = self.text.next_if(|next| *next != separator && !matches!(next, '\r' | '\n')) {
            self.column += 1;
            text.push(next);
        }
        text
    }

    fn quoted(&mut self) -> Result<String, Invalid> {
        let (line, column) = (self.line, self.column);
        self.next();
        let mut text = String::new();
        loop {
            if self.line_end() {
                text.push('\n');
                continue;
            }
            match self.next() {
                None => return Err(Invalid { line, column, message: "this quote is never closed" }),
                Some('"') if self.text.peek() == Some(&'"') => {
                    self.next();
                    text.push('"');
                }
                Some('"') => break,
                Some(other) => text.push(other),
            }
        }
        let after = self.column;
        if self.bare().trim().is_empty() {
            return Ok(text);
        }
        let message = "text after a closing quote; write a quote inside quotes as two quotes";
        Err(Invalid { line: self.line, column: after, message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<Vec<String>> {
        let rows = rows(text).unwrap();
        rows.into_iter().map(|row| row.cells.into_iter().map(|cell| cell.text).collect()).collect()
    }

    #[test]
    fn spreadsheets_and_hands_write_the_same_rows() {
        for text in [
            "user,email\ndana,d@x.org\n",
            "\u{feff}user;email\r\ndana;d@x.org\r\n;\r\n\r\n",
            "user\temail\ndana\td@x.org",
            "sep=;\r\nuser;email\r\ndana;d@x.org",
            "\"user\",\"email\"\r\"dana\", \"d@x.org\" \r",
            " user , email \n dana , d@x.org \n,\n",
        ] {
            assert_eq!(texts(text), [["user", "email"], ["dana", "d@x.org"]], "{text:?}");
        }
        assert_eq!(texts("a,b\n\"x, \"\"y\"\"\nz\",it\"s"), [["a", "b"], ["x, \"y\"\nz", "it\"s"]]);
        assert_eq!(texts("\"a;b;c\",d\n1,2"), [["a;b;c", "d"], ["1", "2"]], "semicolons in quotes don't count");
        assert!(texts("").is_empty() && texts("\u{feff}\r\n").is_empty());
    }

    #[test]
    fn cells_and_errors_have_their_place() {
        let found = rows("a,b\n\"1\n2\",é,3\n").unwrap();
        assert_eq!((found[1].line, found[1].cells[1].column, found[1].cells[2].column), (2, 4, 6));
        let error = |text: &str| rows(text).map_err(|error| (error.line, error.column)).unwrap_err();
        assert_eq!(error("a,b\nx,\"y\nz,1\n"), (2, 3));
        assert_eq!(error("a,b\n\"x\"y,1\n"), (2, 4));
    }
}
