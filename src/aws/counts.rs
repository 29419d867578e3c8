//! How many requests were sent to AWS, by operation: for summaries, and to see that few are.
//!
//! Counts every attempt of the generic caller and of the session's SDK clients, and logs it without any body.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_types::region::Region;

use super::protocol::error_answer::request_id_of_headers;

/// S3 Select's operation.
const SELECT: &str = "SelectObjectContent";

/// The name of the Tagging API in its SDK.
const TAGGING_API: &str = "Resource Groups Tagging API";

/// Whether a request can change something on AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It lists, describes or reads.
    Read,
    /// It writes or removes.
    Write,
    /// It replaces a set that was read before: it must not be sent again without reading it again.
    Replace,
}

impl Storable for Effect {
    type Storer = StoreReplace<Self>;
}

impl Effect {
    /// Whether it is not a read.
    pub(super) fn changes(self) -> bool {
        self != Self::Read
    }

    /// Of an operation of an SDK client. Ours are few: all else goes through the generic caller, which knows.
    fn of_sdk(operation: &str) -> Self {
        const READ_VERBS: [&str; 6] = ["List", "Describe", "Get", "BatchGet", "Head", "Assume"];
        let is_read = READ_VERBS.iter().any(|verb| operation.starts_with(verb)) || operation == SELECT;
        if is_read { Self::Read } else { Self::Write }
    }
}

/// Requests sent so far. Cheap to clone: clones count together.
#[derive(Debug, Clone, Default)]
pub struct Counts(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    total: AtomicU64,
    writes: AtomicU64,
    operations: Mutex<BTreeMap<String, u64>>,
}

impl Counts {
    /// All requests, retries too.
    pub fn total(&self) -> u64 {
        self.0.total.load(Ordering::Relaxed)
    }

    /// Requests that can change something: those of [`Caller::write`](super::Caller::write), and those of SDK clients that are no
    /// reads. A method or verb says nothing: many services list by POST.
    pub fn writes(&self) -> u64 {
        self.0.writes.load(Ordering::Relaxed)
    }

    /// Requests by operation, `iam:ListRoles`.
    pub fn by_operation(&self) -> BTreeMap<String, u64> {
        self.0.operations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts a request that is sent where no interceptor sees it.
    pub(super) fn add(&self, service: &str, operation: &str, effect: Effect) {
        // As IAM calls the service; the SDK has its full name.
        let service = if service == TAGGING_API { "tag" } else { service };
        self.0.total.fetch_add(1, Ordering::Relaxed);
        if effect.changes() {
            self.0.writes.fetch_add(1, Ordering::Relaxed);
        }
        let name = format!("{service}:{}", without_ids(service, operation));
        *self.0.operations.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
    }
}

/// The name of an operation: `ListRoles`, `GET /v2/apis/…`, `GET /…?tagging`. IDs in REST paths would make a name for each resource.
fn without_ids(service: &str, operation: &str) -> String {
    let Some((method, path)) = operation.split_once(" /") else { return operation.to_owned() };
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
    let mut name = format!("{method} /");
    if service == "s3" {
        // The first part is the bucket, and the operation is a parameter without a value.
        let bucket = parts.peek().map_or("", |_| "…");
        let sub_resource = query.map(|query| format!("?{}", query.split(['=', '&']).next().unwrap_or_default()));
        return format!("{name}{bucket}{}", sub_resource.unwrap_or_default());
    }
    // A version, such as `2015-03-31` or `v2`, is before the kind of resource.
    if let Some(version) = parts.next_if(|part| is_version(part)) {
        name.push_str(version);
        name.push('/');
    }
    name.push_str(parts.next().unwrap_or_default());
    if parts.next().is_some() {
        name.push_str("/…");
    }
    name
}

fn is_version(part: &str) -> bool {
    part.trim_start_matches('v').starts_with(|start: char| start.is_ascii_digit())
}

#[dyn_dispatch_hint]
impl Intercept for Counts {
    fn name(&self) -> &'static str {
        "Counts"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(metadata) = config.load::<Metadata>() {
            let effect = config.load::<Effect>().copied().unwrap_or_else(|| Effect::of_sdk(metadata.name()));
            self.add(metadata.service(), metadata.name(), effect);
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(metadata) = config.load::<Metadata>() {
            let region = config.load::<Region>().map_or("", |region| region.as_ref());
            let status = context.response().map(|response| response.status().as_u16());
            let request_id = context.response().and_then(|response| request_id_of_headers(response.headers()));
            tracing::debug!(
                "{}:{} region:{region} status:{} request:{}",
                metadata.service(),
                metadata.name(),
                status.map_or_else(|| "none".to_owned(), |status| status.to_string()),
                request_id.as_deref().unwrap_or("none"),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_sdk_clients_are_reads_but_for_those_that_change_something() {
        let counts = Counts::default();
        for operation in
            ["GetResources", "GetObject", "ListObjectsV2", "SelectObjectContent", "GetCallerIdentity", "AssumeRole"]
        {
            counts.add("x", operation, Effect::of_sdk(operation));
        }
        assert_eq!((counts.total(), counts.writes()), (6, 0));
        for operation in ["TagResources", "UntagResources", "StartQueryExecution"] {
            counts.add(TAGGING_API, operation, Effect::of_sdk(operation));
        }
        assert_eq!((counts.total(), counts.writes()), (9, 3));
        assert_eq!(counts.by_operation()["tag:TagResources"], 1);
    }

    #[test]
    fn an_operation_s_path_is_named_without_ids() {
        let counts = Counts::default();
        for (service, operation) in [
            ("s3", "GET /"),
            ("s3", "GET /a-bucket?tagging"),
            ("s3", "GET /a-bucket/key?max-keys=1&prefix=p"),
            ("x", "GET /apis"),
            ("x", "GET /apis/a-name?maxResults=2"),
            ("x", "PUT /v2/tags/arn:aws:x:/a"),
            ("x", "GET /2015-03-31/functions/a-name/versions"),
            ("x", "ListThings"),
        ] {
            counts.add(service, operation, Effect::Read);
        }
        let names = [
            "s3:GET /",
            "s3:GET /…?max-keys",
            "s3:GET /…?tagging",
            "x:GET /2015-03-31/functions/…",
            "x:GET /apis",
            "x:GET /apis/…",
            "x:ListThings",
            "x:PUT /v2/tags/…",
        ];
        assert_eq!(counts.by_operation().into_keys().collect::<Vec<_>>(), names);
    }
}
