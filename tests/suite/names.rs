//! Every name of every type leads to its create event: the ID, the ARN as listed, the names, and what delete and rename events use.
//!
//! One database has the example records of all types (`tests/fixtures/events`), with the names that the API models say their records
//! have (`tests/fixtures/names.json`, by `tests/oracle/names.py`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use trailcreator::model::ResourceId;
use trailcreator::model::event::{Action, ResourceEvent, StoredEvent, Touched};
use trailcreator::resource_map::ResourceMap;
use trailcreator::store::{Batch, Store};
use trailcreator::trail::extract::{Extraction, read};
use trailcreator::trail::fields::Fields;
use trailcreator::trail::filter::RecordFilter;

/// What the API models say of a type's names.
#[derive(Deserialize)]
struct Scenario {
    /// The example of a create event.
    #[serde(default)]
    case: Option<String>,
    /// What its record has besides: side, path, value.
    #[serde(default)]
    adds: Vec<(String, Vec<String>, String)>,
    /// A value in the example that AWS does not return, and what it returns.
    #[serde(default)]
    swap: Option<(String, String)>,
    #[serde(default)]
    id: String,
    /// As the list call gives it.
    arn: Option<String>,
    #[serde(default)]
    names: Vec<String>,
    /// What a record cannot hold, with the reason.
    #[serde(default)]
    lacks: BTreeMap<String, String>,
    /// Why there is no example.
    skipped: Option<String>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    record: Value,
}

