//! Which events are of one resource: events of one type in one account-region that share a name.
//!
//! An ID, an ARN and the names in an ARN belong to one resource at a time. Any other name of a record (a security group's) can
//! belong to several: it joins only an event that has nothing else, and only where one resource has the name.
//!
//! A name can be used again after a deletion. So the events of a name are those of several lives, one after the other.

use std::collections::{BTreeSet, HashMap};

use crate::model::event::{Action, StoredEvent};
use crate::resource_map::naming::Naming;

/// Joins events by the names of their resources. `S` is what they must have in common: account, region, type.
#[derive(Debug)]
pub struct SameResource<'m, S> {
    naming: &'m Naming,
    /// Nodes by name.
    nodes: HashMap<(S, String), usize>,
    /// The node that a node was joined with. A root is its own.
    joined: Vec<usize>,
    /// Names that several resources can have, with the events that have them.
    labels: HashMap<(S, String), Vec<usize>>,
    /// The times and effects of events, with their nodes.
    times: Vec<(usize, String, Action)>,
    /// Events that have only a bare text.
    bare: Vec<(S, String, String, usize)>,
    /// The shortest name of each root.
    shown: HashMap<usize, String>,
}

impl<'m, S: Clone + Eq + std::hash::Hash> SameResource<'m, S> {
    /// Without events.
    pub fn new(naming: &'m Naming) -> Self {
        Self {
            naming,
            nodes: HashMap::new(),
            joined: Vec::new(),
            labels: HashMap::new(),
            times: Vec::new(),
            bare: Vec::new(),
            shown: HashMap::new(),
        }
    }

    /// Adds an event.
    pub fn add(&mut self, scope: &S, event: &StoredEvent) {
        let id = event.resource_id.as_str();
        let mut keys = self.naming.keys(&event.resource_type, id);
        let (arns, labels): (Vec<_>, Vec<_>) = event.names.iter().partition(|name| name.starts_with("arn:"));
        keys.extend(arns.iter().flat_map(|arn| self.naming.keys(&event.resource_type, arn)));
        let mut keys = keys.into_iter();
        let Some(first) = keys.next() else { return };
        let node = self.node(scope, first);
        for key in keys {
            let other = self.node(scope, key);
            self.join(node, other);
        }
        let time = event.event.time.clone();
        if event.action == Action::Delete && event.names.is_empty() && !id.contains(':') {
            self.bare.push((scope.clone(), id.to_owned(), time.clone(), node));
        }
        for label in labels {
            self.labels.entry((scope.clone(), label.clone())).or_default().push(node);
        }
        self.times.push((node, time, event.action));
    }

    /// Joins the events that have only a name that one resource has at that time.
    pub fn finish(&mut self) {
        let mut bare = std::mem::take(&mut self.bare);
        bare.sort_by(|one, other| one.2.cmp(&other.2));
        let mut by_root: HashMap<usize, Vec<(String, Action)>> = HashMap::new();
        for (node, time, action) in std::mem::take(&mut self.times) {
            by_root.entry(self.root(node)).or_default().push((time, action));
        }
        for (scope, name, time, node) in bare {
            let Some(bearers) = self.labels.get(&(scope, name)) else { continue };
            let roots: BTreeSet<usize> = bearers.clone().into_iter().map(|bearer| self.root(bearer)).collect();
            let is_own = roots.contains(&self.root(node));
            let lives = |root: &usize| by_root.get(root).is_some_and(|events| is_alive(events, &time));
            let alive: Vec<usize> = roots.into_iter().filter(lives).collect();
            if let ([root], false) = (&alive[..], is_own) {
                let moved = by_root.remove(&self.root(node)).unwrap_or_default();
                let events = by_root.remove(root).unwrap_or_default();
                self.join(node, *root);
                by_root.insert(self.root(node), events.into_iter().chain(moved).collect());
            }
        }
        for ((_, name), node) in &self.nodes {
            let mut root = *node;
            while self.joined[root] != root {
                root = self.joined[root];
            }
            let shown = self.shown.entry(root).or_insert_with(|| name.clone());
            if (name.len(), name.as_str()) < (shown.len(), shown.as_str()) {
                shown.clone_from(name);
            }
        }
    }

    /// A text that is the same for all names of a resource.
    pub fn name(&self, scope: &S, event: &StoredEvent, text: &str) -> String {
        let key =
            self.naming.keys(&event.resource_type, text).into_iter().next_back().unwrap_or_else(|| text.to_owned());
        let shown = self.nodes.get(&(scope.clone(), key.clone())).and_then(|node| {
            let mut root = *node;
            while self.joined[root] != root {
                root = self.joined[root];
            }
            self.shown.get(&root)
        });
        shown.cloned().unwrap_or(key)
    }

    fn node(&mut self, scope: &S, key: String) -> usize {
        let next = self.joined.len();
        let node = *self.nodes.entry((scope.clone(), key)).or_insert(next);
        if node == next {
            self.joined.push(node);
        }
        node
    }

