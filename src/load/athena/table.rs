//! What Athena's catalogue says of a table, read as a CloudTrail table: which columns it has, and what its partition
//! keys mean. Pure: the metadata comes in as plain text.
//!
//! Three shapes are documented (no partitions, as the CloudTrail console makes it; partition projection with
//! `timestamp`; an organization's account, region, year, month, day), with two SerDes and a column list that grew over
//! the years. Nothing is taken from the shape's name: only what the metadata shows is used.
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/cloudtrail-logs.html>

use std::collections::BTreeMap;

use super::date_format::DateFormat;

/// A table as the catalogue gives it.
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

/// A table that can be asked for CloudTrail records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its database.
    pub database: String,
    /// Its name.
    pub name: String,
    columns: BTreeMap<String, ColumnType>,
    /// What its partition keys mean.
    pub partitions: Vec<Partition>,
}

/// A Hive type, as far as it matters here.
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
    /// What it holds.
    pub meaning: Meaning,
    /// Whether its values are numbers in SQL.
    pub numeric: bool,
    /// Projection of type `injected`: Athena refuses a query that does not give its values.
    pub injected: bool,
}

/// What a partition key's values mean for a CloudTrail record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// The delivery day (or month, hour…) as text of a known spelling that sorts by time.
    DateText(DateFormat),
    /// The delivery day as text, spelled `yyyy/MM/dd`, `yyyy-MM-dd` or `yyyyMMdd`: the catalogue does not say which.
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
    /// Nothing that a filter is made of.
    Unused,
}

/// Why no table can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// The named table is not CloudTrail's.
    #[error("table {database}.{name} is not a CloudTrail table: it has no {}", .lacks.join(", "))]
    NotCloudTrail {
        /// Its database.
        database: String,
        /// Its name.
        name: String,
        /// The columns that it should have, with the type where another one is there.
        lacks: Vec<String>,
    },
    /// None in the database.
    #[error("no CloudTrail table in database {database} (checked {looked_at} tables)")]
    None {
        /// The database.
        database: String,
        /// How many tables there are.
        looked_at: usize,
    },
    /// More than one.
    #[error("database {database} has several CloudTrail tables: {}", .candidates.join(", "))]
    Several {
        /// The database.
        database: String,
        /// Their names, sorted.
        candidates: Vec<String>,
    },
}

/// What a CloudTrail table can't do without.
const REQUIRED: [&str; 5] = ["eventtime", "eventsource", "eventname", "awsregion", "requestparameters"];
/// The one required column that is a struct.
const IDENTITY: &str = "useridentity";

/// The usual names of an account's partition key.
const ACCOUNT_NAMES: [&str; 6] =
    ["account", "accountid", "account_id", "aws_account", "aws_account_id", "awsaccountid"];
/// The usual names of a date's partition key, where projection does not tell its format.
const DATE_NAMES: [&str; 10] = [
    "timestamp",
    "dt",
    "date",
    "day",
    "ds",
    "event_date",
    "eventdate",
    "event_day",
    "date_partition",
    "partition_date",
];

impl Table {
    /// Reads metadata as a CloudTrail table.
    ///
    /// # Errors
    /// It lacks columns that every CloudTrail table has.
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
        let partitions = partitions(metadata);
        Ok(Self { database: database.to_owned(), name: metadata.name.clone(), columns, partitions })
    }

    /// The one CloudTrail table among a database's tables.
    ///
    /// # Errors
    /// There is none, or there are several.
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

    /// Whether the table has a text column, or a text field in a struct column, of this path (lower case).
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
    /// Reads Hive's spelling; what can't be read is [`ColumnType::Other`].
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

/// `a:string,b:struct<c:int,d:int>` at its outer commas.
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

fn partitions(metadata: &TableMetadata) -> Vec<Partition> {
    let has = |wanted: &str| metadata.partition_keys.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    let day_of_month = has("year") && has("month");
    let mut partitions: Vec<Partition> = Vec::new();
    for (name, kind) in &metadata.partition_keys {
        let name = name.to_lowercase();
        let projection = |property: &str| {
            let key = format!("projection.{name}.{property}");
            metadata
                .parameters
                .iter()
                .find(|(other, _)| other.eq_ignore_ascii_case(&key))
                .map(|(_, value)| value.as_str())
        };
        let kind = ColumnType::parse(kind);
        let mut meaning =
            meaning_by_projection(&kind, &projection).unwrap_or_else(|| meaning_by_name(&name, &kind, day_of_month));
        // Two keys of one meaning: no telling which of them follows the delivery.
        if partitions.iter().any(|earlier| earlier.meaning == meaning) {
            meaning = Meaning::Unused;
        }
        let injected = projection("type").is_some_and(|kind| kind.eq_ignore_ascii_case("injected"));
        partitions.push(Partition { name, meaning, numeric: kind == ColumnType::Integer, injected });
    }
    partitions
}

/// What projection's parameters tell of a key: more than its name.
fn meaning_by_projection<'a>(kind: &ColumnType, projection: &dyn Fn(&str) -> Option<&'a str>) -> Option<Meaning> {
    match (projection("type")?.to_lowercase().as_str(), kind) {
        ("date", ColumnType::Date) => Some(Meaning::Date),
        ("date", ColumnType::Text) => {
            Some(DateFormat::parse(projection("format")?).map_or(Meaning::Unused, Meaning::DateText))
        }
        ("integer", ColumnType::Text | ColumnType::Integer) => meaning_by_range(projection("range")?),
        ("enum", ColumnType::Text | ColumnType::Integer) => {
            let all_accounts =
                projection("values")?.split(',').all(|value| crate::names::AccountId::parse(value.trim()).is_ok());
            all_accounts.then_some(Meaning::Account)
        }
        _ => None,
    }
}

/// A range of integers that can only be months, days of a month, or years.
fn meaning_by_range(range: &str) -> Option<Meaning> {
    const YEARS: std::ops::RangeInclusive<i64> = 2005..=2200;
    let (first, last) = range.split_once(',')?;
    match (first.trim().parse::<i64>().ok()?, last.trim().parse::<i64>().ok()?) {
        (1, 12) => Some(Meaning::Month),
        (1, 31) => Some(Meaning::Day),
        (first, last) if YEARS.contains(&first) && YEARS.contains(&last) => Some(Meaning::Year),
        _ => None,
    }
}

fn meaning_by_name(name: &str, kind: &ColumnType, day_of_month: bool) -> Meaning {
    match (name, kind) {
        (_, ColumnType::Date) => Meaning::Date,
        ("year", ColumnType::Text | ColumnType::Integer) => Meaning::Year,
        ("month", ColumnType::Text | ColumnType::Integer) => Meaning::Month,
        ("day", ColumnType::Text | ColumnType::Integer) if day_of_month => Meaning::Day,
        (name, ColumnType::Text | ColumnType::Integer) if ACCOUNT_NAMES.contains(&name) => Meaning::Account,
        (name, ColumnType::Text) if DATE_NAMES.contains(&name) => Meaning::DateOfUnknownSpelling,
        _ => Meaning::Unused,
    }
}

#[cfg(test)]
pub(super) mod tests;
