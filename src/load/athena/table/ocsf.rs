//! Security Lake's CloudTrail tables: OCSF 1.1.0, source version 2. Where the fields of a record are in their columns. Pure.
//!
//! Sources: <https://github.com/ocsf/examples/tree/main/mappings/markdown/AWS/v1.1.0/CloudTrail> (AWS's mapping),
//! <https://docs.aws.amazon.com/security-lake/latest/userguide/cloudtrail-query-examples-sourceversion2.html> (the tables)

use std::collections::BTreeMap;

use super::{ColumnType, Meaning, Partition, Table, lacks_text, text_at};
use crate::load::athena::quoting::{identifier, path};

/// The columns that make a table Security Lake's: text, by path. Its tables of other services lack some of them.
const REQUIRED: [&[&str]; 6] = [
    &["api", "operation"],
    &["api", "service", "name"],
    &["api", "request", "data"],
    &["api", "response", "data"],
    &["actor", "user", "type"],
    &["cloud", "region"],
];

/// The time of the event, in milliseconds since 1970.
const TIME: &str = "time";
/// The same as a timestamp. The tables are partitioned by its day.
const TIME_DT: &str = "time_dt";
/// What the mapping has no column for, by dotted path: `userIdentity.sessionContext.sessionIssuer.type`.
const UNMAPPED: &str = "unmapped";
/// The account that received the event.
const ACCOUNT: &str = "accountid";
/// The day, `20230110`.
const DAY: &str = "eventday";

/// A field of the table that AWS documents for CloudTrail, and its columns here: the first that is not null.
const FIELDS: [(&[&str], &[&[&str]]); 28] = [
    (&["eventid"], &[&["metadata", "uid"]]),
    (&["eventsource"], &[&["api", "service", "name"]]),
    (&["eventname"], &[&["api", "operation"]]),
    (&["awsregion"], &[&["cloud", "region"]]),
    (&["recipientaccountid"], &[&["cloud", "account", "uid"]]),
    (&["useragent"], &[&["http_request", "user_agent"]]),
    (&["sourceipaddress"], &[&["src_endpoint", "ip"], &["src_endpoint", "domain"]]),
    (&["useridentity", "type"], &[&["actor", "user", "type"]]),
    (&["useridentity", "arn"], &[&["actor", "user", "uid"]]),
    (&["useridentity", "username"], &[&["actor", "user", "name"]]),
    (&["useridentity", "principalid"], &[&["actor", "user", "uid_alt"]]),
    (&["useridentity", "accountid"], &[&["actor", "user", "account", "uid"]]),
    (&["useridentity", "accesskeyid"], &[&["actor", "user", "credential_uid"]]),
    (&["useridentity", "invokedby"], &[&["actor", "invoked_by"]]),
    (&["useridentity", "sessioncontext", "sessionissuer", "arn"], &[&["actor", "session", "issuer"]]),
    (&["errorcode"], &[&["api", "response", "error"]]),
    (&["errormessage"], &[&["api", "response", "message"]]),
    (&["requestparameters"], &[&["api", "request", "data"]]),
    (&["responseelements"], &[&["api", "response", "data"]]),
    (&["requestid"], &[&["api", "request", "uid"]]),
    (&["eventtype"], &[&["metadata", "event_code"]]),
    (&["eventversion"], &[&["metadata", "product", "version"]]),
    (&["apiversion"], &[&["api", "version"]]),
    (&["eventcategory"], &[&["metadata", "product", "feature", "name"]]),
    (&["vpcendpointid"], &[&["src_endpoint", "uid"]]),
    (&["ocsf", "idp", "name"], &[&["actor", "idp", "name"]]),
    (&["ocsf", "idp", "uid"], &[&["actor", "idp", "uid"]]),
    (&["ocsf", "accountid"], &[&[ACCOUNT]]),
];

/// A column of the result that is not a field of a record: [`crate::load::athena::row`] makes fields of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::load::athena) struct Extra {
    /// Its name in the result.
    pub(in crate::load::athena) name: &'static str,
    /// Its SQL.
    pub(in crate::load::athena) sql: String,
}

