//! Determines the days to load from Event history: those in the time range that are not in the ledger. Pure.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan, tz::Offset};

use crate::trail::window::TimeWindow;

/// The time range of Event history: 90 days.
///
/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html>
const RETENTION: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How long after its end a day can still get events. AWS says about 5 minutes on average, and sometimes 15. This leaves a wide margin.
pub(super) const LATE_EVENTS: SignedDuration = SignedDuration::from_hours(3);

/// A time range with two ends, within Event history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Inclusive.
    pub since: Timestamp,
    /// Exclusive.
    pub until: Timestamp,
    /// Whether the requested time range begins earlier.
    pub is_cut: bool,
}

/// A time range that ends before Event history begins, or begins in the future.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Event history holds only the last 90 days (since {oldest}), and nothing in this time range")]
pub struct TooOld {
    /// The oldest time in Event history.
    pub oldest: Timestamp,
}

impl Span {
    /// The part of a time range that Event history covers.
    ///
    /// # Errors
    /// Event history covers no part of it.
    pub fn of(window: TimeWindow, now: Timestamp) -> Result<Self, TooOld> {
        let oldest = now.saturating_sub(RETENTION).unwrap_or(Timestamp::MIN);
        let since = window.since().map_or(oldest, |since| since.max(oldest));
        let until = window.until().map_or(now, |until| until.min(now));
        // An age of 90 days means the beginning of that day, so all available events are requested.
        let day = |moment: Timestamp| Offset::UTC.to_datetime(moment).date();
        let is_cut = window.since().is_some_and(|since| day(since) < day(oldest));
        if since < until { Ok(Self { since, until, is_cut }) } else { Err(TooOld { oldest }) }
    }
}

/// A time range to request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
    /// Its days, newest first. Final days are complete.
    pub(super) days: Vec<Date>,
    /// Whether its days get no more events, so that they can enter the ledger.
    pub(super) is_final: bool,
}

/// Returns the parts of `span` to request, newest first, and the number of days that are already in the ledger.
pub(super) fn parts<E>(
    span: Span,
    now: Timestamp,
    mut is_loaded: impl FnMut(Date) -> Result<bool, E>,
) -> Result<(Vec<Part>, u64), E> {
    let (first, last) = (day_of(span.since), day_of(span.until.saturating_sub(1.nanosecond()).unwrap_or(span.until)));
    let (mut parts, mut already_loaded): (Vec<Part>, u64) = (Vec::new(), 0);
    let mut day = last;
    while day >= first {
        let (start, end) = (midnight(day), midnight(day.saturating_add(1.day())));
        let is_closed = now.duration_since(end) >= LATE_EVENTS;
        if is_closed && is_loaded(day)? {
            already_loaded += 1;
        } else {
            let is_final = is_closed && span.since <= start && end <= span.until;
            let (since, until) = (start.max(span.since), end.min(span.until));
            match parts.last_mut() {
                Some(part) if part.since == until && part.is_final == is_final => {
                    part.since = since;
                    part.days.push(day);
                }
                _ => parts.push(Part { since, until, days: vec![day], is_final }),
            }
        }
        day = day.saturating_sub(1.day());
    }
    Ok((parts, already_loaded))
}

impl Part {
    /// Removes the days that are completely after `moment`, newest first.
    pub(super) fn take_days_after(&mut self, moment: Timestamp) -> Vec<Date> {
        let done = self.days.iter().take_while(|day| moment < midnight(**day)).count();
        self.days.drain(..done).collect()
    }

    /// The part itself, and the same part with one to `days` additional days at its end.
    pub(super) fn longer(&self, days: i64) -> impl Iterator<Item = Self> {
        let last = day_of(self.until);
        (0..=days).map(move |more| match more {
            0 => self.clone(),
            more => Self { until: midnight(last.saturating_add(more.days())), ..self.clone() },
        })
    }

    /// The rest of the part when everything from `moment` on was read. A final day stays complete, so that it is recognized.
    pub(super) fn before(self, moment: Timestamp) -> Self {
        let until = match self.days.first() {
            Some(day) if self.is_final => midnight(day.saturating_add(1.day())),
            // Some events of the last second may be missing.
            _ => moment.saturating_add(1.second()).unwrap_or(moment),
        };
        Self { until: until.min(self.until), ..self }
    }
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

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn window(since: Option<&str>, until: Option<&str>) -> TimeWindow {
        TimeWindow::new(since.map(at), until.map(at)).unwrap()
    }

