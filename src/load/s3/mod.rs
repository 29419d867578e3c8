//! Log objects in a bucket: the trail of an account or an organization, or any folder of logs.
//!
//! ```text
//! discover (accounts, regions: layout) ─► plan (open days) ─► list ─► ledger ─► fetch (get, select) ─► queue
//! ```
//! Listings and GETs run ahead of the scanners, with limits on their number and bytes. An object that can't be read is reported,
//! and the load continues. Without credentials or network it fails.

mod archive;
mod bucket;
mod cost;
mod days;
mod discover;
mod fetch;
mod known;
mod layout;
mod list;
mod objects;
mod plan;
mod refusal;
mod select;
mod there;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::stream::{self, TryStreamExt};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::archived;
use super::unit::Identity;
use super::{Failure, Item, OtherFile, Queue, Versions};
use crate::aws::{CallError, ErrorClass, Session};
use crate::model::{AccountId, Region};
use crate::resource_map::ResourceMap;
use crate::store::Fingerprint;
use crate::store::StoreError;
use crate::store::ledger::Ledger;
use crate::store::ledger::days::{ClosedDays, ListedFolder};
use crate::trail::scan::kind_of_name;
use crate::trail::window::TimeWindow;
use archive::Restore;
use bucket::Bucket;
pub use bucket::ObjectVersion;
pub use cost::estimated_dollars;
use days::Days;
use fetch::{Decision, Fetcher, WhyNot};
use known::{Known, KnownObjects};
use layout::Trail;
use list::Object;
pub use objects::{FoundObject, Objects};
use plan::Plan;
use refusal::Target;
pub use select::{Engine, SelectFigures};
pub use there::{There, look};

/// Concurrent listings of regions.
const LISTINGS: usize = 16;

/// Listed pages, of up to 1,000 objects each, that are queued for GET.
const LISTED_PAGES: usize = 8;

/// Concurrent GETs.
const GETS: usize = 64;

/// The request for a load.
#[derive(Debug, Clone)]
pub struct Request {
    /// The bucket name, or an access point's ARN.
    pub bucket: String,
    /// The part of the keys before `AWSLogs/`; or a folder within the layout, or a folder of logs outside of it.
    pub prefix: String,
    /// Load only this organization's logs.
    pub organization: Option<String>,
    /// Load only these accounts' logs. Empty: all.
    pub accounts: BTreeSet<AccountId>,
    /// Load only these regions' logs. Empty: all.
    pub regions: BTreeSet<Region>,
    /// List only the days with folders that can have events in this time range.
    pub window: TimeWindow,
    /// Today, in UTC. Days that ended some time ago get closed.
    pub today: jiff::civil::Date,
    /// Also list days that are closed in the ledger, and request what S3 lately refused as archived.
    pub relist: bool,
    /// Whether to accept the costs of a Requester Pays bucket.
    pub request_payer: bool,
}

/// Why a bucket's logs can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    /// A call failed that everything else depends on.
    #[error(transparent)]
    Call(#[from] CallError),
    /// There are no logs of a trail.
    #[error("no CloudTrail logs{accounts} at {place}")]
    NoLogs {
        /// `s3://bucket/prefix`
        place: String,
        /// ` of ACCOUNT, …`, if there can be logs of other accounts.
        accounts: String,
        /// Prefixes in the bucket that have logs.
        elsewhere: Vec<String>,
    },
    /// S3 Select was requested, but is not available.
    #[error("S3 Select is not available for this bucket: {0}")]
    NoSelect(CallError),
    /// The ledger can't be read.
    #[error("the database")]
    Store(#[from] StoreError),
}

/// How to read the objects, and where to report about it.
pub struct ReadOptions<'r> {
    /// How objects are read.
    pub engine: Engine,
    /// Selects the events for S3 Select.
    pub map: Arc<ResourceMap>,
    /// Counts the work of S3 Select.
    pub figures: Arc<SelectFigures>,
    /// Called with the engine that is used, and the reason.
    pub notify: &'r dyn Fn(&str),
}

/// Finds the objects and queues those that are not in `ledger`. Returns early when the queue is closed.
///
/// # Errors
/// The bucket can't be reached or listed, or has no logs, or S3 Select is not available.
pub async fn find(
    request: &Request,
    session: &Session,
    versions: &Versions,
    ledger: &Ledger,
    queue: &Queue,
    reading: ReadOptions<'_>,
) -> Result<(), S3Error> {
    let bucket = Bucket::open(session, &request.bucket, request.request_payer).await?;
    let trails = discover::trails(&bucket, request).await?;
    let plans = plans(&bucket, request, trails, versions, ledger)?;
    let (found, listed) = mpsc::channel(LISTED_PAGES);
    let listing = list_all(&bucket, &plans, found);
    let known = KnownObjects { versions, ledger, request };
    let fetching = Fetching::new(&bucket, &plans, known, queue, &reading).run(listed);
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

/// A message from listing to fetching. Numbers are indexes of plans.
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
            let message = match list::list(bucket, plan, take).await {
                Err(error) if !is_fatal(&error) => {
                    let name = bucket.address(&plan.trail.prefix);
                    Listed::Failed(Failure { name, reason: bucket.reason(&error, Target::Bucket) })
                }
                Err(error) => return Err(error.into()),
                Ok(true) => Listed::End(number),
                Ok(false) => return Ok(()),
            };
            drop(found.send(message).await);
            Ok(())
        })
        .await
}

