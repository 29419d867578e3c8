//! The edge to AWS: sessions, the generic signed caller, error classes.
//!
//! SDK types leave this module only as S3 and Resource Groups Tagging API clients, for `load` and `tag`; their errors
//! come back in through [`CallError::of_sdk`]. Knows nothing of resource types.

mod access;
pub mod caller;
mod causes;
mod codes;
pub mod counts;
mod credentials;
mod discovery;
mod doubt;
mod endpoint;
mod environment;
pub mod error;
mod hint;
mod http;
mod profile;
pub(crate) mod protocol;
mod rates;
pub mod regions;
mod retries;
pub mod session;
mod setup;
mod source_error;
#[cfg(test)]
pub(crate) mod test_server;

pub use access::{AccountAccess, AskCode, AwsOptions, CallerIdentity, MfaDevice, Role};
pub use caller::{Answer, Caller};
pub use counts::Counts;
pub use doubt::Doubt;
pub use error::{CallError, ErrorClass};
pub use rates::Turn;
pub use session::Session;

/// The names of all profiles in AWS's configuration and credentials files; none where they can't be parsed.
pub async fn profile_names() -> Vec<String> {
    let environment = environment::Environment::of_process();
    profile::files::Profiles::load(&environment).await.map(|profiles| profiles.names()).unwrap_or_default()
}
