//! Builds the query of a load: Trino SQL (Athena engine 3) from the resource map, the filter and the table's metadata.
//! Pure.
//!
//! Names are quoted identifiers and values are quoted literals, with doubled quotes. No text from a user, a resource map
//! or the catalog can become SQL. The rows are filtered again exactly by [`crate::trail::extract`], so each filter here may
//! match too many rows, but never too few.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::partition;
use super::quoting::{identifier, literal};
use super::row::Field;
use super::table::Table;
use super::table::ocsf::EventTime;
use crate::resource_map::events::{VERSION_PATTERN, without_version};
use crate::resource_map::{EventRule, ResourceMap};
use crate::trail::filter::RecordFilter;

/// The maximum length of a query for StartQueryExecution, in bytes.
///
/// Source: <https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html>
pub(super) const MAX_QUERY_BYTES: usize = 262_144;

/// How the query filters event names. The first variant that fits into a query is used; the rest is checked locally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameFilter {
    /// By (eventSource, eventName).
    Pairs,
    /// By eventName.
    Names,
    /// By eventSource.
    Sources,
    /// Not at all.
    Nothing,
}

/// A query, ready to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    /// The SQL.
    pub sql: String,
    /// How precisely it filters event names.
    pub names: NameFilter,
}

/// Builds the query for every record that `map` has an event for and `filter` selects, with `fields` of `table`.
pub(super) fn query(map: &ResourceMap, filter: &RecordFilter, table: &Table, fields: &[&Field]) -> Query {
    let named = |sql: String, name: &str| format!("{sql} AS {}", identifier(name));
    let mut select: Vec<String> =
        fields.iter().filter_map(|field| Some(named(table.text(field.column)?, field.name))).collect();
    select.extend(table.extras().into_iter().map(|extra| named(extra.sql, extra.name)));
    let mut conditions = record_conditions(filter, table);
    conditions.extend(caller_condition(map, table));
    let head = format!(
        "SELECT {}\nFROM {}.{}\nWHERE {}",
        select.join(",\n       "),
        identifier(&table.database),
        identifier(&table.name),
        conditions.join("\n  AND ")
    );
    let filters = [NameFilter::Pairs, NameFilter::Names, NameFilter::Sources];
    for names in filters {
        let sql = format!("{head}\n  AND {}", name_condition(map, table, names));
        if sql.len() <= MAX_QUERY_BYTES {
            return Query { sql, names };
        }
    }
    Query { sql: head, names: NameFilter::Nothing }
}

/// All conditions except those on event names. Never empty.
fn record_conditions(filter: &RecordFilter, table: &Table) -> Vec<String> {
    let mut conditions = partition::conditions(table, filter.window.delivery_days(), &filter.accounts);
    let time = Time::of(table);
    conditions.extend(filter.window.since().map(|since| format!("{} >= {}", time.column, time.literal(since))));
    conditions.extend(filter.window.until().map(|until| format!("{} < {}", time.column, time.literal(until))));
    // The older SerDe can return an empty string for an absent field.
    for column in ["errorcode", "errormessage"] {
        if let Some(column) = table.text(&[column]) {
            conditions.push(format!("({column} IS NULL OR {column} = '')"));
        }
    }
    conditions.extend(account_condition(filter, table));
    if conditions.is_empty() {
        conditions.push(format!("{} IS NOT NULL", time.column));
    }
    conditions
}

/// The column with the time of the event, and how a time is written to compare it.
struct Time {
    column: String,
    spell: fn(Timestamp) -> String,
}

impl Time {
    fn of(table: &Table) -> Self {
        if let Some(column) = table.text(&["eventtime"]) {
            // eventTime has whole seconds and sorts as text.
            return Self { column, spell: |second| literal(&second.to_string()) };
        }
        match EventTime::of(table) {
            EventTime::Milliseconds(column) => Self { column, spell: |second| second.as_millisecond().to_string() },
            EventTime::Timestamp(column) => Self {
                column,
                spell: |second| format!("TIMESTAMP {}", literal(&second.strftime("%Y-%m-%d %H:%M:%S").to_string())),
            },
        }
    }

