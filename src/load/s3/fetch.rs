//! Reading objects, by S3 Select or GET: small ones into memory, ahead of the scanners, within a budget of bytes; large ones as streams.
//!
//! A body that breaks off is continued where it stopped. Every GET asks for the listed ETag, so that what is read is
//! what the ledger will name.

use std::io::{self, Cursor, Read};
use std::sync::{Arc, OnceLock};

use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::bucket::Bucket;
use super::list::Object;
use super::select::{Engine, SelectError, SelectFigures, Selected, Selector};
use super::{S3Error, identity, is_fatal, reason};
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

/// Gets objects and puts them into the queue.
pub(super) struct Fetcher {
    bucket: Bucket,
    queue: Queue,
    budget: Arc<Semaphore>,
    engine: Engine,
    selector: Selector,
    figures: Arc<SelectFigures>,
    /// What `auto` has come to.
    decided: OnceLock<Decision>,
}

/// Whether the account has S3 Select.
#[derive(Debug)]
pub(super) enum Decision {
    Selects,
    /// Why not.
    Gets(CallError),
}

impl Fetcher {
    pub(super) fn new(
        bucket: Bucket,
        queue: Queue,
        engine: Engine,
        selector: Selector,
        figures: Arc<SelectFigures>,
    ) -> Self {
        let budget = usize::try_from(BUDGET_KIB).expect("a small number");
        let budget = Arc::new(Semaphore::new(budget));
        Self { bucket, queue, budget, engine, selector, figures, decided: OnceLock::new() }
    }

    /// What `auto` has come to; `None` before the first object told, and with the other engines.
    pub(super) fn decision(&self) -> Option<&Decision> {
        self.decided.get()
    }

    /// Whether the next object is to be waited for, as it may tell whether there is Select.
    pub(super) fn is_undecided(&self) -> bool {
        self.engine == Engine::Auto && self.decided.get().is_none()
    }

    /// Reads an object; what goes wrong with it alone goes into the queue too.
    ///
    /// # Errors
    /// One that would meet every other object.
    pub(super) async fn fetch(&self, object: Object) -> Result<(), S3Error> {
        let selects = match self.engine {
            Engine::Get => false,
            Engine::Select => true,
            Engine::Auto => !matches!(self.decided.get(), Some(Decision::Gets(_))),
        };
        if selects && object.size <= STREAMED {
            match self.select(&object).await {
                Err(SelectError::Absent(error)) if self.engine == Engine::Auto => {
                    drop(self.decided.set(Decision::Gets(error)));
                }
                Err(SelectError::Absent(error)) => return Err(S3Error::NoSelect(error)),
                Err(SelectError::Call(error)) => return Ok(self.settle(&object, Err(error)).await?),
                Ok(true) => return Ok(()),
                Ok(false) => {}
            }
        }
        let fetched = if object.size > STREAMED { self.stream(&object).await } else { self.whole(&object).await };
        Ok(self.settle(&object, fetched).await?)
    }

    /// Selects an object's records; `false` where it is to be got instead.
    async fn select(&self, object: &Object) -> Result<bool, SelectError> {
        let permit = self.permit(object).await;
        let selected = self.selector.select(&self.bucket, object, &self.figures).await?;
        let bytes = match selected {
            Selected::Records(bytes) => bytes,
            Selected::Unsuitable => return Ok(false),
            Selected::BrokenOff(reason) => {
                self.put(Item::Failed(Failure { name: self.bucket.address(&object.key), reason })).await;
                return Ok(true);
            }
        };
        drop(self.decided.set(Decision::Selects));
        let bytes = Held { bytes: Cursor::new(bytes), _permit: permit };
        self.put(self.unit(object, Box::new(move || Ok(Box::new(bytes))))).await;
        Ok(true)
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
        let bytes = Held { bytes: Cursor::new(bytes), _permit: permit };
        self.put(self.unit(object, Box::new(move || Ok(Box::new(bytes))))).await;
        Ok(())
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
            class: ErrorClass::BadAnswer,
            operation: "s3:GetObject".to_owned(),
            region: self.bucket.region.to_string(),
            code: "broken off".to_owned(),
            message: error.to_string(),
            request_id: None,
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
