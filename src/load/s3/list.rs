//! Lists a region's log objects, limited to the days of its plan.
//!
//! Keys sort by day. So one listing, from the first open day to the first key after the last, needs fewer requests
//! than one for each day. It skips closed days by continuing after them.

use jiff::civil::Date;

use super::archive::Archive;
use super::bucket::Bucket;
use super::layout::is_file;
use super::plan::{Plan, Start};
use crate::aws::CallError;

/// Pages in a row that may list nothing new.
const MAX_STALE_PAGES: usize = 100;

/// A listed object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) key: String,
    /// In bytes.
    pub(super) size: u64,
    pub(super) etag: String,
    /// Whether it is in the folder of a region, and so a log file. Others can be in any envelope, which S3 Select can't see.
    pub(super) is_log_file: bool,
    /// Its day, if that can be closed.
    pub(super) closable_day: Option<Date>,
    /// Its state in a storage class that archives; `None` in the others.
    pub(super) archive: Option<Archive>,
}

impl Object {
    /// The key up to and including its last `/`.
    pub(super) fn folder(&self) -> &str {
        &self.key[..self.key.len() - self.name().len()]
    }

    /// The key after its last `/`.
    pub(super) fn name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or(&self.key)
    }
}

/// Passes the plan's objects to `take`, a page at a time, until it returns false. Returns whether it took all.
pub(super) async fn list(
    bucket: &Bucket,
    plan: &Plan,
    take: impl AsyncFn(Vec<Object>) -> bool,
) -> Result<bool, CallError> {
    let mut start = plan.start();
    let mut token = None;
    let (mut last_key, mut stale) = (String::new(), 0);
    loop {
        let start_after = match std::mem::replace(&mut start, Start::Beginning) {
            Start::Nowhere => return Ok(true),
            Start::Beginning => None,
            Start::After(key) => Some(key),
        };
        let page = bucket.page(&plan.trail.prefix, start_after, token.take()).await?;
        let listed = page.contents().iter().filter_map(|object| {
            let (key, etag) = (object.key()?, object.e_tag().unwrap_or_default());
            let size = object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
            let closable_day = plan.closable_day(key);
            let is_log_file = plan.trail.region_folder.is_some();
            let archive = Archive::of_listing(object.storage_class(), object.restore_status());
            Some(Object { key: key.to_owned(), size, etag: etag.to_owned(), is_log_file, closable_day, archive })
        });
        let mut objects: Vec<Object> = listed.collect();
        // S3 lists keys in order: pages that do not get further would be followed for ever.
        match objects.last().filter(|last| last.key > last_key) {
            Some(last) => (last_key, stale) = (last.key.clone(), 0),
            None => stale += 1,
        }
        if stale > MAX_STALE_PAGES {
            return Err(bucket.endless_list(MAX_STALE_PAGES));
        }
        let past = objects.iter().position(|object| plan.is_past(&object.key));
        objects.truncate(past.unwrap_or(objects.len()));
        let jump = objects.last().and_then(|last| plan.after_closed(&last.key));
        objects.retain(|object| is_file(&object.key) && !plan.is_closed(&object.key));
        if !take(objects).await {
            return Ok(false);
        }
        match page.next_continuation_token() {
            Some(next) if past.is_none() && page.is_truncated() == Some(true) => match jump {
                Some(after) => start = after,
                None => token = Some(next.to_owned()),
            },
            _ => return Ok(true),
        }
    }
}
