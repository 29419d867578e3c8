//! Reading objects, by S3 Select or GET: small ones into memory, ahead of the scanners, within a budget of bytes; large ones as streams.
//!
//! `auto` begins with GET, one object after the other, until one tells whether S3 Select's answers are to be believed.
//! A body that breaks off is continued where it stopped. Every GET asks for the listed ETag, so that what is read is
//! what the ledger will name.

use std::io::{self, Cursor, Read};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::bucket::Bucket;
use super::list::Object;
use super::select::{Engine, Found, SelectError, SelectFigures, Selected, Selector, Trial};
use super::{Reading, S3Error, identity, is_fatal, reason};
use crate::aws::{CallError, ErrorClass};
use crate::load::unit::Open;
use crate::load::{Failure, Item, Queue, Unit};

const KIB: u64 = 1024;

/// Memory for objects that were read ahead, in KiB.
const BUDGET_KIB: u64 = 32 * KIB;

/// Objects above this size are streamed instead, in bytes. CloudTrail's are a few MiB at most.
const STREAMED: u64 = 8 * KIB * KIB;

/// Chunks of a stream that wait for its scanner; S3's are some tens of KiB.
const CHUNKS: usize = 16;

/// How often a body that broke off is continued.
const CONTINUATIONS: u32 = 3;

/// Objects that `auto` reads by GET, one after the other, to find one that S3 Select's answer can be compared with.
const TRIED: u32 = 100;

/// Gets objects and puts them into the queue.
pub(super) struct Fetcher {
    bucket: Bucket,
    queue: Queue,
    budget: Arc<Semaphore>,
    engine: Engine,
    selector: Selector,
    trial: Trial,
    figures: Arc<SelectFigures>,
    /// Objects that `auto` has read while it was undecided.
    tried: AtomicU32,
    /// What `auto` has come to.
    decided: OnceLock<Decision>,
}

/// What `auto` reads by.
#[derive(Debug)]
pub(super) enum Decision {
    /// S3 Select: its answer for this object is what GET gives.
    Selects(String),
    /// GET, for this reason.
    Gets(WhyNot),
}

/// Why `auto` doesn't read by S3 Select.
#[derive(Debug)]
pub(super) enum WhyNot {
    /// There is none.
    Absent(CallError),
    /// It can't read the object that was to tell.
    Refused { object: String, reason: String },
    /// Its answer for an object isn't what GET gives.
    Differs {
        object: String,
        /// Records in the object.
        records: u64,
        /// Records in the answer; `None` where it can't be read.
        selected: Option<u64>,
    },
    /// So many objects held nothing to compare.
    NothingToCompare(u32),
}

impl Fetcher {
    pub(super) fn new(bucket: Bucket, queue: Queue, reading: &Reading<'_>) -> Self {
        let budget = usize::try_from(BUDGET_KIB).expect("a small number");
        let budget = Arc::new(Semaphore::new(budget));
        Self {
            bucket,
            queue,
            budget,
            engine: reading.engine,
            selector: Selector::new(&reading.map),
            trial: Trial::new(Arc::clone(&reading.map)),
            figures: Arc::clone(&reading.figures),
            tried: AtomicU32::new(0),
            decided: OnceLock::new(),
        }
    }

    /// What `auto` has come to; `None` before an object told, and with the other engines.
    pub(super) fn decision(&self) -> Option<&Decision> {
        self.decided.get()
    }

    /// Whether the next object is to be waited for, as it may tell whether S3 Select is to be believed.
    pub(super) fn is_undecided(&self) -> bool {
        self.engine == Engine::Auto && self.decided.get().is_none()
    }

    /// Ends the wait for an object that tells.
    pub(super) fn give_up_trial(&self) {
        let tried = self.tried.load(Ordering::Relaxed);
        if self.is_undecided() && tried > 0 {
            self.decide(Decision::Gets(WhyNot::NothingToCompare(tried)));
        }
    }

    fn decide(&self, decision: Decision) {
        // Objects are tried one after the other: there is only one decision.
        drop(self.decided.set(decision));
    }

