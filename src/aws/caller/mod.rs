//! The generic caller: any operation of any AWS service from data, signed and retried like the SDK's own.
//! Uses aws-smithy-runtime's `Operation`: the same signer, credentials cache, retry strategy, clock skew correction
//! and user agent that generated clients use. Knows services only by their [`Service`] data.

use std::collections::HashMap;
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::http::connection_poisoning::ConnectionPoisoningInterceptor;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextMut;
use aws_smithy_runtime_api::client::interceptors::{Intercept, SharedInterceptor, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_runtime_api::client::runtime_plugin::{SharedRuntimePlugin, StaticRuntimePlugin};
use aws_smithy_runtime_api::http::{Request, Response};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{ConfigBag, Layer};
use aws_smithy_types::error::ErrorMetadata;
use aws_types::region::{Region as SdkRegion, SigningRegion};
use aws_types::{SdkConfig, SigningName};
use http_body_util::Limited;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use super::counts::Effect;
use super::credentials::Origin;
use super::discovery::Discovered;
use super::doubt::Doubt;
use super::endpoint::{Endpoint, Switches, configured_url};
use super::protocol::proof::Unproven;
use super::protocol::{self, WireRequest, error_answer};
use super::rates::{Rates, Turn};
use super::retries::{HopelessErrors, RetryPartitions, retry_config};
use super::{CallError, Counts, ErrorClass};
use crate::model::Region;
use crate::resource_map::Service;

/// Bytes of an answer that are read at most. Pages of AWS's list calls stay under 10 MB.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// The most concurrent calls to one service in an account, in all its regions. A call counts from its turn in [`Rates`], and during the
/// waits before its retries. For services that [`Rates`] has no limits for, this is the only bound on the request rate.
const CALLS_OF_A_SERVICE: usize = 16;

/// The result of a call.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The answer as JSON; XML by the rules of `docs/resource-maps.md`.
    pub body: Value,
    /// AWS's request id.
    pub request_id: Option<String>,
}

/// Calls AWS. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Caller(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: SdkConfig,
    /// What is the same for all calls.
    common: SharedRuntimePlugin,
    partitions: Arc<RetryPartitions>,
    counts: Counts,
    limits: ServiceLimits,
    rates: Rates,
    discovered: Discovered,
    origin: Origin,
}

/// How many more calls each service takes now.
#[derive(Debug, Default)]
struct ServiceLimits(Mutex<HashMap<String, Arc<Semaphore>>>);

impl ServiceLimits {
    fn of(&self, service: &Service) -> Arc<Semaphore> {
        let mut limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = || Arc::new(Semaphore::new(CALLS_OF_A_SERVICE));
        Arc::clone(limits.entry(service.signing.clone()).or_insert_with(lane))
    }
}

impl Caller {
    pub(super) fn new(
        config: SdkConfig,
        credentials: SharedCredentialsProvider,
        partitions: Arc<RetryPartitions>,
        counts: Counts,
        origin: Origin,
    ) -> Self {
        let common = common_plugin(&config, credentials, counts.clone());
        Self(Arc::new(Inner {
            config,
            common,
            partitions,
            counts,
            limits: ServiceLimits::default(),
            rates: Rates::default(),
            discovered: Discovered::default(),
            origin,
        }))
    }

    /// The requests sent so far in this session.
    pub fn counts(&self) -> &Counts {
        &self.0.counts
    }

    /// Waits until a call that an SDK client makes may be sent, by the limits that AWS sets the account. `service` is the signing name.
    pub(super) async fn turn(&self, service: &str, operation: &str, region: &Region) -> Turn {
        self.0.rates.turn(service, operation, region, ready(())).await.0
    }

    /// Calls an operation that only reads: `operation` (`ListRoles`, or `GET /2015-03-31/functions?x` for REST) of `service` in `region` with `input`; both
    /// are rendered: placeholders filled, paths percent-encoded.
    ///
    /// # Errors
    /// What AWS answers, after retries; or that it can't be reached.
    pub async fn call(
        &self,
        service: &Service,
        region: &Region,
        operation: &str,
        input: &Value,
    ) -> Result<Answer, CallError> {
        self.call_with(service, region, operation, input, Effect::Read).await
    }

    /// As [`Caller::call`], for an operation that changes something: it counts as a write.
    ///
    /// # Errors
    /// As [`Caller::call`].
    pub async fn write(
        &self,
        service: &Service,
        region: &Region,
        operation: &str,
        input: &Value,
    ) -> Result<Answer, CallError> {
        self.call_with(service, region, operation, input, Effect::Write).await
    }

