//! Resources that new records created and that are not tagged yet: gathered for some seconds, so that a burst costs one listing, and tried again
//! while they are not there or can't be tagged.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::load::batch::Effect;
use crate::model::{AccountId, Region, ResourceId};
use crate::plan::Creation;

/// The least wait before a second try.
const LEAST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// A resource to tag, where its create event is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewResource {
    /// The account of the event.
    pub account: AccountId,
    /// Its region.
    pub region: Region,
    /// The event and the resource's name in it.
    pub creation: Creation,
}

/// What is known of a resource to tag.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its ID in the event.
    pub id: ResourceId,
    /// The messages that announced it.
    pub messages: BTreeSet<String>,
    /// The time of the event.
    time: String,
    since: Instant,
    due: Instant,
    tries: u32,
}

/// The resources to tag.
#[derive(Debug)]
pub struct Waiting {
    entries: RefCell<BTreeMap<NewResource, Entry>>,
    /// The number of resources of each message.
    open: RefCell<BTreeMap<String, usize>>,
    /// Resources were added.
    pub added: Notify,
    /// The last resource was removed.
    pub emptied: Notify,
    gather: Duration,
    retry: Duration,
}

/// A resource that was removed, and the messages that wait for no other.
#[derive(Debug)]
pub struct Removed {
    /// The resource.
    pub resource: NewResource,
    /// What is known of it.
    pub entry: Entry,
    /// The messages that can be deleted now.
    pub done: Vec<String>,
}

impl Waiting {
    /// `gather`: how long the first of several resources waits for more. `retry`: how long a resource is tried.
    pub fn new(gather: Duration, retry: Duration) -> Self {
        let (entries, open) = (RefCell::default(), RefCell::default());
        Self { entries, open, added: Notify::new(), emptied: Notify::new(), gather, retry }
    }

    /// The number of resources.
    pub fn count(&self) -> u64 {
        u64::try_from(self.entries.borrow().len()).unwrap_or(u64::MAX)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.borrow().is_empty()
    }

    /// Adds a resource that an event created. `message` can be deleted when it is removed; `None`: it stays in the queue.
    pub fn add(&self, effect: &Effect, message: Option<&str>, now: Instant) {
        let mut entries = self.entries.borrow_mut();
        let entry = entries.entry(resource_of(effect)).or_insert_with(|| Entry {
            id: effect.touched.resource_id.clone(),
            messages: BTreeSet::new(),
            time: effect.time.to_string(),
            since: now,
            due: now + self.gather,
            tries: 0,
        });
        if let Some(message) = message
            && entry.messages.insert(message.to_owned())
        {
            *self.open.borrow_mut().entry(message.to_owned()).or_default() += 1;
        }
        self.added.notify_one();
    }

    /// Removes what an event deleted, as far as it was created before.
    pub fn deleted(&self, effect: &Effect) -> Vec<Removed> {
        let gone = resource_of(effect);
        let is_gone = |resource: &NewResource, entry: &Entry| {
            (&resource.account, &resource.region) == (&gone.account, &gone.region)
                && resource.creation.resource_type == gone.creation.resource_type
                && resource.creation.name == gone.creation.name
                && entry.time <= effect.time
        };
        let gone: Vec<NewResource> = {
            let entries = self.entries.borrow();
            entries
                .iter()
                .filter(|(resource, entry)| is_gone(resource, entry))
                .map(|(resource, _)| resource.clone())
                .collect()
        };
        gone.iter().filter_map(|resource| self.remove(resource)).collect()
    }

    /// Whether a message waits for a resource.
    pub fn holds(&self, message: &str) -> bool {
        self.open.borrow().contains_key(message)
    }

    /// When the next resource is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.entries.borrow().values().map(|entry| entry.due).min()
    }

    /// The resources that are due, and the new ones in their account-regions: one listing is for all of them.
    pub fn due(&self, now: Instant) -> Vec<(NewResource, Entry)> {
        let entries = self.entries.borrow();
        let due = entries.iter().filter(|(_, entry)| entry.due <= now);
        let places: BTreeSet<_> = due.map(|(resource, _)| (&resource.account, &resource.region)).collect();
        let is_due = |resource: &NewResource, entry: &Entry| {
            entry.due <= now || entry.tries == 0 && places.contains(&(&resource.account, &resource.region))
        };
        let due = entries.iter().filter(|(resource, entry)| is_due(resource, entry));
        due.map(|(resource, entry)| (resource.clone(), entry.clone())).collect()
    }

    /// The resources that were not tried yet.
    pub fn untried(&self) -> Vec<(NewResource, Entry)> {
        let entries = self.entries.borrow();
        let untried = entries.iter().filter(|(_, entry)| entry.tries == 0);
        untried.map(|(resource, entry)| (resource.clone(), entry.clone())).collect()
    }

    /// Puts a resource off. Returns whether it is tried again: after the time for tries it is not.
    pub fn put_off(&self, resource: &NewResource, now: Instant) -> bool {
        let mut entries = self.entries.borrow_mut();
        let Some(entry) = entries.get_mut(resource) else { return true };
        if now.duration_since(entry.since) >= self.retry {
            return false;
        }
        let wait = self.gather.max(LEAST_WAIT).saturating_mul(1 << entry.tries.min(16)).min(LONGEST_WAIT);
        entry.tries += 1;
        // The last try is at the end of the time.
        entry.due = (now + wait).min(entry.since + self.retry).max(now + LEAST_WAIT);
        true
    }

    /// Removes a resource.
    pub fn remove(&self, resource: &NewResource) -> Option<Removed> {
        let entry = self.entries.borrow_mut().remove(resource)?;
        let mut open = self.open.borrow_mut();
        let mut done = Vec::new();
        for message in &entry.messages {
            let Some(count) = open.get_mut(message) else { continue };
            *count -= 1;
            if *count == 0 {
                open.remove(message);
                done.push(message.clone());
            }
        }
        if self.entries.borrow().is_empty() {
            self.emptied.notify_one();
        }
        Some(Removed { resource: resource.clone(), entry, done })
    }
}

