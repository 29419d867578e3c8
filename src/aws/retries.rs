//! When a request is sent again, and how long it may take. The same for the generic caller and SDK clients.
//!
//! Standard mode: in a throttle test, adaptive mode took seven times as long (`reference/performance.md`). Each session keeps
//! its retry quota per service and region, so that one throttled account doesn't slow the others.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use http_body_util::LengthLimitError;

use super::error::{chain, unknown_host};

/// Times a request is sent at most. Waits double from one second for throttles, up to [`MAX_WAIT`], with jitter.
const MAX_ATTEMPTS: u32 = 6;
/// Longest wait between two attempts.
const MAX_WAIT: Duration = Duration::from_secs(20);
/// Until a connection is established.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Until the first byte of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn retry_config() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS).with_max_backoff(MAX_WAIT)
}

pub(super) fn timeout_config() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build()
}

/// A session's retry quotas, by service and region.
#[derive(Debug, Default)]
pub(super) struct RetryPartitions(Mutex<HashMap<String, RetryPartition>>);

impl RetryPartitions {
    pub(super) fn of(&self, service: &str, region: &str) -> RetryPartition {
        let name = format!("{service}-{region}");
        let mut partitions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A custom partition is the session's own: by name alone it would be shared by all accounts.
        partitions.entry(name.clone()).or_insert_with(|| RetryPartition::custom(name).build()).clone()
    }
}

/// Forbids retries that can't help: the host doesn't exist, or the answer is too big to read.
#[derive(Debug)]
pub(super) struct HopelessErrors;

impl ClassifyRetry for HopelessErrors {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.output_or_error() {
            Some(Err(error)) if is_hopeless(error) => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "HopelessErrors"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

fn is_hopeless<E>(error: &OrchestratorError<E>) -> bool
where
    OrchestratorError<E>: Error + 'static,
{
    unknown_host(error) || chain(error).any(|cause| cause.is::<LengthLimitError>())
}
