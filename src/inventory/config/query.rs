//! Queries in AWS Config's SQL. Pure.
//!
//! Sources: <https://docs.aws.amazon.com/config/latest/developerguide/query-components.html> (SELECT, WHERE with `=`, `IN`, `AND`; no FROM,
//! no joins) and <https://docs.aws.amazon.com/config/latest/APIReference/API_SelectResourceConfig.html> (length and page size).

use std::collections::BTreeSet;

use crate::model::{AccountId, Region};
use crate::resource_map::TypeDefinition;

/// The maximum length of a query.
const MAX_LENGTH: usize = 4096;

/// The most accounts that a query names. With more, the answer for all accounts costs fewer calls than several queries.
const MAX_ACCOUNTS: usize = 50;

/// The region of configuration items that belong to none, such as IAM's.
pub(super) const GLOBAL: &str = "global";

/// The properties of each resource that a query selects.
const FIELDS: &str = "resourceType, resourceId, resourceName, arn, accountId, awsRegion, configurationItemStatus, tags";

/// Names of types that differ from CloudFormation's, by CloudFormation's.
///
/// Source: <https://docs.aws.amazon.com/config/latest/developerguide/resource-config-reference.html>
const OTHER_NAMES: [(&str, &[&str]); 3] = [
    ("AWS::CertificateManager::Certificate", &["AWS::ACM::Certificate"]),
    ("AWS::IAM::ManagedPolicy", &["AWS::IAM::Policy"]),
    // Domains from before OpenSearch keep the name that they were recorded under.
    ("AWS::OpenSearchService::Domain", &["AWS::OpenSearch::Domain", "AWS::Elasticsearch::Domain"]),
];

/// AWS Config's names of a type. Empty if the map does not have CloudFormation's.
pub(super) fn names_of(definition: &TypeDefinition) -> Vec<&str> {
    let Some(name) = definition.cloudformation.as_deref() else { return Vec::new() };
    if let Some((_, names)) = OTHER_NAMES.iter().find(|(own, _)| *own == name) {
        return names.to_vec();
    }
    // A user's map can have any text, and the query language has no documented way to quote a quote.
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b':') && name.len() < MAX_LENGTH / 4;
    if is_name { vec![name] } else { Vec::new() }
}

/// The queries that together return all resources of these types. Without regions or accounts, those of all.
pub(super) fn queries(types: &BTreeSet<&str>, accounts: &[AccountId], regions: &[Region]) -> Vec<String> {
    let mut end = String::new();
    if !accounts.is_empty() && accounts.len() <= MAX_ACCOUNTS {
        end += &format!(" AND accountId IN ({})", list(accounts.iter().map(AccountId::as_str)));
    }
    if !regions.is_empty() && end.len() + regions.len() * 30 < MAX_LENGTH / 2 {
        end += &format!(" AND awsRegion IN ({})", list(regions.iter().map(Region::as_str).chain([GLOBAL])));
    }
    let start = format!("SELECT {FIELDS} WHERE resourceType IN (");
    let room = MAX_LENGTH - start.len() - end.len() - ")".len();
    let mut parts: Vec<Vec<&str>> = Vec::new();
    let mut left = 0;
    for name in types {
        let length = name.len() + "'', ".len();
        match parts.last_mut().filter(|_| left >= length) {
            Some(part) => part.push(name),
            None => {
                parts.push(vec![name]);
                left = room;
            }
        }
        left -= length;
    }
    parts.into_iter().map(|part| format!("{start}{}){end}", list(part.into_iter()))).collect()
}

fn list<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    texts.map(|text| format!("'{text}'")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource_map::ResourceMap;

    #[test]
    fn every_type_is_in_one_query_of_at_most_the_allowed_length() {
        let map = ResourceMap::built_in_once();
        let types: BTreeSet<&str> = map.definitions().flat_map(names_of).collect();
        let accounts: Vec<AccountId> = (0..50).map(|number| format!("{number:012}").as_str().into()).collect();
        let regions: Vec<Region> = (0..34).map(|number| format!("us-somewhere-{number}").as_str().into()).collect();
        for (accounts, regions) in [(&[][..], &[][..]), (&accounts[..], &regions[..]), (&accounts[..1], &regions[..1])]
        {
            let queries = queries(&types, accounts, regions);
            assert!(queries.len() > 5 && queries.iter().all(|query| query.len() <= MAX_LENGTH));
            for name in &types {
                let quoted = format!("'{name}'");
                assert_eq!(queries.iter().filter(|query| query.contains(&quoted)).count(), 1, "{name}");
            }
        }
    }

    #[test]
    fn accounts_and_regions_are_conditions() {
        let queries = queries(&BTreeSet::from(["AWS::SQS::Queue"]), &["1".into()], &["eu-west-1".into()]);
        let expected = format!(
            "SELECT {FIELDS} WHERE resourceType IN ('AWS::SQS::Queue') AND accountId IN ('1') AND awsRegion IN ('eu-west-1', 'global')"
        );
        assert_eq!(queries, [expected]);
    }

    #[test]
    fn a_name_that_would_end_the_text_is_not_asked_for() {
        let map = ResourceMap::built_in_once();
        let mut definition = TypeDefinition::clone(&map.types["sqs"]);
        assert_eq!(names_of(&definition), ["AWS::SQS::Queue"]);
        for name in [Some("AWS::X' OR 'a'='a"), Some("AWS X"), None] {
            definition.cloudformation = name.map(str::to_owned);
            assert!(names_of(&definition).is_empty());
        }
        assert_eq!(names_of(&map.types["iam-policy"]), ["AWS::IAM::Policy"]);
    }
}