    fn root(&mut self, mut node: usize) -> usize {
        while self.joined[node] != node {
            self.joined[node] = self.joined[self.joined[node]];
            node = self.joined[node];
        }
        node
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.joined[one.max(other)] = one.min(other);
    }
}

/// Whether a resource with these events was created and not yet deleted, just before a time.
fn is_alive(events: &[(String, Action)], time: &str) -> bool {
    let created = |(at, action): &&(String, Action)| *action != Action::Delete && at.as_str() <= time;
    let deleted = |(at, action): &&(String, Action)| *action == Action::Delete && at.as_str() < time;
    let last_created = events.iter().filter(created).map(|(at, _)| at).max();
    let last_deleted = events.iter().filter(deleted).map(|(at, _)| at).max();
    last_created.is_some() && last_created >= last_deleted
}

/// The lives of a resource's name, from its events in the order of time: a life begins with a create event and ends before the
/// next one.
pub fn lives(events: Vec<StoredEvent>) -> Vec<Vec<StoredEvent>> {
    let mut lives: Vec<Vec<StoredEvent>> = Vec::new();
    for event in events {
        let is_first = |life: &Vec<StoredEvent>| {
            let mut created = life.iter().filter(|earlier| earlier.action == Action::Create);
            created.all(|earlier| earlier.event.event_id == event.event.event_id)
        };
        match lives.last_mut().filter(|life| event.action != Action::Create || is_first(life)) {
            Some(life) => life.push(event),
            None => lives.push(vec![event]),
        }
    }
    lives
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::creator::creation_of;
    use crate::creator::test_data::stored;
    use crate::trail::samples::built_in;

    /// `type action second id name,name`: an event at that second.
    fn event(line: &str) -> StoredEvent {
        let [resource_type, action, second, id, names @ ..] = &line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let action = Action::parse(action).unwrap();
        StoredEvent {
            resource_type: (*resource_type).into(),
            resource_id: (*id).into(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            ..stored(action, &format!("2026-03-01T10:00:0{second}Z"), line)
        }
    }

    /// The seconds of the events of each resource.
    fn resources(lines: &[&str]) -> Vec<String> {
        let events: Vec<StoredEvent> = lines.iter().map(|line| event(line)).collect();
        let mut same = SameResource::new(built_in().naming());
        events.iter().for_each(|event| same.add(&(), event));
        same.finish();
        let mut found: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
        for event in &events {
            let of_resource = found.entry(same.name(&(), event, event.resource_id.as_str())).or_default();
            of_resource.push_str(&event.event.time[18..19]);
        }
        let mut seconds: Vec<String> = found.into_values().collect();
        seconds.sort();
        seconds
    }

    const POLICY: &str = "arn:aws:iam::111122223333:policy/read";

    #[test]
    fn events_with_an_id_an_arn_or_a_name_in_it_are_of_one_resource() {
        assert_eq!(
            resources(&[&format!("iam-policy create 1 ANPA1 {POLICY}"), &format!("iam-policy delete 2 {POLICY}")]),
            ["12"]
        );
        let pipeline = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/train";
        assert_eq!(
            resources(&[&format!("sagemaker-pipeline create 1 {pipeline}"), "sagemaker-pipeline delete 2 train"]),
            ["12"]
        );
        let queue = "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs";
        assert_eq!(
            resources(&[&format!("sqs create 1 {queue}"), "sqs delete 2 jobs", "sqs create 1 other"]),
            ["1", "12"]
        );
    }

    #[test]
    fn order_of_loading_does_not_matter() {
        let deleted = format!("iam-policy delete 2 {POLICY}");
        assert_eq!(resources(&[&deleted, &format!("iam-policy create 1 ANPA1 {POLICY}")]), ["21"]);
    }

    #[test]
    fn a_name_that_several_have_joins_none_of_them() {
        let two = ["security-group create 1 sg-1 web", "security-group create 2 sg-2 web"];
        assert_eq!(resources(&[two[0], two[1], "security-group delete 3 web"]), ["1", "2", "3"]);
        assert_eq!(resources(&[two[0], "security-group delete 3 web"]), ["13"]);
        assert_eq!(
            resources(&[two[0], two[1], "security-group delete 2 sg-1", "security-group delete 3 web"]),
            ["12", "23"]
        );
        let services = ["blue", "green"].map(|name| format!("ecs-service create 1 arn:aws:ecs:r:1:service/{name}/web"));
        assert_eq!(resources(&[&services[0], &services[1]]), ["1", "1"]);
    }

    #[test]
    fn a_name_that_is_used_again_has_several_lives() {
        let lines = [
            format!("iam-policy create 1 ANPA1 {POLICY}"),
            format!("iam-policy delete 2 {POLICY}"),
            format!("iam-policy create 3 ANPA2 {POLICY}"),
        ];
        let events: Vec<StoredEvent> = lines.iter().map(|line| event(line)).collect();
        assert_eq!(creation_of(&events).unwrap().resource_id.as_str(), "ANPA2");
        let lives: Vec<usize> = lives(events).iter().map(Vec::len).collect();
        assert_eq!(lives, [2, 1]);
    }
}
