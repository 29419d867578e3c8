//! S3 Select's event stream → the selected records as one document.
//!
//! A record may be spread over several events, cut in the middle of a character: bytes are joined before anyone looks
//! at them. An answer is whole only when its End event has come.
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html>

use aws_sdk_s3::operation::select_object_content::SelectObjectContentOutput;
use aws_sdk_s3::types::SelectObjectContentEventStream as Event;

/// What stands around the records, so that the scanner sees a document like CloudTrail's own.
const BEGIN: &[u8] = b"{\"Records\":[";
const END: &[u8] = b"]}";

/// What S3 puts behind each record.
pub(super) const DELIMITER: &str = ",";

/// The largest answer that is held in memory, in bytes.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// A whole answer.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// `{"Records":[…]}`
    pub(super) document: Vec<u8>,
    /// Bytes of the object that S3 read, as stored.
    pub(super) scanned: u64,
    /// Bytes that it sent.
    pub(super) returned: u64,
}

/// Why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// The object is to be read by GET.
    Unsuitable(String),
    /// The answer broke off.
    BrokenOff(String),
}

/// Reads an answer to its End event.
pub(super) async fn read(mut output: SelectObjectContentOutput) -> Result<Answer, NoAnswer> {
    let mut answer = Answer { document: BEGIN.to_vec(), ..Answer::default() };
    loop {
        match output.payload.recv().await {
            Ok(Some(Event::Records(records))) => {
                let payload = records.payload.map(aws_sdk_s3::primitives::Blob::into_inner).unwrap_or_default();
                if answer.document.len() + payload.len() > MAX_BYTES {
                    return Err(NoAnswer::Unsuitable(format!("more than {MAX_BYTES} bytes are selected")));
                }
                answer.document.extend_from_slice(&payload);
            }
            Ok(Some(Event::Stats(stats))) => {
                let details = stats.details.as_ref();
                let bytes = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default();
                answer.scanned += bytes(details.and_then(|details| details.bytes_scanned));
                answer.returned += bytes(details.and_then(|details| details.bytes_returned));
            }
            Ok(Some(Event::End(_))) => break,
            // Signs of life.
            Ok(Some(_)) => {}
            Ok(None) => return Err(NoAnswer::BrokenOff("S3 Select's answer ended before its End event".to_owned())),
            // The SDK can't read the stream's own error messages (`:message-type` error): which one it is stays unknown.
            Err(error @ aws_sdk_s3::error::SdkError::ResponseError(_)) if is_error_message(&error) => {
                return Err(NoAnswer::Unsuitable("S3 Select gave up on it".to_owned()));
            }
            Err(aws_sdk_s3::error::SdkError::ServiceError(error)) => {
                return Err(NoAnswer::Unsuitable(error.err().to_string()));
            }
            Err(error) => {
                let reason = aws_smithy_types::error::display::DisplayErrorContext(error).to_string();
                return Err(NoAnswer::BrokenOff(format!("S3 Select's answer broke off: {reason}")));
            }
        }
    }
    if answer.document.ends_with(DELIMITER.as_bytes()) {
        answer.document.pop();
    }
    answer.document.extend_from_slice(END);
    Ok(answer)
}

/// Whether the SDK met a message of the type `error`.
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
