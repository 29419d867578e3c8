//! Which events are of one resource: events of one type in one account-region that share a name.
//!
//! An ID, an ARN and the names in an ARN belong to one resource at a time. Any other name of a record (a security group's) can
//! belong to several: it joins only an event that has nothing else, and only where one resource has the name.
//!
//! A name can be used again after a deletion. So the events of a name are those of several lives, one after the other.

use std::collections::{BTreeSet, HashMap};

use crate::model::event::{Action, StoredEvent};
use crate::resource_map::naming::Naming;
use crate::text::arena::Arena;

/// Joins events by the names of their resources. `S` is what they must have in common: account, region, type.
///
/// Takes some 150 bytes of memory for an event.
#[derive(Debug)]
pub struct SameResource<'m, S> {
    naming: &'m Naming,
    /// Nodes by name.
    nodes: HashMap<(S, Box<str>), u32>,
    /// The node that a node was joined with. A root is its own.
    joined: Vec<u32>,
    /// Names that several resources can have, with the events that have them.
    labels: HashMap<(S, Box<str>), Vec<u32>>,
    /// The nodes and effects of events, with the times of the same number.
    events: Vec<(u32, Action)>,
    times: Arena,
    /// Events that have only a bare text, by number.
    bare: Vec<(S, Box<str>, usize)>,
    /// The shortest name of each root that has several.
    shown: HashMap<u32, Box<str>>,
}

impl<'m, S: Clone + Eq + std::hash::Hash> SameResource<'m, S> {
    /// Without events.
    pub fn new(naming: &'m Naming) -> Self {
        Self {
            naming,
            nodes: HashMap::new(),
            joined: Vec::new(),
            labels: HashMap::new(),
            events: Vec::new(),
            times: Arena::default(),
            bare: Vec::new(),
            shown: HashMap::new(),
        }
    }

    /// Adds an event. Returns a node of its resource, for [`SameResource::resource`].
    pub fn add(&mut self, scope: &S, event: &StoredEvent) -> u32 {
        let id = event.resource_id.as_str();
        let mut keys = self.naming.keys(&event.resource_type, id);
        let (arns, labels): (Vec<_>, Vec<_>) = event.names.iter().partition(|name| name.starts_with("arn:"));
        keys.extend(arns.iter().flat_map(|arn| self.naming.keys(&event.resource_type, arn)));
        let mut keys = keys.into_iter();
        let node = self.node(scope, keys.next().unwrap_or_else(|| id.to_owned()));
        for key in keys {
            let other = self.node(scope, key);
            self.join(node, other);
        }
        if event.action == Action::Delete && event.names.is_empty() && !id.contains(':') {
            self.bare.push((scope.clone(), id.into(), self.events.len()));
        }
        for label in labels {
            self.labels.entry((scope.clone(), label.as_str().into())).or_default().push(node);
        }
        self.times.push(&event.event.time);
        self.events.push((node, event.action));
        node
    }

    /// Joins the events that have only a name that one resource has at that time.
    pub fn finish(&mut self) {
        self.join_bare();
        let is_joined: Vec<bool> = self.shared_roots();
        let nodes = std::mem::take(&mut self.nodes);
        for ((_, name), node) in &nodes {
            let root = self.root(*node);
            if is_joined[index(root)] {
                let shown = self.shown.entry(root).or_insert_with(|| name.clone());
                if (name.len(), name) < (shown.len(), shown) {
                    shown.clone_from(name);
                }
            }
        }
        self.nodes = nodes;
    }

    /// Whether each root has more nodes than itself. After this, each node's next one is its root.
    fn shared_roots(&mut self) -> Vec<bool> {
        let mut shared = vec![false; self.joined.len()];
        for at in 0..self.joined.len() {
            let node = self.joined[at];
            let root = self.root(node);
            self.joined[at] = root;
            shared[index(root)] |= index(root) != at;
        }
        shared
    }

