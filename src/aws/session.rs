//! Credentials, region and account: what AWS's usual chain gives, plus our options.
//!
//! All clients of a session share one HTTP client, one credentials cache, one retry quota per service and region, and one
//! count of requests. Credentials never leave AWS's own types.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::profile::ProfileFileLoadError;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::region::Region as SdkRegion;
use tokio::sync::OnceCell;

use super::credentials::Kept;
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

impl AwsOptions {
    /// The roles; the external id is the last one's.
    fn roles(&self) -> Vec<Role> {
        let last = self.assume.len();
        let roles = (1..).zip(&self.assume).map(|(number, arn)| Role {
            arn: arn.clone(),
            external_id: self.external_id.clone().filter(|_| number == last),
            session_name: None,
        });
        roles.collect()
    }
}

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// The external id that its trust policy may want.
    pub external_id: Option<String>,
    /// The session's name; ours without one.
    pub session_name: Option<String>,
}

/// How an account of an organization is reached, from a session outside of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct AccountAccess {
    /// A profile to begin with, in place of the session's own credentials.
    pub profile: Option<String>,
    /// Roles to assume one after the other.
    pub roles: Vec<Role>,
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
    /// Credentials of profiles and roles on the way to several accounts, by that way.
    hubs: Mutex<HashMap<AccountAccess, SharedCredentialsProvider>>,
    /// The role that was assumed last.
    role: Option<Role>,
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
        check_region(&region, &config)?;
        let mut config = keep_credentials(config, &region)?;
        let (roles, counts) = (options.roles(), Counts::default());
        for role in &roles {
            config = assume(config, role, &counts).await;
        }
        Self::of_config(config, region, counts, roles.last())
    }

    fn of_config(config: SdkConfig, region: Region, counts: Counts, role: Option<&Role>) -> Result<Self, CallError> {
        let credentials = config.credentials_provider().ok_or_else(|| no_credentials(&region))?;
        let partitions = Arc::new(RetryPartitions::default());
        let caller = Caller::new(config.clone(), credentials, Arc::clone(&partitions), counts.clone());
        let (caller_identity, hubs) = (OnceCell::new(), Mutex::default());
        let role = role.cloned();
        Ok(Self(Arc::new(Inner { config, region, caller, partitions, counts, caller_identity, hubs, role })))
    }

    /// A session of another account, reached from this one. They share the HTTP client and the count of requests; retry quotas
    /// and limits are each account's own. What several accounts are reached by (a hub role) is assumed once for all of them. The
    /// credentials are asked for here, so that a role that can't be assumed is told before anything else is done.
    ///
    /// # Errors
    /// The profile doesn't exist; or there are no credentials, for the role can't be assumed. [`ErrorClass::Credentials`].
    pub async fn account_session(&self, access: &AccountAccess) -> Result<Self, CallError> {
        let region = self.region().clone();
        let (last, before) = match access.roles.split_last() {
            Some((last, before)) => {
                (Some(last), AccountAccess { profile: access.profile.clone(), roles: before.to_vec() })
            }
            None => (None, access.clone()),
        };
        let mut config = self.hub(&before).await?;
        if let Some(role) = last {
            config = assume(config, role, &self.0.counts).await;
        }
        let session = Self::of_config(config, region, self.0.counts.clone(), last)?;
        session.sign_in(access).await?;
        Ok(session)
    }

    /// The configuration with the credentials of a way that several accounts may share.
    async fn hub(&self, access: &AccountAccess) -> Result<SdkConfig, CallError> {
        let with = |credentials| {
            let config = self.0.config.clone().into_builder().credentials_provider(credentials);
            config.identity_cache(identity_cache()).build()
        };
        if *access == AccountAccess::default() {
            return Ok(self.0.config.clone());
        }
        if let Some(credentials) = self.hubs().get(access) {
            return Ok(with(credentials.clone()));
        }
        let mut config = match &access.profile {
            None => self.0.config.clone(),
            Some(profile) => self.of_profile(profile).await?,
        };
        for role in &access.roles {
            config = assume(config, role, &self.0.counts).await;
        }
        let credentials = config.credentials_provider().ok_or_else(|| no_credentials(self.region()))?;
        // Another account may have come here meanwhile: the first one's are everybody's.
        let credentials = self.hubs().entry(access.clone()).or_insert(credentials).clone();
        Ok(with(credentials))
    }

    fn hubs(&self) -> std::sync::MutexGuard<'_, HashMap<AccountAccess, SharedCredentialsProvider>> {
        self.0.hubs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn of_profile(&self, profile: &str) -> Result<SdkConfig, CallError> {
        let options = AwsOptions {
            profile: Some(profile.to_owned()),
            region: Some(self.region().clone()),
            endpoint_url: self.0.config.endpoint_url().map(str::to_owned),
            ..AwsOptions::default()
        };
        check_profile(&options).await?;
        keep_credentials(load(&options).await, self.region())
    }

    /// Asks for the credentials now.
    async fn sign_in(&self, access: &AccountAccess) -> Result<(), CallError> {
        let credentials = self.0.config.credentials_provider().ok_or_else(|| no_credentials(self.region()))?;
        let operation = if access.roles.is_empty() { "credentials" } else { error::ASSUME_ROLE };
        match credentials.provide_credentials().await {
            Ok(_) => Ok(()),
            Err(error) => Err(CallError::of_credentials(operation, self.region(), &error)),
        }
    }

    /// Whose credentials these are, where they tell it themselves, as those of assumed roles do: without a call.
    pub async fn assumed_identity(&self) -> Option<CallerIdentity> {
        let role = self.0.role.as_ref()?;
        let credentials = self.0.config.credentials_provider()?.provide_credentials().await.ok()?;
        let account = AccountId::new(credentials.account_id()?.as_str());
        let partition = role.arn.split(':').nth(1)?;
        let name = role.arn.rsplit('/').next()?;
        let session = role.session_name.as_deref().unwrap_or(SESSION_NAME);
        let arn = format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}");
        Some(CallerIdentity { account, arn: Arn::new(arn) })
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