    /// As [`Caller::write`], for an operation that replaces a set that was read before: it is sent once, without retries.
    ///
    /// # Errors
    /// As [`Caller::call`].
    pub async fn replace(
        &self,
        service: &Service,
        region: &Region,
        operation: &str,
        input: &Value,
    ) -> Result<Answer, CallError> {
        self.call_with(service, region, operation, input, Effect::Replace).await
    }

    async fn call_with(
        &self,
        service: &Service,
        region: &Region,
        operation: &str,
        input: &Value,
        effect: Effect,
    ) -> Result<Answer, CallError> {
        let name = name_of(service, operation);
        let mut endpoint = self.endpoint(service, region).ok_or_else(|| CallError {
            message: format!(
                "{} has no FIPS or dual-stack endpoint in this region, but AWS's settings ask for one",
                service.sdk_id
            ),
            ..CallError::bare(&name, region, ErrorClass::NoEndpoint, "no such endpoint")
        })?;
        endpoint.url = with_inputs(&endpoint.url, service, input).map_err(|error| CallError {
            message: error.to_string(),
            ..CallError::bare(&name, region, ErrorClass::Refused, "invalid call")
        })?;
        if let Some(discovery) = endpoint.discovery.take() {
            let nothing = Value::Object(Map::new());
            let ask = || self.send(service, region, &discovery, Effect::Read, &nothing, &endpoint);
            endpoint.url = self.0.discovered.url(service, region, &endpoint.url, ask).await?;
        }
        self.send(service, region, operation, effect, input, &endpoint).await
    }

    async fn send(
        &self,
        service: &Service,
        region: &Region,
        operation: &str,
        effect: Effect,
        input: &Value,
        endpoint: &Endpoint,
    ) -> Result<Answer, CallError> {
        let name = name_of(service, operation);
        let request = protocol::request(service, operation, input).map_err(|error| CallError {
            message: error.to_string(),
            ..CallError::bare(&name, region, ErrorClass::Refused, "invalid call")
        })?;
        let mut layer = self.call_layer(service, endpoint, region);
        layer.store_put(effect);
        let limit = self.0.limits.of(service);
        let (turn, permit) = self.0.rates.turn(&service.signing, operation, region, limit.acquire()).await;
        let _permit = permit.expect("semaphores are never closed");
        let (read, doubt) =
            (AnswerReader { service: service.clone(), operation: operation.to_owned(), effect }, Doubt::of(effect));
        let answer = Operation::builder()
            .service_name(service.signing.clone())
            .operation_name(operation.to_owned())
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&endpoint.url)
            .standard_retry(&retry_config())
            .serializer(to_http)
            .deserializer(move |response: &Response| read.of_http(response))
            .runtime_plugin(self.0.common.clone())
            .runtime_plugin(doubt.plugin())
            .interceptor(turn)
            .runtime_plugin(StaticRuntimePlugin::new().with_config(layer.freeze()))
            .build()
            .invoke(request)
            .await;
        let error_of = |error| CallError {
            in_doubt: effect.changes() && doubt.remains(),
            ..CallError::of_sdk(&name, region, &error)
        };
        answer.map_err(|error| self.0.origin.named_in(error_of(error)))
    }

    fn endpoint(&self, service: &Service, region: &Region) -> Option<Endpoint> {
        let config = &self.0.config;
        Endpoint::of(service, region, configured_url(config, &service.sdk_id), Switches::of(config))
    }

    /// What is each call's own: signature and retry quota.
    fn call_layer(&self, service: &Service, endpoint: &Endpoint, region: &Region) -> Layer {
        let mut layer = Layer::new("call");
        layer.store_put(SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(SdkRegion::new(endpoint.signing_region.clone()))),
            name: Some(SigningName::from(service.signing.clone())),
            signing_options: signing_options(service),
            ..SigV4OperationSigningConfig::default()
        });
        layer.store_put(SdkRegion::new(region.to_string()));
        layer.store_put(self.0.partitions.of(&service.signing, region.as_str()));
        layer
    }
}

fn name_of(service: &Service, operation: &str) -> String {
    format!("{}:{operation}", service.signing)
}

/// S3 signs paths as they are, and wants the payload's hash in a header.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
fn signing_options(service: &Service) -> SigningOptions {
    let mut options = SigningOptions::default();
    if service.signing == "s3" {
        options.double_uri_encode = false;
        options.normalize_uri_path = false;
        options.content_sha256_header = true;
    }
    options
}

