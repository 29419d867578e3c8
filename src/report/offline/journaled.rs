//! The tags in effect according to the journal.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::{Question, Scope};
use crate::model::{AccountId, Arn, Region, ResourceId, ResourceType, TagValue};
use crate::store::journal::{Run, RunWrite, WriteState};
use crate::store::recorded::Note;
use crate::store::{Store, StoreError};

/// A write that was made, with a key that counts.
#[derive(Debug, Serialize, Deserialize)]
struct OwnerWrite {
    account: AccountId,
    resource_type: ResourceType,
    /// Where the resource is.
    region: Region,
    id: ResourceId,
    arn: Arn,
    /// `None`: the tag was removed.
    value: Option<TagValue>,
    /// The place of the key among those that count.
    rank: usize,
}

/// The tags of some resources.
#[derive(Debug, Default)]
pub(super) struct Journaled {
    /// In the order of the first write.
    tagged: Vec<Tagged>,
    by_name: HashMap<(Scope, String), usize>,
}

/// A resource with writes in the journal.
#[derive(Debug)]
pub(super) struct Tagged {
    pub(super) scope: Scope,
    pub(super) id: ResourceId,
    pub(super) arn: Arn,
    /// By the place of the key among those that count.
    values: BTreeMap<usize, TagValue>,
    /// Whether the database has events of it.
    is_recorded: bool,
}

/// Passes the writes that count to `each`, from the first to the last.
pub(super) fn each_note(
    store: &Store,
    question: &Question<'_>,
    each: &mut dyn FnMut(Note) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for run in store.runs()?.into_iter().rev().filter(|run| question.is_of_owners(run)) {
        store.each_write_of(run.run_id, &mut |row| note(question, &run, row).map_or(Ok(()), &mut *each))?;
    }
    Ok(())
}

/// A write, if it was made and its key counts.
fn note(question: &Question<'_>, run: &Run, RunWrite { write, outcome, .. }: RunWrite) -> Option<Note> {
    if outcome.state() != WriteState::Written || !question.keeps(run, &write) {
        return None;
    }
    let rank = question.rank(&write)?;
    let (account_id, resource_type, region) =
        (run.account_id.clone(), write.resource_type.clone(), write.region.clone());
    let names = vec![write.id.to_string(), write.arn.to_string()];
    let write = OwnerWrite {
        account: run.account_id.clone(),
        resource_type: write.resource_type,
        region: write.region,
        id: write.id,
        arn: write.arn,
        value: write.new_value,
        rank,
    };
    let text = serde_json::to_string(&write).expect("texts are JSON");
    Some(Note { account_id, region, resource_type, names, text })
}

impl Journaled {
    /// Replays the writes of [`each_note`].
    pub(super) fn of(question: &Question<'_>, notes: &[String]) -> Self {
        let mut journaled = Self::default();
        let mut resources = HashMap::new();
        for note in notes {
            let write: OwnerWrite = serde_json::from_str(note).expect("it was written here");
            let resource = (write.account.clone(), write.resource_type.clone(), write.region.clone(), write.id.clone());
            let at = *resources.entry(resource).or_insert(journaled.tagged.len());
            journaled.add(question, write, at);
        }
        journaled
    }

    /// Replays a write on the resource at this place.
    fn add(&mut self, question: &Question<'_>, write: OwnerWrite, at: usize) {
        let OwnerWrite { account, resource_type, region, id, arn, value, rank } = write;
        if at == self.tagged.len() {
            let scope = question.scope(&account, &resource_type, &region);
            let naming = question.map.naming();
            let names = [id.as_str(), arn.as_str()].into_iter().filter(|name| !name.is_empty());
            for name in names.flat_map(|name| naming.keys(&resource_type, name)) {
                self.by_name.insert((scope.clone(), name), at);
            }
            self.tagged.push(Tagged { scope, id, arn, values: BTreeMap::new(), is_recorded: false });
        }
        let values = &mut self.tagged[at].values;
        match value {
            Some(value) => drop(values.insert(rank, value)),
            None => drop(values.remove(&rank)),
        }
    }

    /// The resource with one of these names.
    pub(super) fn find(&self, scope: &Scope, mut names: impl Iterator<Item = String>) -> Option<usize> {
        if self.by_name.is_empty() {
            return None;
        }
        names.find_map(|name| self.by_name.get(&(scope.clone(), name)).copied())
    }

    /// Whether it has no resource.
    pub(super) fn is_empty(&self) -> bool {
        self.tagged.is_empty()
    }

    /// The tag of a resource, which has events in the database.
    pub(super) fn take(&mut self, at: usize) -> Option<TagValue> {
        let tagged = self.tagged.get_mut(at)?;
        tagged.is_recorded = true;
        tagged.values.values().next().cloned()
    }

    /// The resources without events in the database, with their tags.
    pub(super) fn unrecorded(&self) -> impl Iterator<Item = (&Tagged, &TagValue)> {
        let unrecorded = self.tagged.iter().filter(|tagged| !tagged.is_recorded);
        unrecorded.filter_map(|tagged| Some((tagged, tagged.values.values().next()?)))
    }
}