    fn literal(&self, moment: Timestamp) -> String {
        (self.spell)(round_up(moment))
    }
}

/// A text that every CloudTrail table has.
fn required(table: &Table, name: &str) -> String {
    table.text(&[name]).unwrap_or_else(|| identifier(name))
}

/// The first whole second at or after a moment.
fn round_up(moment: Timestamp) -> Timestamp {
    let second = moment.as_second() + i64::from(moment.subsec_nanosecond() > 0);
    Timestamp::from_second(second).unwrap_or(moment)
}

/// The account that received the event. If the record does not have it, the caller's, as in every loader.
fn account_condition(filter: &RecordFilter, table: &Table) -> Option<String> {
    // Security Lake's own key for the account has the condition (`partition`).
    if filter.accounts.is_empty() || table.is_ocsf() {
        return None;
    }
    let accounts: Vec<String> = filter.accounts.iter().map(|account| literal(account.as_str())).collect();
    let accounts = accounts.join(", ");
    let caller = table.text(&["useridentity", "accountid"]).map(|account| format!("{account} IN ({accounts})"));
    let Some(recipient) = table.text(&["recipientaccountid"]) else { return caller };
    let own = format!("{recipient} IN ({accounts})");
    let absent = format!("({recipient} IS NULL OR {recipient} = '')");
    Some(caller.map_or(own.clone(), |caller| format!("({own} OR {absent} AND {caller})")))
}

/// Excludes the calls in which AWS issues credentials to itself, if only sessions are needed from that source: the map finds no
/// identifier in these records, and they are the majority of a trail, with the longest responses.
fn caller_condition(map: &ResourceMap, table: &Table) -> Option<String> {
    let (source, _, _) = map.events.iter().find(|(_, _, rules)| rules.iter().any(EventRule::is_of_sessions))?;
    let all_are =
        map.events.iter().all(|(other, _, rules)| other != source || rules.iter().all(EventRule::is_of_sessions));
    let kind = table.text(&["useridentity", "type"]).filter(|_| all_are)?;
    let column = required(table, "eventsource");
    Some(format!("({column} <> {} OR coalesce({kind}, '') <> 'AWSService')", literal(source)))
}

fn name_condition(map: &ResourceMap, table: &Table, names: NameFilter) -> String {
    let (source_column, name_column) = (required(table, "eventsource"), required(table, "eventname"));
    let events = |names: &mut dyn Iterator<Item = &str>| events(&name_column, names);
    let mut by_source: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (source, name, _) in map.events.iter() {
        by_source.entry(source).or_default().push(name);
    }
    let any_of = |conditions: Vec<String>| match conditions.is_empty() {
        true => "1 = 0".to_owned(),
        false => format!("({})", conditions.join("\n    OR ")),
    };
    match names {
        NameFilter::Pairs => any_of(
            by_source
                .iter()
                .map(|(source, names)| {
                    format!("{source_column} = {} AND {}", literal(source), events(&mut names.iter().copied()))
                })
                .collect(),
        ),
        NameFilter::Names => any_of(vec![events(&mut by_source.values().flatten().copied())]),
        NameFilter::Sources => {
            let sources: Vec<String> = by_source.keys().map(|source| literal(source)).collect();
            format!("{source_column} IN ({})", sources.join(", "))
        }
        NameFilter::Nothing => String::new(),
    }
}

