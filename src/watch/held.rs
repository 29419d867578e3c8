//! Messages that were received and are not deleted yet. Each stays invisible to others while it is held.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::queue::{BATCH, Queue, Received};

/// Messages that are held at most. SQS allows 120,000 in flight, and 20,000 in a FIFO queue.
///
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
pub const MOST_HELD: usize = 10_000;

/// A message's visibility is extended when this part of it is left, as a divisor.
const MARGIN: u32 = 2;

/// The messages, by ID.
#[derive(Debug)]
pub struct Held {
    messages: RefCell<BTreeMap<String, HeldMessage>>,
    /// There is space again.
    space: Notify,
    visibility: Duration,
}

#[derive(Debug)]
struct HeldMessage {
    handle: String,
    sent: Option<i64>,
    visible_at: Instant,
}

impl Held {
    /// Nothing yet.
    pub fn new(queue: &Queue) -> Self {
        let visibility = Duration::from_secs(queue.visibility().into());
        Self { messages: RefCell::default(), space: Notify::new(), visibility }
    }

    /// Holds a message. Returns whether it is new: one that is held already was delivered again, and only its handle changes.
    pub fn hold(&self, message: &Received) -> bool {
        let (visible_at, sent) = (Instant::now() + self.visibility, message.sent);
        let held = HeldMessage { handle: message.handle.clone(), sent, visible_at };
        self.messages.borrow_mut().insert(message.id.clone(), held).is_none()
    }

    /// The number of messages.
    pub fn count(&self) -> usize {
        self.messages.borrow().len()
    }

    /// When a message was sent, in milliseconds since 1970.
    pub fn sent(&self, id: &str) -> Option<i64> {
        self.messages.borrow().get(id)?.sent
    }

    /// Holds a message no longer. It becomes visible to others by itself.
    pub fn let_go(&self, id: &str) -> Option<String> {
        let held = self.messages.borrow_mut().remove(id);
        self.space.notify_one();
        held.map(|held| held.handle)
    }

    /// Waits until there is space for more.
    pub async fn space(&self) {
        while self.count() >= MOST_HELD {
            self.space.notified().await;
        }
    }

    /// Deletes messages. Returns how many. What SQS does not delete is delivered again.
    pub async fn delete(&self, queue: &Queue, ids: &[String]) -> Result<u64, crate::aws::CallError> {
        let mut deleted = 0;
        for ids in ids.chunks(BATCH) {
            let handles: Vec<String> = ids.iter().filter_map(|id| self.let_go(id)).collect();
            if !handles.is_empty() {
                queue.delete(&handles).await?;
                deleted += u64::try_from(handles.len()).unwrap_or_default();
            }
        }
        Ok(deleted)
    }

    /// Makes all messages visible at once: for the next process.
    pub async fn give_back(&self, queue: &Queue) -> Result<(), crate::aws::CallError> {
        let held = std::mem::take(&mut *self.messages.borrow_mut());
        let handles: Vec<String> = held.into_values().map(|held| held.handle).collect();
        for handles in handles.chunks(BATCH) {
            queue.hide(handles, 0).await?;
        }
        Ok(())
    }

    /// Keeps all messages invisible, without end.
    pub async fn extend(&self, queue: &Queue) {
        let tick = (self.visibility / MARGIN / MARGIN).max(Duration::from_millis(250));
        loop {
            tokio::time::sleep(tick).await;
            let soon = Instant::now() + self.visibility / MARGIN;
            let due: Vec<String> = {
                let messages = self.messages.borrow();
                messages.iter().filter(|(_, held)| held.visible_at < soon).map(|(id, _)| id.clone()).collect()
            };
            for ids in due.chunks(BATCH) {
                self.extend_these(queue, ids).await;
            }
        }
    }

    async fn extend_these(&self, queue: &Queue, ids: &[String]) {
        let handle = |id: &String| self.messages.borrow().get(id).map(|held| held.handle.clone());
        let handles: Vec<String> = ids.iter().filter_map(handle).collect();
        let visible_at = Instant::now() + self.visibility;
        // A failure only means another delivery.
        if handles.is_empty() || queue.hide(&handles, queue.visibility()).await.is_err() {
            return;
        }
        let mut messages = self.messages.borrow_mut();
        for id in ids {
            if let Some(held) = messages.get_mut(id) {
                held.visible_at = visible_at;
            }
        }
    }
}
