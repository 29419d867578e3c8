//! Converts S3 Select's event stream to one document with the selected records.
//!
//! A record can be split over several events, even within a character. So bytes are joined before they are parsed.
//! A response is complete only with its End event.
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html>

use aws_sdk_s3::operation::select_object_content::SelectObjectContentOutput;
use aws_sdk_s3::types::SelectObjectContentEventStream as Event;

/// The text around the records, so that the document is like CloudTrail's own.
const BEGIN: &[u8] = b"{\"Records\":[";
const END: &[u8] = b"]}";

/// The delimiter that S3 writes after each record.
pub(super) const DELIMITER: &str = ",";

/// The largest response that is held in memory, in bytes.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// A complete response.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// `{"Records":[…]}`
    pub(super) document: Vec<u8>,
    /// Bytes of the object that S3 scanned, as stored.
    pub(super) scanned: u64,
    /// Bytes that S3 returned.
    pub(super) returned: u64,
}

/// Why there is no complete response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// The object must be read with GET.
    Unsuitable(String),
    /// The response was interrupted.
    BrokenOff(String),
}

/// Reads a response to its End event.
pub(super) async fn read(mut output: SelectObjectContentOutput) -> Result<Answer, NoAnswer> {
    let mut reader = Reader::new();
    loop {
        match output.payload.recv().await {
            Ok(Some(event)) => {
                if reader.take(event)? {
                    return Ok(reader.end());
                }
            }
            Ok(None) => {
                return Err(NoAnswer::BrokenOff("the S3 Select response ended before its End event".to_owned()));
            }
            // The SDK can't parse error messages in the stream (`:message-type` error), so the error code is unknown.
            Err(error @ aws_sdk_s3::error::SdkError::ResponseError(_)) if is_error_message(&error) => {
                return Err(NoAnswer::Unsuitable("S3 Select returned an error".to_owned()));
            }
            Err(aws_sdk_s3::error::SdkError::ServiceError(error)) => {
                return Err(NoAnswer::Unsuitable(error.err().to_string()));
            }
            Err(error) => {
                let reason = aws_smithy_types::error::display::DisplayErrorContext(error).to_string();
                return Err(NoAnswer::BrokenOff(format!("the S3 Select response was interrupted: {reason}")));
            }
        }
    }
}

/// A response that is being received.
#[derive(Debug)]
struct Reader(Answer);

impl Reader {
    fn new() -> Self {
        Self(Answer { document: BEGIN.to_vec(), ..Answer::default() })
    }

    /// Handles an event. Returns whether it was the last.
    fn take(&mut self, event: Event) -> Result<bool, NoAnswer> {
        let Self(answer) = self;
        match event {
            Event::Records(records) => {
                let payload = records.payload.map(aws_sdk_s3::primitives::Blob::into_inner).unwrap_or_default();
                if answer.document.len() + payload.len() > MAX_BYTES {
                    return Err(NoAnswer::Unsuitable(format!("S3 Select returned more than {MAX_BYTES} bytes")));
                }
                answer.document.extend_from_slice(&payload);
            }
            Event::Stats(stats) => {
                let details = stats.details.as_ref();
                let bytes = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default();
                answer.scanned += bytes(details.and_then(|details| details.bytes_scanned));
                answer.returned += bytes(details.and_then(|details| details.bytes_returned));
            }
            Event::End(_) => return Ok(true),
            // Keep-alive messages.
            _ => {}
        }
        Ok(false)
    }

    fn end(self) -> Answer {
        let Self(mut answer) = self;
        if answer.document.ends_with(DELIMITER.as_bytes()) {
            answer.document.pop();
        }
        answer.document.extend_from_slice(END);
        answer
    }
}

/// Whether the SDK received a message of type `error`.
fn is_error_message(error: &impl std::error::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains(":message-type") {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::primitives::Blob;
    use aws_sdk_s3::types::{ContinuationEvent, EndEvent, ProgressEvent, RecordsEvent, Stats, StatsEvent};

    fn records(payload: impl Into<Vec<u8>>) -> Event {
        Event::Records(RecordsEvent::builder().payload(Blob::new(payload)).build())
    }

    fn stats(scanned: i64, returned: i64) -> Event {
        let details = Stats::builder().bytes_scanned(scanned).bytes_returned(returned).build();
        Event::Stats(StatsEvent::builder().details(details).build())
    }

    fn end() -> Event {
        Event::End(EndEvent::builder().build())
    }

    /// Handles events. Only the last must be an end.
    fn answer(events: Vec<Event>) -> Answer {
        let mut reader = Reader::new();
        let count = events.len();
        for (number, event) in events.into_iter().enumerate() {
            assert_eq!(reader.take(event).unwrap(), number + 1 == count);
        }
        reader.end()
    }

    #[test]
    fn records_are_joined_at_any_cut() {
        let text = r#"{"a":"ü🦀"},{"b":"x,"},"#;
        for cut in 0..=text.len() {
            let (first, second) = text.as_bytes().split_at(cut);
            let answer = answer(vec![records(first), records(second), end()]);
            assert_eq!(String::from_utf8(answer.document).unwrap(), r#"{"Records":[{"a":"ü🦀"},{"b":"x,"}]}"#);
        }
    }

    #[test]
    fn response_without_records_is_an_empty_document() {
        let events = vec![Event::Cont(ContinuationEvent::builder().build()), records(""), end()];
        assert_eq!(answer(events).document, br#"{"Records":[]}"#);
        assert_eq!(answer(vec![end()]).document, br#"{"Records":[]}"#);
    }

    #[test]
    fn statistics_set_the_bytes_and_progress_does_not() {
        let progress = Event::Progress(ProgressEvent::builder().build());
        let answer = answer(vec![progress, records("{},"), stats(100, 3), end()]);
        assert_eq!((answer.scanned, answer.returned), (100, 3));
    }

    #[test]
    fn too_large_response_is_left_to_get() {
        let mut reader = Reader::new();
        assert_eq!(reader.take(records(vec![b' '; MAX_BYTES / 2])), Ok(false));
        let refused = reader.take(records(vec![b' '; MAX_BYTES / 2])).unwrap_err();
        assert!(matches!(refused, NoAnswer::Unsuitable(_)), "{refused:?}");
    }
}
