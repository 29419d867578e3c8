//! Where a profile's credentials come from: one source, then the roles that are assumed from it one after the other. Pure.
//!
//! The order within a profile is the AWS CLI's: `role_arn`, a web identity, Identity Center, keys in the credentials file,
//! `login_session`, `credential_process`, keys in the configuration file. A profile that another one names as its source gives
//! its own keys first, where it has some.
//!
//! Source: <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>, and botocore's `credentials.py`.

use std::fmt;

use aws_credential_types::Credentials;

use super::files::Profiles;

/// How a profile gets credentials.
#[derive(Debug)]
pub(in crate::aws) struct Chain {
    /// The profile with the first source.
    pub(super) base_profile: String,
    /// The first source.
    pub(super) base: Base,
    /// The roles, the last one the profile's own.
    pub(super) roles: Vec<RoleStep>,
}

/// A source that needs no other one.
#[derive(Clone)]
pub(super) enum Base {
    /// Keys in a file.
    Keys(Credentials),
    /// `credential_source`.
    Named(NamedSource),
    /// A token in a file, which STS exchanges.
    WebIdentity { role_arn: String, token_file: String, session_name: Option<String> },
    /// IAM Identity Center, after `aws sso login`.
    IdentityCenter(IdentityCenter),
    /// `aws login`: the session's ARN.
    Login(String),
    /// A command line that prints credentials.
    Process(String),
}

/// What `credential_source` may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NamedSource {
    Environment,
    Ec2InstanceMetadata,
    EcsContainer,
}

/// The keys of Identity Center.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IdentityCenter {
    pub(super) session: Option<String>,
    pub(super) start_url: String,
    pub(super) region: String,
    pub(super) account_id: String,
    pub(super) role_name: String,
}

/// A role that a profile assumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::aws) struct RoleStep {
    /// The profile with the `role_arn`.
    pub(in crate::aws) profile: String,
    pub(super) arn: String,
    pub(super) external_id: Option<String>,
    pub(super) session_name: Option<String>,
    pub(super) duration_seconds: Option<i32>,
    /// The MFA device that the role wants a code of.
    pub(in crate::aws) mfa_serial: Option<String>,
}

/// A profile that can't give credentials.
#[derive(Debug, thiserror::Error)]
#[error("profile {profile:?} of {files}: {problem}")]
pub(in crate::aws) struct ProfileError {
    profile: String,
    files: String,
    pub(super) problem: Problem,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error(
        "it has no credentials: it needs role_arn, sso_account_id and sso_role_name, login_session, credential_process, \
         credential_source, or aws_access_key_id and aws_secret_access_key"
    )]
    NoCredentials,
    #[error("it has {0} but not {1}")]
    Incomplete(&'static str, &'static str),
    #[error("it has both source_profile and credential_source: keep one of them")]
    TwoSources,
    #[error("credential_source = {0}: it is not Environment, Ec2InstanceMetadata or EcsContainer")]
    UnknownSource(String),
    #[error("source_profile = {0}: there is no such profile")]
    NoSuchSource(String),
    #[error("its source_profile leads back to itself: {0}")]
    Loop(String),
    #[error("sso_session = {0}: there is no section [sso-session {0}]")]
    NoSuchSession(String),
    #[error("{0} differs from the value in its sso_session: remove it, or change the section [sso-session {1}]")]
    TwoSessions(&'static str, String),
    #[error("{0} = {1}: it is not a whole number")]
    NotANumber(&'static str, String),
}

impl Chain {
    /// The chain of a profile that exists.
    pub(in crate::aws) fn of(profiles: &Profiles, profile: &str) -> Result<Self, ProfileError> {
        let (mut name, mut seen, mut roles) = (profile.to_owned(), Vec::new(), Vec::new());
        loop {
            let at = Reader { profiles, profile: &name };
            if seen.contains(&name) {
                seen.push(name.clone());
                return Err(at.error(Problem::Loop(seen.join(" → "))));
            }
            seen.push(name.clone());
            let own_keys = if seen.len() > 1 { at.keys()? } else { None };
            if let Some(keys) = own_keys {
                roles.reverse();
                return Ok(Self { base_profile: name, base: Base::Keys(keys), roles });
            }
            let Some(role) = at.role()? else {
                roles.reverse();
                return Ok(Self { base: at.base()?, base_profile: name, roles });
            };
            roles.push(role);
            match at.source()? {
                Some(source) if source != name => {
                    if !profiles.has(&source) {
                        return Err(at.error(Problem::NoSuchSource(source)));
                    }
                    name = source;
                }
                // It is its own source.
                _ => {
                    roles.reverse();
                    return Ok(Self { base: at.base()?, base_profile: name, roles });
                }
            }
        }
    }

    /// Whether a person has to be asked for a code.
    pub(in crate::aws) fn needs_code(&self) -> bool {
        self.roles.iter().any(|role| role.mfa_serial.is_some())
    }
}

impl ProfileError {
    /// Whether the profile names no source at all, so that another place may.
    pub(super) fn is_empty_profile(&self) -> bool {
        matches!(self.problem, Problem::NoCredentials)
    }
}

/// Reads one profile's keys.
struct Reader<'a> {
    profiles: &'a Profiles,
    profile: &'a str,
}

