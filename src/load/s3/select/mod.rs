//! S3 Select: S3 filters an object's records and returns only those that can match.
//!
//! AWS closed it to new customers in July 2024. Objects that Select can't read are read with GET. `auto` uses Select only after a
//! [`SelectProbe`].

mod answer;
mod expression;
mod probe;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_s3::types::{
    CompressionType, ExpressionType, InputSerialization, JsonInput, JsonOutput, JsonType, OutputSerialization,
};

use super::bucket::Bucket;
use super::is_fatal;
use super::list::Object;
use crate::aws::{CallError, ErrorClass};
use crate::resource_map::ResourceMap;
use answer::NoAnswer;
pub(super) use probe::{ExpectedRecords, SelectProbe};

/// How objects are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// GET, and scan locally.
    Get,
    /// S3 Select. Fails if it is not available.
    Select,
    /// S3 Select if it is available and returns the same records for an object as GET, else GET.
    Auto,
}

/// Error codes that mean that S3, or a compatible server, has no Select: MethodNotAllowed for accounts that did not use it
/// before July 2024.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#SelectObjectContentErrorCodeList>
const ABSENT: [&str; 4] = ["MethodNotAllowed", "NotImplemented", "UnsupportedFunction", "UnsupportedOperation"];

/// What Select did in a load.
#[derive(Debug, Default)]
pub struct SelectFigures {
    objects: AtomicU64,
    scanned: AtomicU64,
    returned: AtomicU64,
    unsuitable: AtomicU64,
    first_unsuitable: OnceLock<String>,
}

impl SelectFigures {
    /// Objects that it read.
    pub fn objects(&self) -> u64 {
        self.objects.load(Ordering::Relaxed)
    }

    /// Bytes that S3 scanned, as stored.
    pub fn scanned(&self) -> u64 {
        self.scanned.load(Ordering::Relaxed)
    }

    /// Bytes that S3 returned.
    pub fn returned(&self) -> u64 {
        self.returned.load(Ordering::Relaxed)
    }

    /// The number of objects that were read with GET instead, with the reason for the first.
    pub fn unsuitable(&self) -> (u64, Option<&str>) {
        (self.unsuitable.load(Ordering::Relaxed), self.first_unsuitable.get().map(String::as_str))
    }
}

/// Why a Select has no result.
pub(super) enum Selected {
    /// The records, as a document.
    Records(Vec<u8>),
    /// The object must be read with GET, for this reason.
    Unsuitable(String),
    /// The response was interrupted. The next load tries the object again.
    BrokenOff(String),
}

/// Why Select can't be used at all.
pub(super) enum SelectError {
    /// The account or the server does not have it.
    Absent(CallError),
    /// An error that every other object, or GET, would have too.
    Call(CallError),
}

/// Selects records.
pub(super) struct Selector {
    expression: String,
}

impl Selector {
    pub(super) fn new(map: &ResourceMap) -> Self {
        Self { expression: expression::expression(map) }
    }

    pub(super) async fn select(
        &self,
        bucket: &Bucket,
        object: &Object,
        figures: &SelectFigures,
    ) -> Result<Selected, SelectError> {
        let compression = if object.key.ends_with(".gz") { CompressionType::Gzip } else { CompressionType::None };
        let input = InputSerialization::builder()
            .compression_type(compression)
            .json(JsonInput::builder().r#type(JsonType::Document).build());
        let output = JsonOutput::builder().record_delimiter(answer::DELIMITER).build();
        let request = bucket
            .client
            .select_object_content()
            .bucket(&bucket.name)
            .key(&object.key)
            .expression(&self.expression)
            .expression_type(ExpressionType::Sql)
            .input_serialization(input.build())
            .output_serialization(OutputSerialization::builder().json(output).build());
        let unsuitable = |reason: String| {
            figures.unsuitable.fetch_add(1, Ordering::Relaxed);
            drop(figures.first_unsuitable.set(format!("{}: {reason}", bucket.address(&object.key))));
            Ok(Selected::Unsuitable(reason))
        };
        let output = match request.send().await {
            Ok(output) => output,
            Err(error) => {
                let error = CallError::of_sdk("s3:GetObject", &bucket.region, &error);
                return match error.class {
                    _ if ABSENT.contains(&error.code.as_str()) => Err(SelectError::Absent(error)),
                    ErrorClass::AccessDenied | ErrorClass::NotFound => Err(SelectError::Call(error)),
                    _ if is_fatal(&error) => Err(SelectError::Call(error)),
                    _ => unsuitable(format!("{}: {}", error.code, error.message)),
                };
            }
        };
        match answer::read(output).await {
            Ok(answer) => {
                figures.objects.fetch_add(1, Ordering::Relaxed);
                figures.scanned.fetch_add(answer.scanned, Ordering::Relaxed);
                figures.returned.fetch_add(answer.returned, Ordering::Relaxed);
                Ok(Selected::Records(answer.document))
            }
            Err(NoAnswer::Unsuitable(reason)) => unsuitable(reason),
            Err(NoAnswer::BrokenOff(reason)) => Ok(Selected::BrokenOff(reason)),
        }
    }
}
