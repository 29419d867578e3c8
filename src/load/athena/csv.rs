//! A streaming parser for Athena's CSV: takes bytes in pieces of any size, and returns complete rows.
//!
//! Athena quotes every value and doubles quotes inside. NULL is written as nothing, the empty string as `""`. General CSV
//! parsers don't distinguish the two, so this one exists. Memory: one row.
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html>

use super::row::Row;
use crate::trail::mend;

/// The longest row, in bytes. Athena's own limit is 32 MB.
const MAX_ROW_BYTES: usize = 64 << 20;

/// The most values of a row. Queries for trails have some forty columns, and memory is taken for each value.
const MAX_VALUES: usize = 10_000;

/// An error in a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
    /// A character at an invalid position.
    #[error("row {row}: {found:?} after a closing quote: not Athena's CSV")]
    Malformed {
        /// The row, from 1 (the header).
        row: u64,
        /// The character.
        found: char,
    },
    /// The file ends inside a value.
    #[error("the file ends inside row {row}")]
    Truncated {
        /// The row, from 1 (the header).
        row: u64,
    },
    /// A row that is longer than Athena's limit.
    #[error("row {row} is longer than {} MB", MAX_ROW_BYTES >> 20)]
    TooLong {
        /// The row, from 1 (the header).
        row: u64,
    },
    /// A row with more values than a query for a trail has columns.
    #[error("row {row} has more than {MAX_VALUES} values: not the result of a query for a trail")]
    TooMany {
        /// The row, from 1 (the header).
        row: u64,
    },
}

/// The position of the parser in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CsvState {
    /// At the beginning of a value.
    Value,
    /// In a value without quotes.
    Bare,
    /// Between quotes.
    Quoted,
    /// After a quote, which ends the value or is the first of two.
    Quote,
}

/// Parses a file piece by piece.
#[derive(Debug)]
pub(crate) struct Reader {
    place: CsvState,
    value: Vec<u8>,
    row: Row,
    row_bytes: usize,
    rows: u64,
}

impl Default for Reader {
    fn default() -> Self {
        Self { place: CsvState::Value, value: Vec::new(), row: Row::new(), row_bytes: 0, rows: 0 }
    }
}

