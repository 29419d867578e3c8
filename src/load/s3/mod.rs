//! Log objects of a bucket: an account's trail, an organization's, or any folder of logs.
//!
//! ```text
//! discover (accounts, regions: layout) ─► list (only the days asked for) ─► ledger ─► fetch ─► queue
//! ```
//! Listings and GETs run ahead of the scanners, bounded in number and bytes. An object that can't be had is reported and
//! the rest goes on; without credentials or network nothing goes on.

mod bucket;
mod discover;
mod fetch;
mod layout;
mod list;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::stream::{self, TryStreamExt};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::unit::Identity;
use super::{Failure, Item, Queue, Versions};
use crate::aws::{CallError, ErrorClass, Session};
use crate::names::{AccountId, Region};
use crate::store::StoreError;
use crate::store::ledger::{Fingerprint, Ledger};
use crate::trail::scan::is_digest_or_insight;
use crate::trail::window::TimeWindow;
use bucket::Bucket;
use fetch::Fetcher;
use layout::Trail;
use list::Object;

/// Regions of accounts that are listed at the same time.
const LISTINGS: usize = 8;

/// Listed objects that wait for their GET.
const LISTED: usize = 1000;

/// GETs under way at the same time.
const GETS: usize = 64;

/// What to load.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The bucket's name.
    pub bucket: String,
    /// What stands before `AWSLogs/`; or a deeper place in the layout, or a folder of logs without it.
    pub prefix: String,
    /// Only this organization's logs.
    pub organization: Option<String>,
    /// Only these accounts' logs; empty: all.
    pub accounts: BTreeSet<AccountId>,
    /// Only these regions' logs; empty: all.
    pub regions: BTreeSet<Region>,
    /// Only the days in whose folders its records can be.
    pub window: TimeWindow,
}

/// Why a bucket's logs can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    /// A call that all others depend on failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// There is nothing like a trail's logs.
    #[error("there are no CloudTrail logs{accounts} at {place}")]
    NoLogs {
        /// `s3://bucket/prefix`
        place: String,
        /// ` of ACCOUNT, …` where others' logs may be there.
        accounts: String,
        /// Prefixes of the bucket below which there are.
        elsewhere: Vec<String>,
    },
    /// The ledger can't be read.
    #[error("the database")]
    Store(#[from] StoreError),
}

/// Finds the objects and puts those that `ledger` doesn't know into the queue. Ends early when nobody takes them.
///
/// # Errors
/// The bucket can't be reached or listed, or holds no logs.
pub async fn find(
    request: &Request,
    session: &Session,
    versions: &Versions,
    ledger: &Ledger,
    queue: &Queue,
) -> Result<(), S3Error> {
    let bucket = Bucket::open(session, &request.bucket).await?;
    let trails = discover::trails(&bucket, request).await?;
    let (found, listed) = mpsc::channel(LISTED);
    let listing = list_all(&bucket, trails, request.window, found);
    let fetching = fetch_all(&bucket, listed, versions, ledger, queue);
    futures::try_join!(listing, fetching).map(drop)
}

/// What the listing tells the fetching.
enum Listed {
    Page(Vec<Object>),
    Failed(Failure),
}

async fn list_all(
    bucket: &Bucket,
    trails: Vec<Trail>,
    window: TimeWindow,
    found: mpsc::Sender<Listed>,
) -> Result<(), S3Error> {
    let found = &found;
    stream::iter(trails.into_iter().map(Ok))
        .try_for_each_concurrent(LISTINGS, |trail| async move {
            let listing = list::list(bucket, &trail, window, async |page| found.send(Listed::Page(page)).await.is_ok());
            match listing.await {
                Err(error) if !is_fatal(&error) => {
                    let failure = Failure { name: bucket.address(&trail.prefix), reason: reason(&error) };
                    drop(found.send(Listed::Failed(failure)).await);
                    Ok(())
                }
                other => Ok(other?),
            }
        })
        .await
}

async fn fetch_all(
    bucket: &Bucket,
    mut listed: mpsc::Receiver<Listed>,
    versions: &Versions,
    ledger: &Ledger,
    queue: &Queue,
) -> Result<(), S3Error> {
    let fetcher = Arc::new(Fetcher::new(bucket.clone(), queue.clone()));
    let slots = Arc::new(Semaphore::new(GETS));
    let mut fetches = JoinSet::new();
    while let Some(listed) = listed.recv().await {
        let objects = match listed {
            Listed::Page(objects) => objects,
            Listed::Failed(failure) => {
                drop(queue.send(Item::Failed(failure)).await);
                continue;
            }
        };
        drop(queue.send(Item::Expected(objects.len() as u64)).await);
        for object in objects {
            if let Some(item) = without_fetching(bucket, &object, versions, ledger)? {
                drop(queue.send(item).await);
                continue;
            }
            let slot = Arc::clone(&slots).acquire_owned().await.expect("the semaphore is never closed");
            let fetcher = Arc::clone(&fetcher);
            fetches.spawn(async move {
                let fetched = fetcher.fetch(object).await;
                drop(slot);
                fetched
            });
            while let Some(done) = fetches.try_join_next() {
                done.expect("a fetch does not panic")?;
            }
        }
        if queue.is_closed() {
            return Ok(());
        }
    }
    while let Some(done) = fetches.join_next().await {
        done.expect("a fetch does not panic")?;
    }
    Ok(())
}

fn without_fetching(
    bucket: &Bucket,
    object: &Object,
    versions: &Versions,
    ledger: &Ledger,
) -> Result<Option<Item>, StoreError> {
    if is_digest_or_insight(object.name()) {
        return Ok(Some(Item::Skipped));
    }
    Ok(versions.is_loaded(ledger, &identity(bucket, object))?.then_some(Item::AlreadyLoaded))
}

/// An object's place in the ledger. Its ETag changes with its content.
fn identity(bucket: &Bucket, object: &Object) -> Identity {
    Identity {
        prefix: bucket.address(object.folder()),
        name: object.name().to_owned(),
        content: Fingerprint::of(&[&object.size.to_le_bytes(), object.etag.as_bytes()]),
    }
}

/// Whether an error would meet every other call too.
fn is_fatal(error: &CallError) -> bool {
    matches!(error.class, ErrorClass::Credentials | ErrorClass::NoEndpoint | ErrorClass::Unreachable)
}

/// What to say of one object or folder.
fn reason(error: &CallError) -> String {
    let said = format!("{}: {}", error.code, error.message);
    match error.hint() {
        Some(hint) => format!("{said} ({hint})"),
        None => said,
    }
}
