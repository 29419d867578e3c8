//! The name of a log group, or its ARN.

use std::str::FromStr;

use crate::model::{Arn, ArnParts, Region};

/// A log group as it is named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The region in its ARN.
    pub region: Option<Region>,
}

/// Not the name or the ARN of a log group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the name or the ARN of a log group: 1 to 512 letters, digits and _ - / . #")]
pub struct InvalidGroup;

/// The longest name.
///
/// Source: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>
const MAX_NAME: usize = 512;

/// What precedes the name in the last part of an ARN.
const RESOURCE: &str = "log-group:";

impl FromStr for Group {
    type Err = InvalidGroup;

    /// A name, or an ARN with or without the `:*` that the console shows.
    fn from_str(text: &str) -> Result<Self, InvalidGroup> {
        let (name, region) = if text.starts_with("arn:") {
            let arn = Arn::from(text);
            let ArnParts { service, region, resource, .. } = arn.parts().ok_or(InvalidGroup)?;
            let name = resource.strip_prefix(RESOURCE).filter(|_| service == "logs").ok_or(InvalidGroup)?;
            (name.trim_end_matches(":*").to_owned(), Some(Region::from(region)))
        } else {
            (text.to_owned(), None)
        };
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"_-/.#".contains(&byte);
        let is_name = (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_valid);
        if is_name { Ok(Self { name, region }) } else { Err(InvalidGroup) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_arns_are_accepted() {
        let name: Group = "aws-cloudtrail-logs/x".parse().unwrap();
        assert_eq!((name.name.as_str(), name.region), ("aws-cloudtrail-logs/x", None));
        for arn in [
            "arn:aws:logs:eu-west-1:123456789012:log-group:trail",
            "arn:aws:logs:eu-west-1:123456789012:log-group:trail:*",
        ] {
            let group: Group = arn.parse().unwrap();
            assert_eq!((group.name.as_str(), group.region), ("trail", Some(Region::from("eu-west-1"))));
        }
        for bad in ["", "a b", "arn:aws:s3:::bucket", "arn:aws:logs:eu-west-1:123456789012:destination:x"] {
            assert_eq!(bad.parse::<Group>(), Err(InvalidGroup), "{bad}");
        }
    }
}
