//! The basic names: account, region, resource type, ID, ARN, tag key and value.
//!
//! Each has its own type, so that an ID can't be passed in place of an ARN. They hold texts, checked where
//! possible, and know nothing of AWS calls, SQL or files.

mod arn;
mod regions;

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

pub use arn::ArnParts;
pub use regions::{InvalidRegion, did_you_mean, known_regions, nearest_region};

/// An invalid name from the command line or a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not {expected}")]
pub struct InvalidName {
    /// The invalid text.
    pub value: String,
    /// The expected form, as a phrase: "an account id of 12 digits".
    pub expected: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(SmolStr);

        impl $type {
            /// Wraps a text without checking it.
            pub fn new(text: impl Into<SmolStr>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether the text is empty: what the name belongs to has none.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&self.0)
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $type {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $type {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }
    };
}

name!(
    /// An AWS account ID, 12 digits. Trails can have other values (`anonymous`), so only [`AccountId::parse`] checks.
    AccountId
);
name!(
    /// An AWS region code, `eu-west-1`. `aws-global` never occurs: global types use their partition's home region.
    Region
);
name!(
    /// A resource type with Cloud Custodian's name, without its `aws.` prefix: `ec2`, `iam-role`, `dynamodb-table`.
    ResourceType
);
name!(
    /// A resource ID as in its create event or its list call: an ID, a name, a URL or an ARN.
    ResourceId
);
name!(
    /// An Amazon Resource Name, as text: not checked, and empty for resources without one. [`Arn::parts`] parses it.
    Arn
);
name!(
    /// A tag key. Whether two keys are one tag depends on the type: [`crate::resource_map::TagKeys`].
    TagKey
);
name!(
    /// A tag value.
    TagValue
);

impl AccountId {
    /// Checks that `text` is 12 digits.
    ///
    /// # Errors
    /// It is not.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self::new(text))
        } else {
            Err(InvalidName { value: text.to_owned(), expected: "an account id of 12 digits" })
        }
    }
}

impl FromStr for AccountId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::parse(text)
    }
}

impl FromStr for Region {
    type Err = InvalidRegion;

    /// Accepts texts in the form of a region code. Whether the region exists is not checked: see [`Region::is_known`].
    fn from_str(text: &str) -> Result<Self, InvalidRegion> {
        if regions::is_well_formed(text) {
            Ok(Self::new(text))
        } else {
            Err(InvalidRegion { value: text.to_owned(), nearest: nearest_region(text) })
        }
    }
}

impl FromStr for ResourceType {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::new(text.strip_prefix("aws.").unwrap_or(text)))
    }
}

impl Region {
    /// The partition of the region (`aws`, `aws-cn`, `aws-us-gov`…), from the prefix of its code, as in
    /// botocore's `partitions.json`.
    pub fn partition(&self) -> &'static str {
        const PREFIXES: [(&str, &str); 8] = [
            ("cn-", "aws-cn"),
            ("us-gov-", "aws-us-gov"),
            ("us-isob-", "aws-iso-b"),
            ("us-isof-", "aws-iso-f"),
            ("us-iso-", "aws-iso"),
            ("eu-isoe-", "aws-iso-e"),
            ("eusc-", "aws-eusc"),
            ("", "aws"),
        ];
        PREFIXES.iter().find(|(prefix, _)| self.0.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
    }
}
