//! Converts rows of a result back to CloudTrail records: the columns to select, and the position of each in a record.
//!
//! The record is rebuilt as CloudTrail wrote it, and then read by [`crate::trail::extract`], as in every other loader. Nothing
//! is interpreted here. NULL is an absent field, not the empty string. Rows of Security Lake are put back into that form by [`ocsf`].
//! Pure.

mod ocsf;

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::table::Table;
use super::table::ocsf::UNMAPPED_COLUMN;
use crate::resource_map::expression::TopLevelFields;
use crate::resource_map::{EventRule, ResourceMap};
use crate::trail::mend;
use ocsf::OcsfLayout;

/// A column of a result.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Its name in the result, in lower case.
    pub name: &'static str,
    /// Its path in a CloudTrail table.
    pub column: &'static [&'static str],
    /// Its path in a record.
    record: &'static [&'static str],
    /// When it is selected.
    need: Need,
}

/// When a column is selected, and how its text is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Always: the store needs it.
    Always,
    /// If the expressions of the map use it. Text.
    ByMap,
    /// As `ByMap`, but the text is JSON.
    JsonByMap,
    /// Never: only queries of c7n-trailcreator have it.
    Alias,
}

macro_rules! fields {
    ($($need:ident $name:literal [$($column:literal).+] [$($record:literal).+])*) => {
        &[$(Field { name: $name, column: &[$($column),+], record: &[$($record),+], need: Need::$need }),*]
    };
}

/// All known columns. The last ones have the names that c7n-trailcreator uses, so that its queries can be loaded.
/// Fields of the same object in a record are adjacent.
const FIELDS: &[Field] = fields! {
    Always "eventid" ["eventid"] ["eventID"]
    Always "eventtime" ["eventtime"] ["eventTime"]
    Always "eventsource" ["eventsource"] ["eventSource"]
    Always "eventname" ["eventname"] ["eventName"]
    Always "awsregion" ["awsregion"] ["awsRegion"]
    Always "recipientaccountid" ["recipientaccountid"] ["recipientAccountId"]
    Always "sharedeventid" ["sharedeventid"] ["sharedEventID"]
    Always "useragent" ["useragent"] ["userAgent"]
    Always "sourceipaddress" ["sourceipaddress"] ["sourceIPAddress"]
    Always "useridentity_type" ["useridentity"."type"] ["userIdentity"."type"]
    Always "useridentity_arn" ["useridentity"."arn"] ["userIdentity"."arn"]
    Always "useridentity_username" ["useridentity"."username"] ["userIdentity"."userName"]
    Always "useridentity_principalid" ["useridentity"."principalid"] ["userIdentity"."principalId"]
    Always "useridentity_accountid" ["useridentity"."accountid"] ["userIdentity"."accountId"]
    Always "useridentity_accesskeyid" ["useridentity"."accesskeyid"] ["userIdentity"."accessKeyId"]
    Always "useridentity_invokedby" ["useridentity"."invokedby"] ["userIdentity"."invokedBy"]
    Always "onbehalfof_userid" ["useridentity"."onbehalfof"."userid"] ["userIdentity"."onBehalfOf"."userId"]
    Always "onbehalfof_identitystorearn"
        ["useridentity"."onbehalfof"."identitystorearn"] ["userIdentity"."onBehalfOf"."identityStoreArn"]
    Always "sourceidentity" ["useridentity"."sessioncontext"."sourceidentity"] ["userIdentity"."sessionContext"."sourceIdentity"]
    Always "sessionissuer_type"
        ["useridentity"."sessioncontext"."sessionissuer"."type"] ["userIdentity"."sessionContext"."sessionIssuer"."type"]
    Always "sessionissuer_arn"
        ["useridentity"."sessioncontext"."sessionissuer"."arn"] ["userIdentity"."sessionContext"."sessionIssuer"."arn"]
    Always "sessionissuer_username"
        ["useridentity"."sessioncontext"."sessionissuer"."username"]
        ["userIdentity"."sessionContext"."sessionIssuer"."userName"]
    Always "webidfederationdata_federatedprovider"
        ["useridentity"."sessioncontext"."webidfederationdata"."federatedprovider"]
        ["userIdentity"."sessionContext"."webIdFederationData"."federatedProvider"]
    JsonByMap "requestparameters" ["requestparameters"] ["requestParameters"]
    JsonByMap "responseelements" ["responseelements"] ["responseElements"]
    JsonByMap "additionaleventdata" ["additionaleventdata"] ["additionalEventData"]
    JsonByMap "serviceeventdetails" ["serviceeventdetails"] ["serviceEventDetails"]
    ByMap "requestid" ["requestid"] ["requestID"]
    ByMap "eventtype" ["eventtype"] ["eventType"]
    ByMap "eventversion" ["eventversion"] ["eventVersion"]
    ByMap "apiversion" ["apiversion"] ["apiVersion"]
    ByMap "eventcategory" ["eventcategory"] ["eventCategory"]
    ByMap "vpcendpointid" ["vpcendpointid"] ["vpcEndpointId"]
    Alias "region" ["awsregion"] ["awsRegion"]
    Alias "accountid" ["recipientaccountid"] ["recipientAccountId"]
    Alias "usertype" ["useridentity"."type"] ["userIdentity"."type"]
    Alias "userarn" ["useridentity"."arn"] ["userIdentity"."arn"]
    Alias "username" ["useridentity"."username"] ["userIdentity"."userName"]
    Alias "invokedby" ["useridentity"."invokedby"] ["userIdentity"."invokedBy"]
    Alias "errorcode" ["errorcode"] ["errorCode"]
    Alias "errormessage" ["errormessage"] ["errorMessage"]
};

