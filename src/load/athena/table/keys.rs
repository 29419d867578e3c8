//! Decides what a table's partition keys mean. Pure.
//!
//! A key that is misunderstood excludes rows, so nothing is guessed:
//! * The properties of a projection count only while it is enabled. Then its values are known, and the path (the location template)
//!   decides what they are: the folders of a CloudTrail trail have a fixed order.
//! * Without projection, only common names count, and the conditions include all values of another form (`values_are_known`).
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html>

use std::collections::BTreeMap;

use super::{ColumnType, Meaning, Partition, TableMetadata};
use crate::load::athena::date_format::DateFormat;
use crate::model::AccountId;

/// The folder of a trail, between the account and the region.
///
/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html>
const TRAIL_FOLDER: &str = "CloudTrail";

/// The years that trails can have.
const YEARS: std::ops::RangeInclusive<i64> = 2005..=2200;

/// The common names of partition keys with an account.
const ACCOUNT_NAMES: [&str; 6] =
    ["account", "accountid", "account_id", "aws_account", "aws_account_id", "awsaccountid"];

/// The common names of partition keys with a date.
const DATE_NAMES: [&str; 11] = [
    "timestamp",
    "dt",
    "date",
    "day",
    "ds",
    "event_date",
    "eventdate",
    "event_day",
    "eventday",
    "date_partition",
    "partition_date",
];

/// A folder of a trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Folder {
    Account,
    /// The year, or the whole date in one key.
    Year,
    Month,
    Day,
    /// Another one.
    Other,
}

/// What the table's parameters say of a key.
struct Projection<'a> {
    parameters: &'a BTreeMap<String, String>,
    key: &'a str,
}

impl<'a> Projection<'a> {
    fn property(&self, name: &str) -> Option<&'a str> {
        parameter(self.parameters, &format!("projection.{}.{name}", self.key))
    }

    fn kind(&self) -> String {
        self.property("type").unwrap_or_default().trim().to_lowercase()
    }
}

/// Whether a key's name suggests that it limits what a request limits: its days, or its accounts.
pub(in crate::load::athena) fn limits_by_name(name: &str, days: bool, accounts: bool) -> bool {
    folder_of_name(name, true).is_some_and(|folder| if folder == Folder::Account { accounts } else { days })
}

/// The partition keys of a table.
pub(super) fn partitions(metadata: &TableMetadata) -> Vec<Partition> {
    let parameters = &metadata.parameters;
    let is_projected =
        parameter(parameters, "projection.enabled").is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
    let template = parameter(parameters, "storage.location.template").filter(|_| is_projected);

    let has = |wanted: &str| metadata.partition_keys.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    let day_of_month = has("year") && has("month");
    let folders = template.map(|template| folders(template, day_of_month));
    let mut partitions: Vec<Partition> = Vec::new();
    for (name, kind) in &metadata.partition_keys {
        let (name, kind) = (name.to_lowercase(), ColumnType::parse(kind));
        let projection = Projection { parameters, key: &name };
        let meaning = if is_projected {
            // Without a template, the folders are `key=value`.
            let folder = match &folders {
                Some(folders) => folders.get(&name).copied(),
                None => folder_of_name(&name, day_of_month),
            };
            by_projection(&projection, &kind, folder)
        } else {
            by_name(&name, &kind, day_of_month)
        };
        let injected = is_projected && projection.kind() == "injected";
        let numeric = kind == ColumnType::Integer;
        partitions.push(Partition { name, meaning, numeric, injected, values_are_known: is_projected });
    }
    // If two keys have the same meaning, it is unknown which of them is the delivery time.
    let is_doubtful: Vec<bool> = partitions
        .iter()
        .map(|one| partitions.iter().filter(|other| is_same_kind(&other.meaning, &one.meaning)).count() > 1)
        .collect();
    for (partition, _) in partitions.iter_mut().zip(is_doubtful).filter(|(_, is_doubtful)| *is_doubtful) {
        partition.meaning = Meaning::Unused;
    }
    partitions
}

fn parameter<'a>(parameters: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn is_same_kind(one: &Meaning, other: &Meaning) -> bool {
    let is_date =
        |meaning: &Meaning| matches!(meaning, Meaning::Date | Meaning::DateText(_) | Meaning::DateOfUnknownSpelling);
    one == other || (is_date(one) && is_date(other))
}

/// The folders that the keys stand for in a location template: by their place in a trail, or by a name before them (`year=${y}`). A key
/// is absent if the path says nothing.
fn folders(template: &str, day_of_month: bool) -> BTreeMap<String, Folder> {
    let segments: Vec<&str> = template.split('/').collect();
    let trail = segments.iter().position(|segment| *segment == TRAIL_FOLDER);
    let in_trail = |index: usize| match trail.map(|trail| index.checked_sub(trail)) {
        None => None,
        Some(Some(2)) => Some(Folder::Year),
        Some(Some(3)) => Some(Folder::Month),
        Some(Some(4)) => Some(Folder::Day),
        _ if trail == Some(index + 1) => Some(Folder::Account),
        _ => Some(Folder::Other),
    };
    let mut folders = BTreeMap::new();
    for (index, segment) in segments.iter().enumerate() {
        for (before, key) in keys_in(segment) {
            let is_alone = segment.len() == before.len() + key.len() + "${}".len();
            let named = before.strip_suffix('=').filter(|_| is_alone);
            let folder = match named {
                Some(name) => folder_of_name(&name.to_lowercase(), true),
                None if is_alone && before.is_empty() => {
                    in_trail(index).or_else(|| folder_of_name(&key.to_lowercase(), day_of_month))
                }
                None => Some(Folder::Other),
            };
            folders.extend(folder.map(|folder| (key.to_lowercase(), folder)));
        }
    }
    folders
}

