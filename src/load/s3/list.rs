//! Listing a region's log objects: of a window, only its days.
//!
//! Keys sort by day, so one listing from the first day on, ended at the first key past the last, needs fewer requests than
//! one for each day.

use super::bucket::Bucket;
use super::layout::{Trail, is_log};
use crate::aws::CallError;
use crate::trail::window::TimeWindow;

/// An object as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) key: String,
    /// In bytes.
    pub(super) size: u64,
    pub(super) etag: String,
}

impl Object {
    /// The key up to its last `/`, with it.
    pub(super) fn folder(&self) -> &str {
        &self.key[..self.key.len() - self.name().len()]
    }

    /// What comes after the last `/`.
    pub(super) fn name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or(&self.key)
    }
}

/// Gives the trail's objects to `take`, a page at a time, until it wants no more.
pub(super) async fn list(
    bucket: &Bucket,
    trail: &Trail,
    window: TimeWindow,
    take: impl AsyncFn(Vec<Object>) -> bool,
) -> Result<(), CallError> {
    let mut start_after = trail.start_after(window);
    let mut token = None;
    loop {
        let page = bucket.page(&trail.prefix, start_after.take(), token.take()).await?;
        let listed = page.contents().iter().filter_map(|object| {
            let (key, etag) = (object.key()?, object.e_tag().unwrap_or_default());
            let size = object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
            Some(Object { key: key.to_owned(), size, etag: etag.to_owned() })
        });
        let mut objects: Vec<Object> = listed.collect();
        let in_window = objects.iter().position(|object| trail.is_past(&object.key, window));
        objects.truncate(in_window.unwrap_or(objects.len()));
        objects.retain(|object| is_log(&object.key));
        if !take(objects).await || in_window.is_some() {
            return Ok(());
        }
        match page.next_continuation_token() {
            Some(next) if page.is_truncated() == Some(true) => token = Some(next.to_owned()),
            _ => return Ok(()),
        }
    }
}
