//! The check with which `auto` decides between S3 Select and GET: both read the same object, and their records are compared.

use std::sync::atomic::Ordering;

use super::super::is_fatal;
use super::super::list::Object;
use super::super::select::{Engine, ExpectedRecords, SelectError, Selected};
use super::Fetcher;
use crate::aws::CallError;

/// The number of objects that `auto` reads with GET, one at a time, to find one to check S3 Select with.
const TRIED: u32 = 100;

/// The engine that `auto` uses.
#[derive(Debug)]
pub(in crate::load::s3) enum Decision {
    /// S3 Select: its records for this object match GET.
    Selects(String),
    /// GET, for this reason.
    Gets(WhyNot),
}

/// Why `auto` does not use S3 Select.
#[derive(Debug)]
pub(in crate::load::s3) enum WhyNot {
    /// It is not available.
    Absent(CallError),
    /// It can't read the object for the check.
    Refused { object: String, reason: String },
    /// It returns other records for an object than GET.
    Differs {
        object: String,
        /// Records in the object.
        records: u64,
        /// Records in the response. `None` if it can't be read.
        selected: Option<u64>,
    },
    /// This many objects had no record to compare.
    NothingToCompare(u32),
}

impl Fetcher {
    /// The decision of `auto`. `None` before an object was compared, and with the other engines.
    pub(in crate::load::s3) fn decision(&self) -> Option<&Decision> {
        self.decided.get()
    }

    /// Whether to wait for the next object, because it can decide about S3 Select.
    pub(in crate::load::s3) fn is_undecided(&self) -> bool {
        self.engine == Engine::Auto && self.decided.get().is_none()
    }

    /// Ends the check without a decision by an object.
    pub(in crate::load::s3) fn give_up_trial(&self) {
        let tried = self.tried.load(Ordering::Relaxed);
        if self.is_undecided() && tried > 0 {
            self.decide(Decision::Gets(WhyNot::NothingToCompare(tried)));
        }
    }

    fn decide(&self, decision: Decision) {
        // Objects are checked one at a time, so there is only one decision.
        drop(self.decided.set(decision));
    }

    /// Compares S3 Select's records for an object with its content, if it has any records to compare.
    ///
    /// # Errors
    /// An error that every other object would have too.
    pub(super) async fn try_select(&self, object: &Object, bytes: Vec<u8>) -> Result<Vec<u8>, CallError> {
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

    fn judge(&self, object: &Object, got: &ExpectedRecords, selected: Option<&ExpectedRecords>) -> Decision {
        let address = self.bucket.address(&object.key);
        if selected == Some(got) {
            return Decision::Selects(address);
        }
        let selected = selected.map(|selected| selected.records);
        Decision::Gets(WhyNot::Differs { object: address, records: got.records, selected })
    }

    /// Scans a document in a separate thread, because it takes processor time.
    async fn scan(&self, bytes: Vec<u8>) -> (Vec<u8>, Option<ExpectedRecords>) {
        let probe = self.probe.clone();
        let scanned = tokio::task::spawn_blocking(move || {
            let found = probe.find(&bytes);
            (bytes, found)
        });
        scanned.await.expect("a scan does not panic")
    }
}
