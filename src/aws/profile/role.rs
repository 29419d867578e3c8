//! A role that a profile assumes: with MFA, a duration, an external id.

use std::fmt;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result, future};
use aws_sdk_sts::types;
use aws_types::SdkConfig;

use super::chain::RoleStep;
use crate::aws::access::{AskCode, MfaDevice, SESSION_NAME};
use crate::aws::source_error::NoCode;
use crate::model::ArnParts;

/// Assumes the role for each request for credentials.
pub(super) struct RoleProvider {
    pub(super) step: RoleStep,
    pub(super) ask_code: Option<AskCode>,
    /// With the credentials that the role is assumed by.
    pub(super) config: SdkConfig,
}

impl RoleProvider {
    async fn assume(&self) -> Result {
        let RoleStep { arn, external_id, session_name, duration_seconds, mfa_serial, .. } = &self.step;
        let code = match mfa_serial {
            Some(serial) => Some(self.code(serial).await.map_err(CredentialsError::invalid_configuration)?),
            None => None,
        };
        let answer = aws_sdk_sts::Client::new(&self.config)
            .assume_role()
            .role_arn(arn)
            .role_session_name(session_name.as_deref().unwrap_or(SESSION_NAME))
            .set_external_id(external_id.clone())
            .set_duration_seconds(*duration_seconds)
            .set_serial_number(mfa_serial.clone())
            .set_token_code(code)
            .send()
            .await
            .map_err(CredentialsError::provider_error)?;
        let account =
            answer.assumed_role_user().and_then(|user| ArnParts::parse(user.arn())).map(|arn| arn.account.to_owned());
        answer
            .credentials()
            .map(|given| credentials(given, account))
            .ok_or_else(|| CredentialsError::unhandled("STS answered without credentials"))
    }

    /// The code of the device, from the person at the terminal.
    async fn code(&self, serial: &str) -> std::result::Result<String, NoCode> {
        let (profile, serial) = (self.step.profile.clone(), serial.to_owned());
        let no_code = |why: String| NoCode { profile: profile.clone(), serial: serial.clone(), why };
        let Some(ask) = self.ask_code else { return Err(no_code("there is no terminal to ask for it".to_owned())) };
        let device = MfaDevice { profile: profile.clone(), serial: serial.clone() };
        let answer = tokio::task::spawn_blocking(move || ask(&device)).await;
        let code = answer.map_err(|error| no_code(error.to_string()))?.map_err(|error| no_code(error.to_string()))?;
        Some(code.trim().to_owned())
            .filter(|code| !code.is_empty())
            .ok_or_else(|| no_code("none was entered".to_owned()))
    }
}

fn credentials(given: &types::Credentials, account: Option<String>) -> Credentials {
    let mut credentials = Credentials::builder()
        .access_key_id(given.access_key_id())
        .secret_access_key(given.secret_access_key())
        .session_token(given.session_token())
        .provider_name("AssumeRole");
    credentials.set_expiry(SystemTime::try_from(*given.expiration()).ok());
    credentials.set_account_id(account.map(Into::into));
    credentials.build()
}

impl ProvideCredentials for RoleProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}

impl fmt::Debug for RoleProvider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.step.fmt(formatter)
    }
}
