//! The classes of errors, and which of AWS's codes and statuses belong to each.

use crate::aws::codes;

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
    /// AWS refused the call for what it says (validation, unsupported…).
    Refused,
    /// The answer could not be read.
    BadAnswer,
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

fn says_not_found(code: &str) -> bool {
    ["NotFound", "NoSuch", "DoesNotExist", "NonExistent"].iter().any(|part| code.contains(part))
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
