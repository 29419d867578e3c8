//! Plans the days of a region to list: those in the time range that are not closed in the ledger. Pure.
//!
//! A day can be closed when its folder is older than the grace period for late deliveries. An object that arrives in a closed
//! day even later is found only with [`super::Request::relist`].

use jiff::ToSpan;
use jiff::civil::Date;

use super::layout::Trail;
use crate::store::ledger::days::ClosedDays;
use crate::trail::window::{DayRange, TimeWindow};

/// How many days after its own a day's folder can still get objects. CloudTrail delivers within about 5 to 15 minutes on
/// average, and later only after a disruption.
///
/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html>
const GRACE_DAYS: i64 = 2;

/// The plan for listing a region's folder.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) trail: Trail,
    window: TimeWindow,
    last_closable: Date,
    closed: ClosedDays,
}

/// Where a listing begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    /// All requested days are closed.
    Nowhere,
    Beginning,
    /// At the first key after this one.
    After(String),
}

impl Plan {
    pub(super) fn new(trail: Trail, window: TimeWindow, today: Date, closed: ClosedDays) -> Self {
        let last_closable = today.saturating_sub((GRACE_DAYS + 1).days());
        Self { trail, window, last_closable, closed }
    }

    pub(super) fn start(&self) -> Start {
        let first = match self.window.delivery_days().first {
            Some(first) => Some(self.closed.next_open(first)),
            None => self.closed.open_from_beginning(),
        };
        match first {
            Some(day) if self.is_past_window(day) => Start::Nowhere,
            Some(day) => self.trail.before_day(day).map_or(Start::Beginning, Start::After),
            None => Start::Beginning,
        }
    }

    /// Where to continue after a closed day.
    pub(super) fn after_closed(&self, key: &str) -> Option<Start> {
        let day = self.trail.day(key).filter(|day| self.closed.contains(*day))?;
        let open = self.closed.next_open(day);
        let start = if self.is_past_window(open) { None } else { self.trail.before_day(open) };
        Some(start.map_or(Start::Nowhere, Start::After))
    }

    /// Whether a key, and so every later one, is after the time range.
    pub(super) fn is_past(&self, key: &str) -> bool {
        self.trail.is_past(key, self.window)
    }

    pub(super) fn is_closed(&self, key: &str) -> bool {
        self.trail.day(key).is_some_and(|day| self.closed.contains(day))
    }

    /// The day of a key, if that day can be closed when all its objects are read.
    pub(super) fn closable_day(&self, key: &str) -> Option<Date> {
        self.trail.day(key).filter(|day| self.trail.is_region() && *day <= self.last_closable)
    }

    /// The first and last day that are closed or listed when the listing is complete. The last can be too new to
    /// be closed. `None` if no days are closed.
    pub(super) fn closable_days(&self) -> Option<(Option<Date>, Date)> {
        let DayRange { first, last } = self.window.delivery_days();
        let last = last.map_or(self.last_closable, |last| last.min(self.last_closable));
        (self.trail.is_region() && first.is_none_or(|first| first <= last)).then_some((first, last))
    }

    fn is_past_window(&self, day: Date) -> bool {
        self.window.delivery_days().last.is_some_and(|last| day > last)
    }
}
