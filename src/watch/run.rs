//! Watching: receive, read, tag and delete, at the same time, until it is stopped or the queue is empty.
//!
//! All runs in one task: what the parts share needs no locks. The first request to stop ends the receiving: the batch under way is committed, what it
//! created is tagged once, and messages with resources that have to be tried again go back to the queue.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::held::{Held, MOST_HELD};
use super::message_reader::{MessageFailure, MessageReader, MessageResult, ReadError};
use super::notice::{Notice, Resource, Totals};
use super::queue::{BATCH, Queue, Received};
use super::tagger::{Settled, Tagging};
use super::waiting::{Entry, NewResource, Removed, Waiting};
use crate::aws::{CallError, ErrorClass};
use crate::load::batch::Effect;
use crate::model::event::Action;
use crate::store::StoreError;

/// Further calls to receive after one that returned all that a call can.
const MORE_CALLS: usize = 3;

/// The first wait after a failed call.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait after failed calls.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Messages that are remembered as named. More would be named again.
const MOST_NAMED: usize = 100_000;

/// Unreadable messages that are held until the end, if it comes with the last message. Half of what can be held, so that others have space.
const MOST_SET_ASIDE: usize = MOST_HELD / 2;

/// Why a resource is not tagged that no listing has.
const NOT_LISTED: &str = "no live resource was created by its event: it was deleted again, or its listing is late";

/// How to watch.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long one receive call waits for messages, in seconds.
    pub wait: u32,
    /// How long new resources are gathered before they are tagged.
    pub gather: Duration,
    /// How long a resource is tried.
    pub retry: Duration,
    /// How often the totals are reported; zero: never.
    pub heartbeat: Duration,
    /// Whether to end when the queue is empty.
    pub until_empty: bool,
}

/// Why watching ended early.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The queue, or what messages announce, can't be read.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The database failed.
    #[error("the database")]
    Store(#[from] StoreError),
}

impl From<ReadError> for WatchError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Call(error) => Self::Call(error),
            ReadError::Store(error) => Self::Store(error),
        }
    }
}

/// Watches a queue. Returns what came of it.
///
/// # Errors
/// The queue does not exist or can't be received from; or the database fails. What was committed is saved, and what was not stays in
/// the queue.
pub async fn watch(
    queue: &Queue,
    reader: MessageReader,
    tagging: Option<Tagging<'_>>,
    settings: Settings,
    stop: &CancellationToken,
    notify: &dyn Fn(&Notice<'_>),
) -> Result<Totals, WatchError> {
    let watch = Watch {
        queue,
        tagging,
        held: Held::new(queue),
        waiting: Waiting::new(settings.gather, settings.retry),
        totals: RefCell::default(),
        named: RefCell::default(),
        repeated: Cell::default(),
        over: CancellationToken::new(),
        settings,
        stop,
        notify,
    };
    let work = async { tokio::try_join!(watch.receive(reader), watch.tag()).map(drop) };
    let worked = tokio::select! {
        worked = work => worked,
        () = watch.held.extend(queue) => unreachable!("it has no end"),
        () = watch.heartbeat() => unreachable!("it has no end"),
    };
    // Nothing more comes of the others here. Without this they would only be delivered later.
    watch.named.borrow().iter().for_each(|unreadable| drop(watch.held.let_go(unreadable)));
    let given_back = watch.held.give_back(queue).await;
    worked?;
    if let Err(error) = given_back {
        watch.trouble("returning messages to the queue", &error);
    }
    let totals = watch.totals();
    Ok(totals)
}

struct Watch<'w> {
    queue: &'w Queue,
    tagging: Option<Tagging<'w>>,
    held: Held,
    waiting: Waiting,
    totals: RefCell<Totals>,
    /// Messages that were named as unreadable.
    named: RefCell<BTreeSet<String>>,
    /// Messages that were received since the last one that brought news. Zero if the last call returned none.
    repeated: Cell<usize>,
    /// No more messages are received.
    over: CancellationToken,
    settings: Settings,
    stop: &'w CancellationToken,
    notify: &'w dyn Fn(&Notice<'_>),
}