/// The condition on event names, which compares them without the API version that can follow (`CreateFunction20150331v2`).
fn events(column: &str, names: &mut dyn Iterator<Item = &str>) -> String {
    let names: BTreeSet<&str> = names.map(without_version).collect();
    let names: Vec<String> = names.into_iter().map(literal).collect();
    format!("regexp_replace({column}, {}, '') IN ({})", literal(VERSION_PATTERN), names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::row::wanted_fields;
    use super::super::table::tests::{lake_metadata, metadata};
    use super::*;
    use crate::model::AccountId;
    use crate::model::event::Action;
    use crate::trail::samples::map;
    use crate::trail::window::{TimeWindow, WindowText};

    type Rule<'a> = (&'a str, &'a str, &'a str, Action, &'a str);

    fn rule<'a>(source: &'a str, name: &'a str) -> Rule<'a> {
        (source, name, "thing", Action::Create, "requestParameters.name")
    }

    fn build(rules: &[Rule<'_>], filter: &RecordFilter) -> Query {
        let table = Table::read("default", &metadata(&[], &[])).unwrap();
        let map = map(rules);
        query(&map, filter, &table, &wanted_fields(&map, &table).fields)
    }

    fn in_window(text: WindowText<'_>) -> RecordFilter {
        let window = TimeWindow::parse(text, "2026-01-01T00:00:00Z".parse().unwrap()).unwrap();
        RecordFilter { window, ..RecordFilter::default() }
    }

    #[test]
    fn names_are_grouped_by_source_and_errors_excluded() {
        let rules = [
            rule("iam.amazonaws.com", "CreateUser"),
            rule("iam.amazonaws.com", "CreateRole"),
            rule("s3.amazonaws.com", "CreateBucket"),
        ];
        let query = build(&rules, &in_window(WindowText { year: Some("2019"), ..WindowText::default() }));
        assert_eq!(query.names, NameFilter::Pairs);
        let (_, conditions) = query.sql.split_once("WHERE ").unwrap();
        assert_eq!(
            conditions,
            r#""eventtime" >= '2019-01-01T00:00:00Z'
  AND "eventtime" < '2020-01-01T00:00:00Z'
  AND ("errorcode" IS NULL OR "errorcode" = '')
  AND ("errormessage" IS NULL OR "errormessage" = '')
  AND ("eventsource" = 'iam.amazonaws.com' AND regexp_replace("eventname", '_*20[0-9]{2}_?[0-9]{2}_?[0-9]{2}(v[0-9]+)?$', '') IN ('CreateRole', 'CreateUser')
    OR "eventsource" = 's3.amazonaws.com' AND regexp_replace("eventname", '_*20[0-9]{2}_?[0-9]{2}_?[0-9]{2}(v[0-9]+)?$', '') IN ('CreateBucket'))"#
        );
    }

    #[test]
    fn names_are_compared_without_their_api_version() {
        let lambda = "lambda.amazonaws.com";
        let rules =
            [rule(lambda, "CreateFunction20150331"), rule(lambda, "CreateFunction"), rule("a", "Create2014_01_31")];
        let sql = build(&rules, &RecordFilter::default()).sql;
        assert!(sql.contains(" IN ('CreateFunction')") && sql.contains(" IN ('Create')"), "{sql}");
    }

    #[test]
    fn fractions_of_seconds_are_rounded_up() {
        let sql =
            build(&[], &in_window(WindowText { since: Some("2025-01-01T00:00:00.5Z"), ..WindowText::default() })).sql;
        assert!(sql.contains(r#""eventtime" >= '2025-01-01T00:00:01Z'"#), "{sql}");
    }

    #[test]
    fn account_is_the_recipient_or_else_the_caller() {
        let accounts = [AccountId::new("111122223333"), AccountId::new("444455556666")].into();
        let sql = build(&[], &RecordFilter { accounts, ..RecordFilter::default() }).sql;
        assert!(sql.contains(
            r#"("recipientaccountid" IN ('111122223333', '444455556666') OR ("recipientaccountid" IS NULL OR "recipientaccountid" = '') AND "useridentity"."accountid" IN ('111122223333', '444455556666'))"#
        ), "{sql}");
    }

    #[test]
    fn service_sessions_are_excluded_if_sts_has_only_session_events() {
        let condition =
            r#"("eventsource" <> 'sts.amazonaws.com' OR coalesce("useridentity"."type", '') <> 'AWSService')"#;
        let has = |rules: &[Rule<'_>], with_sessions: bool| {
            let table = Table::read("default", &metadata(&[], &[])).unwrap();
            let map = if with_sessions { map(rules).with_sessions() } else { map(rules) };
            query(&map, &RecordFilter::default(), &table, &[]).sql.contains(condition)
        };
        assert!(has(&[rule("iam.amazonaws.com", "CreateUser")], true));
        assert!(!has(&[rule("iam.amazonaws.com", "CreateUser")], false));
        assert!(!has(&[rule("sts.amazonaws.com", "GetCallerIdentity")], true));
    }

    #[test]
    fn quotes_are_escaped() {
        let mut metadata = metadata(&[], &[]);
        metadata.name = r#"logs" WHERE 1=1 --"#.to_owned();
        let table = Table::read(r#"d"b"#, &metadata).unwrap();
        let map = map(&[rule("it's", "a'; DROP TABLE x; --")]);
        let accounts = [AccountId::new("1' OR '1'='1")].into();
        let sql = query(&map, &RecordFilter { accounts, ..RecordFilter::default() }, &table, &[]).sql;
        assert!(sql.contains(r#"FROM "d""b"."logs"" WHERE 1=1 --""#), "{sql}");
        assert!(sql.contains("'it''s'") && sql.contains("'a''; DROP TABLE x; --'"), "{sql}");
        assert!(sql.contains("'1'' OR ''1''=''1'"), "{sql}");
    }

    #[test]
    fn map_too_large_for_one_query_falls_back() {
        let level = |sources: usize, names: usize, shared: bool| {
            let own: Vec<(String, String)> = (0..sources)
                .flat_map(|source| {
                    (0..names).map(move |name| {
                        let prefix = if shared { 0 } else { source };
                        (format!("service-{source:05}.amazonaws.com"), format!("CreateSomething{prefix:05}x{name:05}"))
                    })
                })
                .collect();
            let rules: Vec<Rule<'_>> = own.iter().map(|(source, name)| rule(source, name)).collect();
            let query = build(&rules, &RecordFilter::default());
            assert!(query.sql.len() <= MAX_QUERY_BYTES);
            query.names
        };
        assert_eq!(level(100, 10, true), NameFilter::Pairs);
        assert_eq!(level(600, 20, true), NameFilter::Names);
        assert_eq!(level(600, 20, false), NameFilter::Sources);
        assert_eq!(level(10_000, 1, false), NameFilter::Nothing);
    }

    #[test]
    fn security_lake_is_queried_by_its_own_columns() {
        let lake = lake_metadata("mgmt", &[("accountid", "string"), ("eventday", "string")]);
        let table = Table::read("lake", &lake).unwrap();
        let map = map(&[rule("s3.amazonaws.com", "CreateBucket")]);
        let accounts = [AccountId::new("111122223333")].into();
        let day = in_window(WindowText { day: Some("2019/02/01"), ..WindowText::default() });
        let filter = RecordFilter { accounts, ..day };
        let sql = query(&map, &filter, &table, &wanted_fields(&map, &table).fields).sql;
        for part in [
            r#""metadata"."uid" AS "eventid""#,
            r#"CAST("time" AS varchar) AS "ocsf_time""#,
            r#"json_format(CAST("unmapped" AS JSON)) AS "ocsf_unmapped""#,
            r#""accountid" = '111122223333'"#,
            r#""time_dt" >= TIMESTAMP '2019-02-01 00:00:00' AND "time_dt" < TIMESTAMP '2019-02-03 00:00:00'"#,
            r#""time" >= 1548979200000"#,
            r#""time" < 1549065600000"#,
            r#"("api"."response"."error" IS NULL OR "api"."response"."error" = '')"#,
            r#""api"."service"."name" = 's3.amazonaws.com' AND regexp_replace("api"."operation", "#,
        ] {
            assert!(sql.contains(part), "{part}: {sql}");
        }
        assert!(!sql.contains("eventtime"), "{sql}");
        let mut without = lake;
        without.columns.retain(|(name, _)| name != "time");
        let table = Table::read("lake", &without).unwrap();
        let sql = query(&map, &filter, &table, &wanted_fields(&map, &table).fields).sql;
        let text = r#"CAST(CAST(to_unixtime("time_dt") * 1000 AS bigint) AS varchar) AS "ocsf_time""#;
        for part in [text, r#""time_dt" < TIMESTAMP '2019-02-02 00:00:00'"#] {
            assert!(sql.contains(part), "{part}: {sql}");
        }
    }
}
