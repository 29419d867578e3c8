//! Every type that can be made, at once: exactly the untagged resources with a creator get the right owner, nothing else
//! changes, a second run writes nothing, and undo restores the first state.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::coverage::{Outcomes, check};
use super::shared::{Lab, MAP, lab, written};
use super::world::{
    Key, Made, Story, Tags, assert_same, everything, lacks, planned, refusal, story_of, tags_of, with_owners,
};
use crate::common::{Bench, Moto, Run};

/// Every type is tagged, also those that this updates.
const ALLOW_UPDATES: (&str, &str) =
    ("TRAILCREATOR_ALLOW_UPDATES", "cfn,elasticbeanstalk-environment,catalog-portfolio,catalog-product");

#[test]
fn everything_that_can_be_made_is_tagged_once_and_restored() {
    let lab = lab();
    let bench = Bench::new();
    let mut outcomes = taggable_types();
    let Playable { kinds: playable, arns } = playable(&lab, &mut outcomes);
    note_lacks(&lab.moto, &lab.made, &mut outcomes);
    let made: Vec<Made> = lab.made.iter().filter(|made| playable.contains(&made.kind)).cloned().collect();
    let story = story_of(&made);
    story.trail.write(&bench.path("logs/trail.json.gz"));
    bench.trailcreator(["load-files", "logs"]).run().success();
    let before = tags_of(playable.iter().map(|kind| (kind.clone(), lab.reference[kind].clone())));

    let writes = written(&lab.moto);
    let plan = tag(&bench, &lab.moto, &playable, &["--dry-run"]).success().json();
    assert_planned(&plan, &story, &before);
    assert_left_with_reasons(&plan, &made);
    assert_eq!(written(&lab.moto), writes, "a dry run wrote");

    let run = tag(&bench, &lab.moto, &playable, &[]);
    let after = everything(&lab.moto, &playable);
    let wanted = planned(&plan);
    let refused = refused(&lab.moto, &run, &wanted, &after);
    run.code(if refused.is_empty() { 0 } else { 4 });
    let tagged: Vec<String> = playable.iter().filter(|kind| !refused.contains_key(*kind)).cloned().collect();
    let owners = wanted.iter().flat_map(|(key, (owner, _))| all_names_of(key, &arns).map(|key| (key, owner.as_str())));
    let of_tagged = |tags: &Tags| -> Tags {
        tags.iter().filter(|(key, _)| tagged.contains(&key.0)).map(|(key, tags)| (key.clone(), tags.clone())).collect()
    };
    assert_same(&of_tagged(&after), &of_tagged(&with_owners(&before, owners)), "after tag");

    let writes = written(&lab.moto);
    tag(&bench, &lab.moto, &tagged, &[]).success();
    assert_eq!(written(&lab.moto), writes, "the second tag wrote");

    let runs = bench.trailcreator(["runs", "--output", "json"]).run().success().json();
    let undo =
        bench.trailcreator(["undo", &first_tag_run(&runs)]).env(ALLOW_UPDATES.0, ALLOW_UPDATES.1).aws(&lab.moto).run();
    assert!(matches!(undo.code, Some(0)) || !refused.is_empty(), "{}", undo.printed());
    assert_same(&of_tagged(&everything(&lab.moto, &playable)), &of_tagged(&before), "after undo");

    outcomes.extend(tagged.into_iter().map(|kind| (kind, "tagged".to_owned())));
    outcomes.extend(refused.into_iter().map(|(kind, reason)| (kind, format!("unsupported: {reason}"))));
    check("tagged", &outcomes);
}

/// What the server can play.
struct Playable {
    kinds: Vec<String>,
    /// The ARN of each live resource of these types.
    arns: BTreeMap<Key, String>,
}

/// A resource by all types that list it: both versions of SES list the configuration sets of both, and only the records differ.
fn all_names_of<'a>(key: &Key, arns: &'a BTreeMap<Key, String>) -> impl Iterator<Item = &'a Key> {
    let arn = arns.get(key);
    arns.iter().filter(move |(_, other)| Some(*other) == arn).map(|(key, _)| key)
}

/// All built-in types that can be tagged, as types without a maker.
fn taggable_types() -> Outcomes {
    let taggable =
        MAP.types.values().filter(|definition| definition.access.as_ref().is_some_and(|access| access.write.is_some()));
    taggable.map(|definition| (definition.resource_type.to_string(), "no maker".to_owned())).collect()
}

/// Notes of each type without a maker what the server lacks for one. A maker is wanted as soon as it lacks nothing.
fn note_lacks(moto: &Moto, made: &[Made], outcomes: &mut Outcomes) {
    let kinds: BTreeSet<&str> = made.iter().map(|made| made.kind.as_str()).collect();
    let without: Vec<String> = outcomes.keys().filter(|kind| !kinds.contains(kind.as_str())).cloned().collect();
    let (mut lacking, mut makeable) = (Outcomes::new(), Vec::new());
    for (kind, lack) in lacks(moto, &without) {
        match lack {
            Some(call) => drop(lacking.insert(kind, format!("the server lacks: {call}"))),
            None => makeable.push(kind),
        }
    }
    assert!(
        makeable.is_empty(),
        "the server has all calls of {makeable:?}: write makers (tests/catalog/lab.py says how)"
    );
    outcomes.extend(lacking);
}

