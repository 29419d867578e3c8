//! Builds the SQL that S3 Select runs on each object. Pure.
//!
//! It may select too many records: the scanner filters them again, so the events are the same as with
//! `get`. Only plain names are inserted into it.

use std::collections::BTreeSet;

use crate::resource_map::ResourceMap;
use crate::resource_map::events::LAMBDA;

/// The maximum length of an expression, in bytes.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/selecting-content-from-objects.html>
const MAX_BYTES: usize = 256 * 1024;

/// Complete records of successful calls: the error code is missing, null or empty. For a missing field,
/// AWS documents the behaviour of COALESCE (it skips null and MISSING), but not that of IS NULL.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-select-sql-reference-conditional.html>
const SUCCESSFUL: &str = "SELECT * FROM s3object[*].Records[*] s WHERE COALESCE(s.errorCode, '') = ''";

/// The expression for the events of a map. If it can't have all names, it selects successful calls with any name.
pub(super) fn expression(map: &ResourceMap) -> String {
    let mut names = BTreeSet::new();
    let mut versioned = BTreeSet::new();
    for (source, name, _) in map.events.iter() {
        // Event names of Lambda contain the API version: CreateFunction20150331.
        if source == LAMBDA {
            versioned.insert(name)
        } else {
            names.insert(name)
        };
    }
    if !names.iter().chain(&versioned).all(|name| is_plain(name)) {
        return SUCCESSFUL.to_owned();
    }
    let list: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    let mut conditions = Vec::new();
    if !list.is_empty() {
        conditions.push(format!("s.eventName IN ({})", list.join(",")));
    }
    // `_` matches any character in a pattern, so it selects too many records, never too few.
    conditions.extend(versioned.iter().map(|name| format!("s.eventName LIKE '{name}%'")));
    if conditions.is_empty() {
        return SUCCESSFUL.to_owned();
    }
    let expression = format!("{SUCCESSFUL} AND ({})", conditions.join(" OR "));
    if expression.len() > MAX_BYTES { SUCCESSFUL.to_owned() } else { expression }
}

/// Whether a name has no special characters, so that it can't end its quotes.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::Action;
    use crate::trail::samples::map;

    fn of(calls: &[(&str, &str)]) -> String {
        let rules: Vec<_> = calls
            .iter()
            .map(|(source, name)| (*source, *name, "thing", Action::Create, "requestParameters.x"))
            .collect();
        expression(&map(&rules))
    }

    #[test]
    fn names_are_listed_once_across_services() {
        let calls = [("ecs.amazonaws.com", "CreateCluster"), ("eks.amazonaws.com", "CreateCluster"), ("a", "B")];
        assert_eq!(
            of(&calls),
            "SELECT * FROM s3object[*].Records[*] s WHERE COALESCE(s.errorCode, '') = '' \
             AND (s.eventName IN ('B','CreateCluster'))"
        );
    }

    #[test]
    fn lambda_names_match_with_any_version() {
        let condition = " AND (s.eventName IN ('CreateBucket') OR s.eventName LIKE 'CreateFunction%')";
        let expression = of(&[("s3.amazonaws.com", "CreateBucket"), (LAMBDA, "CreateFunction")]);
        assert_eq!(expression.strip_prefix(SUCCESSFUL), Some(condition));
        let alone = of(&[(LAMBDA, "CreateFunction")]);
        assert_eq!(alone.strip_prefix(SUCCESSFUL), Some(" AND (s.eventName LIKE 'CreateFunction%')"));
    }

    #[test]
    fn other_names_are_filtered_locally() {
        assert_eq!(of(&[("a", "B"), ("a", "it's' OR '1'='1")]), SUCCESSFUL);
        assert_eq!(of(&[(LAMBDA, "100%")]), SUCCESSFUL);
        assert_eq!(of(&[]), SUCCESSFUL);
        let names: Vec<String> = (0..20_000).map(|number| format!("CreateSomething{number}")).collect();
        let calls: Vec<_> = names.iter().map(|name| ("a", name.as_str())).collect();
        assert_eq!(of(&calls), SUCCESSFUL);
        assert_ne!(of(&calls[..1000]), SUCCESSFUL);
    }

    #[test]
    fn built_in_maps_fit() {
        let expression = expression(ResourceMap::built_in_once());
        assert!(expression.starts_with(SUCCESSFUL) && expression.len() > SUCCESSFUL.len(), "{expression}");
        assert!(!expression.contains('\n'), "S3 Select takes no line breaks");
    }
}
