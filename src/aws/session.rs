//! Credentials, region and account: what AWS's usual chain gives, plus our options.

use super::{CallError, Caller};
use crate::names::{AccountId, Region};

/// How to reach AWS, as asked for.
#[derive(Debug, Clone, Default)]
pub struct AwsOptions {
    /// Profile of AWS's shared configuration.
    pub profile: Option<String>,
    /// Region.
    pub region: Option<Region>,
    /// Roles to assume one after the other.
    pub assume: Vec<String>,
    /// External id for the last role.
    pub external_id: Option<String>,
    /// Endpoint for all services.
    pub endpoint_url: Option<String>,
}

/// A way into one account. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Session {}

impl Session {
    /// Finds credentials and region. Makes no AWS call of its own but what the credentials need.
    ///
    /// # Errors
    /// No region, or a profile that doesn't exist.
    #[allow(clippy::unused_async)]
    pub async fn open(_options: &AwsOptions) -> Result<Self, CallError> {
        todo!()
    }

    /// The region by options or AWS's chain.
    pub fn region(&self) -> &Region {
        todo!()
    }

    /// The account, asked of STS GetCallerIdentity.
    ///
    /// # Errors
    /// The call's.
    #[allow(clippy::unused_async)]
    pub async fn account(&self) -> Result<AccountId, CallError> {
        todo!()
    }

    /// The generic caller with this session's credentials.
    pub fn caller(&self) -> Caller {
        todo!()
    }

    /// An S3 client for a region.
    pub fn s3(&self, _region: &Region) -> aws_sdk_s3::Client {
        todo!()
    }

    /// A Resource Groups Tagging API client for a region.
    pub fn tagging(&self, _region: &Region) -> aws_sdk_resourcegroupstagging::Client {
        todo!()
    }
}
