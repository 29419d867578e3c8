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
use aws_smithy_types::config_bag::ConfigBag;
use aws_types::region::Region;

use super::protocol::error_answer::request_id_of_headers;

/// The name of the Tagging API in its SDK.
const TAGGING_API: &str = "Resource Groups Tagging API";

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

    /// Requests that can change something, by the verb of their operation (by the method for REST).
    pub fn writes(&self) -> u64 {
        self.0.writes.load(Ordering::Relaxed)
    }

    /// Requests by operation, `iam:ListRoles`.
    pub fn by_operation(&self) -> BTreeMap<String, u64> {
        self.0.operations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts a request that is sent where no interceptor sees it.
    pub(super) fn add(&self, service: &str, operation: &str) {
        // As IAM calls the service; the SDK has its full name.
        let service = if service == TAGGING_API { "tag" } else { service };
        self.0.total.fetch_add(1, Ordering::Relaxed);
        if is_write(operation) {
            self.0.writes.fetch_add(1, Ordering::Relaxed);
        }
        // Ids in REST paths would make a name for each resource.
        let operation = operation.split(['?', '{']).next().unwrap_or(operation);
        let name = format!("{service}:{}", without_ids(operation));
        *self.0.operations.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
    }
}

/// `GET /a/b/c` → `GET /a/…`
fn without_ids(operation: &str) -> String {
    let mut parts = operation.splitn(4, '/');
    let start = (parts.next(), parts.next(), parts.next());
    match (start, parts.next()) {
        ((Some(method), Some(first), Some(second)), Some(_)) => format!("{method}/{first}/{second}/…"),
        _ => operation.to_owned(),
    }
}

fn is_write(operation: &str) -> bool {
    const READ_VERBS: [&str; 7] = ["List", "Describe", "Get", "BatchGet", "Head", "Search", "Lookup"];
    match operation.split_once(' ') {
        Some((method, _)) => !matches!(method, "GET" | "HEAD"),
        None => !READ_VERBS.iter().chain(&["Assume"]).any(|verb| operation.starts_with(verb)),
    }
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
            self.add(metadata.service(), metadata.name());
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
    fn writes_are_told_by_verb_and_method() {
        let counts = Counts::default();
        counts.add("iam", "ListRoles");
        counts.add("iam", "TagRole");
        counts.add("s3", "GET /a-bucket?tagging");
        counts.add("s3", "PUT /a-bucket?tagging");
        assert_eq!((counts.total(), counts.writes()), (4, 2));
        assert_eq!(counts.by_operation()["iam:TagRole"], 1);
    }
}