    fn join_bare(&mut self) {
        let mut bare = std::mem::take(&mut self.bare);
        bare.retain(|(scope, name, _)| self.labels.contains_key(&(scope.clone(), name.clone())));
        if bare.is_empty() {
            return;
        }
        bare.sort_by(|one, other| self.times.get(one.2).cmp(self.times.get(other.2)));
        let mut by_root: HashMap<u32, Vec<usize>> = HashMap::new();
        let bearers = bare.iter().flat_map(|(scope, name, _)| &self.labels[&(scope.clone(), name.clone())]);
        let concerned: Vec<u32> = bearers.copied().chain(bare.iter().map(|(_, _, at)| self.events[*at].0)).collect();
        let concerned: BTreeSet<u32> = concerned.into_iter().map(|node| self.root(node)).collect();
        for at in 0..self.events.len() {
            let root = self.root(self.events[at].0);
            if concerned.contains(&root) {
                by_root.entry(root).or_default().push(at);
            }
        }
        for (scope, name, at) in bare {
            let node = self.events[at].0;
            let Some(bearers) = self.labels.get(&(scope, name)) else { continue };
            let roots: BTreeSet<u32> = bearers.clone().into_iter().map(|bearer| self.root(bearer)).collect();
            let is_own = roots.contains(&self.root(node));
            let lives = |root: &u32| by_root.get(root).is_some_and(|events| self.is_alive(events, self.times.get(at)));
            let alive: Vec<u32> = roots.into_iter().filter(lives).collect();
            if let ([root], false) = (&alive[..], is_own) {
                let moved = by_root.remove(&self.root(node)).unwrap_or_default();
                let events = by_root.remove(root).unwrap_or_default();
                self.join(node, *root);
                by_root.insert(self.root(node), events.into_iter().chain(moved).collect());
            }
        }
    }

    /// Whether a resource with these events was created and not yet deleted, just before a time.
    fn is_alive(&self, events: &[usize], time: &str) -> bool {
        let dated = || events.iter().map(|at| (self.times.get(*at), self.events[*at].1));
        let created = dated().filter(|(at, action)| *action != Action::Delete && *at <= time);
        let deleted = dated().filter(|(at, action)| *action == Action::Delete && *at < time);
        let last_created = created.map(|(at, _)| at).max();
        last_created.is_some() && last_created >= deleted.map(|(at, _)| at).max()
    }

    /// The resource of a node from [`SameResource::add`]: a number that all its events share, once all are added and
    /// [`SameResource::finish`] was called.
    pub fn resource(&self, node: u32) -> u32 {
        self.joined[index(node)]
    }

    /// The resource of a text of an event. `None` if no event has it as its own.
    pub fn resource_of_text(&self, scope: &S, event: &StoredEvent, text: &str) -> Option<u32> {
        let key = self.key(event, text).into();
        self.nodes.get(&(scope.clone(), key)).map(|node| self.resource(*node))
    }

    /// The shortest name of a resource. `None` if it has only one.
    pub fn shown(&self, resource: u32) -> Option<&str> {
        self.shown.get(&resource).map(|name| &**name)
    }

    /// A text that is the same for all names of a resource.
    pub fn name(&self, scope: &S, event: &StoredEvent, text: &str) -> String {
        let shown = self.resource_of_text(scope, event, text).and_then(|root| self.shown.get(&root));
        shown.map_or_else(|| self.key(event, text), |shown| shown.to_string())
    }

    fn key(&self, event: &StoredEvent, text: &str) -> String {
        self.naming.keys(&event.resource_type, text).into_iter().next_back().unwrap_or_else(|| text.to_owned())
    }

    fn node(&mut self, scope: &S, key: String) -> u32 {
        let next = u32::try_from(self.joined.len()).expect("no memory holds as many names");
        let node = *self.nodes.entry((scope.clone(), key.into_boxed_str())).or_insert(next);
        if node == next {
            self.joined.push(node);
        }
        node
    }

    fn root(&mut self, mut node: u32) -> u32 {
        while self.joined[index(node)] != node {
            self.joined[index(node)] = self.joined[index(self.joined[index(node)])];
            node = self.joined[index(node)];
        }
        node
    }

    fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.root(one), self.root(other));
        self.joined[index(one.max(other))] = one.min(other);
    }
}

fn index(node: u32) -> usize {
    node as usize
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
        for event in &events {
            same.add(&(), event);
        }
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
