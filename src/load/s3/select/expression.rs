//! The SQL that S3 Select runs on each object. Pure.
//!
//! It over-approximates: what it lets through is checked on our side by the scanner, so that rows are the same as with
//! `get`. Nothing but plain names gets into it.

use std::collections::BTreeSet;

use crate::resource_map::ResourceMap;
use crate::resource_map::events::LAMBDA;

/// The longest expression, in bytes.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/selecting-content-from-objects.html>
const MAX_BYTES: usize = 256 * 1024;

/// Whole records of successful calls: without an error code, with null or with an empty one. Of a field that is missing,
/// AWS documents what COALESCE does (it passes over null and MISSING alike), and not what IS NULL says.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-select-sql-reference-conditional.html>
const SUCCESSFUL: &str = "SELECT * FROM s3object[*].Records[*] s WHERE COALESCE(s.errorCode, '') = ''";

/// The expression for a map's events. Where the names can't be said in it, successful calls of any name.
pub(super) fn expression(map: &ResourceMap) -> String {
    let mut names = BTreeSet::new();
    let mut versioned = BTreeSet::new();
    for (source, name, _) in map.events.iter() {
        // Lambda's names carry the version of the API: CreateFunction20150331.
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
    // `_` stands for any character in a pattern: more than the name, never less.
    conditions.extend(versioned.iter().map(|name| format!("s.eventName LIKE '{name}%'")));
    if conditions.is_empty() {
        return SUCCESSFUL.to_owned();
    }
    let expression = format!("{SUCCESSFUL} AND ({})", conditions.join(" OR "));
    if expression.len() > MAX_BYTES { SUCCESSFUL.to_owned() } else { expression }
}

/// Whether a name can't end its quotes or mean anything else.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trail::record::Action;
    use crate::trail::samples::map;

    fn of(calls: &[(&str, &str)]) -> String {
        let rules: Vec<_> = calls
            .iter()
            .map(|(source, name)| (*source, *name, "thing", Action::Create, "requestParameters.x"))
            .collect();
        expression(&map(&rules))
    }

    #[test]
    fn names_are_listed_once_whatever_their_service() {
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
    fn what_can_not_be_said_is_left_to_our_side() {
        assert_eq!(of(&[("a", "B"), ("a", "it's' OR '1'='1")]), SUCCESSFUL);
        assert_eq!(of(&[(LAMBDA, "100%")]), SUCCESSFUL);
        assert_eq!(of(&[]), SUCCESSFUL);
        let names: Vec<String> = (0..20_000).map(|number| format!("CreateSomething{number}")).collect();
        let calls: Vec<_> = names.iter().map(|name| ("a", name.as_str())).collect();
        assert_eq!(of(&calls), SUCCESSFUL);
        assert_ne!(of(&calls[..1000]), SUCCESSFUL);
    }

    #[test]
    fn the_built_in_maps_fit() {
        let expression = expression(&ResourceMap::built_in());
        assert!(expression.starts_with(SUCCESSFUL) && expression.len() > SUCCESSFUL.len(), "{expression}");
        assert!(!expression.contains('\n'), "S3 Select takes no line breaks");
    }
}
