//! What can go wrong with an AWS call, in classes that decide what happens next.

/// What an error means for the one who called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Too many requests, even after retries.
    Throttled,
    /// Permission is missing; the message or operation tells which.
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
    /// AWS refused the call for what it says (validation, unsupported…).
    Refused,
    /// The answer could not be read.
    BadAnswer,
}

/// A failed call.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{operation} in {region}: {code}: {message}")]
pub struct CallError {
    /// Its class.
    pub class: ErrorClass,
    /// `iam:ListRoles`: also the permission's name for most calls.
    pub operation: String,
    /// The region called.
    pub region: String,
    /// AWS's error code without name space, or a word for what happened on our side.
    pub code: String,
    /// AWS's message.
    pub message: String,
    /// AWS's request id.
    pub request_id: Option<String>,
}

impl CallError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        todo!()
    }
}