    /// `since until days`, with a star if the days are final.
    fn shown(parts: &[Part]) -> Vec<String> {
        let show = |part: &Part| {
            let days: Vec<String> = part.days.iter().map(ToString::to_string).collect();
            format!("{} {} {}{}", part.since, part.until, days.join(","), if part.is_final { "*" } else { "" })
        };
        parts.iter().map(show).collect()
    }

    const NOW: &str = "2026-03-10T02:00:00Z";

    fn span(since: &str, until: &str) -> Span {
        Span { since: at(since), until: at(until), is_cut: false }
    }

    fn without_ledger(span: Span) -> Vec<Part> {
        parts(span, at(NOW), |_| Ok::<_, ()>(false)).unwrap().0
    }

    #[test]
    fn time_range_is_cut_to_last_90_days() {
        let now = at(NOW);
        let cut = Span::of(window(Some("2025-01-01T00:00:00Z"), None), now).unwrap();
        assert_eq!(cut, Span { since: at("2025-12-10T02:00:00Z"), until: now, is_cut: true });
        assert!(!Span::of(window(None, None), now).unwrap().is_cut);
        assert!(!Span::of(window(Some("2025-12-10T02:00:00Z"), None), now).unwrap().is_cut);
        assert!(Span::of(window(None, Some("2025-12-10T02:00:00Z")), now).is_err());
        assert!(Span::of(window(Some("2026-03-11T00:00:00Z"), None), now).is_err());
    }

    #[test]
    fn recent_and_partial_days_are_not_final() {
        let parts = without_ledger(span("2026-03-06T12:00:00Z", NOW));
        assert_eq!(
            shown(&parts),
            [
                "2026-03-09T00:00:00Z 2026-03-10T02:00:00Z 2026-03-10,2026-03-09",
                "2026-03-07T00:00:00Z 2026-03-09T00:00:00Z 2026-03-08,2026-03-07*",
                "2026-03-06T12:00:00Z 2026-03-07T00:00:00Z 2026-03-06",
            ]
        );
        let day = without_ledger(span("2026-03-05T00:00:00Z", "2026-03-06T00:00:00Z"));
        assert_eq!(shown(&day), ["2026-03-05T00:00:00Z 2026-03-06T00:00:00Z 2026-03-05*"]);
    }

    #[test]
    fn days_in_the_ledger_are_not_requested() {
        let known = ["2026-03-10", "2026-03-07", "2026-03-05"].map(|day| day.parse::<Date>().unwrap());
        let span = span("2026-03-05T12:00:00Z", NOW);
        let (parts, already) = parts(span, at(NOW), |day| Ok::<_, ()>(known.contains(&day))).unwrap();
        assert_eq!(already, 2, "today is always requested");
        assert_eq!(
            shown(&parts),
            [
                "2026-03-09T00:00:00Z 2026-03-10T02:00:00Z 2026-03-10,2026-03-09",
                "2026-03-08T00:00:00Z 2026-03-09T00:00:00Z 2026-03-08*",
                "2026-03-06T00:00:00Z 2026-03-07T00:00:00Z 2026-03-06*",
            ]
        );
    }

    #[test]
    fn day_is_done_when_its_midnight_is_passed() {
        let mut part = without_ledger(span("2026-03-05T00:00:00Z", "2026-03-08T00:00:00Z")).remove(0);
        assert_eq!(part.take_days_after(at("2026-03-07T00:00:00Z")), []);
        assert_eq!(part.take_days_after(at("2026-03-06T23:59:59Z")), ["2026-03-07".parse::<Date>().unwrap()]);
        let rest = part.before(at("2026-03-06T23:59:59Z"));
        assert_eq!(shown(&[rest]), ["2026-03-05T00:00:00Z 2026-03-07T00:00:00Z 2026-03-06,2026-03-05*"]);
        let open = without_ledger(span("2026-03-10T00:00:00Z", NOW)).remove(0).before(at("2026-03-10T01:00:00Z"));
        assert_eq!(shown(&[open]), ["2026-03-10T00:00:00Z 2026-03-10T01:00:01Z 2026-03-10"]);
    }
}
