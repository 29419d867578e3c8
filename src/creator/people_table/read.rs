//! Reads a table of people from CSV or YAML, and reports errors in it. `docs/owners.md` documents the format.

use std::collections::HashMap;
use std::path::Path;

use serde_saphyr::{Location, Spanned};

use super::{PeopleTable, Row, csv, index, key};
use crate::text::nearest;
use crate::text::source::{FileError, Source, Text, instead, read_file};

/// Columns with these names hold a name of one person: if two rows have the same text there, one of them is a mistake. Without case,
/// spaces, `-` and `_`. An email address is not among them: several people can have the address of their team.
const NAMES_OF_ONE: [&str; 16] = [
    "arn",
    "identitycenterid",
    "identitycenteruserid",
    "iamuser",
    "id",
    "login",
    "person",
    "principal",
    "principalid",
    "session",
    "sessionname",
    "sourceidentity",
    "user",
    "userid",
    "username",
    "upn",
];

/// The columns that are names, as the identity map lists them.
pub(in crate::creator) struct NameColumns<'a> {
    /// Empty: all columns.
    pub(in crate::creator) columns: &'a [Text],
    /// The identity map, for errors.
    pub(in crate::creator) source: Source<'a>,
}

/// A file that is not indexed yet.
struct Content {
    columns: Vec<String>,
    rows: Vec<Row>,
}

impl PeopleTable {
    /// Reads a file: YAML if its name ends in `.yml`, `.yaml` or `.json`, else CSV.
    ///
    /// # Errors
    /// The file can't be read, or is not a table of people.
    pub(in crate::creator) fn load(path: &Path, names: &NameColumns<'_>) -> Result<Self, FileError> {
        let (name, text) = read_file(path, "the table of people")?;
        Self::parse(&name, text, names)
    }

    /// Reads a text. `name`: the file name, which also decides the format.
    ///
    /// # Errors
    /// As [`PeopleTable::load`].
    pub(in crate::creator) fn parse(name: &str, text: String, names: &NameColumns<'_>) -> Result<Self, FileError> {
        let extension = Path::new(name).extension().map(|extension| extension.to_string_lossy().to_lowercase());
        let is_yaml = matches!(extension.as_deref(), Some("yml" | "yaml" | "json"));
        let content = if is_yaml { of_yaml(Source { name, text: &text })? } else { of_csv(name, &text)? };
        let Content { columns, rows } = content;
        if rows.is_empty() {
            return Err(whole(
                name,
                "the table has no people: it needs a header with the names of the columns, then a row for each person",
            ));
        }
        let mut table = Self { name: name.to_owned(), text, columns, rows, index: HashMap::new() };
        let columns = table.name_columns(names)?;
        table.check_duplicates(&columns, !names.columns.is_empty())?;
        table.index = index(&table.rows, &columns);
        Ok(table)
    }

    fn name_columns(&self, names: &NameColumns<'_>) -> Result<Vec<usize>, FileError> {
        if names.columns.is_empty() {
            return Ok((0..self.columns.len()).collect());
        }
        let position = |name: &Text| {
            self.column(name.value.trim()).ok_or_else(|| {
                let columns: Vec<&str> = self.columns().collect();
                let message =
                    format!("{} has no column `{}`; {}", self.name, name.value, instead(&name.value, &columns));
                names.source.error(name.referenced, message)
            })
        };
        names.columns.iter().map(position).collect()
    }

    /// Refuses two rows with the same name. `is_listed`: the map lists these columns as names.
    fn check_duplicates(&self, columns: &[usize], is_listed: bool) -> Result<(), FileError> {
        for column in columns {
            let title = &self.columns[*column];
            let plain = title.to_lowercase().replace([' ', '-', '_'], "");
            if !is_listed && !NAMES_OF_ONE.contains(&plain.as_str()) {
                continue;
            }
            let mut seen: HashMap<String, usize> = HashMap::new();
            for Row { line, cells } in &self.rows {
                let cell = &cells[*column];
                let earlier = if cell.is_empty() { None } else { seen.insert(key(cell), *line) };
                if let Some(earlier) = earlier {
                    let message = format!(
                        "`{title}` {cell} is also in line {earlier}: a name must identify one person; if `{title}` does not hold \
                         names, list the columns that do: people: {{file: {}, names: […]}}",
                        self.name
                    );
                    return Err(FileError {
                        file: self.name.clone(),
                        line: *line,
                        column: column_of(&self.text, *line, cell),
                        message,
                    });
                }
            }
        }
        Ok(())
    }
}

/// An error of the file as a whole.
fn whole(name: &str, message: &str) -> FileError {
    FileError { file: name.to_owned(), line: 1, column: 1, message: message.to_owned() }
}

