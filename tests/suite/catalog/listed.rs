//! Every type that can be listed, by our caller and by boto3: the same ids, ARNs and tags.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::coverage::{Outcomes, check};
use super::shared::lab;
use super::world::Testimony;
use crate::common::Moto;
use crate::inventory::{drive, triples};

#[test]
fn every_listable_type_is_listed_with_its_tags_as_boto3_lists_it() {
    let lab = lab();
    let (mut outcomes, mut wrong) = (Outcomes::new(), Vec::new());
    for (kind, reference) in &lab.reference {
        let reason = reference.unsupported.as_deref();
        let outcome = match (&reference.resources, &reference.failed) {
            (_, Some(failed)) => Err(format!("boto3 does not take the map's calls: {failed}")),
            (Some(resources), None) => compared(resources, reason, &lab.ours[kind]),
            (None, None) => Ok(format!("unsupported: {}", reason.expect("a type is listed or not"))),
        };
        match outcome {
            Ok(outcome) => drop(outcomes.insert(kind.clone(), outcome)),
            Err(difference) => wrong.push(format!("{kind}: {difference}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(lab.written_by_listing, Vec::<String>::new(), "listing wrote");
    check("listed", &outcomes);
}

/// What our caller lists of the types that boto3 could list. Tags are read where the server has them: where it
/// stumbles over the question, all our repeats of it would be waited for.
pub(super) fn listed_by_us(moto: &Moto, reference: &BTreeMap<String, Testimony>) -> Value {
    let mut ours = serde_json::Map::new();
    for confirm in [true, false] {
        let chosen =
            |reference: &Testimony| reference.resources.is_some() && reference.unsupported.is_none() == confirm;
        let types: Vec<&String> =
            reference.iter().filter(|(_, reference)| chosen(reference)).map(|(kind, _)| kind).collect();
        let lists = drive(moto, &json!({"types": types, "confirm": confirm}));
        ours.extend(lists.as_object().expect("the driver gives a list for each type").clone());
    }
    Value::Object(ours)
}

/// The group of a type that both listed, or how the lists differ. `wanted` are [id, ARN, tags]; `unreadable` is why the server can't list
/// the tags.
fn compared(wanted: &[Value], unreadable: Option<&str>, ours: &Value) -> Result<String, String> {
    const SHOWN: usize = 1500;
    let shown = |what: String| what.chars().take(SHOWN).collect::<String>();
    if !ours["resources"].is_array() {
        return Err(shown(format!("ours: {ours}\n  boto3: {wanted:?}")));
    }
    // Types that can't be tagged have no tags, and may have no ARN.
    let has_tags = unreadable.is_none() && wanted.iter().all(|one| !one[2].is_null());
    let bare = |list: &[Value]| -> Vec<Value> {
        let arn = |one: &Value| one[1].as_str().unwrap_or_default().to_owned();
        let shown = |one: &Value| if has_tags { one.clone() } else { json!([one[0], arn(one)]) };
        let mut list: Vec<Value> = list.iter().map(shown).collect();
        list.sort_by_key(ToString::to_string);
        // An id that stands for several entries, as a record set's name, is one resource.
        list.dedup();
        list
    };
    let (found, wanted) = (bare(&triples(ours)), bare(wanted));
    if found != wanted {
        let only = |one: &[Value], other: &[Value]| -> Vec<Value> {
            one.iter().filter(|each| !other.contains(each)).cloned().collect()
        };
        let (ours, theirs) = (only(&found, &wanted), only(&wanted, &found));
        return Err(shown(format!("only ours: {ours:?}\n  only boto3's: {theirs:?}")));
    }
    if has_tags && ours["problems"] != json!([]) {
        return Err(shown(ours["problems"].to_string()));
    }
    Ok(match unreadable {
        _ if wanted.is_empty() => "empty".to_owned(),
        None => "equal".to_owned(),
        Some(reason) => format!("equal but for tags: {reason}"),
    })
}
