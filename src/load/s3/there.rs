//! What a bucket holds, whatever window and regions were asked for: for the message of a load that found nothing.

use std::collections::BTreeSet;

use super::bucket::Bucket;
use super::layout::last_folder;
use super::{Request, S3Error, discover};
use crate::aws::{CallError, Session};
use crate::trail::window::TimeWindow;

/// Regions of accounts that are looked into.
const LOOKED_INTO: usize = 20;

/// Year, month and day: the folders below a region's.
const LEVELS: usize = 3;

/// The regions and days of a trail's log files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct There {
    /// By their folders' names.
    pub regions: BTreeSet<String>,
    /// The first and last day with log files, `2019/02/01`.
    pub days: Option<(String, String)>,
}

/// Looks at the accounts that `request` wants.
///
/// # Errors
/// The bucket can't be listed.
pub async fn look(request: &Request, session: &Session) -> Result<There, S3Error> {
    let bucket = Bucket::open(session, &request.bucket, request.request_payer).await?;
    let everything = Request { regions: BTreeSet::new(), window: TimeWindow::default(), ..request.clone() };
    let mut there = There::default();
    for trail in discover::trails(&bucket, &everything).await?.into_iter().take(LOOKED_INTO) {
        let Some(folder) = trail.region_folder else { continue };
        there.regions.insert(last_folder(&folder).to_owned());
        let first = day(&bucket, &folder, |folders| folders.into_iter().min()).await?;
        let last = day(&bucket, &folder, |folders| folders.into_iter().max()).await?;
        if let (Some(first), Some(last)) = (first, last) {
            let (known_first, known_last) = there.days.take().unwrap_or_else(|| (first.clone(), last.clone()));
            there.days = Some((known_first.min(first), known_last.max(last)));
        }
    }
    Ok(there)
}

/// The day at one end of a region's folder.
async fn day(
    bucket: &Bucket,
    folder: &str,
    end: fn(Vec<String>) -> Option<String>,
) -> Result<Option<String>, CallError> {
    let mut deepest = folder.to_owned();
    for _ in 0..LEVELS {
        let Some(next) = end(bucket.folders(&deepest).await?) else { return Ok(None) };
        deepest = next;
    }
    Ok(deepest.strip_prefix(folder).map(|day| day.trim_end_matches('/').to_owned()))
}