    /// Reads an object; what goes wrong with it alone goes into the queue too.
    ///
    /// # Errors
    /// One that would meet every other object.
    pub(super) async fn fetch(&self, object: Object) -> Result<(), S3Error> {
        let selects = match self.engine {
            Engine::Get => false,
            Engine::Select => true,
            Engine::Auto => matches!(self.decided.get(), Some(Decision::Selects(_))),
        };
        if object.size > STREAMED {
            let fetched = self.stream(&object).await;
            return Ok(self.settle(&object, fetched).await?);
        }
        if selects {
            match self.select(&object).await {
                Err(SelectError::Absent(error)) => return Err(S3Error::NoSelect(error)),
                Err(SelectError::Call(error)) => return Ok(self.settle(&object, Err(error)).await?),
                Ok(true) => return Ok(()),
                Ok(false) => {}
            }
        }
        let fetched = self.whole(&object).await;
        Ok(self.settle(&object, fetched).await?)
    }

    /// Selects an object's records; `false` where it is to be got instead.
    async fn select(&self, object: &Object) -> Result<bool, SelectError> {
        let permit = self.permit(object).await;
        match self.selector.select(&self.bucket, object, &self.figures).await? {
            Selected::Records(bytes) => self.put_bytes(object, bytes, permit).await,
            Selected::Unsuitable(_) => return Ok(false),
            Selected::BrokenOff(reason) => {
                self.put(Item::Failed(Failure { name: self.bucket.address(&object.key), reason })).await;
            }
        }
        Ok(true)
    }

    /// Compares S3 Select's answer for an object with its bytes, if those can tell something.
    ///
    /// # Errors
    /// One that would meet every other object.
    async fn try_select(&self, object: &Object, bytes: Vec<u8>) -> Result<Vec<u8>, CallError> {
        let tried = self.tried.fetch_add(1, Ordering::Relaxed) + 1;
        let (bytes, got) = self.scan(bytes).await;
        if let Some(got) = got.filter(|got| got.records > 0) {
            match self.selector.select(&self.bucket, object, &self.figures).await {
                Ok(Selected::Records(answer)) => {
                    let (_, selected) = self.scan(answer).await;
                    self.decide(self.judge(object, &got, selected.as_ref()));
                }
                Ok(Selected::Unsuitable(reason) | Selected::BrokenOff(reason)) => {
                    let object = self.bucket.address(&object.key);
                    self.decide(Decision::Gets(WhyNot::Refused { object, reason }));
                }
                Err(SelectError::Call(error)) if is_fatal(&error) => return Err(error),
                Err(SelectError::Absent(error) | SelectError::Call(error)) => {
                    self.decide(Decision::Gets(WhyNot::Absent(error)));
                }
            }
        }
        if tried >= TRIED {
            self.give_up_trial();
        }
        Ok(bytes)
    }

    fn judge(&self, object: &Object, got: &Found, selected: Option<&Found>) -> Decision {
        let address = self.bucket.address(&object.key);
        if selected == Some(got) {
            return Decision::Selects(address);
        }
        let selected = selected.map(|selected| selected.records);
        Decision::Gets(WhyNot::Differs { object: address, records: got.records, selected })
    }

    /// Scans a document in a thread of its own, as it takes processor time.
    async fn scan(&self, bytes: Vec<u8>) -> (Vec<u8>, Option<Found>) {
        let trial = self.trial.clone();
        let scanned = tokio::task::spawn_blocking(move || {
            let found = trial.find(&bytes);
            (bytes, found)
        });
        scanned.await.expect("a scan does not panic")
    }

    async fn permit(&self, object: &Object) -> OwnedSemaphorePermit {
        let kib = u32::try_from(object.size / KIB + 1).expect("at most STREAMED");
        Arc::clone(&self.budget).acquire_many_owned(kib).await.expect("the budget is never closed")
    }

    async fn settle(&self, object: &Object, fetched: Result<(), CallError>) -> Result<(), CallError> {
        match fetched {
            Err(error) if !is_fatal(&error) => {
                let failure = Failure { name: self.bucket.address(&object.key), reason: object_reason(&error) };
                self.put(Item::Failed(failure)).await;
                Ok(())
            }
            other => other,
        }
    }

    async fn put(&self, item: Item) {
        // A load that was stopped takes no more; the listing notices.
        drop(self.queue.send(item).await);
    }

    fn unit(&self, object: &Object, open: Open) -> Item {
        let identity = Some(identity(&self.bucket, object));
        let closes_day = object.closable_day.is_some();
        Item::Unit(Unit { name: self.bucket.address(&object.key), identity, open, closes_day })
    }

