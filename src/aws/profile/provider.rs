//! Providers of credentials: a profile's alone, or AWS's usual order of places.
//!
//! The SDK's own chain can't be limited to a profile, and what it gets from a source it reads from the process's environment. So each
//! source that the SDK knows runs in a chain of its own, with a made file and an environment that leave it as the only one.

use std::sync::Arc;

use aws_config::BehaviorVersion;
use aws_config::credential_process::CredentialProcessProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sso::SsoCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result, SharedCredentialsProvider, future};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::SdkConfig;
use aws_types::region::Region;

use super::chain::{Base, Chain, IdentityCenter, NamedSource, ProfileError};
use super::files::Profiles;
use super::names::encoded;
use super::role::RoleProvider;
use crate::aws::Counts;
use crate::aws::access::{AskCode, SESSION_NAME};
use crate::aws::credentials::{CachedCredentials, Origin};
use crate::aws::endpoint::configured_url;
use crate::aws::environment::Environment;
use crate::aws::error::causes;
use crate::aws::retries::{retry_config, timeout_config};
use crate::aws::source_error::SourceError;

/// Variables with credentials of their own.
const KEY_VARIABLES: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
const WEB_IDENTITY_VARIABLES: [&str; 3] = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME"];
const CONTAINER_VARIABLES: [&str; 2] = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
const NO_METADATA: &str = "AWS_EC2_METADATA_DISABLED";

/// What a source of credentials needs besides itself.
#[derive(Debug, Clone, Copy)]
pub(in crate::aws) struct Sources<'a> {
    /// The session's settings, without credentials.
    pub(in crate::aws) config: &'a SdkConfig,
    pub(in crate::aws) environment: &'a Environment,
    pub(in crate::aws) profiles: &'a Profiles,
    pub(in crate::aws) counts: &'a Counts,
    pub(in crate::aws) ask_code: Option<AskCode>,
}

/// A `credential_process` that failed. What it wrote to stderr may be secret and is left out.
#[derive(Debug, thiserror::Error)]
#[error("its credential_process failed ({0}); run the command by itself to see why")]
struct ProcessError(String);

