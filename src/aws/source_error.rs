//! Why a source gave no credentials.

use aws_credential_types::provider::error::CredentialsError;

/// Credentials that a source did not give.
#[derive(Debug, thiserror::Error)]
#[error("{origin}")]
pub(in crate::aws) struct SourceError {
    /// Which source that was.
    pub(in crate::aws) origin: String,
    pub(in crate::aws) source: CredentialsError,
}

/// A code that is needed and was not given.
#[derive(Debug, thiserror::Error)]
#[error("profile {profile:?} needs a code of the MFA device {serial}: {why}")]
pub(in crate::aws) struct NoCode {
    pub(in crate::aws) profile: String,
    pub(in crate::aws) serial: String,
    pub(in crate::aws) why: String,
}