/// A row without these is not a record.
const REQUIRED: [&str; 4] = ["eventTime", "eventSource", "eventName", "awsRegion"];

/// Alternative names that a map can use for a field ([`crate::trail::extract`]'s aliases).
const MAP_ALIASES: [&str; 6] = ["region", "accountId", "userType", "userArn", "userName", "invokedBy"];

/// The columns to select from a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WantedColumns {
    /// The columns of the query.
    pub fields: Vec<&'static Field>,
    /// Record fields that the map uses and the table lacks. Identifiers that are only there are not found.
    pub missing: BTreeSet<String>,
}

/// The columns of the table that the store and the expressions of the map need.
pub(super) fn wanted_fields(map: &ResourceMap, table: &Table) -> WantedColumns {
    let named = fields_of_map(map);
    let by_map = |field: &Field| named.as_ref().is_none_or(|names| names.contains(field.record[0]));
    let needed = |field: &&Field| match field.need {
        Need::Always => true,
        Need::ByMap | Need::JsonByMap => by_map(field),
        Need::Alias => false,
    };
    let fields: Vec<&'static Field> =
        FIELDS.iter().filter(needed).filter(|field| table.text(field.column).is_some()).collect();
    let has_rest = table.extras().iter().any(|extra| extra.name == UNMAPPED_COLUMN);
    let given =
        |name: &str| has_rest || MAP_ALIASES.contains(&name) || fields.iter().any(|field| field.record[0] == name);
    let missing = named.into_iter().flatten().filter(|name| !given(name)).collect();
    WantedColumns { fields, missing }
}

/// The top-level fields that the expressions of the map use. `None` if one of them reads the whole record.
fn fields_of_map(map: &ResourceMap) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for expression in map.events.iter().flat_map(|(_, _, rules)| rules).flat_map(EventRule::expressions) {
        match expression.fields() {
            TopLevelFields::Some(fields) => names.extend(fields.iter().cloned()),
            TopLevelFields::All => return None,
        }
    }
    Some(names)
}

/// The values of one row, by column. `None` is NULL.
pub(crate) type Row = Vec<Option<String>>;

/// The result does not have CloudTrail records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the result has no column for {}; its columns are {}", .missing.join(", "), shortened(.columns))]
pub struct NotRecords {
    missing: Vec<&'static str>,
    columns: Vec<String>,
}

/// The first columns: a file that is not a result of a query can have thousands, with names of any length.
fn shortened(columns: &[String]) -> String {
    const SHOWN: usize = 40;
    const CHARACTERS: usize = 100;
    let mut names: Vec<String> =
        columns.iter().take(SHOWN).map(|name| name.chars().take(CHARACTERS).collect()).collect();
    if columns.len() > SHOWN {
        names.push(format!("and {} more", columns.len() - SHOWN));
    }
    names.join(", ")
}

/// A row that can't be turned into a record.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadRow {
    /// The result was cut off, or is not of one query.
    #[error("a row has {values} values for {columns} columns")]
    Length { values: usize, columns: usize },
    /// A column that has JSON has something else.
    #[error("{row}: {field} is not JSON: {error}")]
    NotJson {
        /// The event.
        row: String,
        field: &'static str,
        error: serde_json::Error,
    },
    /// A time that is not a number of milliseconds.
    #[error("{row}: {time:?} is not a time in milliseconds")]
    NotTime {
        /// The event.
        row: String,
        time: String,
    },
}

