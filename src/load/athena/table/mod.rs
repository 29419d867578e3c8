//! Reads the catalog metadata of a CloudTrail table: the columns that it has, and the meaning of its partition
//! keys. Pure: takes the metadata as plain text.
//!
//! AWS documents three forms (without partitions, as the CloudTrail console creates it; partition projection with
//! `timestamp`; for an organization, with account, region, year, month and day), with two SerDes and columns that were added over
//! the years. The form itself is not used, only the metadata. Security Lake's tables have other columns for the same records: [`ocsf`].
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/cloudtrail-logs.html>

mod keys;
pub(super) mod ocsf;

use std::collections::BTreeMap;

use super::date_format::DateFormat;
use super::quoting::path;
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
    format: RecordFormat,
    /// The meaning of its partition keys.
    pub partitions: Vec<Partition>,
}

/// How a table's columns hold a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordFormat {
    /// As CloudTrail's fields, in lower case.
    CloudTrail,
    /// In Security Lake's format, OCSF 1.1.0.
    Ocsf,
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
    /// `timestamp`, with or without a time zone.
    Timestamp,
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
    /// The named table is Security Lake's, but not of CloudTrail in source version 2.
    #[error("table {database}.{name} is not a CloudTrail table of Security Lake's source version 2: it has no {}", .lacks.join(", "))]
    NotLakesCloudTrail {
        /// Its database.
        database: String,
        /// Its name.
        name: String,
        /// The required columns that it lacks.
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
        if ocsf::is_alike(&columns) {
            return Self::read_ocsf(database, metadata, columns);
        }
        let lacks = lacking(&columns);
        if !lacks.is_empty() {
            return Err(TableError::NotCloudTrail {
                database: database.to_owned(),
                name: metadata.name.clone(),
                lacks,
            });
        }
        let (database, name) = (database.to_owned(), metadata.name.clone());
        let partitions = keys::partitions(metadata);
        Ok(Self { database, name, columns, format: RecordFormat::CloudTrail, partitions })
    }

    fn read_ocsf(
        database: &str,
        metadata: &TableMetadata,
        columns: BTreeMap<String, ColumnType>,
    ) -> Result<Self, TableError> {
        let (database, name) = (database.to_owned(), metadata.name.clone());
        let lacks = ocsf::lacking(&columns);
        if !lacks.is_empty() {
            return Err(TableError::NotLakesCloudTrail { database, name, lacks });
        }
        let mut partitions = keys::partitions(metadata);
        partitions.extend(ocsf::partitions(&columns));
        Ok(Self { database, name, columns, format: RecordFormat::Ocsf, partitions })
    }

    /// Finds the only CloudTrail table in a database.
    ///
    /// # Errors
    /// There is no CloudTrail table, or more than one.
    pub fn discover(database: &str, tables: &[TableMetadata]) -> Result<Self, TableError> {
        let mut found: Vec<Self> = tables.iter().filter_map(|metadata| Self::read(database, metadata).ok()).collect();
        // Beside management events, Security Lake has the same table for data events of Lambda and S3.
        let is_of_management = |table: &Self| table.is_ocsf() && table.name.contains(MANAGEMENT);
        if found.iter().all(Self::is_ocsf) && found.iter().filter(|table| is_of_management(table)).count() == 1 {
            found.retain(is_of_management);
        }
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

    /// Whether its rows are in Security Lake's format.
    pub fn is_ocsf(&self) -> bool {
        self.format == RecordFormat::Ocsf
    }

    /// The SQL of a text field of a record, by its column path in the table that AWS documents for CloudTrail (lower case). `None` if the
    /// table has no such text.
    pub fn text(&self, field: &[&str]) -> Option<String> {
        match self.format {
            RecordFormat::CloudTrail => text_at(&self.columns, field).then(|| path(field)),
            RecordFormat::Ocsf => ocsf::text(&self.columns, field),
        }
    }

    /// Further columns of a result that fields of the record are made of.
    pub(super) fn extras(&self) -> Vec<ocsf::Extra> {
        if self.is_ocsf() { ocsf::extras(self) } else { Vec::new() }
    }

    /// The column with the time of the event as a timestamp, if the table is partitioned by it.
    pub(super) fn timestamp(&self) -> Option<&'static str> {
        if self.is_ocsf() { ocsf::timestamp(&self.columns) } else { None }
    }

    /// Whether it has a column or partition key with this name.
    fn has_key(&self, name: &str) -> bool {
        self.columns.contains_key(name) || self.partitions.iter().any(|partition| partition.name == name)
    }
}

/// Part of the name of Security Lake's table of management events.
const MANAGEMENT: &str = "cloud_trail_mgmt";

/// The type of a column, or of a field in a struct column.
fn type_at<'c>(columns: &'c BTreeMap<String, ColumnType>, path: &[&str]) -> Option<&'c ColumnType> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(columns.get(*first)?, |kind, name| match kind {
        ColumnType::Struct(fields) => fields.get(*name),
        _ => None,
    })
}

fn text_at(columns: &BTreeMap<String, ColumnType>, path: &[&str]) -> bool {
    type_at(columns, path) == Some(&ColumnType::Text)
}

/// What to call a text that is missing.
fn lacks_text(columns: &BTreeMap<String, ColumnType>, path: &[&str]) -> Option<String> {
    let name = path.join(".");
    match type_at(columns, path) {
        Some(ColumnType::Text) => None,
        Some(_) => Some(format!("{name} as string")),
        None => Some(name),
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
            "timestamp" | "timestamptz" | "timestamp with time zone" => Self::Timestamp,
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
    let mut lacks: Vec<String> = REQUIRED.iter().filter_map(|name| lacks_text(columns, &[name])).collect();
    match columns.get(IDENTITY) {
        Some(ColumnType::Struct(_)) => {}
        Some(_) => lacks.push(format!("{IDENTITY} as struct")),
        None => lacks.push(IDENTITY.to_owned()),
    }
    lacks
}

#[cfg(test)]
pub(super) mod tests;
