//! Runs: from planned writes to writes that are journaled and made.
//!
//! Three steps. *Collect*: a fresh plan, a saved plan, the rest of an interrupted run, or the reverse of a run. *Prepare*: each
//! write is compared with the tag's present value; only where that is the value expected before, it is ready. *Execute*:
//! the journal gets all of them, then the ready ones are made.
//!
//! So resuming is always safe: a write that was made but not journaled is found done, and `tag` and `undo` leave alone
//! what others changed meanwhile.

mod reason;
mod recreated;
mod standing;

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Instant;

use futures::FutureExt;
use serde::{Deserialize, Serialize};

use reason::Reason;
use recreated::newer_creation;
use standing::was_made;
pub use standing::{Standing, open_writes, standing};

use super::apply::{self, Aws, Job, ReadyWrite, StopReason};
use super::current::{self, Current};
use crate::aws::Session;
use crate::model::{AccountRegion, Arn, LiveResource, RunId, TagKey, TagValue, Tags};
use crate::packed_list::PackedList;
use crate::plan::updates::Updates;
use crate::plan::{PlannedWrite, Skip};
use crate::resource_map::{PresentTag, ResourceMap, TagKeys, TypeDefinition, WriteMethod};
use crate::store::journal::{NewRun, RunKind, RunWrite, Write, WriteOutcome, WriteState};
use crate::store::organization_runs::OrganizationRunId;
use crate::store::{Store, StoreError};
use crate::tag::collect::Survey;
use crate::tag::holding::holding;

/// Writes that are in memory at a time.
const WRITES_AT_ONCE: usize = 2048;

/// What every run needs.
#[derive(Debug)]
pub struct Runner<'a> {
    /// The session in the account.
    pub session: &'a Session,
    /// How types are listed and tagged.
    pub map: &'a ResourceMap,
    /// The journal.
    pub store: &'a Store,
    /// The account, and the region of the run.
    pub place: AccountRegion,
    /// The tag that names the owner; writes of other tags name theirs.
    pub key: TagKey,
    /// ARN of the caller.
    pub caller: Arn,
    /// The run across an organization that its runs are part of.
    pub organization: Option<OrganizationRunId>,
    /// Which writes with side effects may be made.
    pub updates: &'a Updates,
}

/// Writes compared with the present state.
#[derive(Debug, Default)]
pub struct Prepared {
    /// Those that can be made.
    ready: PackedList<Possible>,
    /// Those that are already settled: gone, changed, unreadable, or done.
    over: PackedList<RunWrite>,
}

/// A write that can be made.
#[derive(Debug, Serialize, Deserialize)]
struct Possible {
    write: Write,
    live: LiveResource,
    /// Whether an earlier run began the write and did not see how it ended.
    begun: bool,
}

/// Which run the writes belong to.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// A new run that writes owners. It is not created without a ready write.
    Tag,
    /// A new run that undoes another one. It is not created without a ready write.
    UndoOf(RunId),
    /// One that was interrupted.
    Resumed(RunId),
}

/// The result of a run.
#[derive(Debug)]
pub struct RunReport {
    /// The run; `None` where there was nothing to write.
    pub run: Option<RunId>,
    /// Each write and how it ended, by number. [`WriteOutcome::Unfinished`]: still planned.
    pub writes: PackedList<RunWrite>,
    /// Why it ended early.
    pub stopped: Option<StopReason>,
}

/// What to do with a write, now that the resource's state is known.
enum Check {
    Ready(Box<LiveResource>),
    /// An update that an earlier run began: how it ended is found out where it was made.
    Begun(Box<LiveResource>),
    Over(WriteOutcome),
}

impl<'a> Runner<'a> {
    /// The writes of a plan made just now.
    pub fn prepare_survey(&self, survey: &mut Survey) -> Prepared {
        let mut prepared = Prepared::default();
        for (position, (action, live)) in (0..).zip(survey.take_writes()) {
            let live = live.map(Box::new);
            let check = live.map_or_else(|| Check::Over(failed(&Reason::NotListed)), Check::Ready);
            self.sort_in(planned_write(position, action), check, &mut prepared);
        }
        prepared
    }

    /// The writes of a saved plan.
    pub async fn prepare_plan(&self, actions: &PackedList<PlannedWrite>) -> Prepared {
        let writes = (0..).zip(actions).map(|(position, action)| planned_write(position, action));
        self.prepare(writes.map(|write| (write, WriteState::Planned)), PackedList::new()).await
    }

