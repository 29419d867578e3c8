//! The filter pattern that selects the events of a resource map in CloudWatch Logs. Pure.
//!
//! # Why one pattern
//! A pattern has at most 1,024 characters, and the names of the built-in map have 30,000. Several patterns would each search the
//! whole time range again, at one request or more per day and pattern; no pattern would return every event, at 1 MB per request.
//! One pattern that covers a few names too many returns a few more events in the same requests. So names are merged to common
//! beginnings (`Create*`) until they fit, the longest first, and the busiest calls that the map does not have are excluded
//! again. Records are filtered exactly after they arrive.
//!
//! A name also covers its API versions (`CreateFunction20150331`), and so ends in `*` too. Failed calls are not excluded: AWS
//! doesn't say what `NOT EXISTS` answers for an `errorCode` of null.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>

use std::collections::BTreeSet;

use crate::load::history::{can_begin_reading, sounds_like_reading};
use crate::resource_map::ResourceMap;

/// The longest pattern, in characters.
const MAX_CHARACTERS: usize = 1024;

/// Characters of it that are for the names; the others exclude calls.
const FOR_NAMES: usize = 760;

/// Frequent calls with names that begin like those of create and delete events. Busy accounts make millions of them. Most frequent first.
const BUSY: [&str; 12] = [
    "PutObject",
    "DeleteObject*",
    "CreateLogStream",
    "UpdateInstanceInformation",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "CopyObject",
    "CreateMultipartUpload",
    "PutRecord*",
    "StartQuery",
    "DeleteMessage*",
];

/// The pattern for a map's events. `None` if no pattern can have its names.
pub(super) fn pattern(map: &ResourceMap) -> Option<String> {
    let names: BTreeSet<&str> = map.event_names().into_iter().collect();
    if names.is_empty() || !names.iter().all(|name| is_plain(name)) {
        return None;
    }
    let whole = terms(names.iter().map(|name| (*name).to_owned()));
    if whole.len() + BRACES <= MAX_CHARACTERS {
        return Some(format!("{{{whole}}}"));
    }
    let beginnings = merged(&names);
    let mut pattern = format!("{{({})", terms(beginnings.iter().cloned()));
    for call in BUSY {
        let stem = call.trim_end_matches('*');
        let is_covered = beginnings.iter().any(|beginning| stem.starts_with(beginning.as_str()));
        let is_wanted = names.iter().any(|name| if call == stem { *name == stem } else { name.starts_with(stem) });
        let term = format!("&&$.eventName!=\"{call}\"");
        if is_covered && !is_wanted && pattern.len() + term.len() < MAX_CHARACTERS {
            pattern.push_str(&term);
        }
    }
    pattern.push('}');
    (pattern.len() <= MAX_CHARACTERS).then_some(pattern)
}

/// The characters around the terms.
const BRACES: usize = 2;

fn terms(beginnings: impl Iterator<Item = String>) -> String {
    let terms: Vec<String> = beginnings.map(|beginning| format!("$.eventName=\"{beginning}*\"")).collect();
    terms.join("||")
}

/// Beginnings that cover all names and fit. Calls that only read are by far the most: their names are never merged.
fn merged(names: &BTreeSet<&str>) -> BTreeSet<String> {
    let (reading, writing): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| sounds_like_reading(name));
    let mut beginnings: BTreeSet<String> = writing.iter().map(|name| verb(name, &writing).to_owned()).collect();
    let reading: BTreeSet<String> = reading.into_iter().map(str::to_owned).collect();
    let room = FOR_NAMES.saturating_sub(terms(reading.iter().cloned()).len());
    shorten(&mut beginnings, room, |beginning| !can_begin_reading(beginning));
    beginnings.extend(reading);
    // Only other maps than the built-in one need this.
    shorten(&mut beginnings, MAX_CHARACTERS - 2 * BRACES, |_| true);
    beginnings
}