/// Handles listed objects: fetches them, or counts them as known.
struct Fetching<'f> {
    bucket: &'f Bucket,
    plans: &'f [Plan],
    /// One per plan.
    days: Vec<Days>,
    known: KnownObjects<'f>,
    queue: &'f Queue,
    fetcher: Arc<Fetcher>,
    slots: Arc<Semaphore>,
    fetches: JoinSet<Result<(), S3Error>>,
    notify: &'f dyn Fn(&str),
}

impl<'f> Fetching<'f> {
    fn new(
        bucket: &'f Bucket,
        plans: &'f [Plan],
        known: KnownObjects<'f>,
        queue: &'f Queue,
        reading: &ReadOptions<'f>,
    ) -> Self {
        let fetcher = Fetcher::new(bucket.clone(), queue.clone(), reading, known.request.today);
        Self {
            bucket,
            plans,
            days: plans.iter().map(|_| Days::default()).collect(),
            known,
            queue,
            fetcher: Arc::new(fetcher),
            slots: Arc::new(Semaphore::new(GETS)),
            fetches: JoinSet::new(),
            notify: reading.notify,
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
            self.notify_decision();
        }
        Ok(())
    }

    /// Reports the decision of `auto`, if there is one.
    fn notify_decision(&self) {
        if let Some(decision) = self.fetcher.decision() {
            (self.notify)(&explain(decision));
        }
    }

    async fn put(&self, item: Item) {
        // A stopped load has closed the queue; that is checked after the page.
        drop(self.queue.send(item).await);
    }

    async fn page(&mut self, number: usize, objects: Vec<Object>) -> Result<(), S3Error> {
        self.put(Item::Expected(objects.len() as u64)).await;
        for object in objects {
            let identity = identity(self.bucket, &object);
            let known = self.known.look_up(&object, &identity)?;
            if let Some(day) = self.days[number].count(&object, &identity.prefix, known) {
                self.put(Item::DayFound(day)).await;
            }
            match known {
                Known::Other(kind) => {
                    let name = self.bucket.address(&object.key);
                    self.put(Item::Other(OtherFile { name, kind })).await;
                }
                Known::Loaded { .. } => self.put(Item::AlreadyLoaded).await,
                Known::Archived { archive, was_refused } => {
                    // From now on the listing shows the restore, and after it nothing: the next load has to request the object.
                    let note = was_refused && archive.restore == Restore::InProgress;
                    let note = note.then(|| archived::restoring_note(&identity));
                    self.put(Item::Archived(archive.object(self.bucket.address(&object.key), note))).await;
                }
                Known::No => self.fetch(object).await?,
            }
        }
        Ok(())
    }

    async fn fetch(&mut self, object: Object) -> Result<(), S3Error> {
        if self.fetcher.is_undecided() {
            self.fetcher.fetch(object).await?;
            self.notify_decision();
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

fn explain(decision: &Decision) -> String {
    match decision {
        Decision::Selects(object) => format!(
            "reading objects with S3 Select: its records for {object} match GET (use --engine get to read whole objects)"
        ),
        Decision::Gets(why) => format!("reading objects with GET: {}", explain_get(why)),
    }
}

fn explain_get(why: &WhyNot) -> String {
    match why {
        WhyNot::Absent(error) => format!(
            "S3 Select is not available ({}: {}; AWS closed it to new customers in July 2024)",
            error.code, error.message
        ),
        WhyNot::Refused { object, reason } => format!("S3 Select can't read {object} ({reason})"),
        WhyNot::Differs { object, records, selected } => {
            let answer = match selected {
                Some(selected) if selected == records => "has different values".to_owned(),
                Some(selected) => format!("has {selected}"),
                None => "is not JSON".to_owned(),
            };
            format!("S3 Select returns wrong records ({object} holds {records} records to load, the response {answer})")
        }
        WhyNot::NothingToCompare(objects) => {
            format!("none of the first {objects} objects has a record to check S3 Select with")
        }
    }
}

/// An object in the ledger. Its ETag changes with its content.
fn identity(bucket: &Bucket, object: &Object) -> Identity {
    Identity {
        prefix: bucket.address(object.folder()),
        name: object.name().to_owned(),
        content: Fingerprint::of(&[&object.size.to_le_bytes(), object.etag.as_bytes()]),
    }
}

/// What refused the listing of a request's bucket, or what else to do about its error.
pub fn bucket_hint(error: &CallError, request: &Request) -> Option<String> {
    if error.class == ErrorClass::NoEndpoint && request.bucket.starts_with("arn:") {
        return Some(
            "check the ARN of the access point; its name is part of the host name, so an endpoint URL must have a host name too"
                .to_owned(),
        );
    }
    refusal::explain(error, Target::Bucket, request.request_payer).or_else(|| error.hint())
}

/// Whether every other call would fail in the same way.
fn is_fatal(error: &CallError) -> bool {
    matches!(error.class, ErrorClass::Credentials | ErrorClass::NoEndpoint | ErrorClass::Unreachable)
}
