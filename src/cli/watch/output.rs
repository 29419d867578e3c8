//! What `watch` prints: lines for people, JSON Lines as events happen, or one JSON document at the end.

use jiff::{Timestamp, Unit};
use serde_json::{Map, Value, json};

use super::super::{Context, Output as Format};
use super::tag::action_phrase;
use crate::console::{Lines, counted, number};
use crate::load::Figures;
use crate::watch::notice::Resource;
use crate::watch::{Notice, QueueUrl, Totals};

/// The version of the events' and the document's form. Keys are only added within a version.
const FORMAT_VERSION: u32 = 1;

/// Where notices go.
pub(super) struct Output<'c> {
    context: &'c Context,
}

impl<'c> Output<'c> {
    pub(super) fn new(context: &'c Context) -> Self {
        Self { context }
    }

    pub(super) fn started(&self, queue: &QueueUrl, tags: bool) {
        let what = if tags { "loading new records and tagging what they created" } else { "loading new records" };
        self.context.console.message(format_args!("watching {}: {what}; Ctrl-C stops", queue.name()));
        self.event("started", json!({"queue": queue.to_string(), "tag": tags}));
    }

    pub(super) fn notice(&self, notice: &Notice<'_>) {
        if let (Format::Jsonl, Some((name, fields))) = (self.context.global.output, event_of(notice)) {
            self.event(name, fields);
        }
        let console = &self.context.console;
        match notice {
            Notice::Received | Notice::Loaded { .. } => {}
            Notice::Unreadable { message_id, object, reason } => {
                let object = object.map(|object| format!("{object}: ")).unwrap_or_default();
                console.warning(format_args!("message {message_id} stays in the queue: {object}{reason}"));
            }
            Notice::Trouble { doing, reason } => {
                console.warning(format_args!("{doing}: {reason}; trying again"));
            }
            Notice::Tagged { resource, tags, .. } => {
                if self.context.global.output == Format::Text {
                    let tags: Vec<String> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
                    console.data(format_args!("tagged {} {}", phrase(resource), tags.join(" ")));
                }
            }
            Notice::NotTagged { resource, reason, is_failure: true } => {
                console.warning(format_args!("not tagged: {}: {reason}", phrase(resource)));
            }
            Notice::NotTagged { resource, reason, is_failure: false } => {
                console.message(format_args!("not tagged: {}: {reason}", phrase(resource)));
            }
            Notice::Planned(plan) => {
                if self.context.global.output == Format::Text {
                    plan.actions.iter().for_each(|action| console.data(format_args!("tag {}", action_phrase(&action))));
                }
            }
            Notice::Heartbeat(totals) => console.message(heartbeat(totals)),
        }
    }

    pub(super) fn finished(&self, totals: &Totals) {
        match self.context.global.output {
            Format::Jsonl => self.event("stopped", totals_of(totals)),
            Format::Json => {
                let mut document = Map::from_iter([("format_version".to_owned(), json!(FORMAT_VERSION))]);
                document.extend(members(totals_of(totals)));
                self.context.console.json(&document);
            }
            // CSV is refused before it starts.
            Format::Text | Format::Csv => self.context.console.lines(&summary(totals)),
        }
    }

    /// Prints an event as a line of JSON.
    fn event(&self, name: &str, fields: Value) {
        if self.context.global.output != Format::Jsonl {
            return;
        }
        let now = Timestamp::now();
        let now = now.round(Unit::Millisecond).unwrap_or(now).to_string();
        let head = [("format_version", json!(FORMAT_VERSION)), ("event", json!(name)), ("time", json!(now))];
        let mut event = Map::from_iter(head.map(|(key, value)| (key.to_owned(), value)));
        event.extend(members(fields));
        self.context.console.json_part(&Value::Object(event).to_string());
    }
}