impl Sources<'_> {
    /// The credentials of a profile, and of nothing else.
    pub(in crate::aws) async fn of_profile(&self, profile: &str, chain: &Chain) -> SharedCredentialsProvider {
        let mut credentials = self.base(&chain.base_profile, &chain.base).await;
        for step in &chain.roles {
            let config = self.config.to_builder().credentials_provider(credentials).build();
            let role = RoleProvider { step: step.clone(), ask_code: self.ask_code, config };
            credentials = CachedCredentials::role(SharedCredentialsProvider::new(role), self.counts);
        }
        SharedCredentialsProvider::new(Sourced { origin: self.origin(profile), credentials })
    }

    /// The profile as the origin of credentials, for messages.
    pub(in crate::aws) fn origin(&self, profile: &str) -> String {
        format!("profile {profile:?} of {}", self.profiles.files_of(profile))
    }

    /// AWS's usual order: keys in the environment, the profile, a web identity, a container, the instance.
    pub(in crate::aws) async fn usual(&self, profile: &str, origin: &Origin) -> SharedCredentialsProvider {
        let keys = SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new());
        let mut places = vec![CredentialsSource::new("the environment (AWS_ACCESS_KEY_ID)", keys)];
        let chain = self.profiles.has(profile).then(|| Chain::of(self.profiles, profile));
        let credentials = match chain {
            Some(Ok(chain)) => Some(self.of_profile(profile, &chain).await),
            Some(Err(error)) if !error.is_empty_profile() => {
                Some(SharedCredentialsProvider::new(Unusable(Arc::new(error))))
            }
            Some(Err(_)) | None => None,
        };
        places.extend(credentials.map(|credentials| CredentialsSource::new(&self.origin(profile), credentials)));
        let around = self.isolated(&self.metadata_settings(profile), &self.environment.without(&KEY_VARIABLES)).await;
        places.push(CredentialsSource::new("the web identity, container or instance that this runs in", around));
        SharedCredentialsProvider::new(Usual { places, origin: origin.clone() })
    }

    async fn base(&self, profile: &str, base: &Base) -> SharedCredentialsProvider {
        match base {
            Base::Keys(keys) => SharedCredentialsProvider::new(keys.clone()),
            Base::Process(command) => {
                SharedCredentialsProvider::new(Process(CredentialProcessProvider::new(command.clone())))
            }
            Base::Login(arn) => {
                let environment = self.bare(&[("SIGNIN", "signin")]);
                self.isolated(&format!("login_session = {arn}\n"), &environment).await
            }
            // The token's file is named by the session's name as it is written, which the isolated file can't hold.
            Base::IdentityCenter(center) if center.session.as_ref().is_some_and(|name| encoded(name) != *name) => {
                self.identity_center(center)
            }
            Base::IdentityCenter(center) => {
                let environment = self.bare(&[("SSO", "sso"), ("SSO_OIDC", "sso oidc")]);
                self.isolated(&identity_center_settings(center), &environment).await
            }
            Base::WebIdentity { role_arn, token_file, session_name } => {
                let name = session_name.as_deref().unwrap_or(SESSION_NAME);
                let settings = format!(
                    "role_arn = {role_arn}\nweb_identity_token_file = {token_file}\nrole_session_name = {name}\n"
                );
                self.isolated(&settings, &self.bare(&[("STS", "sts")])).await
            }
            Base::Named(source) => self.named(profile, *source).await,
        }
    }

    fn identity_center(&self, center: &IdentityCenter) -> SharedCredentialsProvider {
        let settings = ProviderConfig::without_region()
            .with_region(self.config.region().cloned())
            .with_use_fips(self.config.use_fips())
            .with_use_dual_stack(self.config.use_dual_stack())
            .with_retry_config(retry_config())
            .with_timeout_config(timeout_config());
        let settings = match self.config.http_client() {
            Some(client) => settings.with_http_client(client),
            None => settings,
        };
        let mut provider = SsoCredentialsProvider::builder()
            .configure(&settings)
            .account_id(&center.account_id)
            .role_name(&center.role_name)
            .start_url(&center.start_url)
            .region(Region::new(center.region.clone()));
        provider.set_session_name(center.session.clone());
        SharedCredentialsProvider::new(provider.build())
    }

    async fn named(&self, profile: &str, source: NamedSource) -> SharedCredentialsProvider {
        let environment = self.environment.without(&KEY_VARIABLES).without(&WEB_IDENTITY_VARIABLES);
        match source {
            NamedSource::Environment => SharedCredentialsProvider::new(Keys),
            NamedSource::EcsContainer => self.isolated("", &environment.with(NO_METADATA, "true")).await,
            NamedSource::Ec2InstanceMetadata => {
                self.isolated(&self.metadata_settings(profile), &environment.without(&CONTAINER_VARIABLES)).await
            }
        }
    }

    /// An environment in which nothing gives credentials. The endpoints of these services (the variable's ending, the SDK's id) are the
    /// session's.
    fn bare(&self, services: &[(&str, &str)]) -> Environment {
        const KEPT: [&str; 3] = ["HOME", "USERPROFILE", "AWS_LOGIN_CACHE_DIRECTORY"];
        let kept = KEPT.iter().filter_map(|&name| Some((name.to_owned(), self.environment.get(name)?.to_owned())));
        let bare = Environment::of(kept).with(NO_METADATA, "true");
        services.iter().fold(bare, |environment, (ending, id)| match configured_url(self.config, id) {
            Some(url) => environment.with(&format!("AWS_ENDPOINT_URL_{ending}"), &url),
            None => environment,
        })
    }

    /// What a profile says of the instance's metadata.
    fn metadata_settings(&self, profile: &str) -> String {
        let keys = ["ec2_metadata_service_endpoint", "ec2_metadata_service_endpoint_mode", "ec2_metadata_v1_disabled"];
        let line = |key: &str| Some(format!("{key} = {}\n", self.profiles.get(profile, key)?));
        keys.into_iter().filter_map(line).collect()
    }

    /// The SDK's chain where a profile of these settings and this environment are all there is.
    async fn isolated(&self, settings: &str, environment: &Environment) -> SharedCredentialsProvider {
        let files = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];
        let file = format!("[default]\n{settings}");
        let config = aws_config::defaults(BehaviorVersion::latest())
            .env(environment.without(&files).for_sdk())
            .profile_files(EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, file).build())
            .profile_name("default")
            .region(self.config.region().cloned())
            .use_fips(self.config.use_fips().unwrap_or_default())
            .use_dual_stack(self.config.use_dual_stack().unwrap_or_default())
            .retry_config(retry_config())
            .timeout_config(timeout_config());
        let config = match self.config.http_client() {
            Some(client) => config.http_client(client),
            None => config,
        };
        config.load().await.credentials_provider().expect("the loader sets a chain unless it is switched off")
    }
}

