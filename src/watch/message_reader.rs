//! From messages to committed rows, a batch at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::sync::Arc;

use futures::stream::{self, StreamExt};

use super::message::{self, AnnouncedObject};
use super::queue::Received;
use crate::aws::{CallError, Session};
use crate::load::batch::{BatchReader, Effect, UnitResult};
use crate::load::s3::{FoundObject, Objects};
use crate::load::unit::Open;
use crate::load::{Figures, Item, Queue, Unit, Versions, queue};
use crate::store::ledger::Ledger;
use crate::store::{Store, StoreError};
use crate::trail::scan::Scanner;

/// Objects that are found and read at once.
const OBJECTS: usize = 16;

/// Reads messages into the database.
pub struct MessageReader {
    objects: Objects,
    ledger: Ledger,
    versions: Versions,
    /// Away while it reads.
    reader: Option<BatchReader>,
    /// Whether what the records created is to be tagged.
    tags: bool,
}

/// What came of a message.
#[derive(Debug, Default)]
pub struct MessageResult {
    /// Why it can't be read, or not completely. `None`: its rows are committed.
    pub failure: Option<MessageFailure>,
    /// What its events did; only if what they created is to be tagged.
    pub effects: Vec<Effect>,
}

/// Why a message can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFailure {
    /// The object that can't be read; `None`: the message itself.
    pub object: Option<String>,
    /// The reason.
    pub reason: String,
}

/// Why a batch could not be read. Its messages can be read later.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A call failed that all others depend on.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The database failed.
    #[error("the database")]
    Store(#[from] StoreError),
}

/// An object, and the messages that announce it, by position.
struct Wanted<'m> {
    announced: &'m AnnouncedObject,
    messages: Vec<usize>,
    /// Whether one of the messages was delivered before. Then a process may have ended between its commit and its tags, and the object may
    /// have been replaced.
    is_again: bool,
}

impl MessageReader {
    /// Reads into `store`. `request_payer`: accept the costs of Requester Pays buckets.
    ///
    /// # Errors
    /// The database fails.
    pub fn new(
        session: &Session,
        scanner: Arc<Scanner>,
        store: Store,
        tags: bool,
        request_payer: bool,
    ) -> Result<Self, StoreError> {
        let objects = Objects::new(session.clone(), scanner.shared_map(), request_payer);
        let (ledger, versions) = (store.ledger()?, Versions::of(&scanner));
        Ok(Self { objects, ledger, versions, reader: Some(BatchReader::new(store, scanner, tags)), tags })
    }

    /// Reads a batch of messages: their rows are committed when this returns. The results are in the order of the messages.
    ///
    /// # Errors
    /// A call failed that all others depend on; or the database did.
    pub async fn read(&mut self, messages: &[Received]) -> Result<(Figures, Vec<MessageResult>), ReadError> {
        let mut results: Vec<MessageResult> = messages.iter().map(|_| MessageResult::default()).collect();
        let mut figures = Figures::default();
        let announced: Vec<_> = messages.iter().map(|message| message::read(&message.body)).collect();
        let mut records: Vec<(usize, &str)> = Vec::new();
        for (at, announced) in announced.iter().enumerate() {
            match announced {
                Ok(announced) => records.extend(announced.record.as_deref().map(|record| (at, record))),
                Err(error) => results[at].fail(None, error.to_string()),
            }
        }
        let objects = announced.iter().map(|announced| announced.as_ref().map_or(&[][..], |found| &found.objects));
        let wanted = wanted(objects, messages, &mut figures);
        let found = self.find(wanted, &mut figures, &mut results).await?;
        let (read, units) = self.read_units(messages, &records, &found).await?;
        figures.add_counts(&read);
        let mut by_name: BTreeMap<String, Vec<usize>> =
            found.iter().map(|(object, messages)| (object.address(), messages.clone())).collect();
        by_name.extend(records.iter().map(|(at, _)| (record_name(&messages[*at]), vec![*at])));
        for UnitResult { name, failure, effects } in units {
            for at in by_name.get(&name).into_iter().flatten() {
                results[*at].effects.extend_from_slice(&effects);
                if let Some(reason) = &failure {
                    results[*at].fail(Some(&name), reason.clone());
                }
            }
        }
        Ok((figures, results))
    }

