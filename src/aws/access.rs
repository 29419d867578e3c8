//! How to reach AWS and its accounts: options, profiles, roles. Plain data.

use std::io;

use crate::model::{AccountId, Arn, Region};

/// The name under which assumed roles' sessions appear in CloudTrail: 2–64 of `[\w+=,.@-]`.
pub(super) const SESSION_NAME: &str = "trailcreator";

/// Asks a person for the current code of an MFA device. May block. An error says why there is no code.
pub type AskCode = fn(&MfaDevice) -> io::Result<String>;

/// An MFA device that a profile's role wants a code of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MfaDevice {
    /// The profile with the device.
    pub profile: String,
    /// The device's serial number or ARN.
    pub serial: String,
}

/// How to reach AWS, from the options.
#[derive(Debug, Clone, Default)]
pub struct AwsOptions {
    /// Profile of AWS's shared configuration: then the only source of credentials.
    pub profile: Option<String>,
    /// Region.
    pub region: Option<Region>,
    /// Region where neither this nor AWS's chain names one: for calls that find their region themselves.
    pub default_region: Option<Region>,
    /// Roles to assume one after the other.
    pub assume: Vec<String>,
    /// External id for the last role.
    pub external_id: Option<String>,
    /// Endpoint for all services.
    pub endpoint_url: Option<String>,
    /// Asks a person for the code of an MFA device. Without it, profiles with `mfa_serial` give no credentials.
    pub ask_code: Option<AskCode>,
}

impl AwsOptions {
    /// The roles; the external id is the last one's.
    pub(super) fn roles(&self) -> Vec<Role> {
        let last = self.assume.len();
        let roles = (1..).zip(&self.assume).map(|(number, arn)| Role {
            arn: arn.clone(),
            external_id: self.external_id.clone().filter(|_| number == last),
            session_name: None,
        });
        roles.collect()
    }
}

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// The external id that its trust policy may want.
    pub external_id: Option<String>,
    /// The session's name; ours without one.
    pub session_name: Option<String>,
}

/// How an account of an organization is reached, from a session outside of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct AccountAccess {
    /// A profile to begin with, in place of the session's own credentials.
    pub profile: Option<String>,
    /// Roles to assume one after the other.
    pub roles: Vec<Role>,
}

/// The principal of a session's credentials.
#[derive(Debug, Clone)]
pub struct CallerIdentity {
    /// The account.
    pub account: AccountId,
    /// The user or role session.
    pub arn: Arn,
}