fn fixture(path: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn cases(resource_type: &str) -> Vec<Case> {
    serde_json::from_str(&fixture(&format!("events/{resource_type}.json"))).expect("a list of cases")
}

fn extracted(map: &ResourceMap, record: &Value) -> Option<ResourceEvent> {
    let text = record.to_string();
    match read(map, &RecordFilter::default(), &Fields::parse(&text).expect("a record")) {
        Extraction::Touched(event) => Some(event),
        _ => None,
    }
}

impl Scenario {
    /// The record of its create event.
    fn record(&self, cases: &[Case]) -> Option<Value> {
        let case = cases.iter().find(|case| Some(&case.name) == self.case.as_ref())?;
        let mut record = case.record.clone();
        if let Some((from, to)) = &self.swap {
            let text = record
                .to_string()
                .replace(&Value::from(from.as_str()).to_string(), &Value::from(to.as_str()).to_string());
            record = serde_json::from_str(&text).expect("a record");
        }
        for (side, path, value) in &self.adds {
            let mut at = &mut record[side.as_str()];
            for step in path {
                at = &mut at[step.as_str()];
            }
            *at = Value::String(value.clone());
        }
        Some(record)
    }

    /// The identifier of this resource that an event of the example uses: as the example's is, an ARN, a URL or a name.
    fn used(&self, text: &str) -> Option<String> {
        let bare = |text: &String| !text.starts_with("arn:");
        if text.starts_with("arn:") {
            return self.arn.clone();
        }
        let is_own = text == self.id || self.names.iter().any(|name| name == text);
        if !is_own && text.contains('/') && bare(&self.id) && self.id.contains('/') {
            return Some(self.id.clone());
        }
        if is_own || text.contains('/') {
            return Some(text.to_owned());
        }
        Some(self.id.clone()).filter(bare).or_else(|| self.names.iter().find(|name| bare(name)).cloned())
    }
}

/// The types, with their events in one database.
struct World {
    map: ResourceMap,
    store: Store,
    scenarios: BTreeMap<String, Scenario>,
    /// What was added, by type: event ID, and the texts that delete and rename events use.
    uses: BTreeMap<String, (String, BTreeSet<String>)>,
}

impl World {
    fn new() -> Self {
        let map = ResourceMap::built_in();
        let scenarios: BTreeMap<String, Scenario> = serde_json::from_str(&fixture("names.json")).expect("scenarios");
        let mut store = Store::in_memory().expect("a database");
        let mut uses = BTreeMap::new();
        let mut events = Vec::new();
        for (name, scenario) in scenarios.iter().filter(|(name, _)| map.types.contains_key(name.as_str())) {
            let cases = cases(name);
            let Some(mut event) = scenario.record(&cases).and_then(|record| extracted(&map, &record)) else { continue };
            event.event.event_id = format!("create {name}").into();
            event.touched.retain(|touched| touched.resource_type.as_str() == name);
            let mut texts = BTreeSet::new();
            let created = cases.iter().filter_map(|case| extracted(&map, &case.record)).flat_map(|event| event.touched);
            let created: Vec<Touched> = created.filter(|touched| touched.action != Action::Delete).collect();
            let is_of_another = |text: &str| {
                text != scenario.id
                    && scenario.swap.is_none()
                    && text.contains('/')
                    && created.iter().any(|touched| touched.resource_id.as_str().ends_with(text))
            };
            for ended in cases.iter().filter_map(|case| extracted(&map, &case.record)) {
                let is_end = |touched: &&Touched| {
                    touched.resource_type.as_str() == name && matches!(touched.action, Action::Delete | Action::Rename)
                };
                for touched in ended.touched.iter().filter(is_end) {
                    let used = Some(touched.resource_id.as_str()).filter(|text| !is_of_another(text));
                    if let Some(text) = used.and_then(|text| scenario.used(text)) {
                        texts.insert(text.clone());
                        let mut end = ended.clone();
                        end.event.event_id = format!("end {name} {text}").into();
                        end.event.time = "2030-01-01T00:00:00Z".into();
                        end.touched =
                            vec![Touched { resource_id: ResourceId::new(text), names: Vec::new(), ..touched.clone() }];
                        events.push(end);
                    }
                }
            }
            uses.insert(name.clone(), (event.event.event_id.to_string(), texts));
            events.push(event);
        }
        store.add(&Batch { events, ..Batch::default() }).expect("it is stored");
        Self { map, store, scenarios, uses }
    }

    /// The events of the resources that a text names, and those under their other names.
    fn ask(&self, text: &str) -> Vec<StoredEvent> {
        let history = self.store.history_of_resource(self.map.naming(), text).expect("it is read");
        history.events.into_iter().chain(history.related).collect()
    }

    /// What is wrong with the answer for a name of a type.
    fn problem(&self, name: &str, text: &str) -> Option<String> {
        let (create, _) = &self.uses[name];
        let found = self.ask(text);
        if !found.iter().any(|event| event.event.event_id == *create) {
            return Some(format!("{name}: {text} does not lead to the create event"));
        }
        // Examples of two types can have the same ID or ARN, and any number the same name.
        let id = &self.scenarios[name].id;
        let has_it = |event: &&StoredEvent| {
            let mut texts = std::iter::once(event.resource_id.as_str()).chain(event.names.iter().map(String::as_str));
            texts.any(|own| {
                let is_bare = !text.starts_with("arn:") && !text.contains("://");
                own == text
                    || own == id
                    || is_bare && own.trim_end_matches('.').to_lowercase().contains(&text.to_lowercase())
            })
        };
        let types: BTreeSet<&str> = found.iter().filter(has_it).map(|event| event.resource_type.as_str()).collect();
        let is_other = |event: &&StoredEvent| {
            let of_type = event.resource_type.as_str();
            of_type != name && !types.contains(of_type)
        };
        let other = found.iter().find(is_other);
        other.map(|event| format!("{name}: {text} leads to {} {} too", event.resource_type, event.resource_id))
    }
}

#[test]
fn every_name_of_every_type_leads_to_its_create_event_and_to_no_other_type() {
    let world = World::new();
    let mut problems = Vec::new();
    let mut lacking = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, scenario) in world.scenarios.iter().filter(|(name, _)| world.map.types.contains_key(name.as_str())) {
        let Some((_, ends)) = world.uses.get(name) else {
            lacking.push(format!("{name}: {}", scenario.skipped.as_deref().unwrap_or("its example changed")));
            continue;
        };
        lacking.extend(scenario.lacks.iter().map(|(field, reason)| format!("{name} {field}: {reason}")));
        let kinds = [
            ("id", vec![&scenario.id]),
            ("arn", scenario.arn.iter().collect()),
            ("name", scenario.names.iter().collect()),
            ("used by a delete or rename event", ends.iter().collect()),
        ];
        for (kind, text) in kinds.iter().flat_map(|(kind, texts)| texts.iter().map(|text| (*kind, text.as_str()))) {
            *counts.entry(kind).or_default() += 1;
            problems.extend(world.problem(name, text).map(|problem| format!("{problem} ({kind})")));
        }
        // The deletion is the create event's, under whatever name.
        let found = world.ask(&scenario.id);
        for end in
            ends.iter().filter(|end| !found.iter().any(|event| event.event.event_id == format!("end {name} {end}")))
        {
            problems.push(format!("{name}: the event that uses {end} is not joined with {}", scenario.id));
        }
    }
    println!("{} types, names {counts:?}; a record cannot hold:\n  {}", world.uses.len(), lacking.join("\n  "));
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
