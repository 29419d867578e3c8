//! `LookupEvents`: series of pages, at the rate that AWS allows.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::aws::{CallError, Caller, Session};
use crate::model::Region;
use crate::resource_map::Service;

/// The minimum interval between two requests in a region. AWS allows 2 requests per second for each account and region. This
/// leaves a tenth for the network, which delays some requests more than others.
///
/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html>
const REQUEST_INTERVAL: Duration = Duration::from_millis(550);

/// Empty pages in a row that may have a page token.
const MAX_EMPTY_PAGES: usize = 100;
/// The page size: AWS's maximum.
const PAGE_EVENTS: u32 = 50;

/// The permission and operation, for messages.
const OPERATION: &str = "cloudtrail:LookupEvents";

/// Event history of a region.
#[derive(Debug)]
pub(super) struct Client {
    caller: Caller,
    service: Service,
    region: Region,
    /// When the next request can be sent.
    next_request: Option<Instant>,
}

/// The condition of a request. AWS accepts only one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// Calls that can change something (`ReadOnly=false`).
    Writes,
    /// Calls with this event name, of any service.
    EventName(String),
    /// Calls in which CloudTrail recorded a resource with this name.
    ResourceName(String),
}

/// An event without a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {event_id} has no record")]
pub(super) struct NoRecord {
    event_id: String,
}

/// A page, newest event first.
#[derive(Debug)]
pub(super) struct Page {
    /// Records as CloudTrail writes them to log files.
    pub(super) records: Vec<Result<String, NoRecord>>,
    /// The time of its oldest event.
    pub(super) oldest: Option<Timestamp>,
    /// Whether this is the last page.
    pub(super) is_last: bool,
}

/// The pages for one condition.
#[derive(Debug)]
pub(super) struct Series<'c> {
    client: &'c mut Client,
    /// `None` after the last page.
    request: Option<Value>,
    /// Empty pages in a row.
    stale: usize,
}

impl Client {
    pub(super) fn new(session: &Session, region: &Region) -> Self {
        Self { caller: session.caller(), service: cloudtrail(), region: region.clone(), next_request: None }
    }

    /// The events from `since` (inclusive) to `until` (exclusive). Event times are whole seconds, and the end in AWS's API is inclusive.
    pub(super) fn series(&mut self, condition: &Condition, since: Timestamp, until: Timestamp) -> Series<'_> {
        let (start, end) = (whole_second_from(since), whole_second_from(until) - 1);
        let (key, value) = match condition {
            Condition::Writes => ("ReadOnly", "false"),
            Condition::EventName(name) => ("EventName", name.as_str()),
            Condition::ResourceName(name) => ("ResourceName", name.as_str()),
        };
        let request = json!({
            "LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}],
            "StartTime": start,
            "EndTime": end,
            "MaxResults": PAGE_EVENTS,
        });
        Series { client: self, request: (start <= end).then_some(request), stale: 0 }
    }

    async fn ask(&mut self, request: &Value) -> Result<Value, CallError> {
        if let Some(moment) = self.next_request {
            tokio::time::sleep_until(moment).await;
        }
        let begun = Instant::now();
        let answer = self.caller.call(&self.service, &self.region, "LookupEvents", request).await;
        // The SDK may have retried a slow call just now, after throttling.
        let sent = if begun.elapsed() > REQUEST_INTERVAL { Instant::now() } else { begun };
        self.next_request = Some(sent + REQUEST_INTERVAL);
        Ok(answer?.body)
    }
}

impl Series<'_> {
    /// The next page.
    pub(super) async fn next(&mut self) -> Result<Option<Page>, CallError> {
        let Some(mut request) = self.request.take() else { return Ok(None) };
        let answer = self.client.ask(&request).await?;
        let unusable = |message: &str| CallError::bad_answer(OPERATION, &self.client.region, message);
        let events = answer["Events"].as_array().ok_or_else(|| unusable("the response has no list of Events"))?;
        let oldest = events.iter().map(time_of).min().flatten();
        if !events.is_empty() && oldest.is_none() {
            return Err(unusable("an event has no EventTime"));
        }
        let next = answer["NextToken"].as_str().filter(|token| !token.is_empty());
        self.stale = if events.is_empty() { self.stale + 1 } else { 0 };
        if let Some(token) = next {
            if self.stale > MAX_EMPTY_PAGES {
                return Err(unusable("too many pages in a row are empty and have a page token"));
            }
            if request["NextToken"] == token {
                return Err(unusable("the same page token was returned twice"));
            }
            request["NextToken"] = json!(token);
            self.request = Some(request);
        }
        Ok(Some(Page { records: events.iter().map(record_of).collect(), oldest, is_last: next.is_none() }))
    }
}

/// The first whole second at or after a time, in seconds since 1970.
fn whole_second_from(moment: Timestamp) -> i64 {
    moment.as_second() + i64::from(moment.subsec_nanosecond() > 0)
}

#[expect(clippy::cast_possible_truncation, reason = "seconds since 1970 are far from f64's borders")]
fn time_of(event: &Value) -> Option<Timestamp> {
    Timestamp::from_second(event["EventTime"].as_f64()?.floor() as i64).ok()
}

fn record_of(event: &Value) -> Result<String, NoRecord> {
    let record = event["CloudTrailEvent"].as_str();
    let event_id = || event["EventId"].as_str().unwrap_or("without an id").to_owned();
    record.map(str::to_owned).ok_or_else(|| NoRecord { event_id: event_id() })
}

/// Source: botocore's model of CloudTrail.
fn cloudtrail() -> Service {
    Service::json("cloudtrail", "CloudTrail", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_up_to_whole_seconds() {
        let second = |text: &str| whole_second_from(text.parse().unwrap());
        assert_eq!(second("1970-01-01T00:00:07Z"), 7);
        assert_eq!(second("1970-01-01T00:00:07.001Z"), 8);
    }
}