/// The positions of a result's columns in a record.
#[derive(Debug)]
pub(crate) struct Layout {
    /// In the order of [`FIELDS`], with the index in a row.
    places: Vec<(usize, &'static Field)>,
    columns: usize,
    ocsf: Option<OcsfLayout>,
}

impl Layout {
    /// Matches a result's column names, in any case. Unknown columns are ignored.
    ///
    /// # Errors
    /// The result does not have CloudTrail records.
    pub(crate) fn new(header: &[String]) -> Result<Self, NotRecords> {
        let mut places: Vec<(usize, &'static Field)> = Vec::new();
        for field in FIELDS {
            let taken = places.iter().any(|(_, other)| other.record == field.record);
            if let Some(position) = header.iter().position(|name| name.eq_ignore_ascii_case(field.name))
                && !taken
            {
                places.push((position, field));
            }
        }
        places.sort_by_key(|(_, field)| nesting(field));
        let ocsf = OcsfLayout::of(header);
        let has_time = |name: &str| name == "eventTime" && ocsf.is_some();
        let has = |name: &&str| has_time(name) || places.iter().any(|(_, field)| field.record[0] == *name);
        let missing: Vec<&'static str> = REQUIRED.into_iter().filter(|name| !has(name)).collect();
        if missing.is_empty() {
            Ok(Self { places, columns: header.len(), ocsf })
        } else {
            Err(NotRecords { missing, columns: header.to_vec() })
        }
    }

    /// Writes a row as the JSON text of its record into `text`, which is cleared first.
    ///
    /// # Errors
    /// The row has too few values, or an invalid JSON text.
    pub(crate) fn record(&self, row: &Row, text: &mut String) -> Result<(), BadRow> {
        text.clear();
        if row.len() != self.columns {
            return Err(BadRow::Length { values: row.len(), columns: self.columns });
        }
        if let Some(ocsf) = &self.ocsf {
            return ocsf.record(&self.places, row, text, &|| describe(self, row));
        }
        let mut open: Vec<&'static str> = Vec::new();
        text.push('{');
        for (position, field) in &self.places {
            let Some(value) = &row[*position] else { continue };
            let (name, parents) = field.record.split_last().expect("every field has a name");
            let shared = open.iter().zip(parents).take_while(|(a, b)| a == b).count();
            text.extend(std::iter::repeat_n('}', open.len() - shared));
            open.truncate(shared);
            for parent in &parents[shared..] {
                push_key(text, parent);
                text.push('{');
                open.push(parent);
            }
            push_key(text, name);
            push_value(text, value, field, || describe(self, row))?;
        }
        text.extend(std::iter::repeat_n('}', open.len() + 1));
        Ok(())
    }

    fn value<'r>(&self, row: &'r Row, name: &str) -> Option<&'r str> {
        let (position, _) = self.places.iter().find(|(_, field)| field.record == [name])?;
        row[*position].as_deref()
    }
}

/// Sorts fields of the same object next to each other. The names of c7n-trailcreator are last in [`FIELDS`].
fn nesting(field: &Field) -> (&'static [&'static str], bool) {
    let parents = &field.record[..field.record.len() - 1];
    (parents, parents.is_empty())
}

fn push_key(text: &mut String, name: &str) {
    if !text.ends_with('{') {
        text.push(',');
    }
    text.push('"');
    text.push_str(name);
    text.push_str("\":");
}

fn push_value(text: &mut String, value: &str, field: &Field, row: impl Fn() -> String) -> Result<(), BadRow> {
    if field.need != Need::JsonByMap {
        text.push_str(&serde_json::Value::from(value).to_string());
        return Ok(());
    }
    text.push_str(&json_text(value, field.record[0], &row)?);
    Ok(())
}

/// The text of a column that has JSON, mended if CloudTrail wrote it with a fault.
fn json_text<'v>(value: &'v str, field: &'static str, row: &impl Fn() -> String) -> Result<Cow<'v, str>, BadRow> {
    if value.is_empty() {
        return Ok("null".into());
    }
    let is_json = |text: &str| serde_json::from_str::<&RawValue>(text).map(|checked| checked.get().len());
    if let Err(error) = is_json(value) {
        let mended = mend::mended(value.as_bytes());
        is_json(&mended).map_err(|_| BadRow::NotJson { row: row(), field, error })?;
        return Ok(mended.into());
    }
    Ok(value.trim().into())
}

/// A short description of a row, for messages.
fn describe(layout: &Layout, row: &Row) -> String {
    let value = |name| layout.value(row, name).unwrap_or("?");
    format!("event {} ({} {} at {})", value("eventID"), value("eventSource"), value("eventName"), value("eventTime"))
}

#[cfg(test)]
mod tests;
