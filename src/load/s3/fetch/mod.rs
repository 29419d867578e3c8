//! Reads objects with S3 Select or GET: small objects into memory, ahead of the scanners, up to a limit of bytes; large objects as streams.
//!
//! `auto` starts with GET, one object at a time, until an object shows whether S3 Select returns the right records.
//! An interrupted body is resumed where it stopped. Every GET has the listed ETag, so the content is that of the version
//! in the ledger.

mod auto;
mod body;

use std::io::{self, Cursor};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, OnceLock};

use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use jiff::civil::Date;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

pub(super) use auto::{Decision, WhyNot};
use body::{Chunks, Held, Taker};

use super::archive::{Archive, Restore};
use super::bucket::Bucket;
use super::list::Object;
use super::refusal::{self, Target};
use super::select::{Engine, SelectError, SelectFigures, SelectProbe, Selected, Selector};
use super::{ReadOptions, S3Error, identity, is_fatal};
use crate::aws::{CallError, ErrorClass};
use crate::load::archived::{self, ArchiveClass};
use crate::load::unit::Open;
use crate::load::{Failure, Item, Queue, Unit};

const KIB: u64 = 1024;

/// Memory for objects that are read ahead, in KiB.
const BUDGET_KIB: u64 = 32 * KIB;

/// Larger objects are streamed, in bytes. CloudTrail's have a few MiB at most.
const STREAMED: u64 = 8 * KIB * KIB;

/// Chunks of a stream that are queued for its scanner. S3's are some tens of KiB.
const CHUNKS: usize = 16;

/// How often an interrupted body is resumed.
const CONTINUATIONS: u32 = 3;

/// Reads objects and puts them into the queue.
pub(super) struct Fetcher {
    bucket: Bucket,
    queue: Queue,
    budget: Arc<Semaphore>,
    engine: Engine,
    selector: Selector,
    probe: SelectProbe,
    figures: Arc<SelectFigures>,
    /// For notes about archived objects.
    today: Date,
    /// The number of objects that `auto` read while it was undecided.
    tried: AtomicU32,
    /// The decision of `auto`.
    decided: OnceLock<Decision>,
}

/// Why an object can't be read.
enum FetchError {
    /// It is archived, in the class that S3's answer names.
    Archived(Option<ArchiveClass>),
    Call(CallError),
}

impl From<CallError> for FetchError {
    fn from(error: CallError) -> Self {
        if error.code == refusal::ARCHIVED { Self::Archived(None) } else { Self::Call(error) }
    }
}

impl Fetcher {
    pub(super) fn new(bucket: Bucket, queue: Queue, reading: &ReadOptions<'_>, today: Date) -> Self {
        let budget = usize::try_from(BUDGET_KIB).expect("a small number");
        let budget = Arc::new(Semaphore::new(budget));
        Self {
            bucket,
            queue,
            budget,
            engine: reading.engine,
            selector: Selector::new(&reading.map),
            probe: SelectProbe::new(Arc::clone(&reading.map)),
            figures: Arc::clone(&reading.figures),
            today,
            tried: AtomicU32::new(0),
            decided: OnceLock::new(),
        }
    }

