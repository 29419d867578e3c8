//! Another attempt at what AWS refused for a cause that passes: how often, and after which pauses.
//!
//! A pause takes none of the places for calls under way. When the run is to stop, what waits is not done and can be resumed.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::api::TagApi;
use super::batch::{WriteBatch, WriteCall};
use super::reason::Reason;
use super::refusal::Refusal;
use super::{Attempt, Attempted, ReadyWrite, WriteOutcome};
use crate::aws::ErrorClass;

/// How long a refusal is waited for. Each pause is twice as long as the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Patience {
    /// Attempts at most.
    attempts: u32,
    /// The longest pause before the second attempt.
    first_pause: Duration,
}

/// For conflicts with other changes, 13 seconds at most: most changes of a resource take less. What takes minutes (a modifying
/// replication group) is left to the next run.
const FOR_CONFLICTS: Patience = Patience { attempts: 8, first_pause: Duration::from_millis(100) };
/// For single ARNs that the Tagging API throttled or failed on. The caller retries whole calls itself.
const FOR_SINGLE_ARNS: Patience = Patience { attempts: 4, first_pause: Duration::from_secs(1) };
/// For calls in doubt if the tag is not written. Each attempt costs a read of each tag, so they are few; in the last one each
/// write has a call of its own, for one resource may be the cause.
const FOR_DOUBTS: Patience = Patience { attempts: 3, first_pause: Duration::from_millis(500) };

impl Patience {
    fn of(refusal: &Refusal) -> Self {
        match refusal.class {
            _ if refusal.in_doubt => FOR_DOUBTS,
            ErrorClass::Conflict => FOR_CONFLICTS,
            _ => FOR_SINGLE_ARNS,
        }
    }
}

/// A write that was refused for a cause that passes.
#[derive(Debug)]
struct Refused {
    /// Its number.
    position: u32,
    refusal: Refusal,
}

/// A batch to be tried again.
#[derive(Debug)]
pub(super) struct Again<'t, 'm> {
    batch: WriteBatch<'t, 'm>,
    pause: Duration,
    refused: Vec<Refused>,
}

/// Separates a batch's attempts into final outcomes and the batches to try again.
pub(super) fn sort<'t, 'm>(
    batch: &WriteBatch<'t, 'm>,
    attempts: Vec<Attempted>,
) -> (BTreeMap<u32, WriteOutcome>, Vec<Again<'t, 'm>>) {
    let mut ended = BTreeMap::new();
    let mut passing: Vec<(Patience, Vec<Refused>)> = Vec::new();
    for Attempted { position, attempt } in attempts {
        let refusal = match attempt {
            Attempt::Passing(refusal) => refusal,
            // Each is resolved before its batch ends; where one were not, its tag stays to be read.
            Attempt::InDoubt(refusal) => {
                ended.insert(position, Reason::InDoubt(refusal).in_doubt());
                continue;
            }
            Attempt::Ended(outcome) => {
                ended.insert(position, outcome);
                continue;
            }
        };
        let patience = Patience::of(&refusal);
        if batch.attempt >= patience.attempts {
            ended.insert(position, Reason::EachAttempt { refusal, attempts: batch.attempt }.failed());
            continue;
        }
        match passing.iter_mut().find(|(other, _)| *other == patience) {
            Some((_, refused)) => refused.push(Refused { position, refusal }),
            None => passing.push((patience, vec![Refused { position, refusal }])),
        }
    }
    let again = |(patience, refused)| again(batch, patience, refused);
    (ended, passing.into_iter().flat_map(again).collect())
}

fn again<'t, 'm>(batch: &WriteBatch<'t, 'm>, patience: Patience, refused: Vec<Refused>) -> Vec<Again<'t, 'm>> {
    let attempt = batch.attempt + 1;
    let pause = patience.first_pause * 2_u32.pow(batch.attempt - 1);
    let is_alone = patience == FOR_DOUBTS && attempt == patience.attempts && batch.call != WriteCall::Stack;
    let groups = if is_alone { refused.into_iter().map(|one| vec![one]).collect() } else { vec![refused] };
    let of_group = |refused: Vec<Refused>| {
        let is_refused = |position| refused.iter().any(|one| one.position == position);
        let is_open = |ready: &&ReadyWrite<'_>| is_refused(ready.write.position);
        let writes: Vec<_> = batch.writes.iter().copied().filter(is_open).collect();
        // The Tagging API may not take the type, which a lost answer does not say: the service's own call is the last attempt.
        let has_native = is_alone && writes.iter().all(|ready| ready.writing.native.is_some());
        let call = if has_native { WriteCall::Native } else { batch.call };
        Again { batch: WriteBatch { writes, attempt, call, ..batch.clone() }, pause, refused }
    };
    groups.into_iter().map(of_group).collect()
}

/// A batch that waits for its next attempt.
#[derive(Debug)]
pub(super) struct Pausing<'t, 'm> {
    batch: WriteBatch<'t, 'm>,
    pause: Duration,
}

/// Lets the batch's pause pass.
pub(super) async fn after_pause<'t, 'm>(api: &impl TagApi, pausing: Pausing<'t, 'm>) -> WriteBatch<'t, 'm> {
    api.pause(pausing.pause).await;
    pausing.batch
}

/// The writes between two attempts.
#[derive(Debug, Default)]
pub(super) struct Held<'t, 'm> {
    /// Why, by number.
    refused: BTreeMap<u32, Refusal>,
    /// The batches that have waited long enough.
    due: VecDeque<WriteBatch<'t, 'm>>,
}

impl<'t, 'm> Held<'t, 'm> {
    /// Notes that the batch waits; gives it with its pause.
    pub(super) fn hold(&mut self, again: Again<'t, 'm>) -> Pausing<'t, 'm> {
        self.refused.extend(again.refused.into_iter().map(|refused| (refused.position, refused.refusal)));
        Pausing { batch: again.batch, pause: again.pause }
    }

    /// Its pause is over.
    pub(super) fn release(&mut self, batch: WriteBatch<'t, 'm>) {
        self.due.push_back(batch);
    }

    /// The next batch that has waited long enough. It no longer counts as held.
    pub(super) fn due(&mut self) -> Option<WriteBatch<'t, 'm>> {
        let batch = self.due.pop_front()?;
        for position in batch.positions() {
            self.refused.remove(&position);
        }
        Some(batch)
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.refused.is_empty()
    }

    /// What still waits, as not done.
    pub(super) fn unfinished(self) -> BTreeMap<u32, WriteOutcome> {
        let refused = self.refused.into_iter();
        refused.map(|(position, refusal)| (position, Reason::ToBeRetried(refusal).unfinished())).collect()
    }
}

#[cfg(test)]
mod tests;
