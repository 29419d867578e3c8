//! `FilterLogEvents`: pages of a time range, at the rate that AWS allows.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Group;
use crate::aws::{CallError, Caller, ErrorClass, Session};
use crate::model::Region;
use crate::resource_map::Service;

/// The minimum interval between two requests. AWS allows 5 requests per second for each account and region. This leaves a tenth
/// for the network, which delays some requests more than others.
///
/// Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>
const REQUEST_INTERVAL: Duration = Duration::from_millis(220);

/// How long no request is sent after one was throttled for all of its own attempts, and how often that may happen in a row.
const THROTTLED_WAIT: Duration = Duration::from_secs(10);
const THROTTLED_WAITS: u32 = 6;

/// Empty pages in a row that may have a page token. AWS returns some while it searches a large time range.
const MAX_EMPTY_PAGES: usize = 10_000;

/// The most events of a page.
const PAGE_EVENTS: u32 = 10_000;

/// Log groups of a page of `DescribeLogGroups`, and the most pages: names that begin with the group's are listed before it.
const PAGE_GROUPS: u32 = 50;
const MAX_GROUP_PAGES: usize = 200;

/// The permission and operation, for messages.
const OPERATION: &str = "logs:FilterLogEvents";

/// One log group.
#[derive(Debug)]
pub(super) struct Client {
    caller: Caller,
    service: Service,
    region: Region,
    group: String,
    pattern: Option<String>,
    /// When the next request can be sent.
    next_request: Mutex<Instant>,
}

/// A page of a time range.
#[derive(Debug)]
pub(super) struct Page {
    /// The texts of its log events.
    pub(super) messages: Vec<String>,
    /// Whether this is the last page.
    pub(super) is_last: bool,
}

/// The pages of a time range.
#[derive(Debug)]
pub(super) struct Pages<'c> {
    client: &'c Client,
    /// `None` after the last page.
    request: Option<Value>,
    /// Empty pages in a row.
    empty: usize,
}

impl Client {
    pub(super) fn new(session: &Session, region: &Region, group: &Group, pattern: Option<String>) -> Self {
        Self {
            caller: session.caller(),
            service: Service::json("logs", "CloudWatch Logs", "Logs_20140328"),
            region: region.clone(),
            group: group.name.clone(),
            pattern,
            next_request: Mutex::new(Instant::now()),
        }
    }

    /// The time of the oldest event that the group can have.
    ///
    /// # Errors
    /// There is no such group, or it can't be described.
    pub(super) async fn oldest(&self, now: Timestamp) -> Result<Timestamp, CallError> {
        let mut request = json!({"logGroupNamePrefix": self.group, "limit": PAGE_GROUPS});
        for _ in 0..MAX_GROUP_PAGES {
            let answer = self.ask("DescribeLogGroups", &request).await?;
            let groups = answer["logGroups"].as_array().map(Vec::as_slice).unwrap_or_default();
            if let Some(group) = groups.iter().find(|group| group["logGroupName"] == self.group.as_str()) {
                return Ok(oldest_in(group, now));
            }
            match answer["nextToken"].as_str().filter(|token| !token.is_empty()) {
                Some(token) => request["nextToken"] = json!(token),
                None => break,
            }
        }
        let message = format!("there is no log group {} in {}", self.group, self.region);
        let error =
            CallError::bare("logs:DescribeLogGroups", &self.region, ErrorClass::NotFound, "ResourceNotFoundException");
        Err(CallError { message, ..error })
    }

