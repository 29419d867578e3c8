//! Applying: the planned writes in as few AWS calls as they allow, each journaled before and after.
//!
//! Writes are grouped by how they are made, region and value: 20 ARNs a call by the Tagging API, 1,000 ids a call by EC2,
//! the rest one by one. A call that fails for one resource is narrowed down until only that one fails. Batches run
//! concurrently, but the journal is written by the one task that drives them.
//!
//! What AWS refuses for a cause that passes (another change under way, a limit of one ARN) is tried again after a pause, alone
//! and while the other writes go on; see [`retry`].
//!
//! A resource with several tags to write gets them in waves, one after the other; a stack in one update, which is waited
//! for, and after all others. Everything here expects that the present value of the tag was read and is the write's `old_value`;
//! see [`super::run`].

mod api;
mod batch;
mod ec2;
mod native;
mod present;
mod reason;
mod refusal;
mod retry;
mod rgta;
mod stack;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::time::Instant;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::watch;

pub use api::Aws;
use api::TagApi;
use batch::{WriteBatch, WriteCall, batches};
pub use refusal::Refusal;
use retry::{Held, after_pause};

use crate::model::AccountId;
use crate::model::LiveResource;
use crate::model::{ResourceType, RunId};
use crate::resource_map::{Access, TagWriting, TypeDefinition};
use crate::store::journal::{Write, WriteOutcome};
use crate::store::{Store, StoreError};

/// Batches under way at a time. AWS's limits on tagging calls are about ten a second; more would only be throttled.
const WRITE_CONCURRENCY: usize = 8;

/// What all writes of a run have in common.
#[derive(Debug, Clone)]
pub struct Job {
    /// The run.
    pub run: RunId,
    /// The account.
    pub account: AccountId,
    /// When the tags of all its resources had been read.
    pub tags_read: Instant,
}

/// A write that can be made: its resource exists, and the resource map defines how its type is tagged.
#[derive(Debug)]
pub struct ReadyWrite<'a> {
    /// What to write.
    pub write: Write,
    /// The resource as just listed.
    pub live: LiveResource,
    /// Whether an earlier run began the write and did not see how it ended.
    begun: bool,
    definition: &'a TypeDefinition,
    access: &'a Access,
    writing: &'a TagWriting,
}

impl ReadyWrite<'_> {
    fn after(&self, attempt: impl Into<Attempt>) -> Attempted {
        Attempted { position: self.write.position, attempt: attempt.into() }
    }
}

/// The resource map does not define how to write the tags of the type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the resource map does not define how to tag {0}")]
pub struct NoTagging(ResourceType);

/// How one attempt at a write ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Attempt {
    /// There is nothing more to try in this run.
    Ended(WriteOutcome),
    /// AWS refused it for a cause that passes: worth another attempt after a pause.
    Passing(Refusal),
    /// No answer was read that says whether it is written: the tag has to be read. Only until the batch ends.
    InDoubt(Refusal),
}

/// An attempt at one write of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Attempted {
    /// The write's number in the run.
    position: u32,
    attempt: Attempt,
}

impl From<WriteOutcome> for Attempt {
    fn from(outcome: WriteOutcome) -> Self {
        Self::Ended(outcome)
    }
}

/// Why applying stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// It was asked to.
    Asked,
    /// The credentials ended; what AWS said.
    Credentials(String),
}

/// What applying came to.
#[derive(Debug, Default)]
pub struct Applied {
    /// By the writes' numbers. Those that were not reached are missing.
    pub outcomes: BTreeMap<u32, WriteOutcome>,
    /// Why it stopped early.
    pub stopped: Option<StopReason>,
}

impl<'a> ReadyWrite<'a> {
    /// A write to a listed resource.
    ///
    /// # Errors
    /// The map does not say how its type is tagged.
    pub fn new(write: Write, live: LiveResource, definition: &'a TypeDefinition) -> Result<Self, NoTagging> {
        let access = definition.access.as_ref();
        let writing = access.and_then(|access| access.write.as_ref());
        let (Some(access), Some(writing)) = (access, writing) else {
            return Err(NoTagging(definition.resource_type.clone()));
        };
        Ok(Self { write, live, begun: false, definition, access, writing })
    }

    /// The same, where an earlier run may have begun the write.
    pub fn begun(self, begun: bool) -> Self {
        Self { begun, ..self }
    }

    /// Whether the resource's state allows a write.
    pub fn is_allowed_now(&self) -> bool {
        self.writing.is_allowed_now(&self.live.item)
    }
}

