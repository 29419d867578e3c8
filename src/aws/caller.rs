//! The generic caller: any operation of any AWS service from data, signed and retried like the SDK's own.

use serde_json::Value;

use super::CallError;
use crate::names::Region;
use crate::resource_map::Service;

/// What a call gave.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The answer as JSON; XML as `reference/catalog-notes.md` describes.
    pub body: Value,
    /// AWS's request id.
    pub request_id: Option<String>,
}

/// Calls AWS. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Caller {}

impl Caller {
    /// Calls `operation` (`ListRoles`, or `GET /2015-03-31/functions` for REST) of `service` in `region` with `input`, whose
    /// placeholders are already filled. `path` holds the values of a REST path's `{placeholders}`.
    ///
    /// # Errors
    /// What AWS answers, after retries; or that it can't be reached.
    #[allow(clippy::unused_async)]
    pub async fn call(
        &self,
        _service: &Service,
        _region: &Region,
        _operation: &str,
        _input: &Value,
    ) -> Result<Answer, CallError> {
        todo!()
    }
}