impl Watch<'_> {
    async fn receive(&self, mut reader: MessageReader) -> Result<(), WatchError> {
        let received = self.receive_all(&mut reader).await;
        self.over.cancel();
        received
    }

    async fn receive_all(&self, reader: &mut MessageReader) -> Result<(), WatchError> {
        let mut wait = FIRST_WAIT;
        let mut has_received = false;
        loop {
            let receiving = async {
                self.held.space().await;
                self.next_messages().await
            };
            let received = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(()),
                received = receiving => received,
            };
            let worked = match received {
                Ok(messages) => {
                    has_received = true;
                    (self.notify)(&Notice::Received);
                    self.work(reader, messages).await
                }
                Err(error) => Err(error.into()),
            };
            match worked {
                Ok(true) => wait = FIRST_WAIT,
                Ok(false) if self.is_over().await => return Ok(()),
                Ok(false) => {}
                Err(WatchError::Call(error)) if has_received && may_pass(&error) => {
                    self.trouble("following the queue", &error);
                    if self.stopped_after(wait).await {
                        return Ok(());
                    }
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Messages, up to a few calls' worth if the queue is full of them.
    async fn next_messages(&self) -> Result<Vec<Received>, CallError> {
        let mut messages = self.queue.receive(self.settings.wait).await?;
        if messages.len() == BATCH {
            let more = futures::future::join_all((0..MORE_CALLS).map(|_| self.queue.receive(0))).await;
            // The messages of the first call are worth more than the error of another: it comes again if it lasts.
            messages.extend(more.into_iter().flatten().flatten());
        }
        Ok(messages)
    }

    /// Reads a batch. Returns whether there was anything to do: not if all of it is known to be unreadable.
    async fn work(&self, reader: &mut MessageReader, messages: Vec<Received>) -> Result<bool, WatchError> {
        let received = messages.len();
        let is_news = self.work_on(reader, messages).await?;
        self.repeated.set(if is_news || received == 0 { 0 } else { self.repeated.get() + received });
        Ok(is_news)
    }

    async fn work_on(&self, reader: &mut MessageReader, mut messages: Vec<Received>) -> Result<bool, WatchError> {
        // SQS may deliver a message twice. One that is held is being worked on.
        messages.retain(|message| self.held.hold(message));
        self.totals.borrow_mut().messages += count(messages.len());
        if messages.is_empty() {
            return Ok(false);
        }
        let (figures, results) = match reader.read(&messages).await {
            Ok(read) => read,
            Err(error) => {
                messages.iter().for_each(|message| drop(self.held.let_go(&message.id)));
                return Err(error.into());
            }
        };
        self.totals.borrow_mut().figures.add_counts(&figures);
        (self.notify)(&Notice::Loaded { messages: count(messages.len()), figures: &figures });
        let mut is_news = false;
        let mut done = BTreeSet::new();
        for (message, MessageResult { failure, effects }) in messages.iter().zip(results) {
            // What could be read of a message is tagged, and the message stays in the queue all the same.
            self.take(&effects, failure.is_none().then_some(message.id.as_str()), &mut done);
            match failure {
                Some(failure) => {
                    is_news |= self.name(&message.id, &failure);
                    // Delivered again and again, they could hide that the queue has others.
                    let is_set_aside = self.settings.until_empty && self.held.count() < MOST_SET_ASIDE;
                    if !is_set_aside {
                        self.held.let_go(&message.id);
                    }
                }
                None => {
                    is_news = true;
                    if self.named.borrow_mut().remove(&message.id) {
                        self.totals.borrow_mut().unreadable -= 1;
                    }
                    done.insert(message.id.clone());
                }
            }
        }
        done.retain(|id| !self.waiting.holds(id));
        self.delete(done).await;
        Ok(is_news)
    }

    /// Notes what the events of a message created and deleted. `done` gets the messages that wait for nothing any more.
    fn take(&self, effects: &[Effect], message: Option<&str>, done: &mut BTreeSet<String>) {
        let Some(tagging) = &self.tagging else { return };
        for effect in effects {
            match effect.touched.action {
                Action::Create | Action::Upsert if tagging.wants(effect) => {
                    self.waiting.add(effect, message, Instant::now());
                }
                Action::Delete => {
                    for removed in self.waiting.deleted(effect) {
                        done.extend(self.end(removed, Settled::Skipped("it was deleted again".to_owned())));
                    }
                }
                Action::Create | Action::Upsert | Action::Rename => {}
            }
        }
        self.totals.borrow_mut().waiting = self.waiting.count();
    }

    /// Names a message that can't be read, once.
    fn name(&self, id: &str, failure: &MessageFailure) -> bool {
        let mut named = self.named.borrow_mut();
        // Beyond that, messages are named each time.
        let is_new = named.len() >= MOST_NAMED || named.insert(id.to_owned());
        if is_new {
            self.totals.borrow_mut().unreadable += 1;
            let MessageFailure { object, reason } = failure;
            (self.notify)(&Notice::Unreadable { message_id: id, object: object.as_deref(), reason });
        }
        is_new
    }

    /// Deletes messages. Those that can't be deleted are delivered again, which is harmless.
    async fn delete(&self, ids: BTreeSet<String>) {
        let ids: Vec<String> = ids.into_iter().collect();
        match self.held.delete(self.queue, &ids).await {
            Ok(deleted) => self.totals.borrow_mut().deleted += deleted,
            Err(error) => self.trouble("deleting messages", &error),
        }
    }

    /// Whether to end, now that nothing new was received. Waits for the resources that are still to be tagged.
    async fn is_over(&self) -> bool {
        if !self.settings.until_empty {
            return false;
        }
        if !self.waiting.is_empty() {
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = self.waiting.emptied.notified() => {}
            }
            // Meanwhile there may be new messages.
            self.repeated.set(0);
            return false;
        }
        // What is known can come again where its visibility ended. After more messages than that without news there are no others.
        let known = self.named.borrow().len() + self.held.count();
        !(1..=known).contains(&self.repeated.get())
    }

    /// Tags what is due, until no more messages are received.
    async fn tag(&self) -> Result<(), WatchError> {
        let Some(tagging) = &self.tagging else { return Ok(()) };
        while !self.over.is_cancelled() {
            tokio::select! {
                () = sleep_until(self.waiting.next_due()) => self.round(tagging, self.waiting.due(Instant::now())).await?,
                () = self.waiting.added.notified() => {}
                () = self.over.cancelled() => {}
            }
        }
        self.round(tagging, self.waiting.untried()).await
    }

    async fn round(&self, tagging: &Tagging<'_>, due: Vec<(NewResource, Entry)>) -> Result<(), WatchError> {
        if due.is_empty() {
            return Ok(());
        }
        let resources: Vec<NewResource> = due.into_iter().map(|(resource, _)| resource).collect();
        let round = tagging.round(&resources).await?;
        round.plans.iter().for_each(|plan| (self.notify)(&Notice::Planned(plan)));
        let mut done = BTreeSet::new();
        for (resource, settled) in round.settled {
            let is_tried_again = matches!(settled, Settled::NotListed | Settled::Failed(_))
                && self.waiting.put_off(&resource, Instant::now());
            if let Some(removed) = (!is_tried_again).then(|| self.waiting.remove(&resource)).flatten() {
                done.extend(self.end(removed, settled));
            }
        }
        self.totals.borrow_mut().waiting = self.waiting.count();
        self.delete(done).await;
        Ok(())
    }

    /// Reports what came of a resource. Returns the messages that wait for nothing any more.
    fn end(&self, removed: Removed, settled: Settled) -> Vec<String> {
        let Removed { resource: NewResource { account, region, creation }, entry, done } = removed;
        let resource =
            Resource { account: &account, region: &region, resource_type: &creation.resource_type, id: &entry.id };
        let not_tagged = |reason: &str, is_failure| {
            (self.notify)(&Notice::NotTagged { resource, reason, is_failure });
        };
        let mut totals = self.totals.borrow_mut();
        match settled {
            Settled::Tagged { tags, run } => {
                totals.tagged += 1;
                let sent = entry.messages.iter().filter_map(|message| self.held.sent(message)).min();
                let seconds = sent.map(|sent| seconds_since(sent, Timestamp::now()));
                (self.notify)(&Notice::Tagged { resource, tags, run, seconds });
            }
            Settled::Skipped(reason) => {
                totals.skipped += 1;
                not_tagged(&reason, false);
            }
            Settled::NotListed => {
                totals.skipped += 1;
                not_tagged(NOT_LISTED, false);
            }
            Settled::Failed(reason) | Settled::Refused(reason) => {
                totals.failed += 1;
                not_tagged(&reason, true);
            }
        }
        done
    }

    async fn heartbeat(&self) {
        if self.settings.heartbeat.is_zero() {
            std::future::pending::<()>().await;
        }
        loop {
            tokio::time::sleep(self.settings.heartbeat).await;
            (self.notify)(&Notice::Heartbeat(&self.totals()));
        }
    }

    fn totals(&self) -> Totals {
        self.totals.borrow().clone()
    }

    fn trouble(&self, doing: &str, error: &CallError) {
        let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
        (self.notify)(&Notice::Trouble { doing, reason: format!("{error}{hint}") });
    }

    /// Waits. Returns whether it was stopped meanwhile.
    async fn stopped_after(&self, wait: Duration) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => true,
            () = tokio::time::sleep(wait) => false,
        }
    }
}

/// Whether a call that failed may go well later without anyone's doing.
fn may_pass(error: &CallError) -> bool {
    !matches!(
        error.class,
        ErrorClass::Credentials | ErrorClass::AccessDenied | ErrorClass::NotFound | ErrorClass::NoEndpoint
    )
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a difference of times is small")]
fn seconds_since(sent: i64, now: Timestamp) -> f64 {
    (now.as_millisecond() - sent) as f64 / 1000.0
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