impl Reader<'_> {
    fn error(&self, problem: Problem) -> ProfileError {
        let files = self.profiles.files_of(self.profile);
        ProfileError { profile: self.profile.to_owned(), files, problem }
    }

    fn get(&self, key: &str) -> Option<String> {
        self.profiles.get(self.profile, key).map(str::to_owned)
    }

    /// The role, unless a web identity is exchanged for it.
    fn role(&self) -> Result<Option<RoleStep>, ProfileError> {
        let Some(arn) = self.get("role_arn").filter(|_| self.get("web_identity_token_file").is_none()) else {
            return Ok(None);
        };
        let number = |text: String| text.parse().map_err(|_| self.error(Problem::NotANumber("duration_seconds", text)));
        Ok(Some(RoleStep {
            profile: self.profile.to_owned(),
            arn,
            external_id: self.get("external_id"),
            session_name: self.get("role_session_name"),
            duration_seconds: self.get("duration_seconds").map(number).transpose()?,
            mfa_serial: self.get("mfa_serial"),
        }))
    }

    /// The profile that a role is assumed from; `None`: `credential_source` says.
    fn source(&self) -> Result<Option<String>, ProfileError> {
        match (self.get("source_profile"), self.get("credential_source")) {
            (Some(_), Some(_)) => Err(self.error(Problem::TwoSources)),
            (None, None) => {
                let wanted = "source_profile, credential_source or web_identity_token_file";
                Err(self.error(Problem::Incomplete("role_arn", wanted)))
            }
            (source, _) => Ok(source),
        }
    }

    /// The source that needs no other profile.
    fn base(&self) -> Result<Base, ProfileError> {
        if let Some(name) = self.get("credential_source") {
            return self.named(name).map(Base::Named);
        }
        if let Some(token) = self.web_identity()? {
            return Ok(token);
        }
        if let Some(center) = self.identity_center()? {
            return Ok(Base::IdentityCenter(center));
        }
        let keys = self.keys()?;
        let in_credentials_file =
            self.profiles.entry(self.profile, "aws_access_key_id").is_some_and(|entry| entry.is_credentials_file);
        if let Some(keys) = keys.clone().filter(|_| in_credentials_file) {
            return Ok(Base::Keys(keys));
        }
        let login = self.get("login_session").map(Base::Login);
        let other = login.or_else(|| self.get("credential_process").map(Base::Process));
        other.or(keys.map(Base::Keys)).ok_or_else(|| self.error(Problem::NoCredentials))
    }

    fn named(&self, name: String) -> Result<NamedSource, ProfileError> {
        use NamedSource::{Ec2InstanceMetadata, EcsContainer, Environment};
        let known = [
            ("Environment", Environment),
            ("Ec2InstanceMetadata", Ec2InstanceMetadata),
            ("EcsContainer", EcsContainer),
        ];
        let found = known.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(&name));
        found.map(|(_, source)| source).ok_or_else(|| self.error(Problem::UnknownSource(name)))
    }

    fn web_identity(&self) -> Result<Option<Base>, ProfileError> {
        let Some(token_file) = self.get("web_identity_token_file") else { return Ok(None) };
        let role_arn = self.get("role_arn");
        let role_arn =
            role_arn.ok_or_else(|| self.error(Problem::Incomplete("web_identity_token_file", "role_arn")))?;
        Ok(Some(Base::WebIdentity { role_arn, token_file, session_name: self.get("role_session_name") }))
    }

    /// Identity Center's keys. An `sso_session` alone gives a token, not credentials.
    fn identity_center(&self) -> Result<Option<IdentityCenter>, ProfileError> {
        const ACCOUNT: &str = "sso_account_id";
        const ROLE: &str = "sso_role_name";
        let (account_id, role_name) = match (self.get(ACCOUNT), self.get(ROLE)) {
            (Some(account), Some(role)) => (account, role),
            (None, None) => return Ok(None),
            (Some(_), None) => return Err(self.error(Problem::Incomplete(ACCOUNT, ROLE))),
            (None, Some(_)) => return Err(self.error(Problem::Incomplete(ROLE, ACCOUNT))),
        };
        let session = self.get("sso_session");
        let start_url = self.of_session("sso_start_url", session.as_deref())?;
        let region = self.of_session("sso_region", session.as_deref())?;
        Ok(Some(IdentityCenter { session, start_url, region, account_id, role_name }))
    }

    /// A key of the profile's Identity Center session, or of the profile where it names none.
    fn of_session(&self, key: &'static str, session: Option<&str>) -> Result<String, ProfileError> {
        let own = self.get(key);
        let Some(name) = session else {
            return own.ok_or_else(|| self.error(Problem::Incomplete("sso_account_id", key)));
        };
        let section = self.profiles.sso_session(name, key);
        let section = section.ok_or_else(|| self.error(Problem::NoSuchSession(name.to_owned())))?.map(str::to_owned);
        match (own, section) {
            (Some(own), Some(section)) if own != section => Err(self.error(Problem::TwoSessions(key, name.to_owned()))),
            (own, section) => section.or(own).ok_or_else(|| self.error(Problem::Incomplete("sso_session", key))),
        }
    }

    fn keys(&self) -> Result<Option<Credentials>, ProfileError> {
        const ID: &str = "aws_access_key_id";
        const SECRET: &str = "aws_secret_access_key";
        let (id, secret) = match (self.get(ID), self.get(SECRET)) {
            (Some(id), Some(secret)) => (id, secret),
            (None, None) => return Ok(None),
            (Some(_), None) => return Err(self.error(Problem::Incomplete(ID, SECRET))),
            (None, Some(_)) => return Err(self.error(Problem::Incomplete(SECRET, ID))),
        };
        let token = self.get("aws_session_token").or_else(|| self.get("aws_security_token"));
        let mut keys = Credentials::builder().access_key_id(id).secret_access_key(secret).provider_name("profile");
        keys.set_session_token(token);
        keys.set_account_id(self.get("aws_account_id").map(Into::into));
        Ok(Some(keys.build()))
    }
}

/// Without what may be secret.
impl fmt::Debug for Base {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys(keys) => write!(formatter, "Keys({})", keys.access_key_id()),
            Self::Named(source) => write!(formatter, "Named({source:?})"),
            Self::WebIdentity { role_arn, .. } => write!(formatter, "WebIdentity({role_arn})"),
            Self::IdentityCenter(center) => write!(formatter, "{center:?}"),
            Self::Login(arn) => write!(formatter, "Login({arn})"),
            Self::Process(_) => formatter.write_str("Process"),
        }
    }
}

#[cfg(test)]
mod tests;