/// Makes the writes of a run that is in the journal already. `stop` ends it early: calls under way are waited for and journaled, the rest
/// stays planned. `progress` is called with the number of finished writes.
///
/// # Errors
/// The journal can't be written: then no further call is made either.
pub async fn apply(
    api: &Aws<'_>,
    store: &Store,
    job: &Job,
    writes: &[ReadyWrite<'_>],
    stop: impl Future<Output = ()>,
    progress: &mut dyn FnMut(u64),
) -> Result<Applied, StoreError> {
    drive(api, store, job, writes, stop, progress).await
}

/// [`apply`] on AWS or on a test's world.
pub(super) async fn drive(
    api: &impl TagApi,
    store: &Store,
    job: &Job,
    writes: &[ReadyWrite<'_>],
    stop: impl Future<Output = ()>,
    progress: &mut dyn FnMut(u64),
) -> Result<Applied, StoreError> {
    let mut stop = pin!(stop);
    // Updates that are waited for hear of it too.
    let (halt, halted) = watch::channel(false);
    let mut waiting = batches(writes).into_iter().peekable();
    let mut wave = 0;
    let mut running = FuturesUnordered::new();
    let mut pauses = FuturesUnordered::new();
    let mut held = Held::default();
    let mut applied = Applied::default();
    let mut broken = None;
    loop {
        let goes_on = applied.stopped.is_none() && broken.is_none();
        while goes_on && broken.is_none() && running.len() < WRITE_CONCURRENCY {
            // The writes of one resource come one after the other: some calls replace all its tags at once.
            let is_wave_over = running.is_empty() && held.is_empty();
            let next = held.due().or_else(|| waiting.next_if(|next| next.wave <= wave || is_wave_over));
            let Some(batch) = next else { break };
            wave = batch.wave;
            match store.start_writes(job.run, &batch.positions()) {
                Ok(()) => running.push(execute(api, job, batch, halted.clone())),
                Err(error) => broken = Some(error),
            }
        }
        if running.is_empty() && (held.is_empty() || applied.stopped.is_some() || broken.is_some()) {
            break;
        }
        tokio::select! {
            biased;
            () = &mut stop, if applied.stopped.is_none() => {
                applied.stopped = Some(StopReason::Asked);
                halt.send_replace(true);
            }
            Some((batch, done)) = running.next() => {
                note_lost_credentials(&done, &mut applied.stopped);
                let (ended, again) = retry::sort(&batch, done);
                pauses.extend(again.into_iter().map(|batch| after_pause(api, held.hold(batch))));
                if let Err(error) = applied.note(store, job, ended) {
                    broken.get_or_insert(error);
                }
                progress(applied.outcomes.len().try_into().unwrap_or(u64::MAX));
            }
            Some(batch) = pauses.next(), if applied.stopped.is_none() => held.release(batch),
        }
    }
    // Asked when the last calls were under way already: nothing is left to go on with.
    let is_under_way = |outcome: &WriteOutcome| matches!(outcome, WriteOutcome::UnderWay(_));
    let is_all_over = applied.outcomes.len() == writes.len() && !applied.outcomes.values().any(is_under_way);
    if applied.stopped == Some(StopReason::Asked) && is_all_over {
        applied.stopped = None;
    }
    // What waits for another attempt was refused so far, and can be resumed.
    if let Err(error) = applied.note(store, job, held.unfinished()) {
        broken.get_or_insert(error);
    }
    broken.map_or(Ok(applied), Err)
}

impl Applied {
    /// Notes how writes ended, in the journal too.
    fn note(&mut self, store: &Store, job: &Job, ended: BTreeMap<u32, WriteOutcome>) -> Result<(), StoreError> {
        let rollbacks = ended.iter().try_for_each(|(position, outcome)| match outcome {
            WriteOutcome::RolledBack(why) => store.note_rollback(job.run, *position, why),
            _ => Ok(()),
        });
        let stored = store.end_writes(job.run, &ended);
        self.outcomes.extend(ended);
        rollbacks.and(stored)
    }
}

/// Without credentials every further call would fail too: better to stop, and to go on with new ones.
fn note_lost_credentials(done: &[Attempted], stopped: &mut Option<StopReason>) {
    let lost = done.iter().find_map(|one| match &one.attempt {
        Attempt::Ended(WriteOutcome::Unfinished(why)) => Some(why.clone()),
        _ => None,
    });
    if let Some(why) = lost {
        stopped.get_or_insert(StopReason::Credentials(why));
    }
}

async fn execute<'t, 'm>(
    api: &impl TagApi,
    job: &Job,
    batch: WriteBatch<'t, 'm>,
    halted: watch::Receiver<bool>,
) -> (WriteBatch<'t, 'm>, Vec<Attempted>) {
    let mut open = batch.clone();
    let mut over = present::check(api, &mut open, job.tags_read).await;
    let writes = open.writes.clone();
    let attempts = match batch.call {
        _ if writes.is_empty() => Vec::new(),
        WriteCall::Ec2 => ec2::write(api, writes).await,
        WriteCall::Rgta => rgta::write(api, job, writes).await,
        WriteCall::Native => native::write_each(api, job, writes).await,
        WriteCall::Stack => stack::write(api, job, &writes, halted).await,
    };
    over.extend(present::resolve(api, &open, attempts).await);
    (batch, over)
}

/// The two halves of a group: its call failed for one of its members.
fn halves<T>(mut group: Vec<T>) -> [Vec<T>; 2] {
    let second = group.split_off(group.len() / 2);
    [group, second]
}

#[cfg(test)]
pub(super) mod test_world;
#[cfg(test)]
mod tests;
