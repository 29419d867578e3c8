//! Conditions on a table's partition keys. They keep Athena from scanning (and charging for) other days and
//! accounts. Pure.
//!
//! A partition's day is the delivery day, which is never before the day of the event. The time range includes extra days for
//! deliveries after midnight ([`crate::trail::window::TimeWindow::delivery_days`]). A condition may match too many partitions,
//! but never too few: the query also has the exact filter on the columns of the record.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;

use super::quoting::{identifier, literal};
use super::table::{self, Meaning, Partition, Table};
use crate::model::AccountId;
use crate::trail::window::DayRange;

/// The last hour of a day, for formats with hours.
const LAST_HOUR: u8 = 23;

/// The conditions on a table's partition keys for these days and accounts, to be combined with AND.
pub(super) fn conditions(table: &Table, days: DayRange, accounts: &BTreeSet<AccountId>) -> Vec<String> {
    let mut conditions: Vec<String> =
        table.partitions.iter().filter_map(|partition| single(partition, days, accounts)).collect();
    conditions.extend(calendar(table, days));
    conditions.extend(table.timestamp().and_then(|column| days_of_timestamp(&identifier(column), days)));
    conditions
}

/// A timestamp of the event is never after the day of its delivery.
fn days_of_timestamp(column: &str, days: DayRange) -> Option<String> {
    let midnight = |day: Date| format!("TIMESTAMP '{day} 00:00:00'");
    let (first, end) = (days.first.map(midnight), days.last.map(|last| midnight(last.saturating_add(1.day()))));
    match (first, end) {
        (None, None) => None,
        (Some(first), None) => Some(format!("{column} >= {first}")),
        (None, Some(end)) => Some(format!("{column} < {end}")),
        (Some(first), Some(end)) => Some(format!("{column} >= {first} AND {column} < {end}")),
    }
}

/// The keys that Athena needs a value for, without one in the request.
pub(super) fn unfilled<'a>(table: &'a Table, accounts: &BTreeSet<AccountId>) -> Vec<&'a str> {
    let filled = |partition: &Partition| partition.meaning == Meaning::Account && !accounts.is_empty();
    table.partitions.iter().filter(|key| key.injected && !filled(key)).map(|key| key.name.as_str()).collect()
}

/// The condition for a key that does not depend on other keys.
fn single(partition: &Partition, days: DayRange, accounts: &BTreeSet<AccountId>) -> Option<String> {
    let DayRange { first, last } = days;
    let key = identifier(&partition.name);
    let between = |low: Option<String>, high: Option<String>| range(&key, low, high);
    match &partition.meaning {
        Meaning::DateText(format) => between(
            first.map(|day| literal(&format.format(day, 0))),
            last.map(|day| literal(&format.format(day, LAST_HOUR))),
        ),
        Meaning::Date => {
            let date = |day: Date| format!("DATE '{day}'");
            between(first.map(date), last.map(date))
        }
        Meaning::DateOfUnknownSpelling => unknown_spelling(&key, first, last),
        Meaning::Account if accounts.is_empty() => None,
        Meaning::Account => Some(of_accounts(partition, &key, accounts)),
        Meaning::Year | Meaning::Month | Meaning::Day | Meaning::Unused => None,
    }
}

/// The keys without a condition. If another key has one, those that are called after what the request limits: a region is always
/// without one.
pub(super) fn unused<'a>(table: &'a Table, days: DayRange, accounts: &BTreeSet<AccountId>) -> Vec<&'a str> {
    let conditions = conditions(table, days, accounts);
    let (is_any, conditions) = (!conditions.is_empty(), conditions.join(" "));
    let is_unused = |key: &&Partition| {
        let is_expected = table::limits_by_name(&key.name, !days.is_unlimited(), !accounts.is_empty());
        !conditions.contains(&identifier(&key.name)) && (is_expected || !is_any)
    };
    table.partitions.iter().filter(is_unused).map(|key| key.name.as_str()).collect()
}

