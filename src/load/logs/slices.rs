//! Determines what to request from a log group: the days in the time range that are not in the ledger, and how many of them at
//! once. Pure.
//!
//! Each request of a time range takes at least one page, so days that follow each other are requested together. The more days, the
//! more is lost when a load is killed. So the number grows while one page holds them all, and shrinks while they take many.

use std::collections::VecDeque;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan, tz::Offset};

/// How long after a call its event can still arrive, and how long after its end a day can still get events. CloudTrail says about
/// 5 minutes on average. This leaves a wide margin.
///
/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/monitor-cloudtrail-log-files-with-cloudwatch-logs.html>
pub(super) const LATE_EVENTS: SignedDuration = SignedDuration::from_hours(3);

/// The number of days that are requested together at first.
const FIRST_DAYS: usize = 4;

/// The most days that are requested together.
const MOST_DAYS: usize = 64;

/// Days that take more pages are too many.
const MANY_PAGES: u64 = 8;

/// A part of a day to request, by the time stamps of log events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slice {
    /// Inclusive.
    pub(super) since: Timestamp,
    /// Exclusive.
    pub(super) until: Timestamp,
    /// The day, in UTC.
    pub(super) day: Date,
    /// Whether it is the whole day and gets no more events, so that it can enter the ledger.
    pub(super) is_final: bool,
}

/// The slices of a time range, oldest first, and the number of days that the ledger has.
///
/// # Errors
/// Those of `is_loaded`.
pub(super) fn slices<E>(
    since: Timestamp,
    until: Timestamp,
    now: Timestamp,
    mut is_loaded: impl FnMut(Date) -> Result<bool, E>,
) -> Result<(Vec<Slice>, u64), E> {
    let (mut slices, mut already_loaded) = (Vec::new(), 0);
    let mut day = day_of(since);
    while since < until && midnight(day) < until {
        let (start, end) = (midnight(day), midnight(day.saturating_add(1.day())));
        let is_closed = now.duration_since(end) >= LATE_EVENTS;
        if is_closed && is_loaded(day)? {
            already_loaded += 1;
        } else {
            let is_final = is_closed && since <= start && end <= until;
            slices.push(Slice { since: start.max(since), until: end.min(until), day, is_final });
        }
        day = day.saturating_add(1.day());
    }
    Ok((slices, already_loaded))
}

/// Days that are requested together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Inclusive.
    pub(super) since: Timestamp,
    /// Exclusive.
    pub(super) until: Timestamp,
    pub(super) days: Vec<Date>,
    /// Whether the days can enter the ledger.
    pub(super) is_final: bool,
}

/// Hands out slices, several at once.
#[derive(Debug)]
pub(super) struct Cutter {
    slices: VecDeque<Slice>,
    length: usize,
}

impl Cutter {
    pub(super) fn new(slices: Vec<Slice>) -> Self {
        Self { slices: slices.into(), length: FIRST_DAYS }
    }

    /// The next days to request.
    pub(super) fn next(&mut self) -> Option<Stretch> {
        let Slice { since, until, day, is_final } = self.slices.pop_front()?;
        let mut stretch = Stretch { since, until, days: vec![day], is_final };
        while stretch.days.len() < self.length
            && let Some(slice) =
                self.slices.pop_front_if(|slice| slice.since == stretch.until && slice.is_final == is_final)
        {
            stretch.until = slice.until;
            stretch.days.push(slice.day);
        }
        Some(stretch)
    }

    /// Learns how many pages days took.
    pub(super) fn took(&mut self, days: usize, pages: u64) {
        if pages <= 1 {
            self.length = MOST_DAYS.min(self.length.max(days * 2));
        } else if pages > MANY_PAGES {
            self.length = (days / 2).max(1);
        }
    }
}

/// The midnight before a time, in UTC.
pub(super) fn start_of_day(moment: Timestamp) -> Timestamp {
    midnight(day_of(moment))
}

fn day_of(moment: Timestamp) -> Date {
    Offset::UTC.to_datetime(moment).date()
}

fn midnight(day: Date) -> Timestamp {
    Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(since: &str, until: &str, known: &[&str]) -> (Vec<String>, u64) {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let is_loaded = |day: Date| Ok::<_, ()>(known.contains(&day.to_string().as_str()));
        let (slices, already) = slices(at(since), at(until), at("2026-03-10T02:00:00Z"), is_loaded).unwrap();
        let show = |slice: &Slice| format!("{} {}{}", slice.since, slice.until, if slice.is_final { " *" } else { "" });
        (slices.iter().map(show).collect(), already)
    }

    #[test]
    fn whole_days_that_get_no_more_events_are_final() {
        let (slices, already) = shown("2026-03-06T12:00:00Z", "2026-03-10T02:00:00Z", &["2026-03-08"]);
        assert_eq!(
            slices,
            [
                "2026-03-06T12:00:00Z 2026-03-07T00:00:00Z",
                "2026-03-07T00:00:00Z 2026-03-08T00:00:00Z *",
                "2026-03-09T00:00:00Z 2026-03-10T00:00:00Z",
                "2026-03-10T00:00:00Z 2026-03-10T02:00:00Z",
            ]
        );
        assert_eq!(already, 1);
        assert_eq!(shown("2026-03-06T12:00:00Z", "2026-03-06T12:00:00Z", &[]).0, [] as [&str; 0]);
    }

    #[test]
    fn more_days_are_requested_together_while_one_page_holds_them() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let all = |_| Ok::<_, ()>(false);
        let (slices, _) =
            slices(at("2026-01-01T00:00:00Z"), at("2026-03-10T01:00:00Z"), at("2026-03-10T02:00:00Z"), all).unwrap();
        let count = slices.len();
        let mut cutter = Cutter::new(slices);
        let mut lengths = Vec::new();
        for pages in [1, 1, 2, 9, 100, 1, 1] {
            let stretch = cutter.next().unwrap();
            assert!(stretch.is_final);
            lengths.push(stretch.days.len());
            cutter.took(stretch.days.len(), pages);
        }
        assert_eq!(lengths, [4, 8, 16, 16, 8, 4, 8]);
        let rest: Vec<Stretch> = std::iter::from_fn(|| cutter.next()).collect();
        let open = rest.last().unwrap();
        assert_eq!((open.is_final, open.days.len()), (false, 2), "the last days still get events");
        assert_eq!(lengths.iter().sum::<usize>() + rest.iter().map(|stretch| stretch.days.len()).sum::<usize>(), count);
    }
}