impl Reader {
    /// Parses the next bytes and appends complete rows to `rows`.
    ///
    /// # Errors
    /// The bytes are not Athena's CSV.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], rows: &mut Vec<Row>) -> Result<(), CsvError> {
        while let Some(&byte) = bytes.first() {
            if self.place == CsvState::Quoted {
                let length = memchr::memchr(b'"', bytes).unwrap_or(bytes.len());
                self.take(&bytes[..length])?;
                bytes = &bytes[length..];
                if !bytes.is_empty() {
                    self.place = CsvState::Quote;
                    bytes = &bytes[1..];
                }
                continue;
            }
            bytes = &bytes[1..];
            match (self.place, byte) {
                (CsvState::Value, b'"') => self.place = CsvState::Quoted,
                (CsvState::Quote, b'"') => {
                    self.take(b"\"")?;
                    self.place = CsvState::Quoted;
                }
                (_, b',') => self.end_value()?,
                (_, b'\n') => self.end_row(rows)?,
                (CsvState::Value | CsvState::Quote, b'\r') => {}
                (CsvState::Quote, other) => {
                    return Err(CsvError::Malformed { row: self.rows + 1, found: char::from(other) });
                }
                (_, _) => {
                    self.place = CsvState::Bare;
                    self.take(&[byte])?;
                }
            }
        }
        Ok(())
    }

    /// Ends the file. Appends its last row if it has no line end.
    ///
    /// # Errors
    /// The file ends between quotes.
    pub(crate) fn finish(mut self, rows: &mut Vec<Row>) -> Result<(), CsvError> {
        match self.place {
            CsvState::Quoted => Err(CsvError::Truncated { row: self.rows + 1 }),
            CsvState::Value if self.row.is_empty() => Ok(()),
            _ => self.end_row(rows),
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), CsvError> {
        self.row_bytes += bytes.len();
        if self.row_bytes > MAX_ROW_BYTES {
            return Err(CsvError::TooLong { row: self.rows + 1 });
        }
        self.value.extend_from_slice(bytes);
        Ok(())
    }

    fn end_value(&mut self) -> Result<(), CsvError> {
        let null = self.place == CsvState::Value;
        if self.row.len() >= MAX_VALUES {
            return Err(CsvError::TooMany { row: self.rows + 1 });
        }
        self.row.push((!null).then(|| mend::text(&self.value).into_owned()));
        self.value.clear();
        self.place = CsvState::Value;
        Ok(())
    }

    fn end_row(&mut self, rows: &mut Vec<Row>) -> Result<(), CsvError> {
        self.end_value()?;
        let columns = self.row.len();
        rows.push(std::mem::replace(&mut self.row, Row::with_capacity(columns)));
        self.rows += 1;
        self.row_bytes = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, piece: usize) -> Result<Vec<Row>, CsvError> {
        let (mut reader, mut rows) = (Reader::default(), Vec::new());
        for bytes in text.as_bytes().chunks(piece) {
            reader.feed(bytes, &mut rows)?;
        }
        reader.finish(&mut rows)?;
        Ok(rows)
    }

    fn row(values: &[Option<&str>]) -> Row {
        values.iter().map(|value| value.map(str::to_owned)).collect()
    }

    #[test]
    fn null_differs_from_empty_string() {
        let rows = read("\"a\",\"b\",\"c\"\n,\"\",\n\"x\",,\"\"\n", 3).unwrap();
        assert_eq!(
            rows,
            [row(&[Some("a"), Some("b"), Some("c")]), row(&[None, Some(""), None]), row(&[Some("x"), None, Some("")]),]
        );
    }

    #[test]
    fn quotes_commas_and_line_ends_are_part_of_a_value() {
        let rows = read("\"{\"\"a\"\":\"\"x,\r\ny\"\"}\",\"\"\"\"\r\n\"last\",bare", 1).unwrap();
        assert_eq!(rows, [row(&[Some("{\"a\":\"x,\r\ny\"}"), Some("\"")]), row(&[Some("last"), Some("bare")])]);
    }

    #[test]
    fn one_column_of_nulls_is_one_row_each() {
        assert_eq!(read("\"a\"\n\n\n", 2).unwrap(), [row(&[Some("a")]), row(&[None]), row(&[None])]);
        assert_eq!(read("", 1).unwrap(), Vec::<Row>::new());
    }

    #[test]
    fn errors_have_row_numbers() {
        assert_eq!(read("\"a\"\n\"b", 1), Err(CsvError::Truncated { row: 2 }));
        assert_eq!(read("\"a\"x\n", 1), Err(CsvError::Malformed { row: 1, found: 'x' }));
        let many = format!("\"a\"\n{}\n", ",".repeat(MAX_VALUES));
        assert_eq!(read(&many, 100), Err(CsvError::TooMany { row: 2 }));
    }

    #[test]
    fn bytes_that_are_not_utf8_cost_no_row() {
        let (mut reader, mut rows) = (Reader::default(), Vec::new());
        reader.feed(b"\"a\"\n\"x\xff\"\n\"b\"\n", &mut rows).unwrap();
        assert_eq!(rows, [row(&[Some("a")]), row(&[Some("x\u{fdd0}")]), row(&[Some("b")])]);
    }

    proptest! {
        /// Text in Athena's format is parsed back, for all piece sizes.
        #[test]
        fn rows_survive_a_round_trip(
            rows in proptest::collection::vec(proptest::collection::vec(proptest::option::of("[a\",\\n\\ré]{0,5}"), 3), 0..6),
            piece in 1_usize..9,
        ) {
            let line = |row: &Row| {
                let values: Vec<String> = row.iter().map(|value| match value {
                    None => String::new(),
                    Some(text) => format!("\"{}\"", text.replace('"', "\"\"")),
                }).collect();
                values.join(",") + "\n"
            };
            let text: String = rows.iter().map(line).collect();
            prop_assert_eq!(read(&text, piece).unwrap(), rows);
        }
    }
}
