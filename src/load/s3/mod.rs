//! Log objects of a bucket: an account's trail, an organization's, or any folder of logs.
//!
//! ```text
//! discover (accounts, regions: layout) ─► plan (open days) ─► list ─► ledger ─► fetch (get, select) ─► queue
//! ```
//! Listings and GETs run ahead of the scanners, bounded in number and bytes. An object that can't be had is reported and
//! the rest goes on; without credentials or network nothing goes on.

mod bucket;
mod cost;
mod days;
mod discover;
mod fetch;
mod layout;
mod list;
mod plan;
mod select;
mod there;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::stream::{self, TryStreamExt};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::unit::Identity;
use super::{Failure, Item, Queue, Versions};
use crate::aws::{CallError, ErrorClass, Session};
use crate::names::{AccountId, Region};
use crate::resource_map::ResourceMap;
use crate::store::StoreError;
use crate::store::ledger::days::{ClosedDays, ListedFolder};
use crate::store::ledger::{Fingerprint, Ledger};
use crate::trail::scan::is_digest_or_insight;
use crate::trail::window::TimeWindow;
use bucket::Bucket;
pub use cost::estimated_dollars;
use days::{Days, Known};
use fetch::{Decision, Fetcher, WhyNot};
use layout::Trail;
use list::Object;
use plan::Plan;
pub use select::{Engine, SelectFigures};
pub use there::{There, look};

/// Regions of accounts that are listed at the same time.
const LISTINGS: usize = 16;

/// Listed pages, of up to 1,000 objects each, that wait for their GETs.
const LISTED_PAGES: usize = 8;

/// GETs under way at the same time.
const GETS: usize = 64;

/// What to load.
#[derive(Debug, Clone)]
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
    /// Today, in UTC: days that are over for a while get closed.
    pub today: jiff::civil::Date,
    /// Also days that the ledger holds closed.
    pub relist: bool,
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
    /// S3 Select is wanted, and there is none.
    #[error("there is no S3 Select for this bucket: {0}")]
    NoSelect(CallError),
    /// The ledger can't be read.
    #[error("the database")]
    Store(#[from] StoreError),
}

/// What a load does besides filling the queue.
pub struct Reading<'r> {
    /// How objects are read.
    pub engine: Engine,
    /// What S3 Select looks for.
    pub map: Arc<ResourceMap>,
    /// Counts what it did.
    pub figures: Arc<SelectFigures>,
    /// Hears which engine reads, and why.
    pub tell: &'r dyn Fn(&str),
}

/// Finds the objects and puts those that `ledger` doesn't know into the queue. Ends early when nobody takes them.
///
/// # Errors
/// The bucket can't be reached or listed, or holds no logs, or there is no S3 Select.
pub async fn find(
    request: &Request,
    session: &Session,
    versions: &Versions,
    ledger: &Ledger,
    queue: &Queue,
    reading: Reading<'_>,
) -> Result<(), S3Error> {
    let bucket = Bucket::open(session, &request.bucket).await?;
    let trails = discover::trails(&bucket, request).await?;
    let plans = plans(&bucket, request, trails, versions, ledger)?;
    let (found, listed) = mpsc::channel(LISTED_PAGES);
    let listing = list_all(&bucket, &plans, found);
    let fetching = Fetching::new(&bucket, &plans, versions, ledger, queue, &reading).run(listed);
    futures::try_join!(listing, fetching).map(drop)
}

fn plans(
    bucket: &Bucket,
    request: &Request,
    trails: Vec<Trail>,
    versions: &Versions,
    ledger: &Ledger,
) -> Result<Vec<Plan>, StoreError> {
    let accepted = versions.of_known_days();
    let plan = |trail: Trail| {
        let closed = match &trail.region_folder {
            Some(folder) if !request.relist => ledger.closed_days(&bucket.address(folder), &accepted)?,
            _ => ClosedDays::default(),
        };
        Ok(Plan::new(trail, request.window, request.today, closed))
    };
    trails.into_iter().map(plan).collect()
}

/// What the listing tells the fetching. Numbers are those of plans.
enum Listed {
    Page(usize, Vec<Object>),
    /// The plan's listing is complete.
    End(usize),
    Failed(Failure),
}

async fn list_all(bucket: &Bucket, plans: &[Plan], found: mpsc::Sender<Listed>) -> Result<(), S3Error> {
    let found = &found;
    stream::iter(plans.iter().enumerate().map(Ok))
        .try_for_each_concurrent(LISTINGS, |(number, plan)| async move {
            let take = async |page| found.send(Listed::Page(number, page)).await.is_ok();
            let told = match list::list(bucket, plan, take).await {
                Err(error) if !is_fatal(&error) => {
                    let name = bucket.address(&plan.trail.prefix);
                    Listed::Failed(Failure { name, reason: reason(&error) })
                }
                Err(error) => return Err(error.into()),
                Ok(true) => Listed::End(number),
                Ok(false) => return Ok(()),
            };
            drop(found.send(told).await);
            Ok(())
        })
        .await
}

/// Sends what is listed on: to be read, or as known.
struct Fetching<'f> {
    bucket: &'f Bucket,
    plans: &'f [Plan],
    /// Of each plan.
    days: Vec<Days>,
    versions: &'f Versions,
    ledger: &'f Ledger,
    queue: &'f Queue,
    fetcher: Arc<Fetcher>,
    slots: Arc<Semaphore>,
    fetches: JoinSet<Result<(), S3Error>>,
    tell: &'f dyn Fn(&str),
}