/// The names of the further columns in a result.
pub(in crate::load::athena) const TIME_COLUMN: &str = "ocsf_time";
pub(in crate::load::athena) const UNMAPPED_COLUMN: &str = "ocsf_unmapped";
pub(in crate::load::athena) const IDP_NAME_COLUMN: &str = "ocsf_idp_name";
pub(in crate::load::athena) const IDP_UID_COLUMN: &str = "ocsf_idp_uid";
pub(in crate::load::athena) const ACCOUNT_COLUMN: &str = "ocsf_accountid";

/// Whether columns look like OCSF's, in any version and of any service.
pub(super) fn is_alike(columns: &BTreeMap<String, ColumnType>) -> bool {
    lacks_text(columns, &["api", "operation"]).is_none() && columns.contains_key("metadata")
}

/// The required columns that are missing.
pub(super) fn lacking(columns: &BTreeMap<String, ColumnType>) -> Vec<String> {
    let mut lacks: Vec<String> = REQUIRED.iter().filter_map(|path| lacks_text(columns, path)).collect();
    if !has_milliseconds(columns) && timestamp(columns).is_none() {
        lacks.push(format!("{TIME} as bigint"));
    }
    lacks
}

/// Partition keys of tables with plain columns for them: Iceberg's keys are not in the catalog.
pub(super) fn partitions(columns: &BTreeMap<String, ColumnType>) -> Vec<Partition> {
    let key = |name: &str, meaning: Meaning| {
        let is_text = columns.get(name) == Some(&ColumnType::Text);
        is_text.then(|| Partition {
            name: name.to_owned(),
            meaning,
            numeric: false,
            injected: false,
            values_are_known: true,
        })
    };
    [key(ACCOUNT, Meaning::Account), key(DAY, Meaning::DateOfUnknownSpelling)].into_iter().flatten().collect()
}

/// The column with the time of the event as a timestamp.
pub(super) fn timestamp(columns: &BTreeMap<String, ColumnType>) -> Option<&'static str> {
    (columns.get(TIME_DT) == Some(&ColumnType::Timestamp)).then_some(TIME_DT)
}

/// The SQL of a text field.
pub(super) fn text(columns: &BTreeMap<String, ColumnType>, field: &[&str]) -> Option<String> {
    let (_, places) = FIELDS.iter().find(|(name, _)| *name == field)?;
    let places: Vec<String> = places.iter().filter(|place| text_at(columns, place)).map(|place| path(place)).collect();
    match &places[..] {
        [] => None,
        [one] => Some(one.clone()),
        _ => Some(format!("coalesce({})", places.join(", "))),
    }
}

fn has_milliseconds(columns: &BTreeMap<String, ColumnType>) -> bool {
    columns.get(TIME) == Some(&ColumnType::Integer)
}

/// The SQL of the time of the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::load::athena) enum EventTime {
    /// A number of milliseconds.
    Milliseconds(String),
    /// A timestamp, in a table without that number.
    Timestamp(String),
}

impl EventTime {
    pub(in crate::load::athena) fn of(table: &Table) -> Self {
        if has_milliseconds(&table.columns) {
            Self::Milliseconds(identifier(TIME))
        } else {
            Self::Timestamp(identifier(TIME_DT))
        }
    }

    /// In milliseconds, as text.
    fn text(&self) -> String {
        match self {
            Self::Milliseconds(column) => format!("CAST({column} AS varchar)"),
            Self::Timestamp(column) => format!("CAST(CAST(to_unixtime({column}) * 1000 AS bigint) AS varchar)"),
        }
    }
}

/// The further columns of a result.
pub(super) fn extras(table: &Table) -> Vec<Extra> {
    let columns = &table.columns;
    let named = |name, field: &[&str]| Some(Extra { name, sql: text(columns, field)? });
    let unmapped = columns
        .contains_key(UNMAPPED)
        .then(|| Extra { name: UNMAPPED_COLUMN, sql: format!("json_format(CAST({} AS JSON))", identifier(UNMAPPED)) });
    let time = Extra { name: TIME_COLUMN, sql: EventTime::of(table).text() };
    let account = table.has_key(ACCOUNT).then(|| Extra { name: ACCOUNT_COLUMN, sql: identifier(ACCOUNT) });
    [
        Some(time),
        unmapped,
        named(IDP_NAME_COLUMN, &["ocsf", "idp", "name"]),
        named(IDP_UID_COLUMN, &["ocsf", "idp", "uid"]),
    ]
    .into_iter()
    .chain([account])
    .flatten()
    .collect()
}
