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

use std::collections::BTreeSet;
use std::future::Future;

use reason::Reason;
use recreated::newer_creation;

use super::apply::{self, Applied, Aws, Job, ReadyWrite, StopReason};
use super::current::{self, Current};
use crate::aws::Session;
use crate::model::RunId;
use crate::model::{AccountRegion, LiveResource, Tags};
use crate::model::{Arn, TagKey, TagValue};
use crate::plan::updates::Updates;
use crate::plan::{PlannedWrite, Skip};
use crate::resource_map::{PresentTag, ResourceMap, TagKeys, TypeDefinition, WriteMethod};
use crate::store::journal::{NewRun, RunKind, RunWrite, Write, WriteOutcome, WriteState};
use crate::store::organization_runs::OrganizationRunId;
use crate::store::{Store, StoreError};
use crate::tag::collect::Survey;
use crate::tag::holding::holding;

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
pub struct Prepared<'m> {
    /// Those that can be made.
    pub ready: Vec<ReadyWrite<'m>>,
    /// Those that are already settled: gone, changed, unreadable, or done.
    pub over: Vec<RunWrite>,
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
    pub writes: Vec<RunWrite>,
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
    pub fn prepare_survey(&self, survey: &mut Survey) -> Prepared<'a> {
        let actions = std::mem::take(&mut survey.plan.actions);
        let mut prepared = Prepared::default();
        for (write, action) in planned_writes(&actions).into_iter().zip(&actions) {
            let live = survey.live(&action.resource_type, &action.id, &action.arn).map(Box::new);
            let check = live.map_or_else(|| Check::Over(failed(&Reason::NotListed)), Check::Ready);
            self.sort_in(write, check, &mut prepared);
        }
        survey.plan.actions = actions;
        prepared
    }

    /// The writes of a saved plan.
    pub async fn prepare_plan(&self, actions: &[PlannedWrite]) -> Prepared<'a> {
        let writes = planned_writes(actions);
        self.prepare(writes.into_iter().map(|write| (write, WriteState::Planned)), Vec::new()).await
    }

    /// What an interrupted run did not do, or may not have done.
    pub async fn prepare_rest(&self, writes: Vec<RunWrite>) -> Prepared<'a> {
        let open = |row: &RunWrite| row.outcome.state().is_open();
        let open = writes.into_iter().filter(open).map(|row| {
            let state = row.outcome.state();
            (row.write, state)
        });
        self.prepare(open, Vec::new()).await
    }

    /// The reverse of writes that were made, or may have been.
    pub async fn prepare_undo(&self, writes: Vec<RunWrite>) -> Prepared<'a> {
        let made = |row: &RunWrite| was_made(row.outcome.state());
        let (mut reversed, mut over) = (Vec::new(), Vec::new());
        for row in writes.into_iter().filter(made) {
            match self.of_another_resource(&row.write, row.written_at.as_deref()) {
                Some(outcome) => over.push(RunWrite::new(reverse(row.write), outcome)),
                None => reversed.push(reverse(row.write)),
            }
        }
        self.prepare(reversed.into_iter().map(|write| (write, WriteState::Planned)), over).await
    }

    /// The outcome of a write about a resource that no longer exists, where another one has its name now.
    fn of_another_resource(&self, write: &Write, written_at: Option<&str>) -> Option<WriteOutcome> {
        match newer_creation(self.store, self.map.naming(), &self.place.account, write, written_at) {
            Ok(creation) => creation.map(|event| {
                WriteOutcome::Skipped(Reason::AnotherResource { event: event.name, time: event.time }.to_string())
            }),
            Err(error) => Some(failed(&Reason::EventsUnread(error))),
        }
    }

    async fn prepare(&self, found: impl Iterator<Item = (Write, WriteState)>, over: Vec<RunWrite>) -> Prepared<'a> {
        let mut prepared = Prepared { over, ..Prepared::default() };
        let (mut writes, mut states) = (Vec::new(), Vec::new());
        for (write, state) in found {
            let is_reversed = write.event_id.is_none();
            let another = if is_reversed { None } else { self.of_another_resource(&write, None) };
            match another.or_else(|| self.hold_back(&write, state)) {
                Some(outcome) => prepared.over.push(RunWrite::new(write, outcome)),
                None => {
                    writes.push(write);
                    states.push(state);
                }
            }
        }
        let current = current::read(self.session, self.map, &self.place, &writes).await;
        for ((mut write, state), current) in writes.into_iter().zip(states).zip(current) {
            let keys = self.map.types.get(&write.resource_type).map(TypeDefinition::tag_keys).unwrap_or_default();
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
        let definition = self.map.types.get(&write.resource_type)?;
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
        let access = self.map.types.get(&write.resource_type).and_then(|definition| definition.access.as_ref());
        let writing = access.and_then(|access| access.write.as_ref());
        writing.is_some_and(|writing| writing.method == WriteMethod::StackUpdate)
    }

    fn sort_in(&self, write: Write, check: Check, prepared: &mut Prepared<'a>) {
        let (live, begun) = match check {
            Check::Over(outcome) => return prepared.over.push(RunWrite::new(write, outcome)),
            Check::Ready(live) => (live, false),
            Check::Begun(live) => (live, true),
        };
        let Some(definition) = self.map.types.get(&write.resource_type) else {
            let outcome = failed(&Reason::UnknownType(write.resource_type.clone()));
            return prepared.over.push(RunWrite::new(write, outcome));
        };
        let not_ready = match ReadyWrite::new(write.clone(), *live, definition) {
            Ok(ready) if begun || ready.is_allowed_now() => return prepared.ready.push(ready.begun(begun)),
            Ok(_) => failed(&Reason::NotNow),
            Err(no_tagging) => WriteOutcome::Failed(no_tagging.to_string()),
        };
        prepared.over.push(RunWrite::new(write, not_ready));
    }

    /// Journals the writes and makes those that are ready. `stop` ends it early; the rest can be resumed.
    ///
    /// # Errors
    /// The journal can't be written; no call is made after that.
    pub async fn execute(
        &self,
        target: Target,
        prepared: Prepared<'_>,
        stop: impl Future<Output = ()>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<RunReport, StoreError> {
        let Some(run) = self.enter(target, &prepared)? else {
            return Ok(prepared.into_report());
        };
        let over = prepared.over.iter().map(|over| (over.write.position, over.outcome.clone())).collect();
        self.store.end_writes(run, &over)?;
        let job = Job { run, account: self.place.account.clone() };
        let aws = Aws::new(self.session, self.map, &self.place);
        let applied = apply::apply(&aws, self.store, &job, &prepared.ready, stop, progress).await?;
        self.store.finish_run(run)?;
        Ok(report(Some(run), prepared, applied))
    }

    /// The run's number, once the journal has it. `None`: there is nothing to write.
    fn enter(&self, target: Target, prepared: &Prepared<'_>) -> Result<Option<RunId>, StoreError> {
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
        let ready = prepared.ready.iter().map(|ready| &ready.write);
        let over = prepared.over.iter().map(|over| &over.write);
        self.store.begin_run(&run, ready.chain(over)).map(Some)
    }
}