/// The configuration with credentials that are kept: for roles that are assumed by them.
fn keep_credentials(config: SdkConfig, region: &Region) -> Result<SdkConfig, CallError> {
    let credentials = Kept::chain(config.credentials_provider().ok_or_else(|| no_credentials(region))?);
    Ok(config.into_builder().credentials_provider(credentials).build())
}

/// The configuration with the role's credentials.
async fn assume(config: SdkConfig, role: &Role, counts: &Counts) -> SdkConfig {
    let name = role.session_name.as_deref().unwrap_or(SESSION_NAME);
    let mut provider = AssumeRoleProvider::builder(&role.arn).configure(&config).session_name(name);
    if let Some(id) = &role.external_id {
        provider = provider.external_id(id);
    }
    let credentials = Kept::role(SharedCredentialsProvider::new(provider.build().await), counts);
    config.into_builder().credentials_provider(credentials).identity_cache(identity_cache()).build()
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

/// AWS has no host for a name that is no region's; another endpoint may take any.
fn check_region(region: &Region, config: &SdkConfig) -> Result<(), CallError> {
    match region.as_str().parse::<Region>() {
        Err(invalid) if configured_url(config, "STS").is_none() => {
            Err(configuration_error(error::INVALID_REGION, format!("the region {invalid}")))
        }
        _ => Ok(()),
    }
}

fn no_credentials(region: &Region) -> CallError {
    CallError::bare("credentials", region, ErrorClass::Credentials, error::NO_CREDENTIALS)
}

fn configuration_error(code: &str, message: String) -> CallError {
    CallError { message, ..CallError::bare("AWS configuration", &Region::from(""), ErrorClass::Refused, code) }
}