/// Merges beginnings until they take at most `room` characters.
fn shorten(beginnings: &mut BTreeSet<String>, room: usize, is_allowed: fn(&str) -> bool) {
    while terms(beginnings.iter().cloned()).len() > room
        && let Some(shorter) = longest_common(beginnings, is_allowed)
    {
        beginnings.retain(|beginning| !beginning.starts_with(&shorter));
        beginnings.insert(shorter);
    }
}

/// The first word of a name (`Create`), or the name itself if no other begins with that word or calls that only read do.
fn verb<'n>(name: &'n str, names: &[&str]) -> &'n str {
    let end = name.char_indices().skip(1).find(|(_, character)| !character.is_ascii_lowercase());
    let verb = end.map_or(name, |(end, _)| &name[..end]);
    if can_begin_reading(verb) || names.iter().filter(|other| other.starts_with(verb)).count() == 1 {
        name
    } else {
        verb
    }
}

/// The longest beginning that two neighbours share. `None` if none share a letter.
fn longest_common(beginnings: &BTreeSet<String>, is_allowed: fn(&str) -> bool) -> Option<String> {
    let pairs = beginnings.iter().zip(beginnings.iter().skip(1));
    let common = |(one, other): (&String, &String)| {
        let length = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
        one[..length].to_owned()
    };
    pairs.map(common).filter(|common| !common.is_empty() && is_allowed(common)).max_by_key(String::len)
}

/// Whether a name needs no escapes in quotes and has no wildcard.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::Action;
    use crate::trail::samples;

    fn of(names: &[&str]) -> Option<String> {
        let rules: Vec<_> =
            names.iter().map(|name| ("a", *name, "thing", Action::Create, "requestParameters.x")).collect();
        pattern(&samples::map(&rules))
    }

    #[test]
    fn few_names_are_written_out() {
        assert_eq!(
            of(&["CreateBucket", "RunInstances"]).unwrap(),
            r#"{$.eventName="CreateBucket*"||$.eventName="RunInstances*"}"#
        );
        assert_eq!(of(&["it's"]), None);
        assert_eq!(of(&[]), None);
    }

    /// Whether the pattern selects a name, by a second reading of it.
    fn selects(pattern: &str, name: &str) -> bool {
        let matches = |text: &str| match text.strip_suffix('*') {
            Some(stem) => name.starts_with(stem),
            None => name == text,
        };
        let quoted = |part: &str| part.split('"').skip(1).step_by(2).any(&matches);
        let (wanted, excluded) = pattern.split_once("&&").unwrap_or((pattern, ""));
        quoted(wanted) && !quoted(excluded)
    }

    #[test]
    fn every_name_of_the_built_in_map_is_selected_and_reading_is_not() {
        let map = ResourceMap::built_in_once();
        let pattern = pattern(map).unwrap();
        assert!(pattern.len() <= MAX_CHARACTERS, "{}", pattern.len());
        for name in map.event_names() {
            assert!(selects(&pattern, name), "{name} in {pattern}");
            assert!(selects(&pattern, &format!("{name}20150331v2")), "{name}");
        }
        for name in
            ["DescribeInstances", "GetBucketAcl", "ListRoles", "AssumeRole", "Decrypt", "HeadObject", "LookupEvents"]
        {
            assert!(!selects(&pattern, name), "{name} in {pattern}");
        }
        for name in ["PutObject", "DeleteObjects", "CreateLogStream", "UpdateInstanceInformation"] {
            assert!(!selects(&pattern, name), "{name} in {pattern}");
        }
        assert!(pattern.contains("\"Create*\"") && pattern.contains("\"Delete*\""), "{pattern}");
    }

    #[test]
    fn any_number_of_names_fits() {
        let names: Vec<String> = (0..600).map(|number| format!("Verb{}Thing", number)).collect();
        let letters: Vec<String> =
            (b'A'..=b'Z').flat_map(|letter| (0..9).map(move |n| format!("{}x{n}y", char::from(letter)))).collect();
        for names in [names, letters] {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let pattern = of(&names).unwrap();
            assert!(pattern.len() <= MAX_CHARACTERS);
            assert!(names.iter().all(|name| selects(&pattern, name)), "{pattern}");
        }
    }
}
