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

/// Whole records of successful calls. `IS NULL` is true of what is missing too.
const SUCCESSFUL: &str = "SELECT * FROM s3object[*].Records[*] s WHERE s.errorCode IS NULL";

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