    /// The objects that have to be read.
    async fn find(
        &self,
        wanted: Vec<Wanted<'_>>,
        figures: &mut Figures,
        results: &mut [MessageResult],
    ) -> Result<Vec<(FoundObject, Vec<usize>)>, ReadError> {
        let finds: Vec<_> = wanted.into_iter().map(|wanted| self.find_one(wanted)).collect();
        let mut answers = stream::iter(finds).buffer_unordered(OBJECTS);
        let mut found = Vec::new();
        while let Some((wanted, answer)) = answers.next().await {
            match answer {
                Err(error) if Objects::is_fatal(&error) => return Err(error.into()),
                Err(error) => {
                    let name = format!("s3://{}/{}", wanted.announced.bucket, wanted.announced.key);
                    let reason = self.objects.reason(&error);
                    wanted.messages.iter().for_each(|at| results[*at].fail(Some(&name), reason.clone()));
                    figures.broken += 1;
                }
                Ok(object) => {
                    let is_loaded = self.versions.is_loaded(&self.ledger, &object.identity)?;
                    if is_loaded && !(self.tags && wanted.is_again) {
                        figures.already_loaded += 1;
                    } else {
                        found.push((object, wanted.messages));
                    }
                }
            }
        }
        Ok(found)
    }

    async fn find_one<'m>(&self, wanted: Wanted<'m>) -> (Wanted<'m>, Result<FoundObject, CallError>) {
        let AnnouncedObject { bucket, key, version } = wanted.announced;
        let version = version.clone().filter(|_| !wanted.is_again);
        let found = self.objects.find(bucket, key, version).await;
        (wanted, found)
    }

    async fn read_units(
        &mut self,
        messages: &[Received],
        records: &[(usize, &str)],
        found: &[(FoundObject, Vec<usize>)],
    ) -> Result<(Figures, Vec<UnitResult>), ReadError> {
        if records.is_empty() && found.is_empty() {
            return Ok((Figures::default(), Vec::new()));
        }
        let mut reader = self.reader.take().expect("it comes back from each batch");
        let (sender, items) = queue();
        let reading = tokio::task::spawn_blocking(move || {
            let read = reader.read(items);
            (reader, read)
        });
        let fetched = self.feed(messages, records, found, sender).await;
        let (reader, read) = reading.await.expect("reading does not panic");
        self.reader = Some(reader);
        fetched?;
        Ok(read?)
    }

    /// Puts records and objects into the queue.
    async fn feed(
        &self,
        messages: &[Received],
        records: &[(usize, &str)],
        found: &[(FoundObject, Vec<usize>)],
        queue: Queue,
    ) -> Result<(), CallError> {
        for (at, record) in records {
            // In the form of a log file, so that it is read as one.
            let document = Cursor::new(format!("{{\"Records\":[{record}]}}").into_bytes());
            let open: Open = Box::new(move || Ok(Box::new(document)));
            let unit = Unit { name: record_name(&messages[*at]), identity: None, open, closes_day: false };
            // If the reader has failed, that is noticed after it.
            drop(queue.send(Item::Unit(unit)).await);
        }
        let reads: Vec<_> = found.iter().map(|(object, _)| self.objects.read(object, &queue)).collect();
        let mut reads = stream::iter(reads).buffer_unordered(OBJECTS);
        while let Some(read) = reads.next().await {
            read?;
        }
        Ok(())
    }
}

/// The objects of a batch, each once. What can't have records is counted as skipped.
fn wanted<'m>(
    objects: impl Iterator<Item = &'m [AnnouncedObject]>,
    messages: &[Received],
    figures: &mut Figures,
) -> Vec<Wanted<'m>> {
    let mut wanted: BTreeMap<(&str, &str), Wanted<'_>> = BTreeMap::new();
    let mut skipped = BTreeSet::new();
    for (at, objects) in objects.enumerate() {
        for announced in objects {
            let key = (announced.bucket.as_str(), announced.key.as_str());
            if !Objects::can_have_records(&announced.key) {
                skipped.insert(key);
                continue;
            }
            let new = || Wanted { announced, messages: Vec::new(), is_again: false };
            let wanted = wanted.entry(key).or_insert_with(new);
            wanted.messages.push(at);
            // Two messages of an object in one batch may be of two versions of it.
            let is_other = wanted.announced.version != announced.version;
            wanted.is_again |= messages[at].deliveries > 1 || is_other;
        }
    }
    figures.skipped += u64::try_from(skipped.len()).unwrap_or_default();
    wanted.into_values().collect()
}

impl MessageResult {
    /// Notes why it can't be read; the first reason stays.
    fn fail(&mut self, object: Option<&str>, reason: String) {
        self.failure.get_or_insert(MessageFailure { object: object.map(str::to_owned), reason });
    }
}

fn record_name(message: &Received) -> String {
    format!("the record in message {}", message.id)
}