/// The keys in a part of a path, each with the text before it.
fn keys_in(segment: &str) -> Vec<(&str, &str)> {
    let starts = segment.match_indices("${").map(|(start, _)| start);
    let key = |start: usize| Some((&segment[..start], segment[start + 2..].split_once('}')?.0));
    starts.filter_map(key).collect()
}

fn folder_of_name(name: &str, day_of_month: bool) -> Option<Folder> {
    match name {
        "year" => Some(Folder::Year),
        "month" => Some(Folder::Month),
        "day" if day_of_month => Some(Folder::Day),
        _ if DATE_NAMES.contains(&name) => Some(Folder::Year),
        _ if ACCOUNT_NAMES.contains(&name) => Some(Folder::Account),
        _ => None,
    }
}

/// The meaning of a key by its values and its folder. `None`: the path says nothing.
fn by_projection(projection: &Projection<'_>, kind: &ColumnType, folder: Option<Folder>) -> Meaning {
    let known = match (projection.kind().as_str(), kind, folder) {
        ("date", ColumnType::Date, Some(Folder::Year)) => Some(Meaning::Date),
        ("date", ColumnType::Text, Some(Folder::Year)) => {
            projection.property("format").and_then(DateFormat::parse).map(Meaning::DateText)
        }
        ("integer", ColumnType::Text | ColumnType::Integer, Some(folder)) => {
            integers(projection).and_then(|range| calendar(folder, &[range.0, range.1]))
        }
        ("enum", ColumnType::Text | ColumnType::Integer, folder) => by_values(projection, folder),
        ("injected", ColumnType::Text | ColumnType::Integer, Some(Folder::Account)) => Some(Meaning::Account),
        _ => None,
    };
    known.unwrap_or(Meaning::Unused)
}

/// The range of an integer projection, if its values are written as years, months and days usually are.
fn integers(projection: &Projection<'_>) -> Option<(i64, i64)> {
    const LONGEST: usize = 4;
    let digits = projection.property("digits").map_or(Some(0), |digits| digits.trim().parse::<usize>().ok())?;
    let (first, last) = projection.property("range")?.split_once(',')?;
    let range = (first.trim().parse::<i64>().ok()?, last.trim().parse::<i64>().ok()?);
    let is_usual = digits <= LONGEST && (digits <= 2 || YEARS.contains(&range.0));
    is_usual.then_some(range)
}

/// The meaning of an enumeration.
fn by_values(projection: &Projection<'_>, folder: Option<Folder>) -> Option<Meaning> {
    let values: Vec<&str> = projection.property("values")?.split(',').map(str::trim).collect();
    if values.iter().all(|value| AccountId::parse(value).is_ok()) {
        return matches!(folder, None | Some(Folder::Account)).then_some(Meaning::Account);
    }
    let is_number = |value: &&str| matches!(value.len(), 1 | 2 | 4) && value.bytes().all(|byte| byte.is_ascii_digit());
    if !values.iter().all(is_number) {
        return None;
    }
    let numbers: Vec<i64> = values.iter().filter_map(|value| value.parse().ok()).collect();
    calendar(folder?, &numbers)
}

/// The part of a date that a folder is, if its values can be that.
fn calendar(folder: Folder, values: &[i64]) -> Option<Meaning> {
    let are = |range: std::ops::RangeInclusive<i64>| values.iter().all(|value| range.contains(value));
    match folder {
        Folder::Year if are(YEARS) => Some(Meaning::Year),
        Folder::Month if are(1..=12) => Some(Meaning::Month),
        Folder::Day if are(1..=31) => Some(Meaning::Day),
        _ => None,
    }
}

/// The meaning of a key without projection. Its values can have any form.
fn by_name(name: &str, kind: &ColumnType, day_of_month: bool) -> Meaning {
    let is_number_or_text = matches!(kind, ColumnType::Text | ColumnType::Integer);
    match (folder_of_name(name, day_of_month), kind) {
        (Some(Folder::Year), ColumnType::Date) => Meaning::Date,
        (Some(Folder::Year), _) if name == "year" && is_number_or_text => Meaning::Year,
        (Some(Folder::Year), ColumnType::Text) => Meaning::DateOfUnknownSpelling,
        (Some(Folder::Month), _) if is_number_or_text => Meaning::Month,
        (Some(Folder::Day), _) if is_number_or_text => Meaning::Day,
        (Some(Folder::Account), _) if is_number_or_text => Meaning::Account,
        _ => Meaning::Unused,
    }
}
