//! What can go wrong with an AWS call, in classes that decide what happens next.
//!
//! All errors, the generic caller's and those of SDK clients, become a [`CallError`] here and nowhere else.

mod class;
mod hint;

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

pub use class::ErrorClass;

use super::protocol::error_answer;
use super::source_error::{NoCode, SourceError};
use crate::model::Region;

/// A failed call.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{operation}{}: {code}: {message}", in_region(.region))]
pub struct CallError {
    /// Its class.
    pub class: ErrorClass,
    /// `iam:ListRoles`: also the permission's name for most calls. REST calls have method and path, `lambda:GET /…`.
    pub operation: String,
    /// The region called; empty where there is none yet.
    pub region: String,
    /// AWS's error code without name space, or a word for what happened on our side.
    pub code: String,
    /// AWS's message.
    pub message: String,
    /// AWS's request id.
    pub request_id: Option<String>,
    /// Which credentials were in use, where the error is about them.
    pub credentials: Option<String>,
}

fn in_region(region: &str) -> String {
    if region.is_empty() { String::new() } else { format!(" in {region}") }
}

impl CallError {
    /// The error of an SDK client's call. `operation` is as in [`CallError::operation`], `tag:GetResources`.
    pub fn of_sdk<E>(operation: &str, region: &Region, error: &SdkError<E, Response>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ServiceError(answer) => Self::of_service(operation, region, answer.err(), answer.raw()),
            SdkError::ResponseError(answer) => Self {
                request_id: error_answer::request_id_of_headers(answer.raw().headers()),
                ..Self::of_our_side(operation, region, error)
            },
            _ => Self::of_our_side(operation, region, error),
        }
    }

    fn of_service(operation: &str, region: &Region, error: &impl ProvideErrorMetadata, raw: &Response) -> Self {
        let status = raw.status().as_u16();
        let code = error.code().map_or_else(|| format!("HTTP {status}"), str::to_owned);
        let request_id = error_answer::request_id_of_headers(raw.headers())
            .or_else(|| error.meta().extra(error_answer::REQUEST_ID).map(str::to_owned));
        Self {
            class: ErrorClass::of_answer(&code, status),
            message: error.message().unwrap_or("AWS gave no message").to_owned(),
            request_id,
            ..Self::bare(operation, region, ErrorClass::Refused, &code)
        }
    }

    /// What went wrong before an answer came, or while it was read.
    fn of_our_side<E: Error + 'static>(operation: &str, region: &Region, error: &SdkError<E, Response>) -> Self {
        let (class, code) = our_side(error);
        Self { message: causes(error), ..Self::bare(operation, region, class, code) }
    }

    /// Why there are no credentials. A role's refusal is AWS's own answer.
    pub(super) fn of_credentials(operation: &str, region: &Region, error: &CredentialsError) -> Self {
        let refusal = chain(error).find_map(|cause| cause.downcast_ref::<AssumeRoleError>());
        let code = refusal.and_then(ProvideErrorMetadata::code).unwrap_or_else(|| credentials_code(error));
        let message = refusal.and_then(ProvideErrorMetadata::message);
        let source = chain(error).find_map(|cause| cause.downcast_ref::<SourceError>());
        Self {
            message: message.map_or_else(|| causes_of_credentials(error), str::to_owned),
            credentials: source.map(|source| source.origin.clone()).filter(|_| message.is_some()),
            ..Self::bare(operation, region, ErrorClass::Credentials, code)
        }
    }

    /// Without message and request id.
    pub(crate) fn bare(operation: &str, region: &Region, class: ErrorClass, code: &str) -> Self {
        Self {
            class,
            operation: operation.to_owned(),
            region: region.to_string(),
            code: code.to_owned(),
            message: String::new(),
            request_id: None,
            credentials: None,
        }
    }

    /// An answer that can't be used.
    pub(crate) fn bad_answer(operation: &str, region: &Region, message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::bare(operation, region, ErrorClass::BadAnswer, "unusable answer") }
    }

    /// Whether another call that makes the same change could go well: what refused this one is the call itself, a permission for
    /// it, or that the service does not have it there.
    pub fn leaves_other_ways(&self) -> bool {
        match self.class {
            ErrorClass::Credentials | ErrorClass::Throttled | ErrorClass::Conflict => false,
            ErrorClass::Server => NOT_IMPLEMENTED.contains(&self.code.as_str()),
            ErrorClass::AccessDenied | ErrorClass::Refused => self.settled().is_none(),
            ErrorClass::NotFound | ErrorClass::NoEndpoint | ErrorClass::Unreachable | ErrorClass::BadAnswer => true,
        }
    }
}

