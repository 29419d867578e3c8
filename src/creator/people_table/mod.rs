//! The people of an identity map: a table of the user with one row for each person. Any cell of a row can be a name that a trail has
//! for the person; templates use the columns.
//!
//! Names are looked up in an index. A name in several rows leads to the row that alone has it in one of the columns: the email address of
//! a person can also be in the column `manager` of others. If that is not exactly one row, the name identifies no person.

mod csv;
mod read;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use super::person_names::is_email;
pub(super) use read::NameColumns;

/// A table of people.
#[derive(Debug)]
pub(super) struct PeopleTable {
    /// The file name, for messages.
    name: String,
    /// The text of the file.
    text: String,
    columns: Vec<String>,
    rows: Vec<Row>,
    index: HashMap<String, Hit>,
}

#[derive(Debug)]
struct Row {
    /// The line of the row, from 1.
    line: usize,
    /// As many as there are columns. Empty: the person has none.
    cells: Vec<String>,
}

/// What a name leads to. Rows by their position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hit {
    Row(usize),
    /// Several rows; the first two.
    Several(usize, usize),
}

/// The result of a search for a person.
#[derive(Debug, Clone, Copy)]
pub(super) enum PersonMatch<'t> {
    /// The row of the person.
    Person(Person<'t>),
    /// No name is in the table.
    NoRow,
    /// A name is in several rows.
    Ambiguous { name: &'t str, rows: (usize, usize) },
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person<'t> {
    table: &'t PeopleTable,
    row: usize,
}

impl PeopleTable {
    /// The file name, for messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The text of the file. Tables with the same text decide the same.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The names of the columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(String::as_str)
    }

    /// The position of a column. Spelled as in the table, or with other case.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        let exact = self.columns.iter().position(|column| column == name);
        exact.or_else(|| self.columns.iter().position(|column| column.to_lowercase() == name.to_lowercase()))
    }

    /// The person with the first of these names that one row has.
    pub(super) fn find<'t>(&'t self, names: &[String]) -> PersonMatch<'t> {
        let hits = || names.iter().filter_map(|name| self.index.get_key_value(key(name).as_str()));
        if let Some(row) = hits().find_map(|(_, hit)| if let Hit::Row(row) = hit { Some(*row) } else { None }) {
            return PersonMatch::Person(Person { table: self, row });
        }
        match hits().next() {
            Some((name, Hit::Several(first, second))) => PersonMatch::Ambiguous { name, rows: (*first, *second) },
            _ => PersonMatch::NoRow,
        }
    }

    /// "people.csv:4"
    pub(super) fn place(&self, row: usize) -> String {
        format!("{}:{}", self.name, self.rows[row].line)
    }
}

impl<'t> Person<'t> {
    /// The cell of a column. `None` if it is empty.
    pub(super) fn cell(self, column: usize) -> Option<&'t str> {
        Some(self.table.rows[self.row].cells[column].as_str()).filter(|cell| !cell.is_empty())
    }

    /// "people.csv:4"
    pub(super) fn place(self) -> String {
        self.table.place(self.row)
    }
}

/// What a name is looked up by: email addresses without regard to case.
fn key(name: &str) -> String {
    let name = name.trim();
    if is_email(name) { name.to_lowercase() } else { name.to_owned() }
}

/// The index of these rows, by the cells of the columns that are names.
fn index(rows: &[Row], columns: &[usize]) -> HashMap<String, Hit> {
    let mut places: HashMap<String, Vec<(usize, usize)>> = HashMap::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        for column in columns {
            let cell = &row.cells[*column];
            if !cell.is_empty() {
                places.entry(key(cell)).or_default().push((at, *column));
            }
        }
    }
    places.into_iter().map(|(name, places)| (name, hit(&places))).collect()
}

/// Where a name leads that is in these rows and columns.
fn hit(places: &[(usize, usize)]) -> Hit {
    let first = places[0].0;
    let Some(second) = places.iter().map(|(row, _)| *row).find(|row| *row != first) else { return Hit::Row(first) };
    let mut counts: HashMap<usize, (usize, usize)> = HashMap::new();
    for (row, column) in places {
        counts.entry(*column).or_insert((0, *row)).0 += 1;
    }
    let mut alone: Vec<usize> = counts.values().filter(|(count, _)| *count == 1).map(|(_, row)| *row).collect();
    alone.sort_unstable();
    alone.dedup();
    match alone[..] {
        [row] => Hit::Row(row),
        _ => Hit::Several(first, second),
    }
}
