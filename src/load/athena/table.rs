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
    #[error("table {database}.{name} is no CloudTrail table: it lacks {}", .lacks.join(", "))]
    NotCloudTrail {
        /// Its database.
        database: String,
        /// Its name.
        name: String,
        /// The columns that it should have, with the type where another one is there.
        lacks: Vec<String>,
    },
    /// None in the database.
    #[error("database {database} has no CloudTrail table (looked at {looked_at} tables)")]
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
pub(super) mod tests {
    use super::*;

    /// A table with the documented columns and these partition keys and parameters.
    pub(in crate::load::athena) fn metadata(keys: &[(&str, &str)], parameters: &[(&str, &str)]) -> TableMetadata {
        let own =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
        let identity = "struct<type:string,principalid:string,arn:string,accountid:string,invokedby:string,\
            accesskeyid:string,username:string,onbehalfof:struct<userid:string,identitystorearn:string>,\
            sessioncontext:struct<attributes:struct<mfaauthenticated:string,creationdate:string>,\
            sessionissuer:struct<type:string,principalid:string,arn:string,accountid:string,username:string>,\
            webidfederationdata:struct<federatedprovider:string,attributes:map<string,string>>>>";
        let mut columns = own(&[("useridentity", identity), ("resources", "array<struct<arn:string>>")]);
        let text = "eventtime eventsource eventname awsregion sourceipaddress useragent errorcode errormessage \
            requestparameters responseelements additionaleventdata eventid recipientaccountid sharedeventid";
        columns.extend(text.split_whitespace().map(|name| (name.to_owned(), "string".to_owned())));
        TableMetadata {
            name: "cloudtrail_logs".to_owned(),
            columns,
            partition_keys: own(keys),
            parameters: own(parameters).into_iter().collect(),
        }
    }

    fn meanings(keys: &[(&str, &str)], parameters: &[(&str, &str)]) -> Vec<Meaning> {
        let table = Table::read("default", &metadata(keys, parameters)).unwrap();
        table.partitions.into_iter().map(|partition| partition.meaning).collect()
    }

    #[test]
    fn columns_and_struct_fields_are_those_of_the_metadata() {
        let table = Table::read("default", &metadata(&[], &[])).unwrap();
        assert!(table.has_text(&["eventid"]));
        assert!(table.has_text(&["useridentity", "sessioncontext", "sessionissuer", "username"]));
        assert!(!table.has_text(&["useridentity", "sessioncontext", "sourceidentity"]));
        assert!(!table.has_text(&["useridentity", "sessioncontext", "sessionissuer"]), "a struct is no text");
        assert!(!table.has_text(&["useridentity", "webidfederationdata"]), "it is nested deeper");
        assert!(!table.has_text(&["resources"]));
        assert!(!table.has_text(&["vpcendpointid"]));
    }

    #[test]
    fn a_table_of_something_else_says_what_it_lacks() {
        let mut other = metadata(&[], &[]);
        other.columns.retain(|(name, _)| name != "eventname" && name != "useridentity");
        other.columns.push(("useridentity".to_owned(), "string".to_owned()));
        let error = Table::read("logs", &other).unwrap_err().to_string();
        assert_eq!(
            error,
            "table logs.cloudtrail_logs is no CloudTrail table: it lacks eventname, useridentity as struct"
        );
    }

    #[test]
    fn discovery_wants_exactly_one() {
        let trail = metadata(&[], &[]);
        let second = TableMetadata { name: "a_second".to_owned(), ..trail.clone() };
        let other = TableMetadata { name: "sales".to_owned(), ..TableMetadata::default() };
        assert_eq!(Table::discover("d", &[other.clone(), trail.clone()]).unwrap().name, "cloudtrail_logs");
        assert_eq!(
            Table::discover("d", std::slice::from_ref(&other)),
            Err(TableError::None { database: "d".to_owned(), looked_at: 1 })
        );
        assert_eq!(
            Table::discover("d", &[trail, other, second]),
            Err(TableError::Several {
                database: "d".to_owned(),
                candidates: vec!["a_second".to_owned(), "cloudtrail_logs".to_owned()]
            })
        );
    }

    #[test]
    fn the_documented_partitions_are_understood() {
        let slashes = DateFormat::parse("yyyy/MM/dd").unwrap();
        assert_eq!(
            meanings(
                &[("timestamp", "string")],
                &[("projection.timestamp.type", "date"), ("projection.timestamp.format", "yyyy/MM/dd")]
            ),
            [Meaning::DateText(slashes)]
        );
        assert_eq!(
            meanings(
                &[
                    ("account", "string"),
                    ("region", "string"),
                    ("year", "string"),
                    ("month", "string"),
                    ("day", "string")
                ],
                &[]
            ),
            [Meaning::Account, Meaning::Unused, Meaning::Year, Meaning::Month, Meaning::Day]
        );
    }

    #[test]
    fn other_names_are_understood_by_type_and_range() {
        assert_eq!(
            meanings(
                &[("a", "int"), ("b", "string"), ("c", "int"), ("d", "string")],
                &[
                    ("projection.a.type", "integer"),
                    ("projection.a.range", "2012,2040"),
                    ("projection.b.type", "integer"),
                    ("projection.b.range", "1,12"),
                    ("projection.c.type", "integer"),
                    ("projection.c.range", "1, 31"),
                    ("projection.d.type", "enum"),
                    ("projection.d.values", "111122223333,444455556666"),
                ]
            ),
            [Meaning::Year, Meaning::Month, Meaning::Day, Meaning::Account]
        );
        assert_eq!(meanings(&[("delivered", "date")], &[]), [Meaning::Date]);
        assert_eq!(meanings(&[("day", "string")], &[]), [Meaning::DateOfUnknownSpelling], "no year beside it");
        assert_eq!(
            meanings(&[("dt", "string"), ("date", "string")], &[]),
            [Meaning::DateOfUnknownSpelling, Meaning::Unused],
            "one filter is enough, and the second may mean something else"
        );
    }

    #[test]
    fn an_injected_key_is_told() {
        let keys = [("account", "string")];
        let table = Table::read("d", &metadata(&keys, &[("projection.account.type", "injected")])).unwrap();
        assert!(table.partitions[0].injected);
        assert_eq!(table.partitions[0].meaning, Meaning::Account);
    }
}
