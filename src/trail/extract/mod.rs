//! Extracts the event and its resources from a record, by the rules of the resource map.
//!
//! Works on a record that is split into [`Fields`], from any source. Parses only the fields that the record's rules read.

mod names;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;

use jiff::Timestamp;
use jmespath::{Rcvar, Variable};
use serde_json::Value;
use sha2::{Digest, Sha256};
use smol_str::SmolStr;

use super::broken::BrokenRecord;
use super::fields::Fields;
use super::filter::RecordFilter;
use super::identity::identity;
use super::left_out::Unwanted;
use super::mend;
use crate::model::event::{Event, ResourceEvent, Touched};
use crate::model::{AccountId, Region, ResourceId};
use crate::resource_map::events::without_version;
use crate::resource_map::expression::TopLevelFields;
use crate::resource_map::naming::{Naming, TypeNaming};
use crate::resource_map::{EventRule, Identified, ResourceMap};
use names::Searched;
pub(crate) use names::names_of_id;

mod spelling;

use spelling::unified;

/// The texts that CloudTrail writes in place of hidden values.
pub(crate) const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// The number of hexadecimal digits of an event ID that is computed from a record's content.
const DERIVED_ID_DIGITS: usize = 32;

/// The result for a record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, taken apart where it is returned")]
pub enum Extraction {
    /// The map has no such event, or the call failed.
    Unmatched,
    /// An Insights event, or an aggregated one: statistics, not a call.
    Insight,
    /// The map has the event, but the filter excludes the record.
    Filtered(Unwanted),
    /// The map has the event, but no rule found an identifier.
    WithoutIds {
        /// `eventSource:eventName`.
        call: String,
    },
    /// An event with its resources.
    Touched(ResourceEvent),
    /// Not a valid CloudTrail record, with the reason.
    Broken(BrokenRecord),
}

/// The fields of a record with events in the map, in bytes, that are read: what evaluates them takes fifty times the memory.
/// CloudTrail's records have at most 256 KiB, enriched ones 1 MiB.
const MAX_RECORD: usize = 2 * 1024 * 1024;

/// The resources of a record: more than fit into 256 KiB.
const MAX_IDS: usize = 100_000;

/// Reads a record's text.
pub fn read_record(map: &ResourceMap, filter: &RecordFilter, record: &str) -> Extraction {
    match Fields::parse_or_mend(record, &mut String::new()) {
        Ok(fields) => read(map, filter, &fields),
        Err(error) => {
            Extraction::Broken(BrokenRecord::Unreadable { event: event_id_in(record), error: error.to_string() })
        }
    }
}

/// The event ID in a record that can't be read.
fn event_id_in(record: &str) -> Option<String> {
    const KEY: &str = "\"eventID\"";
    let after = record.find(KEY).map(|at| record[at + KEY.len()..].trim_start_matches([' ', ':']));
    let id = after.and_then(|text| text.strip_prefix('"')).and_then(|text| text.split_once('"'));
    id.map(|(id, _)| id.to_owned())
}

/// Reads a record.
pub fn read(map: &ResourceMap, filter: &RecordFilter, fields: &Fields<'_>) -> Extraction {
    let (source, name) = match (fields.text("eventSource"), fields.text("eventName")) {
        (Some(source), Some(name)) => (source, name),
        _ if is_insight(fields) => return Extraction::Insight,
        (_, None) => return Extraction::Broken(BrokenRecord::NoField("eventName")),
        (None, _) => return Extraction::Broken(BrokenRecord::NoField("eventSource")),
    };
    if [&source, &name].into_iter().any(|text| has_replacement(text)) || fields.names().any(mend::is_damaged) {
        return Extraction::Broken(damaged(fields, format!("{source}:{name}"), "its keys or its name"));
    }
    let rules = map.rules(&source, &name);
    if rules.is_empty() || has_failed(fields) {
        return Extraction::Unmatched;
    }
    let matched = Matched { rules, naming: map.naming() };
    read_matched(matched, filter, fields, &source, &name).unwrap_or_else(Extraction::Broken)
}