    /// Reads an object. Its own failures go into the queue too.
    ///
    /// # Errors
    /// An error that every other object would have too.
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
        if selects && object.is_log_file {
            match self.select(&object).await {
                Err(SelectError::Absent(error)) => return Err(S3Error::NoSelect(error)),
                Err(SelectError::Call(error)) => return Ok(self.settle(&object, Err(error.into())).await?),
                Ok(true) => return Ok(()),
                Ok(false) => {}
            }
        }
        let fetched = self.whole(&object).await;
        Ok(self.settle(&object, fetched).await?)
    }

    /// Selects an object's records. Returns `false` if the object must be read with GET.
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

    async fn permit(&self, object: &Object) -> OwnedSemaphorePermit {
        let kib = u32::try_from(object.size / KIB + 1).expect("at most STREAMED");
        Arc::clone(&self.budget).acquire_many_owned(kib).await.expect("the budget is never closed")
    }

    async fn settle(&self, object: &Object, fetched: Result<(), FetchError>) -> Result<(), CallError> {
        match fetched {
            Err(FetchError::Archived(class)) => {
                self.put(self.archived(object, class)).await;
                Ok(())
            }
            Err(FetchError::Call(error)) if !is_fatal(&error) => {
                let failure = Failure { name: self.bucket.address(&object.key), reason: self.reason(&error) };
                self.put(Item::Failed(failure)).await;
                Ok(())
            }
            Err(FetchError::Call(error)) => Err(error),
            Ok(()) => Ok(()),
        }
    }

    /// An object that S3 refused as archived, although its listing did not show that.
    fn archived(&self, object: &Object, class: Option<ArchiveClass>) -> Item {
        let class = class.unwrap_or(ArchiveClass::IntelligentTiering);
        let archive = object.archive.unwrap_or(Archive { class, restore: Restore::Absent });
        let identity = identity(&self.bucket, object);
        let note = archive.is_hidden().then(|| archived::refused_note(&identity, self.today));
        Item::Archived(archive.object(self.bucket.address(&object.key), note))
    }

    fn reason(&self, error: &CallError) -> String {
        match (error.class, error.code.as_str()) {
            (ErrorClass::NotFound, code) if !code.starts_with("KMS") => "deleted before it was read".to_owned(),
            (_, "PreconditionFailed") => "replaced before it was read; the next load reads it".to_owned(),
            _ => self.bucket.reason(error, Target::Object),
        }
    }

    async fn put(&self, item: Item) {
        // A stopped load has closed the queue; the listing notices it.
        drop(self.queue.send(item).await);
    }

    fn unit(&self, object: &Object, open: Open) -> Item {
        let identity = Some(identity(&self.bucket, object));
        let closes_day = object.closable_day.is_some();
        Item::Unit(Unit { name: self.bucket.address(&object.key), identity, open, closes_day })
    }

    async fn whole(&self, object: &Object) -> Result<(), FetchError> {
        let permit = self.permit(object).await;
        let mut bytes = Vec::with_capacity(usize::try_from(object.size).unwrap_or_default());
        let begun = self.get(object, 0).await?;
        self.read(object, begun, Taker::Memory(&mut bytes)).await?;
        if self.is_undecided() && object.is_log_file {
            bytes = self.try_select(object, bytes).await?;
        }
        self.put_bytes(object, bytes, permit).await;
        Ok(())
    }

    async fn put_bytes(&self, object: &Object, bytes: Vec<u8>, permit: OwnedSemaphorePermit) {
        let bytes = Held { bytes: Cursor::new(bytes), _permit: permit };
        self.put(self.unit(object, Box::new(move || Ok(Box::new(bytes))))).await;
    }

    async fn stream(&self, object: &Object) -> Result<(), FetchError> {
        // Before the scanner waits for it: an object that is refused is not a unit.
        let begun = self.get(object, 0).await?;
        let (sender, chunks) = mpsc::channel(CHUNKS);
        let reader = Chunks { chunks, current: Cursor::new(Vec::new()) };
        self.put(self.unit(object, Box::new(move || Ok(Box::new(reader))))).await;
        let read = self.read(object, begun, Taker::Scanner(&sender)).await;
        match read {
            // The scanner is already reading, and reports the failure.
            Err(FetchError::Archived(_)) => {
                drop(sender.send(Err(io::Error::other("archived while it was read"))).await);
                Ok(())
            }
            Err(FetchError::Call(error)) if !is_fatal(&error) => {
                drop(sender.send(Err(io::Error::other(self.reason(&error)))).await);
                Ok(())
            }
            Err(FetchError::Call(error)) => {
                drop(sender.send(Err(io::Error::other(error.to_string()))).await);
                Err(error.into())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Reads an object's body, chunk by chunk, until `taker` has enough.
    async fn read(&self, object: &Object, begun: GetObjectOutput, mut taker: Taker<'_>) -> Result<(), FetchError> {
        let mut offset = 0;
        let mut continued = 0;
        let mut body = begun.body;
        loop {
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
                    Some(Err(error)) => return Err(self.broken_off(&error).into()),
                }
            }
            body = self.get(object, offset).await?.body;
        }
    }

    async fn get(&self, object: &Object, offset: u64) -> Result<GetObjectOutput, FetchError> {
        let mut request = self.bucket.client.get_object().bucket(&self.bucket.name).key(&object.key);
        request = request.set_request_payer(self.bucket.payer.clone());
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
    ) -> FetchError {
        if let Some(GetObjectError::InvalidObjectState(state)) = error.as_service_error() {
            let class = state.storage_class().and_then(|class| ArchiveClass::of_listing(class.as_str()));
            return FetchError::Archived(class);
        }
        CallError::of_sdk("s3:GetObject", &self.bucket.region, error).into()
    }

    fn broken_off(&self, error: &dyn std::error::Error) -> CallError {
        CallError {
            message: error.to_string(),
            ..CallError::bare("s3:GetObject", &self.bucket.region, ErrorClass::BadAnswer, "broken off")
        }
    }
}
