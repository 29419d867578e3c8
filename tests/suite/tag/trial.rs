//! The trial of issue 11: 200 resources of 20 types with tags in all spellings of `owner` beside other people's tags, on a
//! server that compares keys as AWS does. boto3 counts what `tag`, `tag --overwrite` and `undo` leave.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::lab::Lab;
use crate::common::{Caller, Event};

/// A resource as boto3 made it.
#[derive(Debug, Deserialize)]
struct Made {
    r#type: String,
    id: String,
    tags: Tags,
    source: String,
    event: String,
    request: Option<Value>,
    response: Option<Value>,
}

type Tags = BTreeMap<String, String>;

const OWNER: &str = "Owner";
const FURTHER: &str = "OwnerEmail";

/// What AWS documents, not what the program does: only users and roles ignore case.
fn is_same_key(made: &Made, one: &str, other: &str) -> bool {
    one == other || (matches!(made.r#type.as_str(), "iam-user" | "iam-role") && one.eq_ignore_ascii_case(other))
}

fn is_owner_tag(made: &Made, key: &str) -> bool {
    is_same_key(made, key, OWNER) || is_same_key(made, key, FURTHER)
}

/// The tags after `tag`: the owner is added where no tag counts as one.
fn tagged(made: &Made) -> Tags {
    let mut tags = made.tags.clone();
    if !tags.keys().any(|key| is_owner_tag(made, key)) {
        tags.insert(OWNER.to_owned(), "alice".to_owned());
    }
    tags
}

/// The tags after `tag --overwrite`: the owner takes the place of the same tag with another value, and of nothing else.
fn overwritten(made: &Made, before: &Tags) -> Tags {
    let mut tags = before.clone();
    let present = tags.iter().find(|(key, _)| is_same_key(made, key, OWNER));
    if present.is_none_or(|(_, value)| value != "alice") {
        tags.retain(|key, _| !is_same_key(made, key, OWNER));
        tags.insert(OWNER.to_owned(), "alice".to_owned());
    }
    tags
}

/// All that boto3 sees, in the order of `made`.
fn read(lab: &Lab, made: &Value) -> Vec<Tags> {
    let code = include_str!("trial.py");
    let tags = lab.moto.boto3(&format!("{code}\nresult = read(json.loads({:?}))", made.to_string()));
    serde_json::from_value(tags).expect("tags are texts by key")
}

/// Every resource has the tags it should have, which says too that no tag of others is lost.
fn assert_tags(made: &[Made], found: &[Tags], expected: &[Tags]) {
    let others = |tags: &Tags, made: &Made| tags.keys().filter(|key| !is_same_key(made, key, OWNER)).count();
    let lost: usize =
        made.iter().zip(found).map(|(made, found)| others(&made.tags, made).saturating_sub(others(found, made))).sum();
    assert_eq!(lost, 0, "tags of others are lost");
    for ((made, found), expected) in made.iter().zip(found).zip(expected) {
        assert_eq!(found, expected, "{} {}, which had {:?}", made.r#type, made.id, made.tags);
    }
}

#[test]
fn two_hundred_resources_keep_all_tags_of_others_and_get_their_own_back() {
    let mut lab = Lab::new();
    let listed = lab.moto.boto3(&format!("{}\nresult = make()", include_str!("trial.py")));
    let made: Vec<Made> = serde_json::from_value(listed.clone()).expect("a list of what was made");
    assert_eq!(made.len(), 200);
    for one in &made {
        let mut event = Event::new(&one.source, &one.event).by(Caller::iam_user("alice"));
        event = one.request.iter().cloned().fold(event, Event::request);
        lab.event(one.response.iter().cloned().fold(event, Event::response));
    }
    lab.load();
    let before: Vec<Tags> = made.iter().map(|made| made.tags.clone()).collect();
    assert_tags(&made, &read(&lab, &listed), &before);

    lab.run(&["tag", "--owner-keys", FURTHER]).success();
    let after_tag: Vec<Tags> = made.iter().map(tagged).collect();
    assert_tags(&made, &read(&lab, &listed), &after_tag);

    lab.run(&["tag", "--owner-keys", FURTHER, "--overwrite"]).success();
    let after_overwrite: Vec<Tags> =
        made.iter().zip(&after_tag).map(|(made, before)| overwritten(made, before)).collect();
    assert_ne!(after_tag, after_overwrite);
    assert_tags(&made, &read(&lab, &listed), &after_overwrite);

    lab.run(&["undo", "2"]).success();
    assert_tags(&made, &read(&lab, &listed), &after_tag);
    lab.run(&["undo", "1"]).success();
    assert_tags(&made, &read(&lab, &listed), &before);
}