impl Prepared<'_> {
    /// The result that a run would have, without making its writes.
    pub fn into_report(self) -> RunReport {
        report(None, self, Applied::default())
    }
}

fn report(run: Option<RunId>, prepared: Prepared<'_>, applied: Applied) -> RunReport {
    let mut outcomes = applied.outcomes;
    let unreached = || WriteOutcome::Unfinished(String::new());
    let ready = prepared.ready.into_iter().map(|ready| {
        let outcome = outcomes.remove(&ready.write.position).unwrap_or_else(unreached);
        RunWrite::new(ready.write, outcome)
    });
    let mut writes: Vec<RunWrite> = ready.chain(prepared.over).collect();
    writes.sort_by_key(|row| row.write.position);
    RunReport { run, writes, stopped: applied.stopped }
}

/// The planned writes as the journal numbers them: by their place in the plan.
fn planned_writes(actions: &[PlannedWrite]) -> Vec<Write> {
    let writes = (0..).zip(actions).map(|(position, action)| Write {
        position,
        resource_type: action.resource_type.clone(),
        id: action.id.clone(),
        arn: action.arn.clone(),
        region: action.region.clone(),
        key: action.key.clone(),
        old_key: action.old_key.clone(),
        owner_keys: action.owner_keys.clone(),
        skip_tags: action.skip_tags.clone(),
        old_value: action.old_value.clone(),
        new_value: Some(action.value.clone()),
        event_id: action.event_id.clone(),
    });
    writes.collect()
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

/// A run's writes that were made, or may have been, as far as no other run undid them.
#[derive(Debug)]
pub struct Standing {
    /// The writes.
    pub writes: Vec<RunWrite>,
    /// How many were undone.
    pub undone: usize,
    /// The undo runs.
    pub by: BTreeSet<RunId>,
}

/// What of a run can be undone.
///
/// # Errors
/// SQLite's.
pub fn standing(store: &Store, run: RunId) -> Result<Standing, StoreError> {
    let by_position = store.undone(run)?;
    let (mut writes, mut undone) = (Vec::new(), 0);
    store.each_write_of(run, &mut |row| {
        match was_made(row.outcome.state()) {
            true if by_position.contains_key(&row.write.position) => undone += 1,
            true => writes.push(row),
            false => {}
        }
        Ok(())
    })?;
    Ok(Standing { undone, writes, by: by_position.into_values().collect() })
}

/// The writes of a run that resuming it goes on with. Of a long run that was interrupted near its end they are few.
///
/// # Errors
/// SQLite's.
pub fn open_writes(store: &Store, run: RunId) -> Result<Vec<RunWrite>, StoreError> {
    let mut writes = Vec::new();
    store.each_write_of(run, &mut |row| {
        if row.outcome.state().is_open() {
            writes.push(row);
        }
        Ok(())
    })?;
    Ok(writes)
}

/// Whether AWS has made a write in this state, or may have.
fn was_made(state: WriteState) -> bool {
    state == WriteState::Written || state.may_be_made()
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
