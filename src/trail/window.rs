//! A half-open time range in UTC: from `since` (inclusive) to `until` (exclusive).
//!
//! Given as a year, a month or a day, or by two ends, each a date, a time (RFC 3339) or an age (`90d`). Knows no
//! clock: ages count back from the `now` of the caller.

use jiff::civil::Date;
use jiff::{Span, Timestamp, ToSpan, tz::Offset};

/// A time range. An end that is `None` is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeWindow {
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// A time range as the user writes it.
#[derive(Debug, Clone, Copy, Default)]
pub struct WindowText<'a> {
    /// `2019`
    pub year: Option<&'a str>,
    /// `2019/11` or `2019-11`
    pub month: Option<&'a str>,
    /// `2019/02/01` or `2019-02-01`
    pub day: Option<&'a str>,
    /// A date in any of these forms (its beginning), RFC 3339, or an age: `30min`, `12h`; `90d`, `2w`, `3mo` and `1y` mean the
    /// beginning of that day, so that a range that moves with every run does not split a day's records.
    pub since: Option<&'a str>,
    /// Like `since`.
    pub until: Option<&'a str>,
}

/// Why a time range is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWindow {
    /// An option has an invalid value.
    #[error("{option} {value:?} is not {expected}")]
    Form {
        /// `--year`…
        option: &'static str,
        /// The given value.
        value: String,
        /// The expected form.
        expected: &'static str,
    },
    /// `3m`: command lines differ on its meaning, and months read as minutes would load nothing.
    #[error("{option} {value:?} is ambiguous: write {number}min for minutes or {number}mo for months")]
    Ambiguous {
        /// `--since` or `--until`.
        option: &'static str,
        /// The given value.
        value: String,
        /// Its number.
        number: i64,
    },
    /// Options that exclude each other.
    #[error("use only one of --year, --month, --day, or --since with --until")]
    Several,
    /// The range is empty.
    #[error("the time range is empty: its end {until} is not after its start {since}")]
    Empty {
        /// Its beginning.
        since: Timestamp,
        /// Its end.
        until: Timestamp,
    },
}

const YEAR: &str = "a year such as 2019";
const MONTH: &str = "a month such as 2019/11";
const DAY: &str = "a day such as 2019/02/01";
const MOMENT: &str = "a date (2019/02/01), a time (2019-02-01T12:00:00Z) or an age (30min, 12h, 90d, 2w, 3mo, 1y)";

/// Days, both ends inclusive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DayRange {
    /// `None`: from the beginning.
    pub first: Option<Date>,
    /// `None`: without end.
    pub last: Option<Date>,
}

impl DayRange {
    /// Whether every day is in it.
    pub fn is_unlimited(self) -> bool {
        self == Self::default()
    }
}

impl TimeWindow {
    /// A range between two ends.
    ///
    /// # Errors
    /// The end is not after the beginning.
    pub fn new(since: Option<Timestamp>, until: Option<Timestamp>) -> Result<Self, InvalidWindow> {
        match (since, until) {
            (Some(since), Some(until)) if until <= since => Err(InvalidWindow::Empty { since, until }),
            _ => Ok(Self { since, until }),
        }
    }

    /// Parses the options. Ages count back from `now`.
    ///
    /// # Errors
    /// An invalid value, options that exclude each other, or an empty range.
    pub fn parse(text: WindowText<'_>, now: Timestamp) -> Result<Self, InvalidWindow> {
        let calendar = [("--year", text.year, YEAR, 1), ("--month", text.month, MONTH, 2), ("--day", text.day, DAY, 3)];
        let mut given = calendar.into_iter().filter_map(|(option, value, expected, parts)| {
            value.map(|value| calendar_window(value, parts).ok_or_else(|| malformed(option, value, expected)))
        });
        let ends = text.since.is_some() || text.until.is_some();
        match (given.next(), given.next(), ends) {
            (Some(window), None, false) => window,
            (None, _, _) => Self::new(end("--since", text.since, now)?, end("--until", text.until, now)?),
            _ => Err(InvalidWindow::Several),
        }
    }

    /// Whether a time is in the range.
    pub fn contains(&self, moment: Timestamp) -> bool {
        self.since.is_none_or(|since| since <= moment) && self.until.is_none_or(|until| moment < until)
    }

    /// Whether it includes all times.
    pub fn is_open(&self) -> bool {
        self.since.is_none() && self.until.is_none()
    }

    /// Its beginning, inclusive.
    pub fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// Its end, exclusive.
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// The first and last day (inclusive) with folders in a trail's bucket that can hold its records.
    ///
    /// The folder of an object is its day of delivery. A record is never in a folder before its own day, and in a
    /// later one if it was delivered after midnight. One more day covers the usual quarter of an hour with a wide margin.
    ///
    /// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html>
    pub fn delivery_days(&self) -> DayRange {
        let day = |moment: Timestamp| Offset::UTC.to_datetime(moment).date();
        let last = self.until.map(|until| day(until.saturating_sub(1.nanosecond()).unwrap_or(until)));
        DayRange { first: self.since.map(day), last: last.map(|day| day.saturating_add(1.day())) }
    }
}

