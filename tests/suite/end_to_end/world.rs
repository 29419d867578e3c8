//! Resources on moto (`world.py` makes and reads them) and the trail that tells who made them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::common::{Caller, Event, Moto, Trail};

const WORLD: &str = include_str!("world.py");

/// A type and an id as `everything` lists it.
pub(super) type Key = (String, String);

/// Every tag of every live resource, by type and id.
pub(super) type Tags = BTreeMap<Key, BTreeMap<String, String>>;

/// A resource and the event that its creation would have left.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Made {
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// `fresh`, `bare`: to be tagged; `owned`, `unrecorded`, `machine`: to be left.
    pub(super) case: String,
    pub(super) id: String,
    source: String,
    event: String,
    request: Value,
    response: Value,
}

impl Made {
    pub(super) fn key(&self) -> Key {
        (self.kind.clone(), self.id.clone())
    }

    fn to_be_tagged(&self) -> bool {
        matches!(self.case.as_str(), "fresh" | "bare")
    }

    /// Whether an entry of a plan or report speaks of this resource.
    pub(super) fn is(&self, entry: &Value) -> bool {
        entry["resource_type"] == self.kind && entry["id"] == self.id
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

/// Creators that are nobody.
fn machines() -> [Caller; 2] {
    let mut linked = Caller::assumed_role("AWSServiceRoleForAutoScaling", "AutoScaling");
    linked.0["sessionContext"]["sessionIssuer"]["arn"] =
        json!("arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling");
    linked.0["invokedBy"] = json!("autoscaling.amazonaws.com");
    [Caller::service("ec2.amazonaws.com"), linked]
}

/// What `create(…)` of `world.py` made; `arguments` are Python's.
pub(super) fn create(moto: &Moto, arguments: &str) -> Vec<Made> {
    let made = moto.boto3(&format!("{WORLD}\nresult = create({arguments})"));
    serde_json::from_value(made).expect("world.py describes what it made")
}

/// Every tag of every live resource of the types in the world.
pub(super) fn everything(moto: &Moto) -> Tags {
    let found = moto.boto3(&format!("{WORLD}\nresult = everything()"));
    let found: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>> =
        serde_json::from_value(found).expect("world.py reads tags as text");
    found
        .into_iter()
        .flat_map(|(kind, ids)| ids.into_iter().map(move |(id, tags)| ((kind.clone(), id), tags)))
        .collect()
}

/// The records of what was made, and the owner that each resource to be tagged shall get. People take turns, so every
/// way of telling a person meets many services.
pub(super) fn trail_of(made: &[Made]) -> (Trail, BTreeMap<Key, &'static str>) {
    let mut trail = Trail::new();
    let mut owners = BTreeMap::new();
    let mut people = people().into_iter().cycle();
    let mut machines = machines().into_iter().cycle();
    for (minute, resource) in made.iter().enumerate().filter(|(_, resource)| resource.case != "unrecorded") {
        let caller = if resource.case == "machine" {
            machines.next().expect("a cycle has no end")
        } else {
            let (caller, owner) = people.next().expect("a cycle has no end");
            if resource.to_be_tagged() {
                owners.insert(resource.key(), owner);
            }
            caller
        };
        trail.push(
            Event::new(&resource.source, &resource.event)
                .by(caller)
                .at(&format!("2026-03-01T{:02}:{:02}:00Z", 8 + minute / 60, minute % 60))
                .request(resource.request.clone())
                .response(resource.response.clone()),
        );
    }
    (trail, owners)
}

/// `before`, with `owners` on the resources.
pub(super) fn with_owners(before: &Tags, owners: &BTreeMap<Key, &'static str>) -> Tags {
    let mut after = before.clone();
    for (key, owner) in owners {
        let tags = after.get_mut(key).unwrap_or_else(|| panic!("{key:?} is not on the server"));
        tags.insert("Owner".to_owned(), (*owner).to_owned());
    }
    after
}

/// Asserts that two readings of the server are equal; shows only what differs.
pub(super) fn assert_same(found: &Tags, wanted: &Tags, when: &str) {
    let keys: BTreeSet<&Key> = found.keys().chain(wanted.keys()).collect();
    let different: Vec<String> = keys
        .into_iter()
        .filter(|key| found.get(*key) != wanted.get(*key))
        .map(|key| format!("{key:?}: found {:?}, wanted {:?}", found.get(key), wanted.get(key)))
        .collect();
    assert!(different.is_empty(), "{when}:\n{}", different.join("\n"));
}

/// The plan's actions as resource and value.
pub(super) fn planned(plan: &Value) -> BTreeMap<Key, String> {
    let mut found = BTreeMap::new();
    for action in plan["actions"].as_array().expect("a plan has actions") {
        let text = |field: &str| action[field].as_str().expect("an action's fields are text").to_owned();
        let twice = found.insert((text("resource_type"), text("id")), text("value"));
        assert!(twice.is_none(), "planned twice: {action}");
    }
    found
}
