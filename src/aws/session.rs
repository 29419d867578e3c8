//! Credentials, region and account: what AWS's usual chain gives, plus our options.
//!
//! All clients of a session share one HTTP client, one credentials cache, one retry quota per service and region, and one
//! count of requests. Credentials never leave AWS's own types.

use std::sync::Arc;
use std::time::Duration;

use aws_config::profile::ProfileFileLoadError;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::region::Region as SdkRegion;
use tokio::sync::OnceCell;

use super::endpoint::{configured_url, without_empty_urls};
use super::http::http_client;
use super::retries::{HopelessErrors, RetryPartitions, retry_config, timeout_config};
use super::{CallError, Caller, Counts, ErrorClass, error};
use crate::names::{AccountId, Arn, Region};

/// How long it may take to get credentials: a chain of roles is several calls.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(60);

/// The name under which assumed roles' sessions appear in CloudTrail: 2–64 of `[\w+=,.@-]`.
const SESSION_NAME: &str = "trailcreator";

/// How to reach AWS, as asked for.
#[derive(Debug, Clone, Default)]
pub struct AwsOptions {
    /// Profile of AWS's shared configuration.
    pub profile: Option<String>,
    /// Region.
    pub region: Option<Region>,
    /// Region where neither this nor AWS's chain names one: for calls that find their region themselves.
    pub default_region: Option<Region>,
    /// Roles to assume one after the other.
    pub assume: Vec<String>,
    /// External id for the last role.
    pub external_id: Option<String>,
    /// Endpoint for all services.
    pub endpoint_url: Option<String>,
}

/// Whose credentials a session has.
#[derive(Debug, Clone)]
pub struct CallerIdentity {
    /// The account.
    pub account: AccountId,
    /// The user or role session.
    pub arn: Arn,
}

/// A way into one account. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Session(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: SdkConfig,
    region: Region,
    caller: Caller,
    partitions: Arc<RetryPartitions>,
    counts: Counts,
    caller_identity: OnceCell<CallerIdentity>,
}

impl Session {
    /// Finds credentials and region. Makes no AWS call of its own but what the credentials need.
    ///
    /// # Errors
    /// No region, or a profile that doesn't exist.
    pub async fn open(options: &AwsOptions) -> Result<Self, CallError> {
        check_profile(options).await?;
        let config = load(options).await;
        let region = config.region().map(|region| Region::new(region.as_ref())).ok_or_else(no_region)?;
        let config = assume(config, options).await;
        let credentials = config.credentials_provider().ok_or_else(|| no_credentials(&region))?;
        let (partitions, counts) = (Arc::new(RetryPartitions::default()), Counts::default());
        let caller = Caller::new(config.clone(), credentials, Arc::clone(&partitions), counts.clone());
        Ok(Self(Arc::new(Inner { config, region, caller, partitions, counts, caller_identity: OnceCell::new() })))
    }

    /// The region by options or AWS's chain.
    pub fn region(&self) -> &Region {
        &self.0.region
    }

    /// The account, asked of STS GetCallerIdentity once.
    ///
    /// # Errors
    /// The call's; or AWS named no account.
    pub async fn account(&self) -> Result<AccountId, CallError> {
        Ok(self.caller_identity().await?.account.clone())
    }

    /// Whose credentials these are, asked of STS GetCallerIdentity once.
    ///
    /// # Errors
    /// As [`Session::account`].
    pub async fn caller_identity(&self) -> Result<&CallerIdentity, CallError> {
        self.0.caller_identity.get_or_try_init(|| self.ask_caller_identity()).await
    }

    async fn ask_caller_identity(&self) -> Result<CallerIdentity, CallError> {
        const OPERATION: &str = "sts:GetCallerIdentity";
        let region = self.region();
        let config = aws_sdk_sts::config::Builder::from(&self.0.config)
            .retry_partition(self.0.partitions.of("sts", region.as_str()))
            .retry_classifier(HopelessErrors)
            .interceptor(self.0.counts.clone());
        let identity = aws_sdk_sts::Client::from_conf(config.build()).get_caller_identity().send().await;
        let identity = identity.map_err(|error| CallError::of_sdk(OPERATION, region, &error))?;
        let account = identity.account().unwrap_or_default();
        let account =
            AccountId::parse(account).map_err(|error| CallError::bad_answer(OPERATION, region, error.to_string()))?;
        Ok(CallerIdentity { account, arn: Arn::from(identity.arn().unwrap_or_default()) })
    }

