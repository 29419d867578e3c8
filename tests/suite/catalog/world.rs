//! Resources on moto (`tests/catalog/lab.py` makes them, `boto3_reference.py` reads them) and the trail of their creation.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::common::{Caller, Event, Moto, Trail};

/// A type and an id as the witness lists it.
pub(crate) type Key = (String, String);

/// Every tag of every live resource, by type and id.
pub(crate) type Tags = BTreeMap<Key, BTreeMap<String, String>>;

/// A resource and the records that its making would have left.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Made {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// `fresh`, `bare`: to be tagged; `owned`, `unrecorded`, `machine`: to be left.
    pub(crate) case: String,
    pub(crate) id: String,
    /// What it was made with.
    pub(crate) tags: BTreeMap<String, String>,
    records: Vec<Record>,
}

#[derive(Debug, Clone, Deserialize)]
struct Record {
    source: String,
    event: String,
    request: Value,
    response: Value,
}

/// What boto3 says of a type.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Testimony {
    /// [id, ARN, tags] of each resource, tags null where the server has none.
    pub(crate) resources: Option<Vec<Value>>,
    /// Why the server can't list it, or, beside resources, has no tags for them.
    pub(crate) unsupported: Option<String>,
    /// What went wrong otherwise.
    pub(crate) failed: Option<String>,
}

impl Made {
    pub(crate) fn key(&self) -> Key {
        (self.kind.clone(), self.id.clone())
    }

    fn to_be_tagged(&self) -> bool {
        matches!(self.case.as_str(), "fresh" | "bare")
    }

    /// Whether an entry of a plan or report speaks of this resource.
    pub(crate) fn is(&self, entry: &Value) -> bool {
        entry["type"] == self.kind && entry["id"] == self.id
    }
}