/// Where a cell is in its line, in characters from 1.
fn column_of(text: &str, line: usize, cell: &str) -> usize {
    let line = text.lines().nth(line - 1).unwrap_or_default();
    line.find(cell).map_or(1, |at| line[..at].trim_start_matches('\u{feff}').chars().count() + 1)
}

fn of_csv(name: &str, text: &str) -> Result<Content, FileError> {
    let error = |line, column, message: String| FileError { file: name.to_owned(), line, column, message };
    let rows = csv::rows(text).map_err(|invalid| error(invalid.line, invalid.column, invalid.message.to_owned()))?;
    let mut rows = rows.into_iter();
    let Some(header) = rows.next() else { return Ok(Content { columns: Vec::new(), rows: Vec::new() }) };
    // Spreadsheets write the empty columns beside a table too.
    let width = header.cells.iter().rposition(|cell| !cell.text.is_empty()).map_or(0, |last| last + 1);
    let mut columns: Vec<String> = Vec::new();
    for cell in &header.cells[..width] {
        let at = |message| Err(error(header.line, cell.column, message));
        if cell.text.is_empty() {
            return at("this column has no name in the header".to_owned());
        }
        if columns.iter().any(|column| column.to_lowercase() == cell.text.to_lowercase()) {
            return at(format!("the column `{}` is given twice", cell.text));
        }
        columns.push(cell.text.clone());
    }
    let mut people = Vec::with_capacity(rows.len());
    for csv::Row { line, mut cells } in rows {
        let count = cells.len();
        if let Some(cell) = cells.iter().skip(width).find(|cell| !cell.text.is_empty()) {
            let message =
                format!("the row has {count} cells, and the header has {width}; put a text with a separator in quotes");
            return Err(error(line, cell.column, message));
        }
        if count < width {
            let column = cells.last().map_or(1, |cell| cell.column);
            let message = format!(
                "the row has {count} cells, and the header has {width}; write an empty cell for what is not known"
            );
            return Err(error(line, column, message));
        }
        cells.truncate(width);
        people.push(Row { line, cells: cells.into_iter().map(|cell| cell.text).collect() });
    }
    Ok(Content { columns, rows: people })
}

/// A person: cells by the names of their columns.
type Mapping = HashMap<Text, Spanned<Option<String>>>;

fn of_yaml(source: Source<'_>) -> Result<Content, FileError> {
    let people: Vec<Spanned<Mapping>> = source.parse()?;
    // In the order in which the keys first come, with the number of people that have them.
    let mut columns: Vec<String> = Vec::new();
    let mut counts: HashMap<String, usize> = HashMap::new();
    for person in &people {
        let mut keys: Vec<&Text> = person.value.keys().collect();
        keys.sort_by_key(|key| place(key.referenced));
        for key in keys {
            let count = counts.entry(key.value.clone()).or_default();
            if *count == 0 {
                columns.push(key.value.clone());
            }
            *count += 1;
        }
    }
    check_keys(source, &people, &columns, &counts)?;
    let rows = people.iter().map(|person| {
        let cells: HashMap<&str, &str> = person
            .value
            .iter()
            .filter_map(|(key, cell)| Some((key.value.as_str(), cell.value.as_deref()?.trim())))
            .collect();
        let cell = |column: &String| cells.get(column.as_str()).copied().unwrap_or_default().to_owned();
        Row { line: source.place(person.referenced).line(), cells: columns.iter().map(cell).collect() }
    });
    let mut rows: Vec<Row> = rows.collect();
    rows.retain(|row| row.cells.iter().any(|cell| !cell.is_empty()));
    Ok(Content { columns, rows })
}

fn place(location: Location) -> (u64, u64) {
    (location.line(), location.column())
}

/// Refuses a key that one person has in place of one that others have: a slip.
fn check_keys(
    source: Source<'_>,
    people: &[Spanned<Mapping>],
    columns: &[String],
    counts: &HashMap<String, usize>,
) -> Result<(), FileError> {
    for person in people.iter().skip(1) {
        let has = |column: &str| person.value.keys().any(|key| key.value == column);
        for key in person.value.keys().filter(|key| counts[&key.value] == 1) {
            let others = columns.iter().map(String::as_str).filter(|column| *column != key.value && !has(column));
            if nearest(&key.value, others.clone()).is_some() {
                let others: Vec<&str> = others.collect();
                let message = format!("unknown key `{}`; {}", key.value, instead(&key.value, &others));
                return Err(source.error(key.referenced, message));
            }
        }
    }
    Ok(())
}
