//! Whether a failed call may have done its work all the same.
//!
//! An attempt without an answer, with one that is cut, unreadable or unproven, or with a server's error may have been carried
//! out before the answer was lost. A refusal of a later attempt does not change that: the call stays in doubt.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{FinalizerInterceptorContextRef, InterceptorContext};
use aws_smithy_runtime_api::client::interceptors::{Intercept, SharedInterceptor, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::config_bag::ConfigBag;

use super::ErrorClass;
use super::counts::Effect;
use super::error::{chain, unknown_host};
use super::protocol::error_answer;

/// HTTP's status of what a server does not have.
const NOT_IMPLEMENTED: u16 = 501;

/// Watches the attempts of one call, and keeps a write in doubt from being sent again before its effect was read. Clones watch the
/// same call.
#[derive(Debug, Clone)]
pub struct Doubt {
    remains: Arc<AtomicBool>,
    effect: Effect,
}

impl Doubt {
    /// For an SDK client's call that writes.
    pub fn of_writes() -> Self {
        Self::of(Effect::Write)
    }

    pub(super) fn of(effect: Effect) -> Self {
        Self { remains: Arc::default(), effect }
    }

    /// Whether an attempt ended so that AWS may have done what was asked.
    pub fn remains(&self) -> bool {
        self.remains.load(Ordering::Relaxed)
    }

    /// For calls that take no interceptor themselves.
    pub(super) fn plugin(&self) -> StaticRuntimePlugin {
        let components = RuntimeComponentsBuilder::new("doubt")
            .with_interceptor(SharedInterceptor::new(self.clone()))
            .with_retry_classifier(self.clone());
        StaticRuntimePlugin::new().with_runtime_components(components)
    }
}

#[dyn_dispatch_hint]
impl Intercept for Doubt {
    fn name(&self) -> &'static str {
        "Doubt"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(Err(error)) = context.output_or_error() {
            self.remains.fetch_or(is_in_doubt(context.response(), error), Ordering::Relaxed);
        }
        Ok(())
    }
}

impl ClassifyRetry for Doubt {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let in_doubt = || match context.output_or_error() {
            Some(Err(error)) => is_in_doubt(context.response(), error),
            _ => false,
        };
        match self.effect {
            Effect::Replace => RetryAction::RetryForbidden,
            Effect::Write if in_doubt() => RetryAction::RetryForbidden,
            Effect::Read | Effect::Write => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "Doubt"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

fn is_in_doubt<E>(response: Option<&Response>, error: &OrchestratorError<E>) -> bool
where
    OrchestratorError<E>: Error + 'static,
{
    match response {
        Some(response) => !refuses(response),
        None => {
            let is_of_network = error.is_timeout_error() || error.is_connector_error();
            is_of_network && !unknown_host(error) && !not_connected(error)
        }
    }
}

/// Whether the answer says that nothing was done.
fn refuses(response: &Response) -> bool {
    let status = response.status().as_u16();
    if response.status().is_success() {
        return false;
    }
    let class = || {
        let error = error_answer::read(response);
        ErrorClass::of_answer(error.code().unwrap_or_default(), status)
    };
    status < 500 || status == NOT_IMPLEMENTED || matches!(class(), ErrorClass::Throttled | ErrorClass::Conflict)
}

/// Whether no connection came about, so that nothing was sent.
fn not_connected(error: &(dyn Error + 'static)) -> bool {
    /// What hyper and the SDK's connector say of a connection that was not made.
    const WORDS: [&str; 2] = ["client error (Connect)", "HTTP connect"];
    chain(error).any(|cause| {
        let text = cause.to_string();
        WORDS.iter().any(|words| text.contains(words))
    })
}