/// Accounts, with and without leading zeros. Values that are not an account ID match too, unless there can be none.
fn of_accounts(partition: &Partition, key: &str, accounts: &BTreeSet<AccountId>) -> String {
    let spellings = |account: &AccountId| match partition.numeric {
        true => vec![number_or_text(account.as_str(), true)],
        false => {
            let short = account.as_str().trim_start_matches('0');
            let is_short = !partition.injected && short.len() < account.as_str().len();
            [account.as_str()].into_iter().chain(is_short.then_some(short)).map(literal).collect()
        }
    };
    let values: Vec<String> = accounts.iter().flat_map(spellings).collect();
    let condition = one_of(key, &values);
    if partition.values_are_known {
        return condition;
    }
    unless_other_form(&has_form(partition, key, "^[0-9]{1,12}$", "0 AND 999999999999"), &condition)
}

/// Whether a value has the form of a meaning: a regular expression for texts, a range for numbers.
fn has_form(partition: &Partition, key: &str, pattern: &str, range: &str) -> String {
    if partition.numeric {
        format!("coalesce({key} BETWEEN {range}, false)")
    } else {
        format!("coalesce(regexp_like({key}, {}), false)", literal(pattern))
    }
}

/// A condition that matches all values of another form, and null.
fn unless_other_form(has_form: &str, condition: &str) -> String {
    format!("(NOT {has_form} OR ({condition}))")
}

/// Compares only the digits, for texts that begin like a date. All other texts match.
fn unknown_spelling(key: &str, first: Option<Date>, last: Option<Date>) -> Option<String> {
    const LOOKS_LIKE_A_DATE: &str = "^(19|20)[0-9]{2}[-/]?[01][0-9][-/]?[0-3][0-9]";
    let digits = format!("replace(replace({key}, '/', ''), '-', '')");
    let day = |day: Date| format!("{:04}{:02}{:02}", day.year(), day.month(), day.day());
    let high = |date: Date| literal(&format!("{}{LAST_HOUR}", day(date)));
    let condition = range(&digits, first.map(|date| literal(&day(date))), last.map(high))?;
    let has_form = format!("coalesce(regexp_like({key}, {}), false)", literal(LOOKS_LIKE_A_DATE));
    Some(unless_other_form(&has_form, &condition))
}

fn range(key: &str, low: Option<String>, high: Option<String>) -> Option<String> {
    match (low, high) {
        (None, None) => None,
        (Some(low), None) => Some(format!("{key} >= {low}")),
        (None, Some(high)) => Some(format!("{key} <= {high}")),
        (Some(low), Some(high)) => Some(format!("{key} >= {low} AND {key} <= {high}")),
    }
}

fn one_of(key: &str, values: &[String]) -> String {
    match values {
        [value] => format!("{key} = {value}"),
        _ => format!("{key} IN ({})", values.join(", ")),
    }
}

fn number_or_text(value: &str, numeric: bool) -> String {
    if numeric { value.trim_start_matches('0').to_owned() } else { literal(value) }
}

/// Year, month and day keys. Only the year is required.
struct Calendar<'a> {
    year: &'a Partition,
    month: Option<&'a Partition>,
    day: Option<&'a Partition>,
}

/// The condition on year, month and day together.
fn calendar(table: &Table, days: DayRange) -> Option<String> {
    if days.is_unlimited() {
        return None;
    }
    let find = |meaning: &Meaning| table.partitions.iter().find(|partition| partition.meaning == *meaning);
    let month = find(&Meaning::Month);
    let keys = Calendar { year: find(&Meaning::Year)?, month, day: month.and(find(&Meaning::Day)) };
    let alternatives = keys.alternatives(days.first, days.last);
    let condition = match &alternatives[..] {
        [one] => one.clone(),
        _ => format!("({})", alternatives.join(" OR ")),
    };
    let forms = keys.forms();
    Some(if forms.is_empty() {
        condition
    } else {
        unless_other_form(&format!("({})", forms.join(" AND ")), &condition)
    })
}

