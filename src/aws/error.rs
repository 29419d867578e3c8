//! What can go wrong with an AWS call, in classes that decide what happens next.
//!
//! All errors, the generic caller's and those of SDK clients, become a [`CallError`] here and nowhere else.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::codes::{self, Settled};
use super::protocol::error_answer;
use super::source_error::{NoCode, SourceError};
use crate::model::{Region, nearest_region};
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

    /// What a person can do about a refusal that no other call gets around: a tag policy, a limit on tags, a policy that denies.
    pub fn settled_hint(&self) -> Option<String> {
        self.settled().map(|settled| settled.hint(self.missing_permission()))
    }

    fn settled(&self) -> Option<Settled> {
        let may_be = matches!(self.class, ErrorClass::AccessDenied | ErrorClass::Refused);
        may_be.then(|| Settled::of(&self.code, &self.message)).flatten()
    }

    /// The error with its hint, for a reason of one line.
    pub fn with_hint(&self) -> String {
        match self.hint() {
            Some(hint) => format!("{self} ({hint})"),
            None => self.to_string(),
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        if let Some(hint) = self.settled_hint() {
            return Some(hint);
        }
        Some(match self.class {
            ErrorClass::AccessDenied => format!("allow {} to the user or role in use", self.missing_permission()),
            ErrorClass::Credentials => match &self.credentials {
                Some(origin) => format!("{}; the credentials in use are from {origin}", self.credentials_hint()),
                None => self.credentials_hint(),
            },
            ErrorClass::NoEndpoint => {
                format!("check the region's name{}; the service may not be in {}", self.nearest_region(), self.region)
            }
            ErrorClass::Unreachable if self.message.contains(REFUSED) => {
                "no server listens at that address: check --endpoint-url, AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_SERVICE, the profile's \
                 endpoint_url, and HTTPS_PROXY"
                    .to_owned()
            }
            ErrorClass::Unreachable => {
                format!(
                    "check the network, proxy and endpoint settings, and the region's name{}",
                    self.nearest_region()
                )
            }
            ErrorClass::Throttled => "AWS limits the rate of calls: try again later".to_owned(),
            ErrorClass::Server => "AWS failed on its side: try again later".to_owned(),
            ErrorClass::Refused if self.code == INVALID_REGION => {
                "check AWS_REGION, AWS_DEFAULT_REGION and the profile's region, or give --region".to_owned()
            }
            ErrorClass::Conflict => "the resource is being changed by something else: try again later".to_owned(),
            ErrorClass::Refused if self.code == NO_REGION => {
                "give --region, or set AWS_REGION, or a region in the profile".to_owned()
            }
            ErrorClass::Refused if self.code == NO_PROFILE => {
                "check --profile and AWS_PROFILE; create a profile with aws configure or aws configure sso, in ~/.aws/config or \
                 in the file that AWS_CONFIG_FILE names"
                    .to_owned()
            }
            ErrorClass::Refused if self.code == BAD_CA_BUNDLE => {
                "name a PEM file with the certificates to trust, or unset AWS_CA_BUNDLE".to_owned()
            }
            ErrorClass::NotFound | ErrorClass::Refused | ErrorClass::BadAnswer => return None,
        })
    }

    /// ` (did you mean us-east-1?)`, if the region is unknown to this version.
    fn nearest_region(&self) -> String {
        let unknown = Some(self.region.as_str()).filter(|name| !Region::from(*name).is_known());
        let nearest = unknown.and_then(nearest_region);
        nearest.map(|nearest| format!(" (did you mean {nearest}?)")).unwrap_or_default()
    }

    fn credentials_hint(&self) -> String {
        if self.code.contains("xpired") {
            "the credentials have expired: sign in again (aws sso login) or renew them".to_owned()
        } else if self.code == NO_CREDENTIALS {
            "set AWS_PROFILE or --profile, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; create a profile with aws \
             configure or aws configure sso"
                .to_owned()
        } else if self.code == BAD_PROFILE {
            "complete the profile (https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html), or choose another \
             one; without --profile, keys in the environment take precedence"
                .to_owned()
        } else if self.code == NO_CODE {
            "run it in a terminal; or put the role's keys into the environment and leave out --profile: \
             eval \"$(aws configure export-credentials --format env --profile NAME)\""
                .to_owned()
        } else if self.code == NO_ROLE || self.operation == ASSUME_ROLE {
            "check the role's ARN, its trust policy and external id, and that the credentials may call sts:AssumeRole"
                .to_owned()
        } else if self.code == NOT_USABLE {
            "check the profile in use; aws sso login or aws login renews a sign-in".to_owned()
        } else {
            format!(
                "check the credentials; if they work in other regions, {} isn't enabled for the account",
                self.region
            )
        }
    }

    /// The permission that AWS's message names, else the operation.
    fn missing_permission(&self) -> &str {
        let named = self.message.split("not authorized to perform: ").nth(1);
        let named = named.and_then(|rest| rest.split([' ', ',', '\n']).next()).map(|text| text.trim_end_matches('.'));
        named.filter(|text| text.contains(':')).unwrap_or(&self.operation)
    }
}

pub(super) const NO_CREDENTIALS: &str = "no credentials";
pub(super) const NO_REGION: &str = "no region";
pub(super) const INVALID_REGION: &str = "invalid region";
pub(super) const NO_PROFILE: &str = "no such profile";
/// Error codes of servers with S3's protocol for calls that they lack, with status 501.
const NOT_IMPLEMENTED: [&str; 4] = ["NotImplemented", "UnsupportedOperation", "XNotImplemented", "HTTP 501"];
/// Part of the system's error if no program listens at the address.
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

/// Why there are no credentials, without the SDK's generic text before the source's error.
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

    #[test]
    fn an_unknown_host_and_a_failing_resolver_are_different_errors() {
        let lookup = |said: &str| std::io::Error::other(format!("failed to lookup address information: {said}"));
        let wrapped = std::io::Error::other(lookup("Name or service not known"));
        assert!(unknown_host(&wrapped), "{wrapped}");
        assert!(!unknown_host(&lookup("Temporary failure in name resolution")));
    }

    #[test]
    fn the_missing_permission_is_the_one_that_aws_names() {
        let hint = |message: &str| {
            let region = Region::from("us-east-1");
            let bare = CallError::bare("lambda:GET /functions", &region, ErrorClass::AccessDenied, "AccessDenied");
            CallError { message: message.to_owned(), ..bare }.hint().unwrap()
        };
        let message =
            "User: arn:aws:iam::1:user/a is not authorized to perform: lambda:ListFunctions on resource: * because";
        assert_eq!(hint(message), "allow lambda:ListFunctions to the user or role in use");
        assert_eq!(hint("Access Denied"), "allow lambda:GET /functions to the user or role in use");
    }
}