fn members(fields: Value) -> Map<String, Value> {
    match fields {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// The name and the fields of an event. `None` for what happens all the time.
fn event_of(notice: &Notice<'_>) -> Option<(&'static str, Value)> {
    Some(match notice {
        Notice::Received => return None,
        Notice::Loaded { messages, figures } => {
            let mut fields = members(figures_of(figures));
            fields.insert("messages".to_owned(), json!(messages));
            ("loaded", Value::Object(fields))
        }
        Notice::Unreadable { message_id, object, reason } => {
            ("unreadable", json!({"message_id": message_id, "object": object, "reason": reason}))
        }
        Notice::Trouble { doing, reason } => ("trouble", json!({"doing": doing, "reason": reason})),
        Notice::Tagged { resource, tags, run, seconds } => {
            let tags: Map<String, Value> = tags.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
            let mut fields = members(resource_of(resource));
            fields.extend(members(json!({"tags": tags, "run_id": run, "seconds_since_message": seconds})));
            ("tagged", Value::Object(fields))
        }
        Notice::NotTagged { resource, reason, is_failure } => {
            let mut fields = members(resource_of(resource));
            fields.extend(members(json!({"reason": reason, "failed": is_failure})));
            ("not-tagged", Value::Object(fields))
        }
        Notice::Planned(plan) => ("planned", json!({"actions": plan.actions})),
        Notice::Heartbeat(totals) => ("heartbeat", totals_of(totals)),
    })
}

fn resource_of(resource: &Resource<'_>) -> Value {
    let Resource { account, region, resource_type, id } = resource;
    json!({"account_id": account, "region": region, "type": resource_type, "id": id})
}

fn phrase(resource: &Resource<'_>) -> String {
    let Resource { account, region, resource_type, id } = resource;
    format!("{account} {region} {resource_type} {id}")
}

fn figures_of(figures: &Figures) -> Value {
    let Figures { read, already_loaded, skipped, broken, counts, new_ids, .. } = figures;
    json!({
        "files": {"read": read, "already_loaded": already_loaded, "skipped": skipped, "broken": broken},
        "records": counts.records, "matched": counts.matched, "ids": counts.ids, "new_ids": new_ids,
        "without_ids": counts.without_ids,
    })
}

fn totals_of(totals: &Totals) -> Value {
    let Totals { messages, deleted, unreadable, figures, tagged, failed, skipped, waiting } = totals;
    let mut fields = members(json!({
        "messages": {"received": messages, "deleted": deleted, "unreadable": unreadable},
        "resources": {"tagged": tagged, "failed": failed, "skipped": skipped, "waiting": waiting},
    }));
    fields.extend(members(figures_of(figures)));
    Value::Object(fields)
}

fn heartbeat(totals: &Totals) -> String {
    let Totals { messages, unreadable, figures, tagged, failed, waiting, .. } = totals;
    format!(
        "watching: {}, {}, {}; {} tagged, {} waiting, {} failed; {} unreadable",
        counted(*messages, "message"),
        counted(figures.counts.records, "record"),
        counted(figures.counts.matched, "event"),
        counted(*tagged, "resource"),
        number(*waiting),
        number(*failed),
        counted(*unreadable, "message"),
    )
}

fn summary(totals: &Totals) -> Lines {
    let Totals { messages, deleted, unreadable, figures, tagged, failed, skipped, waiting } = totals;
    let mut text = Lines::default();
    let mut line = |title: &str, value: String| text.line(format_args!("{title:<12} {value}"));
    let unreadable = if *unreadable > 0 { format!(", {} unreadable", number(*unreadable)) } else { String::new() };
    line("messages", format!("{} received, {} deleted{unreadable}", number(*messages), number(*deleted)));
    let loaded = figures.already_loaded;
    let known = if loaded > 0 { format!(", {} already loaded", number(loaded)) } else { String::new() };
    line("read", format!("{}{known}", counted(figures.read, "file or record")));
    line("records", number(figures.counts.records));
    let events = counted(figures.counts.matched, "create, delete or rename event");
    line("events", format!("{events}, {} new identifiers", number(figures.new_ids)));
    let others = [(*skipped, "not to tag"), (*failed, "failed"), (*waiting, "waiting for the next start")];
    if tagged + skipped + failed + waiting > 0 {
        let others = others.into_iter().filter(|(count, _)| *count > 0);
        let others: String = others.map(|(count, what)| format!(", {} {what}", number(count))).collect();
        line("resources", format!("{} tagged{others}", number(*tagged)));
    }
    text
}