    /// What an interrupted run did not do, or may not have done.
    pub async fn prepare_rest(&self, writes: PackedList<RunWrite>) -> Prepared {
        let open = |row: &RunWrite| row.outcome.state().is_open();
        let open = writes.into_iter().filter(open).map(|row| {
            let state = row.outcome.state();
            (row.write, state)
        });
        self.prepare(open, PackedList::new()).await
    }

    /// The reverse of writes that were made, or may have been.
    pub async fn prepare_undo(&self, writes: PackedList<RunWrite>) -> Prepared {
        let made = |row: &RunWrite| was_made(row.outcome.state());
        let (mut reversed, mut over) = (PackedList::new(), PackedList::new());
        for row in writes.into_iter().filter(made) {
            match self.of_another_resource(&row.write, row.written_at.as_deref()) {
                Some(outcome) => over.push(&RunWrite::new(reverse(row.write), outcome)),
                None => reversed.push(&reverse(row.write)),
            }
        }
        self.prepare(reversed.into_iter().map(|write| (write, WriteState::Planned)), over).await
    }

    /// The outcome of a write about a resource that no longer exists, where another one has its name now.
    fn of_another_resource(&self, write: &Write, written_at: Option<&str>) -> Option<WriteOutcome> {
        match newer_creation(self.store, self.map.naming(), &self.place.account, write, written_at) {
            Ok(creation) => creation.map(|event| {
                WriteOutcome::Skipped(
                    Reason::AnotherResource { event: event.name.to_string(), time: event.time.to_string() }.to_string(),
                )
            }),
            Err(error) => Some(failed(&Reason::EventsUnread(error))),
        }
    }

    async fn prepare(&self, found: impl Iterator<Item = (Write, WriteState)>, over: PackedList<RunWrite>) -> Prepared {
        let mut prepared = Prepared { over, ..Prepared::default() };
        let mut writes: PackedList<(Write, WriteState)> = PackedList::new();
        for (write, state) in found {
            let is_reversed = write.event_id.is_none();
            let another = if is_reversed { None } else { self.of_another_resource(&write, None) };
            match another.or_else(|| self.hold_back(&write, state)) {
                Some(outcome) => prepared.over.push(&RunWrite::new(write, outcome)),
                None => writes.push(&(write, state)),
            }
        }
        let sought = writes.iter().map(|(write, _)| write);
        let current = current::read(self.session, self.map, &self.place, sought).await;
        for ((mut write, state), current) in writes.into_iter().zip(current) {
            let keys = self.map.definition(&write.resource_type).map(TypeDefinition::tag_keys).unwrap_or_default();
            let check = match current {
                Current::Live(live) if state.may_be_made() && self.is_update(&write) => Check::Begun(live),
                current => check(&write, keys, state, current),
            };
            if let Check::Ready(live) = &check {
                write.old_key = old_key(&write, keys, live);
            }
            self.sort_in(write, check, &mut prepared);
        }
        prepared
    }

    /// The outcome of a write that is not attempted, because it would also update its resource and that is not allowed.
    fn hold_back(&self, write: &Write, state: WriteState) -> Option<WriteOutcome> {
        let definition = self.map.definition(&write.resource_type)?;
        match (self.updates.refusal(definition, &write.arn)?, state) {
            // How a call ended that may have been made stays to be seen.
            (why @ Skip::SideEffects { .. }, WriteState::Started) => Some(WriteOutcome::UnderWay(why.to_string())),
            (why @ Skip::SideEffects { .. }, WriteState::InDoubt) => Some(WriteOutcome::InDoubt(why.to_string())),
            (Skip::RolledBack(_), WriteState::Started | WriteState::InDoubt) => None,
            (why, _) => Some(WriteOutcome::Skipped(why.to_string())),
        }
    }

    /// Whether a write is an update that goes on after its call.
    fn is_update(&self, write: &Write) -> bool {
        let access = self.map.definition(&write.resource_type).and_then(|definition| definition.access.as_ref());
        let writing = access.and_then(|access| access.write.as_ref());
        writing.is_some_and(|writing| writing.method == WriteMethod::StackUpdate)
    }

