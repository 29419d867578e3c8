//! The edge to AWS: sessions, the generic signed caller, error classes.
//!
//! SDK types leave this module only as S3 and Resource Groups Tagging API clients, for `load` and `tag`.

pub mod caller;
pub mod error;
pub mod session;

pub use caller::{Answer, Caller};
pub use error::{CallError, ErrorClass};
pub use session::{AwsOptions, Session};