fn identity_center_settings(center: &IdentityCenter) -> String {
    let IdentityCenter { session, start_url, region, account_id, role_name } = center;
    let account = format!("sso_account_id = {account_id}\nsso_role_name = {role_name}\n");
    let portal = format!("sso_start_url = {start_url}\nsso_region = {region}\n");
    match session {
        Some(name) => {
            let name = encoded(name);
            format!("{account}sso_session = {name}\n[sso-session {name}]\n{portal}")
        }
        None => format!("{account}{portal}"),
    }
}

/// Credentials of one origin, which their errors name.
#[derive(Debug)]
struct Sourced {
    origin: String,
    credentials: SharedCredentialsProvider,
}

impl Sourced {
    async fn provide(&self) -> Result {
        self.credentials
            .provide_credentials()
            .await
            .map_err(|source| CredentialsError::provider_error(SourceError { origin: self.origin.clone(), source }))
    }
}

impl ProvideCredentials for Sourced {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

/// A profile that can't work, where other places come first: its error is for when it is reached.
#[derive(Debug)]
struct Unusable(Arc<ProfileError>);

impl ProvideCredentials for Unusable {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::invalid_configuration(Arc::clone(&self.0))))
    }
}

/// `credential_source = Environment`: then the keys have to be there.
#[derive(Debug)]
struct Keys;

impl Keys {
    async fn provide(&self) -> Result {
        match EnvironmentVariableCredentialsProvider::new().provide_credentials().await {
            Err(CredentialsError::CredentialsNotLoaded(_)) => Err(CredentialsError::invalid_configuration(
                "credential_source = Environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set",
            )),
            answer => answer,
        }
    }
}

impl ProvideCredentials for Keys {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

#[derive(Debug)]
struct Process(CredentialProcessProvider);

impl Process {
    async fn provide(&self) -> Result {
        self.0.provide_credentials().await.map_err(|error| {
            let said = causes(&error);
            let said = said.split(". Stderr:").next().unwrap_or_default();
            let said = said.rsplit_once(": external process ").map_or(said, |(_, said)| said);
            CredentialsError::provider_error(ProcessError(said.to_owned()))
        })
    }
}

impl ProvideCredentials for Process {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

/// A source of credentials, one of several that are tried in turn.
#[derive(Debug)]
struct CredentialsSource {
    name: String,
    credentials: SharedCredentialsProvider,
}

impl CredentialsSource {
    fn new(name: &str, credentials: SharedCredentialsProvider) -> Self {
        Self { name: name.to_owned(), credentials }
    }
}

/// The sources in their order; the first one with credentials is used.
#[derive(Debug)]
struct Usual {
    places: Vec<CredentialsSource>,
    origin: Origin,
}

impl Usual {
    async fn provide(&self) -> Result {
        let mut last = CredentialsError::not_loaded_no_source();
        for place in &self.places {
            match place.credentials.provide_credentials().await {
                Ok(credentials) => {
                    self.origin.set(&place.name);
                    return Ok(credentials);
                }
                Err(error @ CredentialsError::CredentialsNotLoaded(_)) => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }
}

impl ProvideCredentials for Usual {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.places.iter().find_map(|place| place.credentials.fallback_on_interrupt())
    }
}