    fn sort_in(&self, write: Write, check: Check, prepared: &mut Prepared) {
        let (live, begun) = match check {
            Check::Over(outcome) => return prepared.over.push(&RunWrite::new(write, outcome)),
            Check::Ready(live) => (*live, false),
            Check::Begun(live) => (*live, true),
        };
        let not_ready = match self.definition(&write) {
            None => failed(&Reason::UnknownType(write.resource_type.clone())),
            Some(definition) => match ReadyWrite::new(write.clone(), live, definition) {
                Ok(ready) if begun || ready.is_allowed_now() => {
                    return prepared.ready.push(&Possible { write, live: ready.live, begun });
                }
                Ok(_) => failed(&Reason::NotNow),
                Err(no_tagging) => WriteOutcome::Failed(no_tagging.to_string()),
            },
        };
        prepared.over.push(&RunWrite::new(write, not_ready));
    }

    fn definition(&self, write: &Write) -> Option<&'a TypeDefinition> {
        self.map.definition(&write.resource_type)
    }

    /// A write that was found possible, with the same map.
    fn ready(&self, Possible { write, live, begun }: Possible) -> ReadyWrite<'a> {
        let ready = self.definition(&write).map(|definition| ReadyWrite::new(write, live, definition));
        ready.and_then(Result::ok).expect("it was ready before").begun(begun)
    }

    /// Journals the writes and makes those that are ready. `stop` ends it early; the rest can be resumed.
    ///
    /// # Errors
    /// The journal can't be written; no call is made after that.
    pub async fn execute(
        &self,
        target: Target,
        mut prepared: Prepared,
        stop: impl Future<Output = ()>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<RunReport, StoreError> {
        let Some(run) = self.enter(target, &prepared)? else {
            return Ok(prepared.into_report());
        };
        let mut over = prepared.over.iter().map(|over| (over.write.position, over.outcome));
        loop {
            let outcomes: BTreeMap<u32, WriteOutcome> = over.by_ref().take(WRITES_AT_ONCE).collect();
            if outcomes.is_empty() {
                break;
            }
            self.store.end_writes(run, &outcomes)?;
        }
        drop(over);
        let job = Job { run, account: self.place.account.clone(), tags_read: Instant::now() };
        let aws = Aws::new(self.session, self.map, &self.place);
        if prepared.ready.len() > WRITES_AT_ONCE {
            // Stacks come last: an update takes minutes, and no quick write has to wait for it.
            prepared.ready.sort_by_key(|possible| (self.is_update(&possible.write), possible.write.position));
        }
        let Prepared { ready, over: mut writes } = prepared;
        let (stop, mut stopped, mut done) = (stop.shared(), None, 0);
        for part in ready.into_chunks(WRITES_AT_ONCE) {
            // Asked when the last calls of a part were under way.
            if stopped.is_none() && stop.peek().is_some() {
                stopped = Some(StopReason::Asked);
            }
            if stopped.is_some() {
                writes.extend(part.into_iter().map(|possible| RunWrite::new(possible.write, unreached())));
                continue;
            }
            let length = part.len();
            let open: Vec<ReadyWrite<'_>> = part.into_iter().map(|possible| self.ready(possible)).collect();
            let mut note = |count| progress(done + count);
            let mut applied = apply::apply(&aws, self.store, &job, &open, stop.clone(), &mut note).await?;
            writes.extend(open.into_iter().map(|ready| {
                let outcome = applied.outcomes.remove(&ready.write.position).unwrap_or_else(unreached);
                RunWrite::new(ready.write, outcome)
            }));
            stopped = applied.stopped;
            done += u64::try_from(length).unwrap_or(u64::MAX);
        }
        self.store.finish_run(run)?;
        writes.sort_by_key(|row| row.write.position);
        Ok(RunReport { run: Some(run), writes, stopped })
    }

    /// The run's number, once the journal has it. `None`: there is nothing to write.
    fn enter(&self, target: Target, prepared: &Prepared) -> Result<Option<RunId>, StoreError> {
        let (kind, undoes) = match target {
            Target::Resumed(run) => return Ok(Some(run)),
            _ if prepared.ready.is_empty() => return Ok(None),
            Target::Tag => (RunKind::Tag, None),
            Target::UndoOf(run) => (RunKind::Undo, Some(run)),
        };
        let run = NewRun {
            kind,
            undoes,
            account: self.place.account.clone(),
            region: self.place.region.clone(),
            key: self.key.clone(),
            caller: self.caller.clone(),
            organization: self.organization,
        };
        let ready = prepared.ready.iter().map(|possible| possible.write);
        let over = prepared.over.iter().map(|over| over.write);
        self.store.begin_run(&run, ready.chain(over)).map(Some)
    }
}

