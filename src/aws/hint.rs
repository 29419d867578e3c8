//! What a person can do about a failed AWS call.

use super::codes::Settled;
use super::error::{
    ASSUME_ROLE, BAD_CA_BUNDLE, BAD_PROFILE, CallError, ErrorClass, INVALID_REGION, NO_CODE, NO_CREDENTIALS,
    NO_PROFILE, NO_REGION, NO_ROLE, NOT_USABLE,
};
use crate::model::{Region, nearest_region};

/// Error codes of servers with S3's protocol for calls that they lack, with status 501.
const NOT_IMPLEMENTED: [&str; 4] = ["NotImplemented", "UnsupportedOperation", "XNotImplemented", "HTTP 501"];
/// Part of the system's error if no program listens at the address.
const REFUSED: &str = "refused";

impl CallError {
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
            "check the role's ARN, its trust policy and external id, and that the credentials are allowed to call sts:AssumeRole"
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

#[cfg(test)]
mod tests {
    use super::*;

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
