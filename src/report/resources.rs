//! The resources behind the counts, kept on disk until they are written: memory does not grow with their number.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::figures::Class;
use crate::model::{AccountId, Arn, ResourceId, ResourceType};
use crate::resource::Resource;
use crate::store::StoreError;
use crate::store::recorded::Sorter;

/// The number of oldest resources without an owner that are kept apart.
const OLDEST: usize = 20;

/// Sorts after every time: a resource without a create event.
const NO_TIME: &str = "~";

/// A resource with its class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The class.
    pub class: Class,
    /// The type.
    pub resource_type: ResourceType,
    /// The ID.
    pub id: ResourceId,
    /// The name, if it has one beside its ID.
    pub name: Option<String>,
    /// The ARN, if known.
    pub arn: Option<Arn>,
    /// The account.
    pub account_id: AccountId,
    /// The region, or `global`.
    pub region: String,
    /// The owner as in the tag, existing or planned.
    pub owner: Option<String>,
    /// The name of the principal that created it.
    pub creator: Option<String>,
    /// The tool that created it.
    pub tool: Option<String>,
    /// `eventName` of the create event.
    pub event: Option<String>,
    /// `eventTime` of the create event.
    pub created_at: Option<String>,
}

/// The resources so far.
#[derive(Debug)]
pub struct Resources {
    sorter: Sorter,
    count: u64,
    oldest: BTreeMap<String, Counted>,
}

impl Counted {
    /// A resource with its create event; `region` can be `global`. `tag`: the owner tag that it has.
    pub(super) fn new(resource: Resource, class: Class, region: &str, tag: Option<&str>) -> Self {
        let (event, created_at) = resource.event.map(|event| (event.name.to_string(), event.time.to_string())).unzip();
        let planned = || resource.owner.filter(|_| class == Class::WouldBeOwned);
        Self {
            class,
            owner: tag.map(str::to_owned).or_else(planned),
            resource_type: resource.resource_type,
            id: resource.id,
            name: resource.name,
            arn: resource.arn,
            account_id: resource.account_id,
            region: region.to_owned(),
            creator: resource.creator,
            tool: resource.tool,
            event,
            created_at,
        }
    }

    /// A text that sorts the oldest first, and those without a create event last.
    fn key(&self) -> String {
        let Self { created_at, account_id, region, resource_type, id, .. } = self;
        let created_at = created_at.as_deref().unwrap_or(NO_TIME);
        format!("{created_at}\u{1}{account_id}\u{1}{region}\u{1}{resource_type}\u{1}{id}")
    }
}

impl Resources {
    /// None.
    ///
    /// # Errors
    /// SQLite can't make a temporary database.
    pub fn new() -> Result<Self, StoreError> {
        Ok(Self { sorter: Sorter::new()?, count: 0, oldest: BTreeMap::new() })
    }

    pub(super) fn add(&mut self, resource: Counted) -> Result<(), StoreError> {
        let key = resource.key();
        let text = serde_json::to_string(&resource).expect("texts are JSON");
        self.sorter.add_text(&key, &text)?;
        self.count += 1;
        if resource.class.is_unowned() && resource.created_at.is_some() {
            self.oldest.insert(key, resource);
            if self.oldest.len() > OLDEST {
                self.oldest.pop_last();
            }
        }
        Ok(())
    }

    /// Their number.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The oldest ones that lack an owner, by their create events.
    pub fn oldest_unowned(&self) -> impl ExactSizeIterator<Item = &Counted> {
        self.oldest.values()
    }

    /// Passes all of them to `each`, the oldest first.
    ///
    /// # Errors
    /// The temporary database fails.
    pub fn each(&self, each: &mut dyn FnMut(Counted)) -> Result<(), StoreError> {
        let mut read = |text: &str| each(serde_json::from_str(text).expect("it was written here"));
        self.sorter.each_text(false, None, &mut read)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A queue.
    pub(in crate::report) fn counted(id: &str, class: Class, created_at: Option<&str>) -> Counted {
        Counted {
            class,
            resource_type: "sqs".into(),
            id: id.into(),
            name: None,
            arn: None,
            account_id: "111122223333".into(),
            region: "eu-west-1".to_owned(),
            owner: None,
            creator: None,
            tool: None,
            event: None,
            created_at: created_at.map(str::to_owned),
        }
    }

    #[test]
    fn oldest_come_first_and_those_without_create_event_last() {
        let mut resources = Resources::new().unwrap();
        for day in (1..=28).rev() {
            let time = format!("2026-01-{day:02}T00:00:00Z");
            resources.add(counted(&format!("unowned-{day}"), Class::NoOwner, Some(&time))).unwrap();
            resources.add(counted(&format!("owned-{day}"), Class::Owned, Some(&time))).unwrap();
        }
        resources.add(counted("unrecorded", Class::NoRecord, None)).unwrap();
        let mut ids = Vec::new();
        resources.each(&mut |resource| ids.push(resource.id.to_string())).unwrap();
        assert_eq!((&*ids[0], &*ids[1], ids.last().map(String::as_str)), ("owned-1", "unowned-1", Some("unrecorded")));
        assert_eq!((ids.len(), resources.count()), (57, 57));
        let oldest: Vec<&str> = resources.oldest_unowned().map(|resource| resource.id.as_str()).collect();
        assert_eq!((oldest.len(), oldest[0], oldest[19]), (20, "unowned-1", "unowned-20"));
    }
}