    /// The generic caller with this session's credentials.
    pub fn caller(&self) -> Caller {
        self.0.caller.clone()
    }

    /// The requests sent so far, by this session's caller and clients.
    pub fn counts(&self) -> &Counts {
        &self.0.counts
    }

    /// An S3 client for a region. Buckets are in the path where the endpoint is set: a name before `127.0.0.1` is no host.
    pub fn s3(&self, region: &Region) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.0.config)
            .region(sdk_region(region))
            .force_path_style(configured_url(&self.0.config, "S3").is_some())
            .retry_partition(self.0.partitions.of("s3", region.as_str()))
            .retry_classifier(HopelessErrors)
            .interceptor(self.0.counts.clone());
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// An Athena client for a region.
    pub fn athena(&self, region: &Region) -> aws_sdk_athena::Client {
        let config = aws_sdk_athena::config::Builder::from(&self.0.config)
            .region(sdk_region(region))
            .retry_partition(self.0.partitions.of("athena", region.as_str()))
            .retry_classifier(HopelessErrors)
            .interceptor(self.0.counts.clone());
        aws_sdk_athena::Client::from_conf(config.build())
    }

    /// A Resource Groups Tagging API client for a region.
    pub fn tagging(&self, region: &Region) -> aws_sdk_resourcegroupstagging::Client {
        let config = aws_sdk_resourcegroupstagging::config::Builder::from(&self.0.config)
            .region(sdk_region(region))
            .retry_partition(self.0.partitions.of("tagging", region.as_str()))
            .retry_classifier(HopelessErrors)
            .interceptor(self.0.counts.clone());
        aws_sdk_resourcegroupstagging::Client::from_conf(config.build())
    }
}

fn sdk_region(region: &Region) -> SdkRegion {
    SdkRegion::new(region.to_string())
}

/// AWS's usual chain. Asking an instance's metadata for region and credentials, the last step, takes at most a second each
/// where there is none.
async fn load(options: &AwsOptions) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client())
        .app_name(AppName::new("trailcreator").expect("letters are allowed"))
        .identity_cache(identity_cache())
        .retry_config(retry_config())
        .timeout_config(timeout_config());
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
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

fn identity_cache() -> SharedIdentityCache {
    IdentityCache::lazy().load_timeout(CREDENTIALS_TIMEOUT).build()
}

/// The configuration with the last role's credentials.
async fn assume(mut config: SdkConfig, options: &AwsOptions) -> SdkConfig {
    for (at, role) in options.assume.iter().enumerate() {
        let mut provider = AssumeRoleProvider::builder(role).configure(&config).session_name(SESSION_NAME);
        if let Some(id) = options.external_id.as_ref().filter(|_| at + 1 == options.assume.len()) {
            provider = provider.external_id(id);
        }
        let credentials = SharedCredentialsProvider::new(provider.build().await);
        config = config.into_builder().credentials_provider(credentials).identity_cache(identity_cache()).build();
    }
    config
}

/// AWS's chain goes on silently where the profile asked for isn't there.
async fn check_profile(options: &AwsOptions) -> Result<(), CallError> {
    let asked = options.profile.clone().map(Into::into);
    let profiles = aws_config::profile::load(&Fs::real(), &Env::real(), &EnvConfigFiles::default(), asked).await;
    let profiles = profiles.map_err(|unreadable| bad_profiles(&unreadable))?;
    let name = profiles.selected_profile();
    let defined: Vec<&str> = profiles.profiles().collect();
    if defined.contains(&name) || (name == "default" && options.profile.is_none()) {
        return Ok(());
    }
    let message = format!("AWS's shared configuration has no profile {name:?}; it has: {}", listed(&defined));
    Err(configuration_error(error::NO_PROFILE, message))
}

fn listed(names: &[&str]) -> String {
    let mut names = names.to_vec();
    names.sort_unstable();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn bad_profiles(unreadable: &ProfileFileLoadError) -> CallError {
    configuration_error("unreadable profiles", error::causes(unreadable))
}

fn no_region() -> CallError {
    configuration_error(error::NO_REGION, "neither options, environment nor profile name one".to_owned())
}

fn no_credentials(region: &Region) -> CallError {
    CallError::bare("credentials", region, ErrorClass::Credentials, error::NO_CREDENTIALS)
}

fn configuration_error(code: &str, message: String) -> CallError {
    CallError { message, ..CallError::bare("AWS configuration", &Region::from(""), ErrorClass::Refused, code) }
}