impl<'f> Fetching<'f> {
    fn new(
        bucket: &'f Bucket,
        plans: &'f [Plan],
        versions: &'f Versions,
        ledger: &'f Ledger,
        queue: &'f Queue,
        reading: &Reading<'f>,
    ) -> Self {
        let fetcher = Fetcher::new(bucket.clone(), queue.clone(), reading);
        Self {
            bucket,
            plans,
            days: plans.iter().map(|_| Days::default()).collect(),
            versions,
            ledger,
            queue,
            fetcher: Arc::new(fetcher),
            slots: Arc::new(Semaphore::new(GETS)),
            fetches: JoinSet::new(),
            tell: reading.tell,
        }
    }

    async fn run(mut self, mut listed: mpsc::Receiver<Listed>) -> Result<(), S3Error> {
        while let Some(listed) = listed.recv().await {
            match listed {
                Listed::Page(number, objects) => self.page(number, objects).await?,
                Listed::End(number) => self.end(number).await,
                Listed::Failed(failure) => self.put(Item::Failed(failure)).await,
            }
            if self.queue.is_closed() {
                return Ok(());
            }
        }
        while let Some(done) = self.fetches.join_next().await {
            done.expect("a fetch does not panic")?;
        }
        if self.fetcher.is_undecided() {
            self.fetcher.give_up_trial();
            self.tell_decision();
        }
        Ok(())
    }

    /// Tells what `auto` has come to, if it has.
    fn tell_decision(&self) {
        if let Some(decision) = self.fetcher.decision() {
            (self.tell)(&said(decision));
        }
    }

    async fn put(&self, item: Item) {
        // A load that was stopped takes no more; that is noticed after the page.
        drop(self.queue.send(item).await);
    }

    async fn page(&mut self, number: usize, objects: Vec<Object>) -> Result<(), S3Error> {
        self.put(Item::Expected(objects.len() as u64)).await;
        for object in objects {
            let identity = identity(self.bucket, &object);
            let known = self.known(&object, &identity)?;
            if let Some(day) = self.days[number].count(&object, &identity.prefix, known) {
                self.put(Item::DayFound(day)).await;
            }
            match known {
                Known::Skipped => self.put(Item::Skipped).await,
                Known::Loaded { .. } => self.put(Item::AlreadyLoaded).await,
                Known::No => self.fetch(object).await?,
            }
        }
        Ok(())
    }

    fn known(&self, object: &Object, identity: &Identity) -> Result<Known, StoreError> {
        if is_digest_or_insight(object.name()) {
            return Ok(Known::Skipped);
        }
        let loaded = self.versions.loaded(self.ledger, identity)?;
        Ok(loaded.map_or(Known::No, |filtered| Known::Loaded { filtered }))
    }

    async fn fetch(&mut self, object: Object) -> Result<(), S3Error> {
        if self.fetcher.is_undecided() {
            self.fetcher.fetch(object).await?;
            self.tell_decision();
            return Ok(());
        }
        let slot = Arc::clone(&self.slots).acquire_owned().await.expect("the semaphore is never closed");
        let fetcher = Arc::clone(&self.fetcher);
        self.fetches.spawn(async move {
            let fetched = fetcher.fetch(object).await;
            drop(slot);
            fetched
        });
        while let Some(done) = self.fetches.try_join_next() {
            done.expect("a fetch does not panic")?;
        }
        Ok(())
    }

    /// A plan's listing is complete.
    async fn end(&mut self, number: usize) {
        let (plan, days) = (&self.plans[number], &mut self.days[number]);
        let (last_day, seen) = (days.end(), std::mem::take(&mut days.seen));
        let folder = plan.closable_days().zip(plan.trail.region_folder.as_ref()).map(|((first, last), folder)| {
            ListedFolder { prefix: self.bucket.address(folder), first, last, days: seen }
        });
        if let Some(day) = last_day {
            self.put(Item::DayFound(day)).await;
        }
        if let Some(folder) = folder {
            self.put(Item::FolderFound(folder)).await;
        }
    }
}

fn said(decision: &Decision) -> String {
    match decision {
        Decision::Selects(object) => format!(
            "objects are read by S3 Select: its answer for {object} is what GET gives (--engine get reads them whole)"
        ),
        Decision::Gets(why) => format!("objects are read by GET: {}", said_of(why)),
    }
}

fn said_of(why: &WhyNot) -> String {
    match why {
        WhyNot::Absent(error) => format!(
            "there is no S3 Select here ({}: {}; AWS closed it to new customers in July 2024)",
            error.code, error.message
        ),
        WhyNot::Refused { object, reason } => format!("S3 Select does not read {object} ({reason})"),
        WhyNot::Differs { object, records, selected } => {
            let answer = match selected {
                Some(selected) if selected == records => "has other facts of them".to_owned(),
                Some(selected) => format!("has {selected}"),
                None => "is no JSON".to_owned(),
            };
            format!("S3 Select can't be relied on here ({object} holds {records} records to load, its answer {answer})")
        }
        WhyNot::NothingToCompare(objects) => {
            format!("none of the first {objects} holds a record with which S3 Select's answer could be checked")
        }
    }
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