/// The created types with resources and tags that the server can list; the others are noted with the reason.
fn playable(lab: &Lab, outcomes: &mut Outcomes) -> Playable {
    let kinds: BTreeSet<String> = lab.made.iter().map(|made| made.kind.clone()).collect();
    let strangers: Vec<&String> = kinds.iter().filter(|kind| !MAP.types.contains_key(kind.as_str())).collect();
    assert!(strangers.is_empty(), "these have makers and are no built-in types: {strangers:?}");
    // The others can't be tagged; they are only listed.
    let kinds: Vec<String> = kinds.into_iter().filter(|kind| outcomes.contains_key(kind)).collect();
    let mut playable = Playable { kinds: Vec::new(), arns: BTreeMap::new() };
    for kind in kinds {
        let reference = &lab.reference[&kind];
        assert_eq!(reference.failed, None, "{kind}");
        if let Some(reason) = &reference.unsupported {
            outcomes.insert(kind, format!("unsupported: {reason}"));
            continue;
        }
        let resources = reference.resources.as_deref().unwrap_or_default();
        let mut are_tags_shown = true;
        for made in lab.made.iter().filter(|made| made.kind == kind) {
            let listed = resources.iter().find(|one| one[0] == made.id.as_str());
            let listed = listed.unwrap_or_else(|| {
                panic!("the maker of {kind} says {} ({}), which boto3 does not list", made.id, made.case)
            });
            are_tags_shown &= listed[2] == json!(made.tags);
        }
        if !are_tags_shown {
            outcomes.insert(kind, "unsupported: the tags it was made with are not what boto3 reads".to_owned());
            continue;
        }
        playable.arns.extend(resources.iter().map(|one| ((kind.clone(), text_of(&one[0])), text_of(&one[1]))));
        playable.kinds.push(kind);
    }
    playable
}

fn text_of(value: &Value) -> String {
    value.as_str().expect("ids and ARNs are text").to_owned()
}

/// `tag` of these types only: what the server can't play would fail.
fn tag(bench: &Bench, moto: &Moto, types: &[String], more: &[&str]) -> Run {
    let types = types.iter().flat_map(|kind| ["--type", kind]);
    let arguments = ["tag", "--output", "json"].into_iter().chain(types).chain(more.iter().copied());
    bench.trailcreator(arguments).env(ALLOW_UPDATES.0, ALLOW_UPDATES.1).aws(moto).run()
}

/// All that lacks an owner is planned with its creator. What else is planned was made by the same calls (an instance's volumes) and
/// goes to the person of its event.
fn assert_planned(plan: &Value, story: &Story, before: &Tags) {
    let planned = planned(plan);
    for (key, owner) in &story.owners {
        let value = planned.get(key).map(|(value, _)| value.as_str());
        assert_eq!(value, Some(*owner), "{key:?} in the plan; left: {:#}", plan["skipped"]);
    }
    for (key, (owner, event_id)) in &planned {
        assert_eq!(story.persons.get(event_id), Some(&owner.as_str()), "{key:?} rests on {event_id}");
        assert!(!before[key].contains_key("Owner"), "{key:?} has an owner");
    }
}

/// Each resource that is left is named once, with the right kind of reason; and counted.
fn assert_left_with_reasons(plan: &Value, made: &[Made]) {
    const KINDS: [(&str, &str); 3] = [("owned", "has-tag"), ("unrecorded", "no-record"), ("machine", "no-owner")];
    let left = plan["skipped"].as_array().expect("a plan lists what it skips");
    for (case, kind) in KINDS {
        for resource in made.iter().filter(|resource| resource.case == case) {
            let entries: Vec<&Value> = left.iter().filter(|entry| resource.is(entry)).collect();
            let [entry] = entries[..] else { panic!("{resource:?} is left as {entries:?}") };
            assert_eq!(entry["kind"], kind, "{entry}");
            assert!(entry["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{entry}");
        }
        let entries = left.iter().filter(|entry| entry["kind"] == kind).count();
        assert_eq!(plan["summary"]["skipped"][kind], entries, "{:#}", plan["summary"]);
    }
}

/// The types with a resource that did not get its owner, with the server's reason to refuse the tag from boto3 too.
fn refused(moto: &Moto, run: &Run, wanted: &BTreeMap<Key, (String, String)>, after: &Tags) -> BTreeMap<String, String> {
    let mut refused = BTreeMap::new();
    for (key, _) in wanted.iter().filter(|(key, (owner, _))| after[*key].get("Owner") != Some(owner)) {
        if refused.contains_key(&key.0) {
            continue;
        }
        let report = run.json();
        let entry = report["actions"].as_array().and_then(|actions| {
            actions.iter().find(|entry| entry["type"] == key.0.as_str() && entry["id"] == key.1.as_str())
        });
        let reason =
            refusal(moto, key).unwrap_or_else(|| panic!("{key:?} has no owner, but boto3 can tag it: {entry:#?}"));
        refused.insert(key.0.clone(), reason);
    }
    refused
}

fn first_tag_run(runs: &Value) -> String {
    let runs = runs["runs"].as_array().expect("runs are listed");
    let first = runs.iter().filter_map(|run| run["run_id"].as_i64()).min();
    first.expect("there is a run").to_string()
}
