//! The bucket: its region, and listing its folders and objects.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_objects_v2::{ListObjectsV2Error, ListObjectsV2Output};
use aws_sdk_s3::types::{OptionalObjectAttributes, RequestPayer};

use super::refusal::{self, Target};

use crate::aws::{CallError, ErrorClass, Session};
use crate::model::{ArnParts, Region};

/// The response header with a bucket's region. S3 sends it even if it rejects the call.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>
const REGION_HEADER: &str = "x-amz-bucket-region";

/// The IAM action for listing. The API operation has another name.
const LIST: &str = "s3:ListBucket";

/// The IAM action for GetObject and HeadObject.
const GET: &str = "s3:GetObject";

/// An object's size and ETag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectVersion {
    /// In bytes.
    pub size: u64,
    /// With its quotation marks.
    pub etag: String,
}

/// A bucket, called in its own region. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) region: Region,
    /// Sent with every request that takes it. HeadBucket and SelectObjectContent do not.
    pub(super) payer: Option<RequestPayer>,
}

impl Bucket {
    /// Finds the bucket's region, which can differ from the session's. The ARN of an access point has its region.
    ///
    /// # Errors
    /// The bucket does not exist, or S3 can't be called.
    pub(super) async fn open(session: &Session, name: &str, request_payer: bool) -> Result<Self, CallError> {
        let payer = request_payer.then_some(RequestPayer::Requester);
        if let Some(arn) = ArnParts::parse(name) {
            let region = Region::from(arn.region);
            return Ok(Self { client: session.s3_access_point(&region), name: name.to_owned(), region, payer });
        }
        let asked = session.s3(session.region()).head_bucket().bucket(name).send().await;
        let region = match asked {
            Ok(answer) => answer.bucket_region().map(Region::from),
            Err(error) => {
                let named = error.raw_response().and_then(|answer| answer.headers().get(REGION_HEADER));
                let named = named.map(Region::from);
                let failure = CallError::of_sdk(LIST, session.region(), &error);
                match failure.class {
                    ErrorClass::NotFound => return Err(no_such_bucket(failure, name)),
                    // Responses to HEAD have no body: the listing returns the reason of a denial.
                    ErrorClass::AccessDenied => named,
                    _ if named.is_some() => named,
                    _ => return Err(failure),
                }
            }
        };
        let region = region.unwrap_or_else(|| session.region().clone());
        Ok(Self { client: session.s3(&region), name: name.to_owned(), region, payer })
    }

    /// `s3://bucket/key`
    pub(super) fn address(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    /// The reason for a failed request, with what refused it or what to do.
    pub(super) fn reason(&self, error: &CallError, target: Target) -> String {
        let said = format!("{}: {}", error.code, error.message);
        match self.hint(error, target) {
            Some(hint) => format!("{said} ({hint})"),
            None => said,
        }
    }

    /// What refused a request, or what else to do about its error.
    pub(super) fn hint(&self, error: &CallError, target: Target) -> Option<String> {
        refusal::explain(error, target, self.payer.is_some()).or_else(|| error.hint())
    }

    /// The folders directly below `prefix`, with their complete prefix.
    pub(super) async fn folders(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        let pages = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).delimiter("/");
        let pages = pages.set_request_payer(self.payer.clone());
        let mut pages = pages.into_paginator().send();
        let mut folders = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.list_error(&error))?;
            folders.extend(page.common_prefixes().iter().filter_map(|folder| folder.prefix()).map(str::to_owned));
        }
        Ok(folders)
    }

    /// The first objects below `prefix`, at most `count`.
    pub(super) async fn first_keys(&self, prefix: &str, count: i32) -> Result<Vec<String>, CallError> {
        let request = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).max_keys(count);
        let request = request.set_request_payer(self.payer.clone());
        let page = request.send().await.map_err(|error| self.list_error(&error))?;
        Ok(page.contents().iter().filter_map(|object| object.key()).map(str::to_owned).collect())
    }

    /// A page of the objects below `prefix`, with the state of their restores.
    pub(super) async fn page(
        &self,
        prefix: &str,
        start_after: Option<String>,
        token: Option<String>,
    ) -> Result<ListObjectsV2Output, CallError> {
        let request = self.client.list_objects_v2().bucket(&self.name).prefix(prefix);
        let request = request.set_start_after(start_after).set_continuation_token(token);
        let request = request.optional_object_attributes(OptionalObjectAttributes::RestoreStatus);
        let request = request.set_request_payer(self.payer.clone());
        request.send().await.map_err(|error| self.list_error(&error))
    }

    /// The present size and ETag of an object.
    ///
    /// # Errors
    /// It does not exist, or can't be accessed.
    pub(super) async fn version(&self, key: &str) -> Result<ObjectVersion, CallError> {
        let head = self.client.head_object().bucket(&self.name).key(key);
        let head = head.set_request_payer(self.payer.clone()).send().await;
        let head = head.map_err(|error| CallError::of_sdk(GET, &self.region, &error))?;
        let size = head.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
        Ok(ObjectVersion { size, etag: head.e_tag().unwrap_or_default().to_owned() })
    }

    /// The error for a listing that repeats itself.
    pub(super) fn endless_list(&self, pages: usize) -> CallError {
        CallError::bad_answer(
            LIST,
            &self.region,
            format!("{pages} pages in a row list nothing new and are not the last"),
        )
    }

    fn list_error(
        &self,
        error: &aws_sdk_s3::error::SdkError<ListObjectsV2Error, aws_smithy_runtime_api::http::Response>,
    ) -> CallError {
        CallError::of_sdk(LIST, &self.region, error)
    }
}

fn no_such_bucket(failure: CallError, name: &str) -> CallError {
    CallError { code: "NoSuchBucket".to_owned(), message: format!("bucket {name} does not exist"), ..failure }
}
