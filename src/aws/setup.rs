//! From options, environment and shared configuration to a session's settings and credentials.
//!
//! A profile that is asked for by name (`--profile`, an accounts file) is the only source of credentials, as in the AWS CLI and
//! boto3: keys in the environment may belong to another account. `AWS_PROFILE` is part of the environment: keys there take
//! precedence over it.

use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls::TrustStore;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_types::region::Region as SdkRegion;
use std::time::Duration;

use super::access::{AskCode, AwsOptions};
use super::credentials::{CachedCredentials, Origin};
use super::endpoint::without_empty_urls;
use super::environment::Environment;
use super::http::http_client;
use super::profile::ca_bundle;
use super::profile::chain::Chain;
use super::profile::files::{Profiles, path_of};
use super::profile::provider::Sources;
use super::retries::{retry_config, timeout_config};
use super::{CallError, Counts, ErrorClass, error};
use crate::model::Region;
use crate::text::secrets;

/// How long it may take to get credentials: a chain of roles is several calls, and a person may have to look for a device.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(180);

/// What the options name, found and read.
#[derive(Debug)]
pub(super) struct Setup {
    environment: Environment,
    profiles: Profiles,
    profile: String,
    /// Whether the options name the profile.
    is_explicit: bool,
    http_client: SharedHttpClient,
    ask_code: Option<AskCode>,
}

/// Credentials that are kept, and what is known of them.
#[derive(Debug)]
pub(super) struct FoundCredentials {
    pub(super) credentials: SharedCredentialsProvider,
    pub(super) origin: Origin,
    /// Whether a person has to be asked for them.
    pub(super) needs_code: bool,
}

impl Setup {
    /// Reads the shared configuration and the CA bundle.
    ///
    /// # Errors
    /// Either can't be understood, or there is no such profile.
    pub(super) async fn of(options: &AwsOptions) -> Result<Self, CallError> {
        let environment = Environment::of_process();
        let profiles = Profiles::load(&environment)
            .await
            .map_err(|unreadable| configuration_error("unreadable profiles", &error::causes(&unreadable)))?;
        let named = options.profile.as_deref().filter(|name| !name.is_empty());
        let chosen =
            named.or_else(|| environment.get("AWS_PROFILE")).or_else(|| environment.get("AWS_DEFAULT_PROFILE"));
        let (profile, is_explicit) = (chosen.unwrap_or("default").to_owned(), named.is_some());
        if !profiles.has(&profile) && (is_explicit || profile != "default") {
            return Err(no_profile(&profiles, &profile));
        }
        let http_client = http_client(trust_store(&environment, &profiles, &profile)?);
        Ok(Self { environment, profiles, profile, is_explicit, http_client, ask_code: options.ask_code })
    }

    /// The settings, without credentials. Asking an instance's metadata for the region, the last step, takes at most a second where
    /// there is none.
    pub(super) async fn settings(&self, options: &AwsOptions) -> SdkConfig {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .env(self.environment.for_sdk())
            .profile_files(self.profiles.for_sdk())
            .profile_name(Profiles::sdk_name(&self.profile))
            .http_client(self.http_client.clone())
            .app_name(AppName::new("trailcreator").expect("letters are allowed"))
            .identity_cache(identity_cache())
            .retry_config(retry_config())
            .timeout_config(timeout_config())
            .no_credentials();
        if let Some(region) = &options.region {
            loader = loader.region(sdk_region(region));
        }
        if let Some(url) = options.endpoint_url.as_ref().filter(|url| !url.is_empty()) {
            loader = loader.endpoint_url(url);
        }
        let config = without_empty_urls(loader.load().await);
        match &options.default_region {
            Some(region) if config.region().is_none() => config.into_builder().region(sdk_region(region)).build(),
            _ => config,
        }
    }

    /// The credentials for these settings: of the profile alone where the options name it, else by AWS's usual order.
    ///
    /// # Errors
    /// The profile that the options name can't give any.
    pub(super) async fn credentials(&self, config: &SdkConfig, counts: &Counts) -> Result<FoundCredentials, CallError> {
        let Self { environment, profiles, profile, ask_code, .. } = self;
        let sources = Sources { config, environment, profiles, counts, ask_code: *ask_code };
        let origin = Origin::default();
        let chain = profiles.has(profile).then(|| Chain::of(profiles, profile));
        let needs_code = matches!(&chain, Some(Ok(chain)) if chain.needs_code());
        let credentials = match chain {
            Some(chain) if self.is_explicit => {
                let chain = chain.map_err(|error| CallError {
                    class: ErrorClass::Credentials,
                    ..configuration_error(error::BAD_PROFILE, &error.to_string())
                })?;
                origin.set(&sources.origin(profile));
                sources.of_profile(profile, &chain).await
            }
            _ => sources.usual(profile, &origin).await,
        };
        let has_keys = !self.is_explicit && environment.get("AWS_ACCESS_KEY_ID").is_some();
        Ok(FoundCredentials {
            credentials: CachedCredentials::chain(credentials),
            origin,
            needs_code: needs_code && !has_keys,
        })
    }
}

pub(super) fn sdk_region(region: &Region) -> SdkRegion {
    SdkRegion::new(region.to_string())
}

pub(super) fn identity_cache() -> SharedIdentityCache {
    IdentityCache::lazy().load_timeout(CREDENTIALS_TIMEOUT).build()
}

/// The roots of trust that environment or profile name; `None`: the system's.
fn trust_store(environment: &Environment, profiles: &Profiles, profile: &str) -> Result<Option<TrustStore>, CallError> {
    const VARIABLE: &str = "AWS_CA_BUNDLE";
    let named = environment.get(VARIABLE).map(|path| (path, VARIABLE.to_owned())).or_else(|| {
        let path = profiles.get(profile, "ca_bundle")?;
        Some((path, format!("ca_bundle of profile {profile:?} of {}", profiles.files_of(profile))))
    });
    let Some((path, set_by)) = named else { return Ok(None) };
    let store = ca_bundle::load(&path_of(path, environment), &set_by);
    store.map(Some).map_err(|error| configuration_error(error::BAD_CA_BUNDLE, &error::causes(&error)))
}

fn no_profile(profiles: &Profiles, name: &str) -> CallError {
    let names = profiles.names();
    let names = if names.is_empty() { " no profiles".to_owned() } else { format!(": {}", names.join(", ")) };
    let advice = if profiles.lacks_the_word(name) {
        format!("; the section [{name}] must be [profile {name}]")
    } else {
        String::new()
    };
    let files = profiles.files_of(name);
    let message = format!("AWS's shared configuration has no profile {name:?}; {files} have{names}{advice}");
    configuration_error(error::NO_PROFILE, &message)
}

pub(super) fn configuration_error(code: &str, message: &str) -> CallError {
    // A parser of configuration files may quote a line of them.
    let message = secrets::redacted(message).into_owned();
    CallError { message, ..CallError::bare("AWS configuration", &Region::from(""), ErrorClass::Refused, code) }
}