impl Calendar<'_> {
    /// That the values of the keys have the form of years, months and days, for keys with values that are not known.
    fn forms(&self) -> Vec<String> {
        let forms = [
            (Some(self.year), "^(19|20)[0-9]{2}$", "1900 AND 2099"),
            (self.month, "^(0?[1-9]|1[0-2])$", "1 AND 12"),
            (self.day, "^(0?[1-9]|[12][0-9]|3[01])$", "1 AND 31"),
        ];
        let form = |(key, pattern, range): (Option<&Partition>, &str, &str)| {
            let key = key.filter(|key| !key.values_are_known)?;
            Some(has_form(key, &identifier(&key.name), pattern, range))
        };
        forms.into_iter().filter_map(form).collect()
    }

    /// Whole years as a range, and the remaining parts of the first and last year.
    fn alternatives(&self, first: Option<Date>, last: Option<Date>) -> Vec<String> {
        if let (Some(first), Some(last)) = (first, last)
            && first.year() == last.year()
        {
            return self.part_of_year(first, last);
        }
        let mut alternatives = Vec::new();
        let whole_from = first.map(|day| if day.day_of_year() == 1 { day.year() } else { day.year() + 1 });
        let whole_to = last.map(|day| if day == day.last_of_year() { day.year() } else { day.year() - 1 });
        if let Some(first) = first.filter(|day| whole_from != Some(day.year())) {
            alternatives.extend(self.part_of_year(first, first.last_of_year()));
        }
        if !matches!((whole_from, whole_to), (Some(from), Some(to)) if from > to) {
            let year = |year: i16| number_or_text(&format!("{year:04}"), self.year.numeric);
            alternatives.extend(range(&identifier(&self.year.name), whole_from.map(year), whole_to.map(year)));
        }
        if let Some(last) = last.filter(|day| whole_to != Some(day.year())) {
            alternatives.extend(self.part_of_year(last.first_of_year(), last));
        }
        for alternative in &mut alternatives {
            *alternative = format!("({alternative})");
        }
        alternatives
    }

    /// A range of days in one year: whole months in one list, the others with their days.
    fn part_of_year(&self, first: Date, last: Date) -> Vec<String> {
        let year = format!(
            "{} = {}",
            identifier(&self.year.name),
            number_or_text(&format!("{:04}", first.year()), self.year.numeric)
        );
        let Some(month_key) = self.month else { return vec![year] };
        if first.day_of_year() == 1 && last == last.last_of_year() {
            return vec![year];
        }
        let (mut whole, mut parts) = (Vec::new(), Vec::new());
        for month in first.month()..=last.month() {
            let start = if month == first.month() { first.day() } else { 1 };
            let length = first.with().month(month).day(1).build().map_or(31, Date::days_in_month);
            let end = if month == last.month() { last.day() } else { length };
            match self.day {
                Some(day_key) if start > 1 || end < length => parts.push(format!(
                    "{year} AND {} AND {}",
                    spelled(month_key, month..=month),
                    spelled(day_key, start..=end)
                )),
                _ => whole.push(month),
            }
        }
        if let (Some(from), Some(to)) = (whole.first(), whole.last()) {
            parts.insert(0, format!("{year} AND {}", spelled(month_key, *from..=*to)));
        }
        parts
    }
}

/// Months or days. As text they can have a leading zero or not.
fn spelled(key: &Partition, numbers: std::ops::RangeInclusive<i8>) -> String {
    let mut values = Vec::new();
    for number in numbers {
        match (key.numeric, number) {
            (true, _) => values.push(number.to_string()),
            (false, 10..) => values.push(format!("'{number}'")),
            (false, _) => values.extend([format!("'{number:02}'"), format!("'{number}'")]),
        }
    }
    one_of(&identifier(&key.name), &values)
}

#[cfg(test)]
mod tests;