fn resource_of(effect: &Effect) -> NewResource {
    let Effect { account, region, event_id, touched, .. } = effect;
    NewResource {
        account: account.clone(),
        region: region.clone(),
        creation: Creation::of(&touched.resource_type, event_id, touched.resource_id.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::{Action, Touched};

    fn effect(region: &str, id: &str, time: &str) -> Effect {
        Effect {
            account: "123456789012".into(),
            region: region.into(),
            event_id: format!("event of {}", id.rsplit('/').next().unwrap()).into(),
            time: time.into(),
            touched: Touched {
                resource_type: "sqs".into(),
                resource_id: id.into(),
                action: Action::Create,
                names: Vec::new(),
                renamed_to: None,
            },
        }
    }

    fn names(due: &[(NewResource, Entry)]) -> Vec<&str> {
        due.iter().map(|(resource, _)| resource.creation.name.as_str()).collect()
    }

    #[test]
    fn a_burst_in_an_account_region_is_due_together() {
        let waiting = Waiting::new(Duration::from_secs(5), Duration::from_secs(60));
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        waiting.add(&effect("eu-west-1", "a", "1"), Some("m1"), begun);
        waiting.add(&effect("eu-west-1", "b", "1"), Some("m2"), at(4));
        waiting.add(&effect("us-east-1", "c", "1"), Some("m3"), at(4));
        assert_eq!(names(&waiting.due(at(4))), [""; 0]);
        assert_eq!(names(&waiting.due(at(5))), ["a", "b"]);
        assert_eq!(names(&waiting.untried()), ["a", "b", "c"]);
    }

    #[test]
    fn a_resource_is_tried_with_growing_waits_until_its_time_is_over() {
        let waiting = Waiting::new(Duration::from_secs(5), Duration::from_secs(60));
        let begun = Instant::now();
        waiting.add(&effect("eu-west-1", "a", "1"), Some("m1"), begun);
        let (resource, _) = waiting.untried().pop().unwrap();
        let mut tries = Vec::new();
        loop {
            let due = waiting.next_due().unwrap();
            tries.push(due.duration_since(begun).as_secs());
            if !waiting.put_off(&resource, due) {
                break;
            }
        }
        assert_eq!(tries, [5, 10, 20, 40, 60]);
    }

    #[test]
    fn a_message_is_done_with_the_last_of_its_resources() {
        let waiting = Waiting::new(Duration::ZERO, Duration::ZERO);
        for url in ["https://sqs/1/a", "a", "b"] {
            waiting.add(&effect("eu-west-1", url, "1"), Some("m1"), Instant::now());
        }
        assert_eq!(waiting.count(), 2, "a URL and the name in it are one resource");
        waiting.add(&effect("eu-west-1", "b", "1"), Some("m2"), Instant::now());
        let resources: Vec<NewResource> = waiting.untried().into_iter().map(|(resource, _)| resource).collect();
        assert_eq!(waiting.remove(&resources[0]).unwrap().done, [""; 0]);
        assert!(waiting.holds("m1") && waiting.holds("m2"));
        assert_eq!(waiting.remove(&resources[1]).unwrap().done, ["m1", "m2"]);
        assert!(waiting.is_empty() && !waiting.holds("m1"));
    }

    #[test]
    fn what_is_deleted_again_waits_no_longer() {
        let waiting = Waiting::new(Duration::ZERO, Duration::ZERO);
        waiting.add(&effect("eu-west-1", "a", "2026-03-01T10:00:05Z"), Some("m1"), Instant::now());
        assert!(waiting.deleted(&effect("eu-west-1", "a", "2026-03-01T10:00:00Z")).is_empty(), "it was created later");
        assert!(waiting.deleted(&effect("us-east-1", "a", "2026-03-01T10:00:09Z")).is_empty());
        let gone = waiting.deleted(&effect("eu-west-1", "a", "2026-03-01T10:00:09Z"));
        assert_eq!((gone.len(), gone[0].done.as_slice()), (1, &["m1".to_owned()][..]));
    }
}
