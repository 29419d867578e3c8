//! Credentials, region and account: what AWS's usual chain gives, plus our options.
//!
//! All clients of a session share one HTTP client, one credentials cache, one retry quota per service and region, and one
//! count of requests. Credentials never leave AWS's own types.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use tokio::sync::OnceCell;

use super::access::{AccountAccess, AwsOptions, CallerIdentity, Role, SESSION_NAME};
use super::credentials::{CachedCredentials, Origin};
use super::endpoint::configured_url;
use super::rates::Turn;
use super::retries::{HopelessErrors, RetryPartitions};
use super::setup::{Setup, configuration_error, identity_cache, sdk_region};
use super::{CallError, Caller, Counts, ErrorClass, error};
use crate::model::{AccountId, Arn, ArnParts, Region};

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
    hubs: Mutex<HashMap<AccountAccess, Hub>>,
    /// The role that was assumed last.
    role: Option<Role>,
    /// What further profiles are read with.
    options: AwsOptions,
    origin: Origin,
}

/// Credentials that several accounts may share.
#[derive(Debug, Clone)]
struct Hub {
    credentials: SharedCredentialsProvider,
    origin: Origin,
}

impl Session {
    /// Finds credentials and region. Makes no AWS call of its own but what the credentials need. Where a person has to be asked for an MFA
    /// code, that happens here.
    ///
    /// # Errors
    /// No region, or a profile that doesn't exist or can't give credentials.
    pub async fn open(options: &AwsOptions) -> Result<Self, CallError> {
        let setup = Setup::of(options).await?;
        let config = setup.settings(options).await;
        let region = config.region().map(|region| Region::new(region.as_ref())).ok_or_else(no_region)?;
        check_region(&region, &config)?;
        let (roles, counts) = (options.roles(), Counts::default());
        let found = setup.credentials(&config, &counts).await?;
        if found.needs_code {
            sign_in(&found.credentials, "credentials", &region).await?;
        }
        let hub = Hub { credentials: found.credentials, origin: found.origin };
        let mut config = config.into_builder().credentials_provider(hub.credentials.clone()).build();
        for role in &roles {
            config = assume(config, role, &counts).await;
        }
        let origin = hub.origin.through(&roles);
        let session = Self::of_config(config, region, counts, roles.last(), options.clone(), origin)?;
        if let Some(profile) = &options.profile {
            let access = AccountAccess { profile: Some(profile.clone()), roles: Vec::new() };
            session.hubs().insert(access, hub);
        }
        Ok(session)
    }

    fn of_config(
        config: SdkConfig,
        region: Region,
        counts: Counts,
        role: Option<&Role>,
        options: AwsOptions,
        origin: Origin,
    ) -> Result<Self, CallError> {
        let credentials = config.credentials_provider().ok_or_else(|| no_credentials(&region))?;
        let partitions = Arc::new(RetryPartitions::default());
        let caller = Caller::new(config.clone(), credentials, Arc::clone(&partitions), counts.clone(), origin.clone());
        let (caller_identity, hubs) = (OnceCell::new(), Mutex::default());
        let role = role.cloned();
        Ok(Self(Arc::new(Inner {
            config,
            region,
            caller,
            partitions,
            counts,
            caller_identity,
            hubs,
            role,
            options,
            origin,
        })))
    }

