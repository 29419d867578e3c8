//! What can go wrong with an AWS call, in classes that decide what happens next.
//!
//! All errors, the generic caller's and those of SDK clients, become a [`CallError`] here and nowhere else.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::causes::causes_of_credentials;
pub(crate) use super::causes::{causes, chain, unknown_host};
use super::codes;
use super::protocol::error_answer;
use super::source_error::{NoCode, SourceError};
use crate::model::Region;
use crate::text::secrets;

/// What an error means for the one who called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Too many requests, even after retries.
    Throttled,
    /// Permission is missing: the message or the operation names it.
    AccessDenied,
    /// The resource isn't there (any more).
    NotFound,
    /// No credentials, or expired and not renewable, or not valid.
    Credentials,
    /// The host name doesn't exist: the service isn't in that region, or the region isn't.
    NoEndpoint,
    /// The network failed, or timed out, even after retries.
    Unreachable,
    /// AWS failed, even after retries.
    Server,
    /// Something else is going on with the resource (another change, a state that passes): the same call may go well later.
    Conflict,
    /// AWS refused the content of the call (validation, unsupported…).
    Refused,
    /// The answer could not be read.
    BadAnswer,
}

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
    /// Whether AWS may have done what was asked all the same: no answer of one of the attempts proves that it did not.
    pub in_doubt: bool,
}

fn in_region(region: &str) -> String {
    if region.is_empty() { String::new() } else { format!(" in {region}") }
}

/// Codes of missing permission that don't say "AccessDenied".
const DENIED: [&str; 7] = [
    "UnauthorizedOperation",
    "UnauthorizedException",
    "NotAuthorized",
    "AuthorizationError",
    "AuthorizationErrorException",
    "Forbidden",
    "ForbiddenException",
];

/// Codes of credentials that are missing, wrong or too old.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>, and S3's and EC2's own lists.
const CREDENTIALS: [&str; 17] = [
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotSignedUp",
    "OptInRequired",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
];

/// Codes of throttling that don't hold "Throttl". `LimitExceededException` is a quota, which waiting doesn't raise.
const THROTTLED: [&str; 8] = [
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "TooManyRequests",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

impl ErrorClass {
    /// The class of an error that AWS answered.
    pub(crate) fn of_answer(code: &str, status: u16) -> Self {
        if code.contains("Throttl") || THROTTLED.contains(&code) {
            Self::Throttled
        } else if codes::is_conflict(code, status) {
            // CloudWatch sends its conflicts with 429, Simple Email Service with 500.
            Self::Conflict
        } else if status == 429 {
            Self::Throttled
        } else if CREDENTIALS.contains(&code) {
            Self::Credentials
        } else if code.contains("AccessDenied") || DENIED.contains(&code) {
            Self::AccessDenied
        } else if says_not_found(code) {
            Self::NotFound
        } else if status >= 500 {
            Self::Server
        } else if status == 403 {
            Self::AccessDenied
        } else if status == 404 {
            Self::NotFound
        } else {
            Self::Refused
        }
    }
}

/// A message without secrets, as it is shown and stored.
fn clean(message: impl AsRef<str>) -> String {
    secrets::redacted(message.as_ref()).into_owned()
}

fn says_not_found(code: &str) -> bool {
    ["NotFound", "NoSuch", "DoesNotExist", "NonExistent"].iter().any(|part| code.contains(part))
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
        if raw.status().is_success() && error.code().is_none() {
            // The SDK's clients report a body that is none of the operation's as an error without a code.
            return Self {
                request_id: error_answer::request_id_of_headers(raw.headers()),
                ..Self::bad_answer(operation, region, "the answer can't be read as one of this operation")
            };
        }
        let code = error.code().map_or_else(|| format!("HTTP {status}"), str::to_owned);
        let request_id = error_answer::request_id_of_headers(raw.headers())
            .or_else(|| error.meta().extra(error_answer::REQUEST_ID).map(str::to_owned));
        Self {
            class: ErrorClass::of_answer(&code, status),
            message: clean(error.message().unwrap_or("AWS gave no message")),
            request_id,
            ..Self::bare(operation, region, ErrorClass::Refused, &code)
        }
    }

    /// What went wrong before an answer came, or while it was read.
    fn of_our_side<E: Error + 'static>(operation: &str, region: &Region, error: &SdkError<E, Response>) -> Self {
        let (class, code) = our_side(error);
        Self { message: clean(causes(error)), ..Self::bare(operation, region, class, code) }
    }

    /// Why there are no credentials. A role's refusal is AWS's own answer.
    pub(super) fn of_credentials(operation: &str, region: &Region, error: &CredentialsError) -> Self {
        let refusal = chain(error).find_map(|cause| cause.downcast_ref::<AssumeRoleError>());
        let code = refusal.and_then(ProvideErrorMetadata::code).unwrap_or_else(|| credentials_code(error));
        let message = refusal.and_then(ProvideErrorMetadata::message);
        let source = chain(error).find_map(|cause| cause.downcast_ref::<SourceError>());
        Self {
            message: clean(message.map_or_else(|| causes_of_credentials(error), str::to_owned)),
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
            in_doubt: false,
        }
    }

    /// An answer that can't be used.
    pub(crate) fn bad_answer(operation: &str, region: &Region, message: impl Into<String>) -> Self {
        let message = clean(message.into());
        Self { message, ..Self::bare(operation, region, ErrorClass::BadAnswer, "unusable answer") }
    }
}

