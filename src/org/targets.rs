//! Where in an account to look for which types: only where the database has records of them.
//!
//! Pure. A global type (IAM, S3 buckets…) is looked at once in an account: in the partition's home region if that is among the
//! regions, else in the first one.

use std::collections::BTreeSet;

use crate::model::Region;
use crate::resource_map::{ResourceMap, TypeDefinition};
use crate::tag::chosen::{Chosen, RecordedTypes, TypeChoice};

/// The regions where AWS keeps what a partition has once.
///
/// Source: botocore's `endpoints.json`, the signing regions of IAM's endpoints.
const HOMES: [&str; 8] = [
    "us-east-1",
    "cn-north-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-isob-east-1",
    "us-isof-south-1",
    "eu-isoe-west-1",
    "eusc-de-east-1",
];

/// The types to look at in each region. `records`: the types that the database has creations of in an account, by region.
/// `regions`: the regions to process; `None`: all with records.
pub fn places<'m>(
    map: &'m ResourceMap,
    records: &RecordedTypes,
    regions: Option<&[Region]>,
    choice: TypeChoice<'_>,
) -> Vec<(Region, Chosen<'m>)> {
    let regions: BTreeSet<&Region> = match regions {
        Some(regions) => regions.iter().collect(),
        None => records.keys().collect(),
    };
    let home = regions.iter().find(|region| HOMES.contains(&region.as_str())).or_else(|| regions.first()).copied();
    let mut places = Vec::new();
    for region in &regions {
        let here = records.get(*region).into_iter().flatten().filter(|name| !map.is_global(name));
        let globals = records.values().flatten().filter(|name| home == Some(*region) && map.is_global(name));
        let recorded = here.chain(globals).cloned().collect();
        let is_here = |definition: &TypeDefinition| !definition.global || home == Some(*region);
        let mut chosen = choice.of(map, recorded, is_here);
        if !choice.named.is_empty() {
            chosen.keep(choice.named);
        }
        if !chosen.types.is_empty() || !chosen.skipped.is_empty() {
            places.push(((*region).clone(), chosen));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::ResourceType;

    fn planned(records: &[(&str, &[&str])], regions: Option<&[&str]>, asked: &[&str]) -> Vec<(String, Vec<String>)> {
        planned_by(records, regions, (asked, false))
    }

    fn planned_by(
        records: &[(&str, &[&str])],
        regions: Option<&[&str]>,
        (asked, inherit): (&[&str], bool),
    ) -> Vec<(String, Vec<String>)> {
        let map = ResourceMap::built_in_once();
        let types = |names: &[&str]| names.iter().map(|&name| ResourceType::new(name)).collect::<Vec<_>>();
        let records = records.iter().map(|(region, names)| (Region::from(*region), types(names))).collect();
        let regions: Option<Vec<Region>> = regions.map(|names| names.iter().map(|&name| name.into()).collect());
        let named = types(asked);
        let choice = TypeChoice { named: &named, inherit, all: false };
        let places = places(map, &records, regions.as_deref(), choice);
        let names = |chosen: &Chosen<'_>| chosen.types.iter().map(|one| one.resource_type.to_string()).collect();
        places.iter().map(|(region, chosen)| (region.to_string(), names(chosen))).collect()
    }

    fn place(region: &str, types: &[&str]) -> (String, Vec<String>) {
        (region.to_owned(), types.iter().map(|&name| name.to_owned()).collect())
    }

    const RECORDS: [(&str, &[&str]); 3] =
        [("eu-west-1", &["ebs", "s3"]), ("us-east-1", &["iam-role", "sqs"]), ("us-west-2", &["iam-role"])];

    #[test]
    fn only_places_with_records_are_looked_at_and_global_types_once() {
        let expected = [place("eu-west-1", &["ebs"]), place("us-east-1", &["iam-role", "s3", "sqs"])];
        assert_eq!(planned(&RECORDS, None, &[]), expected);
        assert_eq!(planned(&[], None, &[]), []);
        assert_eq!(planned(&[], Some(&["eu-west-1"]), &[]), []);
    }

    #[test]
    fn without_the_home_region_the_first_one_has_the_global_types() {
        assert_eq!(
            planned(&RECORDS, Some(&["us-west-2", "eu-west-1"]), &[]),
            [place("eu-west-1", &["ebs", "iam-role", "s3"])]
        );
        assert_eq!(planned(&RECORDS, Some(&["ap-south-1"]), &[]), [place("ap-south-1", &["iam-role", "s3"])]);
    }

    #[test]
    fn all_types_are_listed_on_request_and_otherwise_named() {
        let map = ResourceMap::built_in();
        let records = BTreeMap::from(
            [("eu-west-1", vec!["ebs"]), ("us-east-1", vec!["iam-role"])]
                .map(|(region, names)| (Region::from(region), names.into_iter().map(ResourceType::new).collect())),
        );
        let listable = map.definitions().filter(|definition| definition.access.is_some()).count();
        for all in [false, true] {
            let places = places(&map, &records, None, TypeChoice { all, ..TypeChoice::default() });
            let counts = |at: usize| (places[at].1.types.len(), places[at].1.unexamined.len());
            assert_eq!((places[0].0.as_str(), places[1].0.as_str()), ("eu-west-1", "us-east-1"));
            let ((examined, left), (examined_home, left_home)) = (counts(0), counts(1));
            assert!(examined + left < listable, "global types are looked at once");
            assert_eq!(examined_home + left_home, listable);
            let expected = if all { (listable, 0) } else { (1, listable - 1) };
            assert_eq!((examined_home, left_home), expected);
        }
    }

    #[test]
    fn types_asked_for_without_a_record_are_not_listed() {
        assert_eq!(planned(&RECORDS, None, &["sqs", "lambda"]), [place("us-east-1", &["sqs"])]);
    }
    #[test]
    fn to_inherit_also_takes_the_types_below_those_with_records() {
        let records: [(&str, &[&str]); 2] = [("eu-west-1", &["ec2"]), ("us-east-1", &["sqs"])];
        let expected = [place("eu-west-1", &["ebs", "ec2", "eni"]), place("us-east-1", &["sqs"])];
        assert_eq!(planned_by(&records, None, (&[], true)), expected);
        assert_eq!(planned_by(&records, None, (&["ebs"], true)), [place("eu-west-1", &["ebs"])]);
    }
}