/// Whether a text has the character that [`Fields::text`] has in place of unreadable ones.
fn has_replacement(text: &str) -> bool {
    !text.is_ascii() && text.contains(char::REPLACEMENT_CHARACTER)
}

/// The reason why a record with unreadable text does not count.
fn damaged(fields: &Fields<'_>, call: String, place: &'static str) -> BrokenRecord {
    BrokenRecord::Damaged { call, event: fields.text("eventID").map(Cow::into_owned), place }
}

/// An empty error code means success: Athena's older tables return it for an absent field.
fn has_failed(fields: &Fields<'_>) -> bool {
    const EMPTY: &str = "\"\"";
    ["errorCode", "errorMessage"].iter().any(|name| fields.is_set(name) && fields.raw(name) != Some(EMPTY))
}

/// What the resource map has for an event.
#[derive(Clone, Copy)]
struct Matched<'m> {
    rules: &'m [EventRule],
    naming: &'m Naming,
}

/// What the rules find in a record.
#[derive(Default)]
struct ExtractedIds {
    touched: Vec<Touched>,
    sessions: Vec<String>,
    /// Whether a rule should have found an identifier and did not.
    lacks_ids: bool,
}

impl ExtractedIds {
    fn is_empty(&self) -> bool {
        self.touched.is_empty() && self.sessions.is_empty()
    }

    /// Whether it has more identifiers than a record of CloudTrail can have.
    fn is_full(&self) -> bool {
        self.touched.len() + self.sessions.len() > MAX_IDS
    }

    /// Whether an identifier has unreadable text.
    fn has_damage(&self) -> bool {
        let ids = self.touched.iter().flat_map(|touched| touched.renamed_to.iter().chain([&touched.resource_id]));
        let mut ids = ids.map(ResourceId::as_str).chain(self.sessions.iter().map(String::as_str));
        ids.any(mend::is_damaged)
    }
}

fn read_matched(
    matched: Matched<'_>,
    filter: &RecordFilter,
    fields: &Fields<'_>,
    source: &str,
    name: &str,
) -> Result<Extraction, BrokenRecord> {
    let call = || format!("{source}:{name}");
    let unreadable =
        |error: serde_json::Error| BrokenRecord::UnreadableField { call: call(), error: error.to_string() };
    let time = fields.text("eventTime").unwrap_or_default();
    let moment: Timestamp =
        time.parse().map_err(|_| BrokenRecord::InvalidTime { call: Some(call()), time: format!("{time:?}") })?;
    let identity = match fields.identity() {
        Some(identity) => identity,
        None => identity(&fields.value("userIdentity").map_err(unreadable)?.unwrap_or(Value::Null)),
    };
    if identity.facts().into_iter().flatten().any(|fact| mend::is_damaged(fact)) {
        return Err(damaged(fields, call(), "userIdentity"));
    }
    let account_id = fields.text("recipientAccountId").map(SmolStr::from).or_else(|| identity.account_id.clone());
    let account_id = account_id.unwrap_or_default();
    let region = fields.text("awsRegion").unwrap_or_default();
    if !filter.passes(moment, &account_id, &region) {
        let region = region.into();
        return Ok(Extraction::Filtered(Unwanted { time: moment, account_id, region }));
    }
    let mut event = Event {
        event_id: SmolStr::default(),
        account_id: AccountId::new(account_id),
        region: Region::new(region),
        time: time.into(),
        name: name.into(),
        source: source.into(),
        user_agent: fields.text("userAgent").map(SmolStr::from),
        source_ip: fields.text("sourceIPAddress").map(SmolStr::from),
        shared_event_id: fields.text("sharedEventID").map(SmolStr::from),
        identity,
        makers: Vec::new(),
    };
    if fields.exceed(MAX_RECORD) {
        return Err(BrokenRecord::TooLarge { call: call(), event: fields.text("eventID").map(Cow::into_owned) });
    }
    let found = find(matched, fields, &event).map_err(unreadable)?;
    if found.is_full() {
        return Err(BrokenRecord::TooManyIds { call: call(), event: fields.text("eventID").map(Cow::into_owned) });
    }
    if found.has_damage() {
        return Err(damaged(fields, call(), "an identifier"));
    }
    if found.is_empty() {
        // Of the events that issue credentials, those that lead to no person are excluded on purpose.
        let is_unmatched = matched.rules.iter().all(EventRule::is_of_sessions) || !found.lacks_ids;
        if !is_unmatched && fields.has_damage() {
            return Err(damaged(fields, call(), "a field that can have an identifier"));
        }
        return Ok(if is_unmatched { Extraction::Unmatched } else { Extraction::WithoutIds { call: call() } });
    }
    event.event_id = match fields.text("eventID").filter(|id| !has_replacement(id)) {
        Some(id) => id.into(),
        None => derived_id(fields).map_err(unreadable)?.into(),
    };
    Ok(Extraction::Touched(ResourceEvent { event, touched: found.touched, sessions: found.sessions }))
}