fn malformed(option: &'static str, value: &str, expected: &'static str) -> InvalidWindow {
    InvalidWindow::Form { option, value: value.to_owned(), expected }
}

/// The range of a calendar date with exactly `parts` parts: 1 for a year, 2 for a month, 3 for a day.
fn calendar_window(value: &str, parts: usize) -> Option<TimeWindow> {
    let (date, span) =
        calendar_date(value).filter(|(_, _, given)| *given == parts).map(|(date, span, _)| (date, span))?;
    let until = date.checked_add(span).ok()?;
    Some(TimeWindow { since: midnight(date), until: midnight(until) })
}

/// `2019`, `2019/11`, `2019/02/01` (or with hyphens): its first day, its length and the number of parts.
fn calendar_date(value: &str) -> Option<(Date, Span, usize)> {
    const YEAR_DIGITS: usize = 4;
    let parts: Vec<&str> = value.split(['/', '-']).collect();
    let digits =
        |part: &&str| !part.is_empty() && part.len() <= YEAR_DIGITS && part.bytes().all(|b| b.is_ascii_digit());
    if !parts.iter().all(digits) || parts[0].len() != YEAR_DIGITS {
        return None;
    }
    let numbers: Vec<i16> = parts.iter().filter_map(|part| part.parse().ok()).collect();
    let small = |number: i16| i8::try_from(number).ok();
    match numbers[..] {
        [year] => Some((Date::new(year, 1, 1).ok()?, 1.year(), 1)),
        [year, month] => Some((Date::new(year, small(month)?, 1).ok()?, 1.month(), 2)),
        [year, month, day] => Some((Date::new(year, small(month)?, small(day)?).ok()?, 1.day(), 3)),
        _ => None,
    }
}

/// Parses a point in time in one of the forms of [`WindowText::since`], the value of `option`. Ages count back from `now`.
///
/// # Errors
/// Another form.
pub fn point(option: &'static str, value: &str, now: Timestamp) -> Result<Timestamp, InvalidWindow> {
    Ok(end(option, Some(value), now)?.expect("a value was given"))
}

fn end(option: &'static str, value: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>, InvalidWindow> {
    let Some(value) = value else { return Ok(None) };
    if let Some((number, "m")) = number_and_unit(value) {
        return Err(InvalidWindow::Ambiguous { option, value: value.to_owned(), number });
    }
    moment(value, now).map(Some).ok_or_else(|| malformed(option, value, MOMENT))
}

fn moment(value: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some((date, _, _)) = calendar_date(value) {
        return midnight(date);
    }
    age(value, now)
        .or_else(|| value.parse().ok())
        .or_else(|| value.parse::<jiff::civil::DateTime>().ok().and_then(|local| Offset::UTC.to_timestamp(local).ok()))
}

/// The time with this age: `30min`, `12h`; for days and longer units the beginning of that day (UTC). Months and years are
/// calendar units: `1mo` before 31 March is the last day of February.
fn age(value: &str, now: Timestamp) -> Option<Timestamp> {
    let (number, unit) = number_and_unit(value)?;
    let span = Span::new();
    let day = |span: Span| Offset::UTC.to_datetime(now).date().checked_sub(span).ok().and_then(midnight);
    let start = match unit {
        "min" => now.checked_sub(span.try_minutes(number).ok()?).ok(),
        "h" => now.checked_sub(span.try_hours(number).ok()?).ok(),
        "d" => day(span.try_days(number).ok()?),
        "w" => day(span.try_weeks(number).ok()?),
        "mo" => day(span.try_months(number).ok()?),
        "y" => day(span.try_years(number).ok()?),
        _ => None,
    };
    // RFC 3339, in which windows are printed, has no years before 0.
    start.filter(|start| Offset::UTC.to_datetime(*start).year() > 0)
}

/// `90d` is 90 and `d`.
fn number_and_unit(value: &str) -> Option<(i64, &str)> {
    let (number, unit) = value.split_at(value.find(|letter: char| !letter.is_ascii_digit())?);
    Some((number.parse().ok()?, unit))
}