/// People in all the ways CloudTrail knows them, with the owner that each stands for.
fn people() -> [(Caller, &'static str); 5] {
    [
        (Caller::iam_user("alice"), "alice"),
        (Caller::assumed_role("AWSReservedSSO_Admin_1234567890abcdef", "bob@example.com"), "bob@example.com"),
        (Caller::assumed_role("deploy", "session-1").source_identity("carol"), "carol"),
        (Caller::root(), "root"),
        (Caller::saml_user("dave"), "dave"),
    ]
}

/// Creators that give no owner.
fn machines() -> [Caller; 2] {
    let mut linked = Caller::assumed_role("AWSServiceRoleForAutoScaling", "AutoScaling");
    linked.0["sessionContext"]["sessionIssuer"]["arn"] =
        json!("arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling");
    linked.0["invokedBy"] = json!("autoscaling.amazonaws.com");
    [Caller::service("ec2.amazonaws.com"), linked]
}

/// Runs an expression with `lab` and `witness` of tests/catalog.
fn catalog(moto: &Moto, expression: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/catalog");
    moto.boto3(&format!(
        "sys.path.insert(0, {folder:?})
import lab, boto3_reference as witness
result = {expression}"
    ))
}

/// What `lab.create(…)` made; `arguments` are Python's.
pub(crate) fn create(moto: &Moto, arguments: &str) -> Vec<Made> {
    let mut created = catalog(moto, &format!("lab.create({arguments})"));
    assert_eq!(created["failed"], json!([]), "makers failed: {:#}", created["failed"]);
    serde_json::from_value(created["made"].take()).expect("lab.py describes what it made")
}

/// What boto3 says of these types, or of all that can be listed.
pub(crate) fn witness(moto: &Moto, types: Option<&[String]>) -> BTreeMap<String, Testimony> {
    let types = types.map_or_else(|| "None".to_owned(), |types| format!("{types:?}"));
    serde_json::from_value(catalog(moto, &format!("witness.everything({types})")))
        .expect("boto3_reference.py returns each type")
}

/// Why the server does not take a tag on a resource from boto3 either; `None`: it does.
pub(crate) fn refusal(moto: &Moto, (kind, id): &Key) -> Option<String> {
    let reason = catalog(moto, &format!("witness.refusal({kind:?}, {id:?})"));
    reason.as_str().map(str::to_owned)
}

/// What the server lacks for each type: the first call that moto doesn't have of those that make, list and tag it.
pub(crate) fn lacks(moto: &Moto, types: &[String]) -> BTreeMap<String, Option<String>> {
    let calls = catalog(moto, &format!("__import__('moto_gaps').everything({types:?})"));
    serde_json::from_value(calls).expect("moto_gaps.py returns each type")
}

/// Every tag of every live resource of the types. The server must have them all.
pub(crate) fn everything(moto: &Moto, types: &[String]) -> Tags {
    tags_of(witness(moto, Some(types)))
}

/// The tags in boto3's listing of these types.
pub(crate) fn tags_of(reference: impl IntoIterator<Item = (String, Testimony)>) -> Tags {
    reference
        .into_iter()
        .flat_map(|(kind, reference)| {
            let resources = reference
                .resources
                .unwrap_or_else(|| panic!("{kind}: {:?} {:?}", reference.unsupported, reference.failed));
            resources.into_iter().map(move |mut one| {
                let id = one[0].as_str().expect("ids are text").to_owned();
                let tags = serde_json::from_value(one[2].take()).unwrap_or_else(|_| panic!("{kind} {id}: no tags"));
                ((kind.clone(), id), tags)
            })
        })
        .collect()
}

/// A trail of what was made.
pub(crate) struct Story {
    pub(crate) trail: Trail,
    /// The owner that each resource to be tagged shall get.
    pub(crate) owners: BTreeMap<Key, &'static str>,
    /// The person behind each event, by its id.
    pub(crate) persons: BTreeMap<String, &'static str>,
}

/// The records of what was made. People take turns, so every way of telling a person meets many services.
pub(crate) fn story_of(made: &[Made]) -> Story {
    let (mut trail, mut owners, mut persons) = (Trail::new(), BTreeMap::new(), BTreeMap::new());
    let mut people = people().into_iter().cycle();
    let mut machines = machines().into_iter().cycle();
    for resource in made.iter().filter(|resource| resource.case != "unrecorded") {
        let (caller, person) = if resource.case == "machine" {
            (machines.next().expect("a cycle has no end"), None)
        } else {
            let (caller, person) = people.next().expect("a cycle has no end");
            (caller, Some(person))
        };
        if let Some(person) = person.filter(|_| resource.to_be_tagged()) {
            owners.insert(resource.key(), person);
        }
        for record in &resource.records {
            let (event_id, event) = event_of(record, caller.clone(), trail.records().len());
            persons.extend(person.map(|person| (event_id, person)));
            trail.push(event);
        }
    }
    Story { trail, owners, persons }
}

/// An event's id and itself; events are a second apart.
fn event_of(record: &Record, caller: Caller, place: usize) -> (String, Event) {
    let event_id = format!("{place:08x}-0000-4000-8000-00000000000b");
    let time = format!("2026-03-01T{:02}:{:02}:{:02}Z", 8 + place / 3600, place / 60 % 60, place % 60);
    let event = Event::new(&record.source, &record.event)
        .by(caller)
        .at(&time)
        .field("eventID", json!(event_id))
        .request(record.request.clone())
        .response(record.response.clone());
    (event_id, event)
}

/// `before`, with `owners` on the resources.
pub(crate) fn with_owners<'a>(before: &Tags, owners: impl IntoIterator<Item = (&'a Key, &'a str)>) -> Tags {
    let mut after = before.clone();
    for (key, owner) in owners {
        let tags = after.get_mut(key).unwrap_or_else(|| panic!("{key:?} is not on the server"));
        tags.insert("Owner".to_owned(), owner.to_owned());
    }
    after
}

/// Asserts that two readings of the server are equal; shows only what differs.
pub(crate) fn assert_same(found: &Tags, wanted: &Tags, when: &str) {
    let keys: BTreeSet<&Key> = found.keys().chain(wanted.keys()).collect();
    let different: Vec<String> = keys
        .into_iter()
        .filter(|key| found.get(*key) != wanted.get(*key))
        .map(|key| format!("{key:?}: found {:?}, wanted {:?}", found.get(key), wanted.get(key)))
        .collect();
    assert!(different.is_empty(), "{when}:\n{}", different.join("\n"));
}

/// The plan's actions as resource, value and event.
pub(crate) fn planned(plan: &Value) -> BTreeMap<Key, (String, String)> {
    let mut found = BTreeMap::new();
    for action in plan["actions"].as_array().expect("a plan has actions") {
        let text = |field: &str| action[field].as_str().expect("an action's fields are text").to_owned();
        let twice = found.insert((text("type"), text("id")), (text("value"), text("event_id")));
        assert!(twice.is_none(), "planned twice: {action}");
    }
    found
}