/// Sources: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-insights-fields-trails.html>,
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aggregated-events.html>
fn is_insight(fields: &Fields<'_>) -> bool {
    matches!(fields.text("eventCategory").as_deref(), Some("Insight" | "Aggregated"))
        || matches!(fields.text("eventType").as_deref(), Some("AwsCloudTrailInsight" | "AwsAggregatedEvent"))
}

/// What the rules find. Most calls that can rename do something else. Then their rule finds nothing.
fn find(matched: Matched<'_>, fields: &Fields<'_>, event: &Event) -> Result<ExtractedIds, serde_json::Error> {
    let namings: Vec<_> = matched.rules.iter().map(|rule| matched.naming.of_type(rule.resource_type()?)).collect();
    let input = rule_input(matched.rules, &namings, fields, event)?;
    let found = find_in(matched.rules, &namings, &input, event);
    if !found.is_empty() || !found.lacks_ids || matched.rules.iter().all(EventRule::is_of_sessions) {
        return Ok(found);
    }
    let rules: Vec<EventRule> = matched.rules.iter().map(EventRule::in_lower_case).collect();
    Ok(find_in(&rules, &namings, &unified(&input, without_version(&event.name)), event))
}

/// `namings` has the naming of each rule's type.
fn find_in(rules: &[EventRule], namings: &[Option<&TypeNaming>], input: &Rcvar, event: &Event) -> ExtractedIds {
    let mut all = ExtractedIds::default();
    let mut seen = HashSet::new();
    for (rule, &of_type) in rules.iter().zip(namings) {
        let renamed_to = rule.new_name.as_ref().map(|name| first_id(&name.interpret(input)));
        if renamed_to == Some(None) {
            continue;
        }
        let renamed_to = renamed_to.flatten();
        let ignores_case = of_type.is_some_and(|of_type| of_type.ignores_case);
        let mut ids = Vec::new();
        let found = rule.ids.interpret(input);
        collect_ids(&found, &mut |id| {
            ids.push(if ignores_case && !id.contains(':') { id.to_lowercase() } else { id });
        });
        // A condition that is false excludes the record on purpose.
        all.lacks_ids |= ids.is_empty() && !matches!(&*found, Variable::Bool(false));
        let is_only = ids.len() == 1;
        for id in ids {
            let is_renaming = renamed_to.as_ref().is_none_or(|name| *name != id);
            // Nearly all events have one ID.
            let mut is_new = || is_only && rules.len() == 1 || seen.insert((&rule.identified, id.clone()));
            if !is_renaming || !is_new() {
                continue;
            }
            if all.is_full() {
                return all;
            }
            let Identified::Resource(resource_type) = &rule.identified else {
                all.sessions.push(id);
                continue;
            };
            // The response to a rename can have the new name already.
            let of_type = of_type.filter(|_| renamed_to.is_none());
            let names = of_type.map_or_else(Vec::new, |naming| {
                let searched = Searched { naming, event, id: &id, is_only };
                searched.names(given_names(rule, input), input)
            });
            all.touched.push(Touched {
                resource_type: resource_type.clone(),
                resource_id: ResourceId::new(id),
                action: rule.action,
                names,
                renamed_to: renamed_to.as_deref().map(ResourceId::from),
            });
        }
    }
    all
}

