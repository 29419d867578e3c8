//! Reads the catalog metadata of a CloudTrail table: the columns that it has, and the meaning of its partition
//! keys. Pure: takes the metadata as plain text.
//!
//! AWS documents three forms (without partitions, as the CloudTrail console creates it; partition projection with
//! `timestamp`; for an organization, with account, region, year, month and day), with two SerDes and columns that were added over
//! the years. The form itself is not used, only the metadata.
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/cloudtrail-logs.html>

mod keys;

use std::collections::BTreeMap;

use super::date_format::DateFormat;
pub(super) use keys::limits_by_name;

/// A table from the catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableMetadata {
    /// Its name.
    pub name: String,
    /// Columns by name and Hive type.
    pub columns: Vec<(String, String)>,
    /// Partition keys by name and Hive type.
    pub partition_keys: Vec<(String, String)>,
    /// Table parameters: `projection.timestamp.format` and the like.
    pub parameters: BTreeMap<String, String>,
}

/// A table with CloudTrail records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its database.
    pub database: String,
    /// Its name.
    pub name: String,
    columns: BTreeMap<String, ColumnType>,
    /// The meaning of its partition keys.
    pub partitions: Vec<Partition>,
}

/// A Hive type, as far as it is relevant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnType {
    /// `string`, `varchar(n)`, `char(n)`.
    Text,
    /// `tinyint` to `bigint`.
    Integer,
    /// `date`.
    Date,
    /// `struct<…>` by field.
    Struct(BTreeMap<String, ColumnType>),
    /// Anything else.
    Other,
}

/// A partition key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Its name.
    pub name: String,
    /// Its meaning.
    pub meaning: Meaning,
    /// Whether its values are numbers in SQL.
    pub numeric: bool,
    /// Injected projection: Athena rejects a query that does not set its values.
    pub injected: bool,
    /// Whether projection generates the values, so that all have the form that the meaning has. Otherwise some may have another form.
    pub values_are_known: bool,
}

/// The meaning of a partition key's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// The delivery day (or month, hour…) as text in a known format that sorts by time.
    DateText(DateFormat),
    /// The delivery day as text in the format `yyyy/MM/dd`, `yyyy-MM-dd` or `yyyyMMdd`; the catalog does not say which.
    DateOfUnknownSpelling,
    /// The delivery day as SQL's `date`.
    Date,
    /// The account that received the event.
    Account,
    /// The delivery's year.
    Year,
    /// The delivery's month in the year.
    Month,
    /// The delivery's day in the month.
    Day,
    /// Not usable for a filter.
    Unused,
}

/// Why no table can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// The named table is not a CloudTrail table.
    #[error("table {database}.{name} is not a CloudTrail table: it has no {}", .lacks.join(", "))]
    NotCloudTrail {
        /// Its database.
        database: String,
        /// Its name.
        name: String,
        /// The required columns that it lacks, with the type if another type is there.
        lacks: Vec<String>,
    },
    /// The database has no CloudTrail table.
    #[error("no CloudTrail table in database {database} (checked {looked_at} tables)")]
    None {
        /// The database.
        database: String,
        /// The number of tables in it.
        looked_at: usize,
    },
    /// The database has more than one CloudTrail table.
    #[error("database {database} has several CloudTrail tables: {}", .candidates.join(", "))]
    Several {
        /// The database.
        database: String,
        /// Their names, sorted.
        candidates: Vec<String>,
    },
}

/// The columns that a CloudTrail table must have.
const REQUIRED: [&str; 5] = ["eventtime", "eventsource", "eventname", "awsregion", "requestparameters"];
/// The only required column that is a struct.
const IDENTITY: &str = "useridentity";

impl Table {
    /// Reads metadata as a CloudTrail table.
    ///
    /// # Errors
    /// The table lacks required columns.
    pub fn read(database: &str, metadata: &TableMetadata) -> Result<Self, TableError> {
        let columns: BTreeMap<String, ColumnType> =
            metadata.columns.iter().map(|(name, kind)| (name.to_lowercase(), ColumnType::parse(kind))).collect();
        let lacks = lacking(&columns);
        if !lacks.is_empty() {
            return Err(TableError::NotCloudTrail {
                database: database.to_owned(),
                name: metadata.name.clone(),
                lacks,
            });
        }
        let partitions = keys::partitions(metadata);
        Ok(Self { database: database.to_owned(), name: metadata.name.clone(), columns, partitions })
    }

    /// Finds the only CloudTrail table in a database.
    ///
    /// # Errors
    /// There is no CloudTrail table, or more than one.
    pub fn discover(database: &str, tables: &[TableMetadata]) -> Result<Self, TableError> {
        let mut found: Vec<Self> = tables.iter().filter_map(|metadata| Self::read(database, metadata).ok()).collect();
        match (found.pop(), found.is_empty()) {
            (Some(table), true) => Ok(table),
            (Some(last), false) => {
                let mut candidates: Vec<String> = found.into_iter().chain([last]).map(|table| table.name).collect();
                candidates.sort();
                Err(TableError::Several { database: database.to_owned(), candidates })
            }
            (None, _) => Err(TableError::None { database: database.to_owned(), looked_at: tables.len() }),
        }
    }

    /// Whether the table has a text column, or a text field in a struct column, with this path (lower case).
    pub fn has_text(&self, path: &[&str]) -> bool {
        let Some((first, rest)) = path.split_first() else { return false };
        let mut kind = self.columns.get(*first);
        for name in rest {
            kind = match kind {
                Some(ColumnType::Struct(fields)) => fields.get(*name),
                _ => None,
            };
        }
        kind == Some(&ColumnType::Text)
    }
}

impl ColumnType {
    /// Parses a Hive type. Unknown types are [`ColumnType::Other`].
    pub fn parse(text: &str) -> Self {
        let text = text.trim().to_lowercase();
        if let Some(inner) = text.strip_prefix("struct<").and_then(|rest| rest.strip_suffix('>')) {
            let fields = split_fields(inner).into_iter().filter_map(|field| field.split_once(':'));
            return Self::Struct(fields.map(|(name, kind)| (name.trim().to_owned(), Self::parse(kind))).collect());
        }
        match text.split('(').next().unwrap_or_default() {
            "string" | "varchar" | "char" => Self::Text,
            "tinyint" | "smallint" | "int" | "integer" | "bigint" => Self::Integer,
            "date" => Self::Date,
            _ => Self::Other,
        }
    }
}

/// Splits `a:string,b:struct<c:int,d:int>` at its outer commas.
fn split_fields(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut fields) = (0_usize, 0, Vec::new());
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            b'<' | b'(' => depth += 1,
            b'>' | b')' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                fields.push(&text[start..position]);
                start = position + 1;
            }
            _ => {}
        }
    }
    fields.push(&text[start..]);
    fields
}

fn lacking(columns: &BTreeMap<String, ColumnType>) -> Vec<String> {
    let mut lacks = Vec::new();
    for name in REQUIRED {
        match columns.get(name) {
            Some(ColumnType::Text) => {}
            Some(_) => lacks.push(format!("{name} as string")),
            None => lacks.push(name.to_owned()),
        }
    }
    match columns.get(IDENTITY) {
        Some(ColumnType::Struct(_)) => {}
        Some(_) => lacks.push(format!("{IDENTITY} as struct")),
        None => lacks.push(IDENTITY.to_owned()),
    }
    lacks
}

#[cfg(test)]
pub(super) mod tests;
