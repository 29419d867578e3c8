//! The regions that AWS has, by botocore's list, and what a region's name looks like: to find slips of the pen.
//!
//! AWS opens regions all the time, so that a name of the right form counts as a region whether this list has it or not.

use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use super::Region;

/// How many letters a misspelt name may differ by from the region that is suggested for it.
const MAX_SLIPS: usize = 3;

/// A region's name that no region can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a region code such as eu-west-1{}", did_you_mean(*.nearest))]
pub struct InvalidRegion {
    /// The text that was given.
    pub value: String,
    /// The region with the nearest name.
    pub nearest: Option<&'static str>,
}

/// `; did you mean eu-west-1?`
pub fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Partition {
    #[serde(rename = "partition")]
    _id: String,
    pattern: String,
    regions: Vec<String>,
}

static PARTITIONS: LazyLock<Vec<Partition>> =
    LazyLock::new(|| serde_json::from_str(include_str!("regions.json")).expect("a test makes the same text anew"));

static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let pattern =
        |partition: &Partition| Regex::new(&partition.pattern).expect("botocore's patterns are regular expressions");
    PARTITIONS.iter().map(pattern).collect()
});

/// All regions that this version knows.
pub fn known_regions() -> impl Iterator<Item = &'static str> {
    PARTITIONS.iter().flat_map(|partition| &partition.regions).map(String::as_str)
}

/// The known region most like `name`.
pub fn nearest_region(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    known_regions()
        .map(|region| (strsim::osa_distance(&name, region), region))
        .min_by_key(|(slips, _)| *slips)
        .filter(|(slips, _)| *slips <= MAX_SLIPS)
        .map(|(_, region)| region)
}

impl Region {
    /// Whether AWS has it, as far as this version knows.
    pub fn is_known(&self) -> bool {
        known_regions().any(|region| region == self.as_str())
    }
}

/// Whether a partition's regions have names of this form.
pub(super) fn is_well_formed(name: &str) -> bool {
    PATTERNS.iter().any(|pattern| pattern.is_match(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_answered_with_the_region_that_was_meant() {
        for (wrong, right) in [
            ("us-esat-1", Some("us-east-1")),
            ("eu-wset-3", Some("eu-west-3")),
            ("US-EAST-1", Some("us-east-1")),
            ("us-east-1a", Some("us-east-1")),
            ("eu-west", Some("eu-west-1")),
            ("useast1", Some("us-east-1")),
            ("cn-noth-1", Some("cn-north-1")),
            ("ireland", None),
            ("", None),
        ] {
            assert_eq!(nearest_region(wrong), right, "{wrong}");
        }
    }

    #[test]
    fn a_name_of_the_right_form_is_a_region_that_may_be_new() {
        for (name, well_formed, is_known) in [
            ("us-east-1", true, true),
            ("eusc-de-east-1", true, true),
            ("us-gov-west-1", true, true),
            ("us-south-9", true, false),
            ("us-esat-1", true, false),
            ("us-east-1a", false, false),
            ("useast-1", false, false),
            ("aws-global", false, false),
            ("xx-east-1", false, false),
        ] {
            assert_eq!(name.parse::<Region>().is_ok(), well_formed, "{name}");
            assert_eq!(Region::from(name).is_known(), is_known, "{name}");
        }
    }
}