    async fn whole(&self, object: &Object) -> Result<(), CallError> {
        let permit = self.permit(object).await;
        let mut bytes = Vec::with_capacity(usize::try_from(object.size).unwrap_or_default());
        self.read(object, Taker::Memory(&mut bytes)).await?;
        if self.is_undecided() {
            bytes = self.try_select(object, bytes).await?;
        }
        self.put_bytes(object, bytes, permit).await;
        Ok(())
    }

    async fn put_bytes(&self, object: &Object, bytes: Vec<u8>, permit: OwnedSemaphorePermit) {
        let bytes = Held { bytes: Cursor::new(bytes), _permit: permit };
        self.put(self.unit(object, Box::new(move || Ok(Box::new(bytes))))).await;
    }

    async fn stream(&self, object: &Object) -> Result<(), CallError> {
        let (sender, chunks) = mpsc::channel(CHUNKS);
        let reader = Chunks { chunks, current: Cursor::new(Vec::new()) };
        self.put(self.unit(object, Box::new(move || Ok(Box::new(reader))))).await;
        let read = self.read(object, Taker::Scanner(&sender)).await;
        match read {
            // The scanner is reading already: it tells of the failure.
            Err(error) if !is_fatal(&error) => {
                drop(sender.send(Err(io::Error::other(object_reason(&error)))).await);
                Ok(())
            }
            Err(error) => {
                drop(sender.send(Err(io::Error::other(error.to_string()))).await);
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    /// Reads an object's body, chunk by chunk, until `taker` wants no more.
    async fn read(&self, object: &Object, mut taker: Taker<'_>) -> Result<(), CallError> {
        let mut offset = 0;
        let mut continued = 0;
        loop {
            let mut body = self.get(object, offset).await?.body;
            loop {
                match body.next().await {
                    None => return Ok(()),
                    Some(Ok(chunk)) => {
                        offset += chunk.len() as u64;
                        if !taker.take(&chunk).await {
                            return Ok(());
                        }
                    }
                    Some(Err(_)) if continued < CONTINUATIONS => {
                        continued += 1;
                        break;
                    }
                    Some(Err(error)) => return Err(self.broken_off(&error)),
                }
            }
        }
    }

    async fn get(&self, object: &Object, offset: u64) -> Result<GetObjectOutput, CallError> {
        let mut request = self.bucket.client.get_object().bucket(&self.bucket.name).key(&object.key);
        if !object.etag.is_empty() {
            request = request.if_match(&object.etag);
        }
        if offset > 0 {
            request = request.range(format!("bytes={offset}-"));
        }
        request.send().await.map_err(|error| self.get_error(&error))
    }

    fn get_error(
        &self,
        error: &aws_sdk_s3::error::SdkError<GetObjectError, aws_smithy_runtime_api::http::Response>,
    ) -> CallError {
        CallError::of_sdk("s3:GetObject", &self.bucket.region, error)
    }

    fn broken_off(&self, error: &dyn std::error::Error) -> CallError {
        CallError {
            message: error.to_string(),
            ..CallError::bare("s3:GetObject", &self.bucket.region, ErrorClass::BadAnswer, "broken off")
        }
    }
}

fn object_reason(error: &CallError) -> String {
    match (error.class, error.code.as_str()) {
        (ErrorClass::NotFound, _) => "it is gone: it was there when the bucket was listed".to_owned(),
        (_, "PreconditionFailed") => "it was replaced after the bucket was listed; the next load reads it".to_owned(),
        _ => reason(error),
    }
}

/// Where a body goes.
enum Taker<'a> {
    Memory(&'a mut Vec<u8>),
    Scanner(&'a mpsc::Sender<io::Result<Vec<u8>>>),
}

impl Taker<'_> {
    /// Takes a chunk; says whether more is wanted.
    async fn take(&mut self, chunk: &[u8]) -> bool {
        match self {
            Self::Memory(bytes) => {
                bytes.extend_from_slice(chunk);
                true
            }
            Self::Scanner(scanner) => scanner.send(Ok(chunk.to_vec())).await.is_ok(),
        }
    }
}

/// Bytes that count against the budget as long as they are held.
struct Held {
    bytes: Cursor<Vec<u8>>,
    _permit: OwnedSemaphorePermit,
}

impl Read for Held {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer)
    }
}

/// A body that is still arriving.
struct Chunks {
    chunks: mpsc::Receiver<io::Result<Vec<u8>>>,
    current: Cursor<Vec<u8>>,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.current.read(buffer)?;
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            match self.chunks.blocking_recv() {
                None => return Ok(0),
                Some(chunk) => self.current = Cursor::new(chunk?),
            }
        }
    }
}
