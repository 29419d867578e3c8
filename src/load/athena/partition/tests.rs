//! Conditions on partition keys, for tables of many shapes.

use super::super::table::tests::metadata;
use super::*;
use jiff::civil::date;

fn table(keys: &[(&str, &str)], parameters: &[(&str, &str)]) -> Table {
    Table::read("default", &metadata(keys, parameters)).unwrap()
}

/// Year, month and day as projection generates them.
fn projected(kind: &str) -> Table {
    let parameters = [
        ("projection.enabled", "true"),
        ("projection.year.type", "integer"),
        ("projection.year.range", "2012,2040"),
        ("projection.month.type", "integer"),
        ("projection.month.range", "1,12"),
        ("projection.day.type", "integer"),
        ("projection.day.range", "1,31"),
    ];
    table(&[("year", kind), ("month", kind), ("day", kind)], &parameters)
}

fn of_days(first: Option<Date>, last: Option<Date>) -> String {
    conditions(&projected("string"), DayRange { first, last }, &BTreeSet::new()).join(" AND ")
}

#[test]
fn text_projection_is_a_range() {
    let parameters = [
        ("projection.enabled", "true"),
        ("projection.timestamp.type", "date"),
        ("projection.timestamp.format", "yyyy/MM/dd"),
    ];
    let table = table(&[("timestamp", "string")], &parameters);
    let of = |first, last| conditions(&table, DayRange { first, last }, &BTreeSet::new());
    assert_eq!(
        of(Some(date(2019, 1, 1)), Some(date(2020, 1, 1))),
        [r#""timestamp" >= '2019/01/01' AND "timestamp" <= '2020/01/01'"#]
    );
    assert_eq!(of(Some(date(2019, 1, 1)), None), [r#""timestamp" >= '2019/01/01'"#]);
    assert_eq!(of(None, None), [""; 0]);
}

#[test]
fn hours_cover_the_last_day() {
    let parameters = [
        ("projection.enabled", "true"),
        ("projection.h.type", "date"),
        ("projection.h.format", "yyyyMMddHH"),
        ("storage.location.template", "s3://b/AWSLogs/111122223333/CloudTrail/eu-west-1/${h}"),
    ];
    let table = table(&[("h", "string")], &parameters);
    let day = Some(date(2019, 1, 1));
    assert_eq!(
        conditions(&table, DayRange { first: day, last: day }, &BTreeSet::new()),
        [r#""h" >= '2019010100' AND "h" <= '2019010123'"#]
    );
}

#[test]
fn year_is_one_comparison_with_one_extra_day() {
    assert_eq!(
        of_days(Some(date(2019, 1, 1)), Some(date(2020, 1, 1))),
        r#"(("year" >= '2019' AND "year" <= '2019') OR ("year" = '2020' AND "month" IN ('01', '1') AND "day" IN ('01', '1')))"#
    );
}

#[test]
fn months_and_days_are_lists() {
    assert_eq!(
        of_days(Some(date(2019, 11, 1)), Some(date(2019, 12, 1))),
        r#"("year" = '2019' AND "month" = '11' OR "year" = '2019' AND "month" = '12' AND "day" IN ('01', '1'))"#
    );
    assert_eq!(
        of_days(Some(date(2019, 2, 9)), Some(date(2019, 2, 10))),
        r#""year" = '2019' AND "month" IN ('02', '2') AND "day" IN ('09', '9', '10')"#
    );
}

#[test]
fn numbers_are_written_as_numbers() {
    let day = Some(date(2019, 2, 1));
    let of_days = conditions(&projected("int"), DayRange { first: day, last: day }, &BTreeSet::new());
    assert_eq!(of_days, [r#""year" = 2019 AND "month" = 2 AND "day" = 1"#]);
    let accounts = BTreeSet::from([AccountId::new("012345678901")]);
    let account = conditions(&table(&[("account", "bigint")], &[]), DayRange { first: day, last: day }, &accounts);
    let form = r#"coalesce("account" BETWEEN 0 AND 999999999999, false)"#;
    assert_eq!(account, [format!(r#"(NOT {form} OR ("account" = 12345678901))"#)]);
}

#[test]
fn values_of_another_form_are_never_excluded() {
    let day = Some(date(2019, 2, 1));
    let table = table(&[("year", "string"), ("month", "int"), ("day", "string"), ("account", "string")], &[]);
    let accounts = BTreeSet::from([AccountId::new("012345678901")]);
    assert_eq!(
        conditions(&table, DayRange { first: day, last: day }, &accounts),
        [
            r#"(NOT coalesce(regexp_like("account", '^[0-9]{1,12}$'), false) OR ("account" IN ('012345678901', '12345678901')))"#,
            r#"(NOT (coalesce(regexp_like("year", '^(19|20)[0-9]{2}$'), false) AND coalesce("month" BETWEEN 1 AND 12, false) AND coalesce(regexp_like("day", '^(0?[1-9]|[12][0-9]|3[01])$'), false)) OR ("year" = '2019' AND "month" = 2 AND "day" IN ('01', '1')))"#,
        ]
    );
}

#[test]
fn open_ends_stay_open() {
    assert_eq!(
        of_days(Some(date(2019, 12, 31)), None),
        r#"(("year" = '2019' AND "month" = '12' AND "day" = '31') OR ("year" >= '2020'))"#
    );
    assert_eq!(
        of_days(None, Some(date(2019, 1, 31))),
        r#"(("year" <= '2018') OR ("year" = '2019' AND "month" IN ('01', '1')))"#
    );
}

/// For ranges of many lengths, every day in the range matches and every day far outside does not.
#[test]
fn exactly_the_days_in_the_range_match() {
    let table = projected("int");
    for (first, length) in
        [(date(2018, 12, 30), 3), (date(2019, 2, 27), 33), (date(2019, 1, 1), 365), (date(2017, 6, 5), 900)]
    {
        let last = first.saturating_add(jiff::Span::new().days(length));
        let condition =
            conditions(&table, DayRange { first: Some(first), last: Some(last) }, &BTreeSet::new()).join(" AND ");
        let mut day = date(2016, 1, 1);
        while day < date(2022, 1, 1) {
            assert_eq!(holds(&condition, day), first <= day && day <= last, "{day}: {condition}");
            day = day.tomorrow().unwrap();
        }
    }
}

/// Evaluates a condition on integer keys: comparisons and lists, AND before OR, brackets at the outer levels.
fn holds(condition: &str, day: Date) -> bool {
    let split = |text: &str, by: &str| -> Vec<String> {
        let (mut depth, mut parts, mut start) = (0, Vec::new(), 0);
        for (position, byte) in text.bytes().enumerate() {
            depth += i32::from(byte == b'(') - i32::from(byte == b')');
            if depth == 0 && text[position..].starts_with(by) {
                parts.push(text[start..position].to_owned());
                start = position + by.len();
            }
        }
        parts.push(text[start..].to_owned());
        parts
    };
    let any = split(condition, " OR ");
    if any.len() > 1 {
        return any.iter().any(|part| holds(part, day));
    }
    let all = split(condition, " AND ");
    if all.len() > 1 {
        return all.iter().all(|part| holds(part, day));
    }
    if let Some(inner) = condition.strip_prefix('(') {
        return holds(inner.strip_suffix(')').unwrap(), day);
    }
    let mut words = condition.splitn(3, ' ');
    let value = match words.next().unwrap() {
        "\"year\"" => i32::from(day.year()),
        "\"month\"" => i32::from(day.month()),
        _ => i32::from(day.day()),
    };
    let (operator, operand) = (words.next().unwrap(), words.next().unwrap());
    let number = |text: &str| text.trim().parse::<i32>().unwrap();
    match operator {
        "=" => value == number(operand),
        ">=" => value >= number(operand),
        "<=" => value <= number(operand),
        _ => operand.trim_matches(['(', ')']).split(',').any(|text| number(text) == value),
    }
}

#[test]
fn keys_without_a_condition_are_named_if_they_matter() {
    let day = Some(date(2019, 2, 1));
    let none = BTreeSet::new();
    let documented = table(&[("account", "string"), ("region", "string"), ("year", "string")], &[]);
    assert_eq!(unused(&documented, DayRange { first: day, last: day }, &none), [""; 0]);
    let off = table(&[("year", "string"), ("dt", "timestamp"), ("region", "string")], &[]);
    assert_eq!(unused(&off, DayRange { first: day, last: day }, &none), ["dt"]);
    assert_eq!(unused(&table(&[("shard", "int")], &[]), DayRange { first: day, last: day }, &none), ["shard"]);
}

#[test]
fn injected_keys_need_a_value() {
    let parameters = [
        ("projection.enabled", "TRUE"),
        ("projection.account.type", "injected"),
        ("projection.region.type", "injected"),
    ];
    let table = table(&[("account", "string"), ("region", "string")], &parameters);
    assert_eq!(unfilled(&table, &BTreeSet::new()), ["account", "region"]);
    assert_eq!(unfilled(&table, &BTreeSet::from([AccountId::new("123456789012")])), ["region"]);
}