    /// The events from `since` (inclusive) to `until` (exclusive), by their time stamps.
    pub(super) fn pages(&self, since: Timestamp, until: Timestamp) -> Pages<'_> {
        let mut request = json!({
            "logGroupName": self.group,
            "startTime": since.as_millisecond(),
            // The end in AWS's API is inclusive.
            "endTime": until.as_millisecond() - 1,
            "limit": PAGE_EVENTS,
        });
        if let Some(pattern) = &self.pattern {
            request["filterPattern"] = json!(pattern);
        }
        Pages { client: self, request: (since < until).then_some(request), empty: 0 }
    }

    /// Sends a request when its turn comes. A throttled one is repeated, after a wait for all requests.
    async fn ask(&self, operation: &str, request: &Value) -> Result<Value, CallError> {
        let mut waits = 0;
        loop {
            self.turn().await;
            match self.caller.call(&self.service, &self.region, operation, request).await {
                Ok(answer) => return Ok(answer.body),
                Err(error) if error.class == ErrorClass::Throttled && waits < THROTTLED_WAITS => {
                    waits += 1;
                    self.hold_off().await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn turn(&self) {
        let mut next = self.next_request.lock().await;
        let moment = (*next).max(Instant::now());
        *next = moment + REQUEST_INTERVAL;
        drop(next);
        tokio::time::sleep_until(moment).await;
    }

    async fn hold_off(&self) {
        let mut next = self.next_request.lock().await;
        *next = (*next).max(Instant::now() + THROTTLED_WAIT);
    }
}

/// The oldest time that a group's creation and retention allow, with a day for clocks and for events with an earlier time stamp.
fn oldest_in(group: &Value, now: Timestamp) -> Timestamp {
    const DAY: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
    let created = group["creationTime"].as_i64().and_then(|time| Timestamp::from_millisecond(time).ok());
    let kept = group["retentionInDays"].as_i64().and_then(|days| {
        let hours = days.checked_mul(24)?;
        now.checked_sub(jiff::SignedDuration::from_hours(hours)).ok()
    });
    // CloudWatch Logs accepts events that are up to 14 days older than their delivery.
    let created = created.and_then(|time| time.checked_sub(DAY * 14).ok());
    let oldest = [created, kept].into_iter().flatten().max();
    oldest.and_then(|time| time.checked_sub(DAY).ok()).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Pages<'_> {
    /// The next page.
    pub(super) async fn next(&mut self) -> Result<Option<Page>, CallError> {
        let Some(mut request) = self.request.take() else { return Ok(None) };
        let answer = self.client.ask("FilterLogEvents", &request).await?;
        let unusable = |message: &str| CallError::bad_answer(OPERATION, &self.client.region, message);
        let events = answer["events"].as_array().ok_or_else(|| unusable("the response has no list of events"))?;
        let message = |event: &Value| event["message"].as_str().map(str::to_owned);
        let messages: Option<Vec<String>> = events.iter().map(message).collect();
        let messages = messages.ok_or_else(|| unusable("an event has no message"))?;
        self.empty = if events.is_empty() { self.empty + 1 } else { 0 };
        let next = answer["nextToken"].as_str().filter(|token| !token.is_empty());
        if let Some(token) = next {
            if self.empty > MAX_EMPTY_PAGES {
                return Err(unusable("too many pages in a row are empty and have a page token"));
            }
            if request["nextToken"] == token {
                return Err(unusable("the same page token was returned twice"));
            }
            request["nextToken"] = json!(token);
            self.request = Some(request);
        }
        Ok(Some(Page { messages, is_last: next.is_none() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_has_no_events_from_before_its_creation_or_its_retention() {
        let now: Timestamp = "2026-03-10T02:00:00Z".parse().unwrap();
        let created: Timestamp = "2026-02-01T00:00:00Z".parse().unwrap();
        let oldest = |group: Value| oldest_in(&group, now).to_string();
        assert_eq!(oldest(json!({"creationTime": created.as_millisecond()})), "2026-01-17T00:00:00Z");
        assert_eq!(
            oldest(json!({"creationTime": created.as_millisecond(), "retentionInDays": 7})),
            "2026-03-02T02:00:00Z"
        );
        assert_eq!(oldest(json!({})), "1970-01-01T00:00:00Z");
    }
}
