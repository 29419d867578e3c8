//! Single objects, as a notification names them. They are read like those of a listing, and have the same entries in the ledger.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::bucket::{Bucket, ObjectVersion};
use super::fetch::Fetcher;
use super::layout::{self, Level};
use super::list::Object;
use super::refusal::{self, Target};
use super::select::{Engine, SelectFigures};
use super::{ReadOptions, S3Error, identity, is_fatal, kind_of_name};
use crate::aws::{CallError, Session};
use crate::load::Queue;
use crate::load::unit::Identity;
use crate::resource_map::ResourceMap;

/// Finds and reads objects of any bucket.
pub struct Objects {
    session: Session,
    map: Arc<ResourceMap>,
    figures: Arc<SelectFigures>,
    /// Whether to accept the costs of Requester Pays buckets.
    request_payer: bool,
    /// The buckets so far. Each is looked for once.
    buckets: Mutex<HashMap<String, Bucket>>,
}

/// An object that exists.
#[derive(Debug, Clone)]
pub struct FoundObject {
    bucket: Bucket,
    object: Object,
    /// Its identity in the ledger.
    pub identity: Identity,
}

impl FoundObject {
    /// `s3://bucket/key`
    pub fn address(&self) -> String {
        self.bucket.address(&self.object.key)
    }
}

impl Objects {
    /// For the session's account. `request_payer`: accept the costs of Requester Pays buckets.
    pub fn new(session: Session, map: Arc<ResourceMap>, request_payer: bool) -> Self {
        Self { session, map, figures: Arc::default(), request_payer, buckets: Mutex::default() }
    }

    /// Whether an object with this key can have records: folders, and what CloudTrail writes beside its log files, have none.
    pub fn can_have_records(key: &str) -> bool {
        layout::is_file(key) && kind_of_name(key.rsplit('/').next().unwrap_or_default()).is_none()
    }

    /// Finds an object. With a `version`, it is taken to exist in that version, and S3 is not asked.
    ///
    /// # Errors
    /// The bucket or the object does not exist or can't be accessed.
    pub async fn find(
        &self,
        bucket: &str,
        key: &str,
        version: Option<ObjectVersion>,
    ) -> Result<FoundObject, CallError> {
        let bucket = self.bucket(bucket).await?;
        let ObjectVersion { size, etag } = match version {
            Some(version) => version,
            None => bucket.version(key).await?,
        };
        let mut object =
            Object { key: key.to_owned(), size, etag, is_log_file: false, closable_day: None, archive: None };
        object.is_log_file = layout::level(object.folder()) == Level::Region;
        Ok(FoundObject { identity: identity(&bucket, &object), bucket, object })
    }

    /// Reads an object and puts it into the queue: as a unit, or as a failure.
    ///
    /// # Errors
    /// An error that every other object would have too.
    pub async fn read(&self, found: &FoundObject, queue: &Queue) -> Result<(), CallError> {
        let reading = ReadOptions {
            engine: Engine::Get,
            map: Arc::clone(&self.map),
            figures: Arc::clone(&self.figures),
            notify: &|_| (),
        };
        let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        match Fetcher::new(found.bucket.clone(), queue.clone(), &reading, today).fetch(found.object.clone()).await {
            Err(S3Error::Call(error)) => Err(error),
            // The others are about listings and S3 Select.
            Err(_) | Ok(()) => Ok(()),
        }
    }

    /// The reason why an object was not found, with what refused it or what to do.
    pub fn reason(&self, error: &CallError) -> String {
        match refusal::explain(error, Target::Object, self.request_payer).or_else(|| error.hint()) {
            Some(hint) => format!("{error} ({hint})"),
            None => error.to_string(),
        }
    }

    /// Whether every other object would have this error too.
    pub fn is_fatal(error: &CallError) -> bool {
        is_fatal(error)
    }

    async fn bucket(&self, name: &str) -> Result<Bucket, CallError> {
        let known = self.buckets.lock().await.get(name).cloned();
        if let Some(bucket) = known {
            return Ok(bucket);
        }
        let bucket = Bucket::open(&self.session, name, self.request_payer).await?;
        self.buckets.lock().await.insert(name.to_owned(), bucket.clone());
        Ok(bucket)
    }
}