fn given_names(rule: &EventRule, input: &Rcvar) -> Vec<String> {
    let mut names = Vec::new();
    if let Some(expression) = &rule.names {
        collect_ids(&expression.interpret(input), &mut |name| names.push(name));
    }
    names
}

/// The record as the expressions of the rules see it: converted once, with only the fields that an expression reads.
fn rule_input(
    rules: &[EventRule],
    namings: &[Option<&TypeNaming>],
    fields: &Fields<'_>,
    event: &Event,
) -> Result<Rcvar, serde_json::Error> {
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    let is_searched = |(rule, naming): (&EventRule, &Option<&TypeNaming>)| {
        rule.new_name.is_none() && naming.is_some_and(|naming| naming.is_searched)
    };
    if rules.iter().zip(namings).any(is_searched) {
        wanted.extend(["requestParameters", "responseElements"]);
    }
    for expression in rules.iter().flat_map(EventRule::expressions) {
        match expression.fields() {
            TopLevelFields::Some(names) => wanted.extend(names.iter().map(String::as_str)),
            TopLevelFields::All => wanted.extend(fields.names()),
        }
    }
    let mut object = BTreeMap::new();
    for name in wanted {
        let value = fields.variable(name)?.or_else(|| alias(name, event));
        if let Some(value) = value {
            object.insert(name.to_owned(), Rcvar::new(value));
        }
    }
    Ok(Rcvar::new(Variable::Object(object)))
}

/// The names of fields in c7n-trailcreator's query, for resource maps written for it.
fn alias(name: &str, event: &Event) -> Option<Variable> {
    let identity = &event.identity;
    let text = match name {
        "region" => Some(event.region.as_str()),
        "accountId" => Some(event.account_id.as_str()),
        "userType" => identity.kind.as_deref(),
        "userArn" => identity.arn.as_deref(),
        "userName" => identity.user_name.as_deref(),
        "invokedBy" => identity.invoked_by.as_deref(),
        _ => None,
    };
    text.map(|text| Variable::String(text.to_owned()))
}

fn collect_ids(found: &Variable, each: &mut impl FnMut(String)) {
    match found {
        Variable::String(text) if !text.is_empty() && text != HIDDEN => each(text.clone()),
        // A number that is too large for an integer has lost digits.
        Variable::Number(number) if number.is_f64() => each(format!("{number}{}", mend::DAMAGED)),
        Variable::Number(number) => each(number.to_string()),
        Variable::Array(items) => items.iter().for_each(|item| collect_ids(item, each)),
        _ => {}
    }
}

fn first_id(found: &Variable) -> Option<String> {
    let mut first = None;
    collect_ids(found, &mut |id| {
        first.get_or_insert(id);
    });
    first
}

/// An ID for a record that has none. It is the same for the same content, regardless of white space and key order.
fn derived_id(fields: &Fields<'_>) -> Result<String, serde_json::Error> {
    let mut content = BTreeMap::new();
    for name in fields.names() {
        content.insert(name, fields.variable(name)?);
    }
    let digest = Sha256::digest(serde_json::to_vec(&content)?);
    let mut id = "derived-".to_owned();
    for byte in &digest[..DERIVED_ID_DIGITS / 2] {
        write!(id, "{byte:02x}").expect("writing to a String can't fail");
    }
    Ok(id)
}

#[cfg(test)]
mod tests;
