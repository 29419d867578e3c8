//! The names everything else is written in: account, region, resource type, id, ARN, tag key and value.
//!
//! Each is its own type so that an id can't be passed where an ARN is meant. They hold text that was checked where
//! checking is possible, and know nothing of AWS calls, SQL or files.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What is wrong with a name given by a person or a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not {expected}")]
pub struct InvalidName {
    /// The text that was given.
    pub value: String,
    /// What was wanted, as a phrase: "an account id of 12 digits".
    pub expected: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(String);

        impl $type {
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
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
    /// An AWS account's id, 12 digits. Trails can hold others (`anonymous`), so only [`AccountId::parse`] checks.
    AccountId
);
name!(
    /// An AWS region's code, `eu-west-1`. `aws-global` never appears: global types use their partition's home region.
    Region
);
name!(
    /// A resource type by cloud-custodian's name without its `aws.` prefix: `ec2`, `iam-role`, `dynamodb-table`.
    ResourceType
);
name!(
    /// A resource's id as its create event or its list call gives it: an id, a name, a URL or an ARN.
    ResourceId
);
name!(
    /// An Amazon Resource Name.
    Arn
);
name!(
    /// A tag's key. Whether two keys are one tag depends on the type: [`crate::resource_map::TagKeys`].
    TagKey
);
name!(
    /// A tag's value.
    TagValue
);

impl AccountId {
    /// Checks that `text` is 12 digits.
    ///
    /// # Errors
    /// When it isn't.
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
    type Err = InvalidName;

    /// Accepts what can be a region's code (`xx-name-N`); whether AWS has it, only AWS knows.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let parts: Vec<&str> = text.split('-').collect();
        let well_formed = parts.len() >= 3
            && parts.iter().all(|part| !part.is_empty())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && parts.last().is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        if well_formed {
            Ok(Self::new(text))
        } else {
            Err(InvalidName { value: text.to_owned(), expected: "a region code such as eu-west-1" })
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
    /// The partition the region belongs to (`aws`, `aws-cn`, `aws-us-gov`…), told from its code's beginning as
    /// botocore's `partitions.json` does.
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

impl Arn {
    /// What stands after the last `/`, else after the last `:`: `arn:aws:iam::1:role/a/b` → `b`.
    pub fn last_segment(&self) -> &str {
        self.0.rsplit(['/', ':']).next().unwrap_or(&self.0)
    }
}