pub(super) const NO_CREDENTIALS: &str = "no credentials";
pub(super) const NO_REGION: &str = "no region";
pub(super) const INVALID_REGION: &str = "invalid region";
pub(super) const NO_PROFILE: &str = "no such profile";
pub(super) const ASSUME_ROLE: &str = "sts:AssumeRole";
pub(super) const BAD_PROFILE: &str = "profile not usable";
pub(super) const BAD_CA_BUNDLE: &str = "CA bundle not usable";
pub(super) const NO_CODE: &str = "no MFA code";
pub(super) const NO_ROLE: &str = "role not assumed";
pub(super) const NOT_USABLE: &str = "credentials not usable";

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
    // The instance's metadata is read last, if nothing else gave credentials.
    if !is_of_profile && (matches!(error, CredentialsError::CredentialsNotLoaded(_)) || causes(error).contains("IMDS"))
    {
        NO_CREDENTIALS
    } else if chain(error).any(|cause| cause.is::<AssumeRoleError>()) {
        NO_ROLE
    } else {
        NOT_USABLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_statuses_have_their_class() {
        for (code, status, class) in [
            ("ThrottlingException", 400, ErrorClass::Throttled),
            ("EC2ThrottledException", 503, ErrorClass::Throttled),
            ("SlowDown", 503, ErrorClass::Throttled),
            ("HTTP 429", 429, ErrorClass::Throttled),
            ("LimitExceededException", 400, ErrorClass::Refused),
            ("ExpiredToken", 400, ErrorClass::Credentials),
            ("InvalidClientTokenId", 403, ErrorClass::Credentials),
            ("AccessDeniedException", 400, ErrorClass::AccessDenied),
            ("UnauthorizedOperation", 403, ErrorClass::AccessDenied),
            ("HTTP 403", 403, ErrorClass::AccessDenied),
            ("InvalidInstanceID.NotFound", 400, ErrorClass::NotFound),
            ("NoSuchBucket", 404, ErrorClass::NotFound),
            ("AWS.SimpleQueueService.NonExistentQueue", 400, ErrorClass::NotFound),
            ("HTTP 404", 404, ErrorClass::NotFound),
            ("InternalFailure", 500, ErrorClass::Server),
            ("ValidationException", 400, ErrorClass::Refused),
            ("PriorRequestNotComplete", 400, ErrorClass::Throttled),
            ("ConcurrentModificationException", 429, ErrorClass::Conflict),
            ("OperationAborted", 409, ErrorClass::Conflict),
            ("HTTP 409", 409, ErrorClass::Conflict),
            ("LimitExceeded", 409, ErrorClass::Refused),
        ] {
            assert_eq!(ErrorClass::of_answer(code, status), class, "{code} {status}");
        }
    }
}