impl Prepared {
    /// How many writes can be made.
    pub fn possible(&self) -> usize {
        self.ready.len()
    }

    /// The result that a run would have, without making its writes.
    pub fn into_report(self) -> RunReport {
        let Self { ready, over: mut writes } = self;
        writes.extend(ready.into_iter().map(|possible| RunWrite::new(possible.write, unreached())));
        writes.sort_by_key(|row| row.write.position);
        RunReport { run: None, writes, stopped: None }
    }
}

/// The outcome of a write that was not attempted, because the run stopped earlier.
fn unreached() -> WriteOutcome {
    WriteOutcome::Unfinished(String::new())
}

/// A planned write as the journal has it. `position`: its place in the plan.
fn planned_write(position: u32, action: PlannedWrite) -> Write {
    let PlannedWrite { resource_type, id, arn, region, key, old_key, owner_keys, skip_tags, old_value, .. } = action;
    let (new_value, event_id) = (Some(action.value), action.event_id);
    Write {
        position,
        resource_type,
        id,
        arn,
        region,
        key,
        old_key,
        owner_keys,
        skip_tags,
        old_value,
        new_value,
        event_id,
    }
}

/// The write that restores the state before: also the key's spelling, where the write changed it.
fn reverse(write: Write) -> Write {
    let (key, old_key) = match write.old_key {
        Some(before) => (before, Some(write.key)),
        None => (write.key, None),
    };
    let (old_value, new_value) = (write.new_value, write.old_value);
    Write { key, old_key, old_value, new_value, owner_keys: Vec::new(), skip_tags: Vec::new(), event_id: None, ..write }
}

fn failed(reason: &Reason) -> WriteOutcome {
    WriteOutcome::Failed(reason.to_string())
}

fn check(write: &Write, keys: TagKeys, state: WriteState, current: Current) -> Check {
    let live = match current {
        Current::Live(live) => live,
        Current::Gone => return Check::Over(WriteOutcome::Vanished(Reason::Gone.to_string())),
        // AWS may have the tag: only reading it ends the doubt.
        Current::Unreadable(why) if state.may_be_made() => {
            return Check::Over(WriteOutcome::InDoubt(why.to_string()));
        }
        Current::Unreadable(why) => return Check::Over(WriteOutcome::Failed(why.to_string())),
    };
    let present = tag_of(&live, keys, &write.key);
    let is_spelled = present.is_none_or(|present| write.spells(present.key));
    let has = |value: Option<&TagValue>| is_spelled && present.map(|tag| tag.value) == value.map(TagValue::as_str);
    if has(write.old_value.as_ref()) {
        let (Tags::Known(tags) | Tags::Partial(tags)) = &live.tags else { return Check::Ready(live) };
        return match holding(write, keys, tags) {
            Some(holding) => Check::Over(WriteOutcome::Skipped(holding.to_string())),
            None => Check::Ready(live),
        };
    }
    let is_done = has(write.new_value.as_ref());
    if is_done && state.may_be_made() {
        // Its call was made, but what AWS answered did not reach the journal.
        return Check::Over(WriteOutcome::Written { request_id: None });
    }
    let (key, present) = (write.key.clone(), present.map(Into::into));
    let why = if is_done { Reason::Done { key, present } } else { Reason::Changed { key, present } };
    Check::Over(WriteOutcome::Skipped(why.to_string()))
}

/// The tag as the resource has it.
fn tag_of<'l>(live: &'l LiveResource, keys: TagKeys, key: &TagKey) -> Option<PresentTag<'l>> {
    match &live.tags {
        Tags::Known(tags) | Tags::Partial(tags) => keys.get(tags, key),
        Tags::Unknown(_) => None,
    }
}

/// The key on the resource just before the write, where it is spelled otherwise: that is what undoing restores.
fn old_key(write: &Write, keys: TagKeys, live: &LiveResource) -> Option<TagKey> {
    let present = tag_of(live, keys, &write.key).filter(|present| present.key != write.key.as_str());
    present.map(|present| present.key.into())
}

#[cfg(test)]
mod tests;
