//! The queue: receiving, extending, deleting, by SQS's JSON protocol.
//!
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html>

use std::str::FromStr;

use serde_json::{Value, json};

use crate::aws::{CallError, Caller, Session};
use crate::model::Region;
use crate::resource_map::Service;

/// Messages in one call: SQS's maximum.
pub const BATCH: usize = 10;

/// The URL of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueUrl {
    url: String,
    /// The region in the host's name. `None`: the host is not an endpoint of AWS.
    region: Option<Region>,
}

/// A text that is not a URL of a queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the URL of a queue: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME")]
pub struct InvalidQueueUrl(String);

impl QueueUrl {
    /// The region in the URL.
    pub fn region(&self) -> Option<&Region> {
        self.region.as_ref()
    }

    /// The queue's name.
    pub fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }
}

impl std::fmt::Display for QueueUrl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.url)
    }
}

impl FromStr for QueueUrl {
    type Err = InvalidQueueUrl;

    fn from_str(text: &str) -> Result<Self, InvalidQueueUrl> {
        let invalid = || InvalidQueueUrl(text.to_owned());
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or_else(invalid)?;
        let (host, path) = rest.split_once('/').ok_or_else(invalid)?;
        let is_word = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
        if !is_word(host) || path.split('/').count() < 2 || !path.split('/').all(is_word) {
            return Err(invalid());
        }
        // `sqs.REGION.…`, `sqs-fips.REGION.…`, `vpce-….sqs.REGION.vpce.…`, and the old `REGION.queue.…`.
        let parts: Vec<&str> = host.split([':', '.']).collect();
        let after = parts.iter().position(|part| matches!(*part, "sqs" | "sqs-fips")).and_then(|at| parts.get(at + 1));
        let before = (parts.get(1) == Some(&"queue")).then(|| &parts[0]);
        let region = after.or(before).and_then(|name| name.parse().ok());
        let old = (parts[0] == "queue" && parts.get(1) == Some(&"amazonaws")).then(|| Region::from("us-east-1"));
        Ok(Self { url: text.to_owned(), region: region.or(old) })
    }
}

/// A message as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its ID, the same in each delivery.
    pub id: String,
    /// The handle of this delivery.
    pub handle: String,
    /// Its text.
    pub body: String,
    /// How often it was received, this time included.
    pub deliveries: u64,
    /// When it was sent, in milliseconds since 1970.
    pub sent: Option<i64>,
}

/// A queue.
#[derive(Debug)]
pub struct Queue {
    caller: Caller,
    service: Service,
    region: Region,
    url: QueueUrl,
    /// How long a received message is invisible to others, in seconds.
    visibility: u32,
}

impl Queue {
    /// The queue with this URL, in its region, else in the session's.
    pub fn new(session: &Session, url: QueueUrl, visibility: u32) -> Self {
        let region = url.region().unwrap_or_else(|| session.region()).clone();
        Self { caller: session.caller(), service: sqs(), region, url, visibility }
    }

    /// How long a received message is invisible to others, in seconds.
    pub fn visibility(&self) -> u32 {
        self.visibility
    }