/// What generated clients of AWS's SDK set up for themselves.
fn common_plugin(config: &SdkConfig, credentials: SharedCredentialsProvider, counts: Counts) -> SharedRuntimePlugin {
    let mut components = RuntimeComponentsBuilder::new("generic caller")
        .with_http_client(config.http_client())
        .with_time_source(config.time_source())
        .with_sleep_impl(config.sleep_impl())
        .with_identity_cache(config.identity_cache())
        .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
        .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
            StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
        )))
        .with_retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
        .with_retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new())
        .with_retry_classifier(HttpStatusCodeClassifier::default())
        .with_retry_classifier(ServiceClockSkewClassifier::<ErrorMetadata>::new())
        .with_retry_classifier(HopelessErrors);
    components.set_identity_resolver(SCHEME_ID, credentials);
    for interceptor in interceptors(counts) {
        components.push_interceptor(interceptor);
    }
    let mut layer = Layer::new("generic caller");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(ApiMetadata::new("generic", env!("CARGO_PKG_VERSION")));
    if let Some(timeouts) = config.timeout_config() {
        layer.store_put(timeouts.clone());
    }
    if let Some(name) = config.app_name() {
        layer.store_put(name.clone());
    }
    SharedRuntimePlugin::new(StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components))
}

fn interceptors(counts: Counts) -> Vec<SharedInterceptor> {
    vec![
        SharedInterceptor::new(ConnectionPoisoningInterceptor::new()),
        SharedInterceptor::new(ServiceClockSkewInterceptor::new()),
        SharedInterceptor::new(RequestInfoInterceptor::new()),
        SharedInterceptor::new(UserAgentInterceptor::new()),
        SharedInterceptor::new(InvocationIdInterceptor::new()),
        SharedInterceptor::new(BoundedAnswers),
        SharedInterceptor::new(counts),
    ]
}

/// An input that can't be part of a host's name.
#[derive(Debug, thiserror::Error)]
#[error("the host name contains {0}, but the call has no valid value for it")]
struct NotAHost(String);

/// Fills the call's own inputs into the endpoint's name: some services have a host for each account. A configured
/// endpoint has no place for them.
fn with_inputs(url: &str, service: &Service, input: &Value) -> Result<String, NotAHost> {
    let mut url = url.to_owned();
    for name in service.endpoint_inputs() {
        let text = input[name].as_str().unwrap_or_default();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(NotAHost(name.to_owned()));
        }
        url = url.replace(&format!("{{{name}}}"), text);
    }
    Ok(url)
}

fn to_http(wire: WireRequest) -> Result<Request, BoxError> {
    let mut request = Request::new(SdkBody::from(wire.body));
    request.set_method(&wire.method)?;
    request.set_uri(wire.path)?;
    for (name, value) in wire.headers {
        request.headers_mut().try_insert(name, value)?;
    }
    Ok(request)
}

/// How the answer of a call is read.
#[derive(Debug)]
struct AnswerReader {
    service: Service,
    operation: String,
    effect: Effect,
}

impl AnswerReader {
    fn of_http(&self, response: &Response) -> Result<Answer, OrchestratorError<ErrorMetadata>> {
        if !response.status().is_success() {
            return Err(OrchestratorError::operation(error_answer::read(response)));
        }
        let bytes = response.body().bytes().unwrap_or_default();
        let body = protocol::answer(&self.service, &self.operation, self.effect, bytes);
        let body = body.map_err(OrchestratorError::other)?;
        let request_id = error_answer::request_id_of_headers(response.headers());
        let request_id = request_id.or_else(|| error_answer::request_id_of_body(&body));
        if self.effect.changes() && request_id.is_none() {
            // Many writes answer nothing: the id is the only mark that AWS did.
            return Err(OrchestratorError::other(Unproven::NoRequestId));
        }
        Ok(Answer { body, request_id })
    }
}

/// Ends the reading of an answer that is larger than any of AWS's.
#[derive(Debug)]
struct BoundedAnswers;

#[dyn_dispatch_hint]
impl Intercept for BoundedAnswers {
    fn name(&self) -> &'static str {
        "BoundedAnswers"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response_mut().take_body();
        *context.response_mut().body_mut() = SdkBody::from_body_1_x(Limited::new(body, MAX_ANSWER));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