pub(super) const NO_CREDENTIALS: &str = "no credentials";
pub(super) const NO_REGION: &str = "no region";
pub(super) const INVALID_REGION: &str = "invalid region";
pub(super) const NO_PROFILE: &str = "no such profile";
/// What servers that speak S3's protocol answer to calls they don't have, with status 501.
const NOT_IMPLEMENTED: [&str; 4] = ["NotImplemented", "UnsupportedOperation", "XNotImplemented", "HTTP 501"];
/// What systems say where no program listens.
const REFUSED: &str = "refused";
pub(super) const ASSUME_ROLE: &str = "sts:AssumeRole";
pub(super) const BAD_PROFILE: &str = "profile not usable";
pub(super) const BAD_CA_BUNDLE: &str = "CA bundle not usable";
const NO_CODE: &str = "no MFA code";
const NO_ROLE: &str = "role not assumed";
const NOT_USABLE: &str = "credentials not usable";

fn our_side<E: Error + 'static>(error: &SdkError<E, Response>) -> (ErrorClass, &'static str) {
    if let Some(credentials) = chain(error).find_map(|cause| cause.downcast_ref::<CredentialsError>()) {
        return (ErrorClass::Credentials, credentials_code(credentials));
    }
    match error {
        SdkError::TimeoutError(_) => (ErrorClass::Unreachable, "timed out"),
        SdkError::ResponseError(_) => (ErrorClass::BadAnswer, "unreadable answer"),
        SdkError::ConstructionFailure(_) => (ErrorClass::Refused, "request not sent"),
        _ if unknown_host(error) => (ErrorClass::NoEndpoint, "unknown host"),
        _ => (ErrorClass::Unreachable, "not reached"),
    }
}

fn credentials_code(error: &CredentialsError) -> &'static str {
    if chain(error).any(|cause| cause.is::<NoCode>()) {
        return NO_CODE;
    }
    let is_of_profile = chain(error).any(|cause| cause.is::<SourceError>());
    // The instance's metadata is asked last, when nothing else gave credentials.
    if !is_of_profile && (matches!(error, CredentialsError::CredentialsNotLoaded(_)) || causes(error).contains("IMDS"))
    {
        NO_CREDENTIALS
    } else if chain(error).any(|cause| cause.is::<AssumeRoleError>()) {
        NO_ROLE
    } else {
        NOT_USABLE
    }
}

/// Whether the resolver said that the host does not exist, which asking again won't change; a resolver that can't be
/// asked (`EAI_AGAIN`) is a failure of the network.
pub(crate) fn unknown_host(error: &(dyn Error + 'static)) -> bool {
    const ANSWERS: [&str; 4] = [
        "Name or service not known",
        "No address associated with hostname",
        "nodename nor servname provided",
        "No such host is known",
    ];
    chain(error).any(|cause| {
        let text = cause.to_string();
        ANSWERS.iter().any(|answer| text.contains(answer))
    })
}

/// An error and its causes.
pub(crate) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Why there are no credentials, from the source on: what the SDK puts before it says nothing more.
fn causes_of_credentials(error: &CredentialsError) -> String {
    let source = chain(error).find(|cause| cause.is::<SourceError>());
    causes(source.unwrap_or(error))
}

/// The error and its causes as one line, without repeats.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for cause in chain(error) {
        let part = cause.to_string();
        if !text.contains(&part) {
            let separator = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{separator}{part}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_does_not_exist_is_told_from_a_resolver_that_cannot_be_asked() {
        let lookup = |said: &str| std::io::Error::other(format!("failed to lookup address information: {said}"));
        let wrapped = std::io::Error::other(lookup("Name or service not known"));
        assert!(unknown_host(&wrapped), "{wrapped}");
        assert!(!unknown_host(&lookup("Temporary failure in name resolution")));
    }
}