    /// Receives up to ten messages, and waits up to `wait` seconds for the first.
    ///
    /// # Errors
    /// The call's.
    pub async fn receive(&self, wait: u32) -> Result<Vec<Received>, CallError> {
        let input = json!({
            "QueueUrl": self.url.url, "MaxNumberOfMessages": BATCH, "WaitTimeSeconds": wait,
            "VisibilityTimeout": self.visibility,
            "MessageSystemAttributeNames": ["ApproximateReceiveCount", "SentTimestamp"],
        });
        let answer = self.call("ReceiveMessage", &input).await?;
        let messages = answer["Messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(messages.iter().filter_map(received).collect())
    }

    /// Keeps messages invisible for so many seconds from now, by their handles; with 0 they are visible at once. At most ten. A
    /// message that SQS refuses has become visible already: it is delivered again, which is harmless.
    ///
    /// # Errors
    /// The call's.
    pub async fn hide(&self, handles: &[String], seconds: u32) -> Result<(), CallError> {
        let entry = |(number, handle): (usize, &String)| json!({"Id": number.to_string(), "ReceiptHandle": handle, "VisibilityTimeout": seconds});
        let entries: Vec<Value> = handles.iter().enumerate().map(entry).collect();
        let input = json!({"QueueUrl": self.url.url, "Entries": entries});
        self.call("ChangeMessageVisibilityBatch", &input).await.map(drop)
    }

    /// Deletes messages by their handles. At most ten. A message that SQS does not delete is delivered again, which is harmless.
    ///
    /// # Errors
    /// The call's.
    pub async fn delete(&self, handles: &[String]) -> Result<(), CallError> {
        let entry = |(number, handle): (usize, &String)| json!({"Id": number.to_string(), "ReceiptHandle": handle});
        let entries: Vec<Value> = handles.iter().enumerate().map(entry).collect();
        self.call("DeleteMessageBatch", &json!({"QueueUrl": self.url.url, "Entries": entries})).await.map(drop)
    }

    /// Whether SQS moves messages that are received too often to a dead-letter queue.
    ///
    /// # Errors
    /// The call's.
    pub async fn has_dead_letter_queue(&self) -> Result<bool, CallError> {
        let input = json!({"QueueUrl": self.url.url, "AttributeNames": ["RedrivePolicy"]});
        let answer = self.call("GetQueueAttributes", &input).await?;
        Ok(answer["Attributes"]["RedrivePolicy"].as_str().is_some_and(|policy| !policy.is_empty()))
    }

    /// None of these changes a resource, and each may be sent again: they are retried as reads are.
    async fn call(&self, operation: &str, input: &Value) -> Result<Value, CallError> {
        Ok(self.caller.call(&self.service, &self.region, operation, input).await?.body)
    }
}

/// A message without ID or handle can be neither named nor deleted.
fn received(message: &Value) -> Option<Received> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let attributes = &message["Attributes"];
    Some(Received {
        id: text(&message["MessageId"])?,
        handle: text(&message["ReceiptHandle"])?,
        body: text(&message["Body"]).unwrap_or_default(),
        deliveries: attributes["ApproximateReceiveCount"].as_str().and_then(|count| count.parse().ok()).unwrap_or(1),
        sent: attributes["SentTimestamp"].as_str().and_then(|time| time.parse().ok()),
    })
}

/// Source: botocore's model of SQS.
fn sqs() -> Service {
    Service { json_version: Some("1.0".to_owned()), ..Service::json("sqs", "SQS", "AmazonSQS") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_read_from_every_form_of_a_url() {
        let region = |host: &str| {
            let url: QueueUrl = format!("https://{host}/123456789012/trail").parse().unwrap();
            assert_eq!(url.name(), "trail");
            url.region().map(ToString::to_string)
        };
        assert_eq!(region("sqs.eu-west-1.amazonaws.com").as_deref(), Some("eu-west-1"));
        assert_eq!(region("sqs.cn-north-1.amazonaws.com.cn").as_deref(), Some("cn-north-1"));
        assert_eq!(region("sqs-fips.us-gov-west-1.amazonaws.com").as_deref(), Some("us-gov-west-1"));
        assert_eq!(region("sqs.eu-west-1.api.aws").as_deref(), Some("eu-west-1"));
        assert_eq!(region("vpce-0abc-1def.sqs.eu-west-1.vpce.amazonaws.com").as_deref(), Some("eu-west-1"));
        assert_eq!(region("eu-west-1.queue.amazonaws.com").as_deref(), Some("eu-west-1"));
        assert_eq!(region("queue.amazonaws.com").as_deref(), Some("us-east-1"));
        assert_eq!(region("127.0.0.1:5000"), None);
    }

    #[test]
    fn other_texts_are_no_urls_of_queues() {
        for text in [
            "trail",
            "arn:aws:sqs:eu-west-1:1:q",
            "https://sqs.eu-west-1.amazonaws.com",
            "https://a/b",
            "https:///b/c",
            "https://a/b//c",
        ] {
            assert!(text.parse::<QueueUrl>().is_err(), "{text}");
        }
    }
}
