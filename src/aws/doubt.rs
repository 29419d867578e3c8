//! Whether a failed call may have done its work all the same.
//!
//! An attempt without an answer, with one that is cut, unreadable or unproven, or with a server's error may have been carried
//! out before the answer was lost. A refusal of a later attempt does not change that: the call stays in doubt.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, SharedInterceptor, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::config_bag::ConfigBag;

use super::ErrorClass;
use super::error::{chain, unknown_host};
use super::protocol::error_answer;

/// HTTP's status of what a server does not have.
const NOT_IMPLEMENTED: u16 = 501;

/// Watches the attempts of one call. Clones watch the same.
#[derive(Debug, Clone, Default)]
pub struct Doubt(Arc<AtomicBool>);

impl Doubt {
    /// Whether an attempt ended so that AWS may have done what was asked.
    pub fn remains(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// For calls that take no interceptor themselves.
    pub(super) fn plugin(&self) -> StaticRuntimePlugin {
        let components = RuntimeComponentsBuilder::new("doubt").with_interceptor(SharedInterceptor::new(self.clone()));
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
        let Some(Err(error)) = context.output_or_error() else { return Ok(()) };
        let in_doubt = match context.response() {
            Some(response) => !refuses(response),
            None => error.is_timeout_error() || (error.is_connector_error() && !unknown_host(error) && !not_connected(error)),
        };
        self.0.fetch_or(in_doubt, Ordering::Relaxed);
        Ok(())
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
fn not_connected(error: &(dyn std::error::Error + 'static)) -> bool {
    chain(error).any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionRefused)
    })
}