fn midnight(date: Date) -> Option<Timestamp> {
    Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2024-03-01T12:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn parse(text: WindowText<'_>) -> Result<(String, String), String> {
        let window = TimeWindow::parse(text, at(NOW)).map_err(|error| error.to_string())?;
        let show = |end: Option<Timestamp>| end.map_or("open".to_owned(), |end| end.to_string());
        Ok((show(window.since), show(window.until)))
    }

    fn ends(since: &str, until: &str) -> Result<(String, String), String> {
        Ok((since.to_owned(), until.to_owned()))
    }

    #[test]
    fn year_month_and_day_are_ranges() {
        let year = WindowText { year: Some("2019"), ..Default::default() };
        assert_eq!(parse(year), ends("2019-01-01T00:00:00Z", "2020-01-01T00:00:00Z"));
        for month in ["2019/12", "2019-12"] {
            let month = WindowText { month: Some(month), ..Default::default() };
            assert_eq!(parse(month), ends("2019-12-01T00:00:00Z", "2020-01-01T00:00:00Z"));
        }
        for day in ["2024/02/29", "2024-02-29", "2024/2/29"] {
            let day = WindowText { day: Some(day), ..Default::default() };
            assert_eq!(parse(day), ends("2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"));
        }
    }

    #[test]
    fn ends_are_dates_times_or_ages() {
        let since = |since| parse(WindowText { since: Some(since), ..Default::default() }).map(|ends| ends.0);
        assert_eq!(since("2019/02"), Ok("2019-02-01T00:00:00Z".to_owned()));
        assert_eq!(since("2019-02-01T01:00:00+01:00"), Ok("2019-02-01T00:00:00Z".to_owned()));
        assert_eq!(since("2019-02-01T01:00:00"), Ok("2019-02-01T01:00:00Z".to_owned()));
        assert_eq!(since("1d"), Ok("2024-02-29T00:00:00Z".to_owned()));
        assert_eq!(since("30h"), Ok("2024-02-29T06:00:00Z".to_owned()));
        let until = WindowText { until: Some("1w"), ..Default::default() };
        assert_eq!(parse(until), ends("open", "2024-02-23T00:00:00Z"));
        assert_eq!(parse(WindowText::default()), ends("open", "open"));
    }

    #[test]
    fn ages_are_minutes_hours_days_weeks_calendar_months_and_years() {
        let ago = |age: &str, now: &str| {
            let text = WindowText { since: Some(age), ..Default::default() };
            TimeWindow::parse(text, at(now)).unwrap().since().unwrap().to_string()
        };
        let now = "2024-03-31T12:00:00Z";
        for (age, since) in [
            ("30min", "2024-03-31T11:30:00Z"),
            ("12h", "2024-03-31T00:00:00Z"),
            ("0d", "2024-03-31T00:00:00Z"),
            ("2w", "2024-03-17T00:00:00Z"),
            ("1mo", "2024-02-29T00:00:00Z"),
            ("3mo", "2023-12-31T00:00:00Z"),
            ("1y", "2023-03-31T00:00:00Z"),
        ] {
            assert_eq!(ago(age, now), since, "{age}");
        }
    }

    #[test]
    fn a_bare_m_is_refused_with_both_readings() {
        for (option, text) in [
            ("--since", WindowText { since: Some("3m"), ..Default::default() }),
            ("--until", WindowText { until: Some("3m"), ..Default::default() }),
        ] {
            assert_eq!(
                parse(text).unwrap_err(),
                format!("{option} \"3m\" is ambiguous: write 3min for minutes or 3mo for months")
            );
        }
    }

    #[test]
    fn invalid_ranges_are_refused_with_a_reason() {
        let refused = |text| parse(text).unwrap_err();
        for day in ["2019", "2019/02", "2019/02/30", "02/01/2019", "2019/02/01/3", "19/2/1", "2019//1", "x"] {
            let text = WindowText { day: Some(day), ..Default::default() };
            assert_eq!(refused(text), format!("--day {day:?} is not a day such as 2019/02/01"));
        }
        for since in [
            "tomorrow",
            "90",
            "90q",
            "-1d",
            "d",
            "mo",
            "",
            "1.5h",
            "9999y",
            "99999999999999999999d",
            "9223372036854775807w",
            "é",
        ] {
            assert!(refused(WindowText { since: Some(since), ..Default::default() }).starts_with("--since"), "{since}");
        }
        let both = WindowText { year: Some("2019"), day: Some("2019/02/01"), ..Default::default() };
        assert_eq!(refused(both), InvalidWindow::Several.to_string());
        let mixed = WindowText { year: Some("2019"), since: Some("1d"), ..Default::default() };
        assert_eq!(refused(mixed), InvalidWindow::Several.to_string());
        let empty = WindowText { since: Some("1d"), until: Some("1d"), ..Default::default() };
        assert!(refused(empty).starts_with("the time range is empty"));
    }

    #[test]
    fn range_is_half_open() {
        let window = TimeWindow::new(Some(at("2019-02-01T00:00:00Z")), Some(at("2019-02-02T00:00:00Z"))).unwrap();
        assert!(window.contains(at("2019-02-01T00:00:00Z")) && window.contains(at("2019-02-01T23:59:59Z")));
        assert!(!window.contains(at("2019-02-02T00:00:00Z")) && !window.contains(at("2019-01-31T23:59:59Z")));
    }

    #[test]
    fn folders_include_one_more_day_for_late_deliveries() {
        let days = |text| TimeWindow::parse(text, at(NOW)).unwrap().delivery_days();
        let date = |text: &str| text.parse::<Date>().ok();
        let day = WindowText { day: Some("2019/12/31"), ..Default::default() };
        assert_eq!(days(day), DayRange { first: date("2019-12-31"), last: date("2020-01-01") });
        let until = WindowText { until: Some("2019-02-01T10:00:00Z"), ..Default::default() };
        assert_eq!(days(until), DayRange { first: None, last: date("2019-02-02") });
    }
}
