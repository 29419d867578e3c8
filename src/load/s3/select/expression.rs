//! Builds the SQL that S3 Select runs on each object. Pure.
//!
//! It may select too many records: the scanner filters them again, so the events are the same as with
//! `get`. Only plain names are inserted into it.

use std::collections::BTreeSet;

use crate::resource_map::ResourceMap;

/// The maximum length of an expression, in bytes.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/selecting-content-from-objects.html>
const MAX_BYTES: usize = 256 * 1024;

/// Complete records of successful calls: the error code is missing, null or empty. For a missing field,
/// AWS documents the behaviour of COALESCE (it skips null and MISSING), but not that of IS NULL.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-select-sql-reference-conditional.html>
const SUCCESSFUL: &str = "SELECT * FROM s3object[*].Records[*] s WHERE COALESCE(s.errorCode, '') = ''";

/// Names that contain the date of an API version: `CreateFunction20150331v2`, `CreateDistribution2014_01_31`. `_` matches any
/// character, so it selects too many records, never too few.
const VERSIONED: &str = "s.eventName LIKE '%20______%'";

/// The expression for the events of a map. If it can't have all names, it selects successful calls with any name.
pub(super) fn expression(map: &ResourceMap) -> String {
    let names: BTreeSet<&str> = map.events.iter().map(|(_, name, _)| name).collect();
    if names.is_empty() || !names.iter().all(|name| is_plain(name)) {
        return SUCCESSFUL.to_owned();
    }
    let list: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    let verbs: BTreeSet<&str> = names.iter().map(|name| verb(name)).collect();
    // Without the verbs, the many reading calls that have a version would be selected too.
    let verbs: Vec<String> = verbs.iter().map(|verb| format!("s.eventName LIKE '{verb}%'")).collect();
    let condition = format!("s.eventName IN ({}) OR {VERSIONED} AND ({})", list.join(","), verbs.join(" OR "));
    let expression = format!("{SUCCESSFUL} AND ({condition})");
    if expression.len() > MAX_BYTES { SUCCESSFUL.to_owned() } else { expression }
}

/// The first word of a name: `Create` of `CreateFunction`.
fn verb(name: &str) -> &str {
    let end = name.char_indices().skip(1).find(|(_, character)| !character.is_ascii_lowercase());
    end.map_or(name, |(end, _)| &name[..end])
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
    fn names_are_listed_once_across_services_and_match_with_any_version() {
        let calls =
            [("ecs.amazonaws.com", "CreateCluster"), ("eks.amazonaws.com", "CreateCluster"), ("a", "RunJobFlow")];
        assert_eq!(
            of(&calls),
            "SELECT * FROM s3object[*].Records[*] s WHERE COALESCE(s.errorCode, '') = '' \
             AND (s.eventName IN ('CreateCluster','RunJobFlow') OR s.eventName LIKE '%20______%' \
             AND (s.eventName LIKE 'Create%' OR s.eventName LIKE 'Run%'))"
        );
    }

    #[test]
    fn verb_is_the_first_word() {
        for (name, first) in
            [("CreateFunction", "Create"), ("Run", "Run"), ("B", "B"), ("EC2Go", "E"), ("put_x", "put")]
        {
            assert_eq!(verb(name), first);
        }
    }

    #[test]
    fn other_names_are_filtered_locally() {
        assert_eq!(of(&[("a", "B"), ("a", "it's' OR '1'='1")]), SUCCESSFUL);
        assert_eq!(of(&[("lambda.amazonaws.com", "100%")]), SUCCESSFUL);
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