    /// A session of another account, reached from this one. They share the HTTP client and the count of requests; retry quotas
    /// and limits are each account's own. A hub role on the way to several accounts is assumed once. The
    /// credentials are fetched here, so that a role that can't be assumed is an error before any other work.
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
        let hub = self.hub(&before).await?;
        let mut config = self.with(&hub);
        if let Some(role) = last {
            config = assume(config, role, &self.0.counts).await;
        }
        let origin = hub.origin.through(last);
        let session = Self::of_config(config, region, self.0.counts.clone(), last, self.0.options.clone(), origin)?;
        let operation = if access.roles.is_empty() { "credentials" } else { error::ASSUME_ROLE };
        let credentials = session.0.config.credentials_provider().ok_or_else(|| no_credentials(self.region()))?;
        sign_in(&credentials, operation, self.region()).await?;
        Ok(session)
    }

    /// The session's settings with other credentials.
    fn with(&self, hub: &Hub) -> SdkConfig {
        let config = self.0.config.clone().into_builder().credentials_provider(hub.credentials.clone());
        config.identity_cache(identity_cache()).build()
    }

    /// The credentials of a way that several accounts may share. A profile's are shared by all that begin with it: it may ask a person
    /// for a code.
    async fn hub(&self, access: &AccountAccess) -> Result<Hub, CallError> {
        let known = self.hubs().get(access).cloned();
        if let Some(hub) = known {
            return Ok(hub);
        }
        let hub = match (&access.profile, access.roles.is_empty()) {
            (None, true) => return self.own_credentials(),
            (Some(profile), true) => self.of_profile(profile).await?,
            (profile, false) => {
                let first = AccountAccess { profile: profile.clone(), roles: Vec::new() };
                let first = Box::pin(self.hub(&first)).await?;
                let mut config = self.with(&first);
                for role in &access.roles {
                    config = assume(config, role, &self.0.counts).await;
                }
                let credentials = config.credentials_provider().ok_or_else(|| no_credentials(self.region()))?;
                Hub { credentials, origin: first.origin.through(&access.roles) }
            }
        };
        // Another account may have come here meanwhile: the first one's are everybody's.
        Ok(self.hubs().entry(access.clone()).or_insert(hub).clone())
    }

    fn own_credentials(&self) -> Result<Hub, CallError> {
        let credentials = self.0.config.credentials_provider().ok_or_else(|| no_credentials(self.region()))?;
        Ok(Hub { credentials, origin: self.0.origin.clone() })
    }

    fn hubs(&self) -> std::sync::MutexGuard<'_, HashMap<AccountAccess, Hub>> {
        self.0.hubs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn of_profile(&self, profile: &str) -> Result<Hub, CallError> {
        let options = AwsOptions {
            profile: Some(profile.to_owned()),
            region: Some(self.region().clone()),
            endpoint_url: self.0.options.endpoint_url.clone(),
            ask_code: self.0.options.ask_code,
            ..AwsOptions::default()
        };
        let setup = Setup::of(&options).await?;
        let found = setup.credentials(&setup.settings(&options).await, &self.0.counts).await?;
        Ok(Hub { credentials: found.credentials, origin: found.origin })
    }

    /// The principal of the credentials of an assumed role, without a call.
    pub async fn assumed_identity(&self) -> Option<CallerIdentity> {
        let role = self.0.role.as_ref()?;
        let credentials = self.0.config.credentials_provider()?.provide_credentials().await.ok()?;
        let account = AccountId::new(credentials.account_id()?.as_str());
        let partition = ArnParts::parse(&role.arn)?.partition;
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

    /// The principal of the credentials, from one call of STS GetCallerIdentity.
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
        let identity =
            identity.map_err(|error| self.0.origin.named_in(CallError::of_sdk(OPERATION, region, &error)))?;
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

    /// An S3 client for a region. Buckets are in the path where the endpoint is set: a name before `127.0.0.1` is not a host.
    pub fn s3(&self, region: &Region) -> aws_sdk_s3::Client {
        self.s3_client(region, configured_url(&self.0.config, "S3").is_some())
    }

    /// An S3 client for an access point's region. Access points are always in the host: `NAME-ACCOUNT.` before the endpoint's.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html>
    pub fn s3_access_point(&self, region: &Region) -> aws_sdk_s3::Client {
        self.s3_client(region, false)
    }

    fn s3_client(&self, region: &Region, path_style: bool) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.0.config)
            .region(sdk_region(region))
            .force_path_style(path_style)
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

    /// Waits until an operation of the Resource Groups Tagging API may be called in a region, by the limits that AWS sets the account.
    /// The turn is the call's interceptor.
    pub async fn tagging_turn(&self, operation: &str, region: &Region) -> Turn {
        self.0.caller.turn("tagging", operation, region).await
    }

    /// A Resource Groups Tagging API client for a region. Each call waits for its [`Session::tagging_turn`].
    pub fn tagging(&self, region: &Region) -> aws_sdk_resourcegroupstagging::Client {
        let config = aws_sdk_resourcegroupstagging::config::Builder::from(&self.0.config)
            .region(sdk_region(region))
            .retry_partition(self.0.partitions.of("tagging", region.as_str()))
            .retry_classifier(HopelessErrors)
            .interceptor(self.0.counts.clone());
        aws_sdk_resourcegroupstagging::Client::from_conf(config.build())
    }
}

/// Asks for the credentials now.
async fn sign_in(credentials: &SharedCredentialsProvider, operation: &str, region: &Region) -> Result<(), CallError> {
    let answer = credentials.provide_credentials().await;
    answer.map(drop).map_err(|error| CallError::of_credentials(operation, region, &error))
}

/// The configuration with the role's credentials.
async fn assume(config: SdkConfig, role: &Role, counts: &Counts) -> SdkConfig {
    let name = role.session_name.as_deref().unwrap_or(SESSION_NAME);
    let mut provider = AssumeRoleProvider::builder(&role.arn).configure(&config).session_name(name);
    if let Some(id) = &role.external_id {
        provider = provider.external_id(id);
    }
    let credentials = CachedCredentials::role(SharedCredentialsProvider::new(provider.build().await), counts);
    config.into_builder().credentials_provider(credentials).identity_cache(identity_cache()).build()
}

fn no_region() -> CallError {
    configuration_error(error::NO_REGION, "neither options, environment nor profile name one")
}

/// AWS has no host for a name that is not a region's; another endpoint may take any.
fn check_region(region: &Region, config: &SdkConfig) -> Result<(), CallError> {
    match region.as_str().parse::<Region>() {
        Err(invalid) if configured_url(config, "STS").is_none() => {
            Err(configuration_error(error::INVALID_REGION, &format!("the region {invalid}")))
        }
        _ => Ok(()),
    }
}

fn no_credentials(region: &Region) -> CallError {
    CallError::bare("credentials", region, ErrorClass::Credentials, error::NO_CREDENTIALS)
}
