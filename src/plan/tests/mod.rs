mod more_tags;
mod owner_keys;

use std::collections::BTreeMap;

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::json;

use super::test_data::{live, stored, tags};
use super::*;
use crate::model::event::{Event, Identity};
use crate::model::{Arn, ResourceId, ResourceType, TagValue};
use crate::plan::join::Join;
use crate::resource_map::ResourceMap;

static MAP: LazyLock<&ResourceMap> = LazyLock::new(ResourceMap::built_in_once);

const DAY: &str = "2024-01-01T00:00:00Z";

fn question(overwrite: bool) -> Question {
    Question {
        account: "123456789012".into(),
        region: "eu-west-1".into(),
        key: "Owner".into(),
        owner_keys: Vec::new(),
        more_tags: Vec::new(),
        overwrite,
        inherit: false,
        rules: OwnerRules::default(),
        updates: Updates::default(),
        scope: Scope::default(),
    }
}

fn queue(name: &str) -> LiveResource {
    live(name, &format!("arn:aws:sqs:eu-west-1:123456789012:{name}"))
}

fn facts(resource_type: &str, live: Vec<LiveResource>, events: Vec<StoredEvent>) -> TypeFacts<'static> {
    let mut join = Join::new(&live);
    events.into_iter().for_each(|event| join.add(event));
    TypeFacts {
        definition: &MAP.types[resource_type],
        live,
        joined: join.finish(),
        scope: ScopeFacts::default(),
        source: None,
    }
}

/// The only resource's fate: its new value, or why it is left.
fn fate(overwrite: bool, live: LiveResource, events: Vec<StoredEvent>) -> Result<PlannedWrite, (SkipKind, String)> {
    let plan = plan(&question(overwrite), None, &[facts("sqs", vec![live], events)]);
    let (written, left): (Vec<_>, Vec<_>) = (plan.actions.iter().collect(), plan.skipped.iter().collect());
    match (written.as_slice(), left.as_slice()) {
        ([write], []) => Ok(write.clone()),
        ([], [left]) => Err((left.kind, left.reason.clone())),
        other => panic!("one resource has one fate: {other:?}"),
    }
}

fn kind(live: LiveResource, events: Vec<StoredEvent>) -> SkipKind {
    fate(false, live, events).unwrap_err().0
}

fn by_alice() -> Vec<StoredEvent> {
    vec![stored("create", "q", "alice", DAY)]
}

fn by_a_service() -> Vec<StoredEvent> {
    let mut event = stored("create", "q", "service", DAY);
    event.event.identity = Identity { kind: Some("AWSService".into()), ..Identity::default() };
    vec![event]
}

#[test]
fn a_resource_without_the_tag_gets_its_creator() {
    let write = fate(false, queue("q").with(Tags::Known(tags(&[("Name", "x")]))), by_alice()).unwrap();
    assert_eq!(write.value, TagValue::from("alice"));
    assert_eq!(write.old_value, None);
    assert_eq!(write.event_id.as_deref(), Some("q-2024-01-01T00:00:00Z"));
    assert_eq!(write.arn, Arn::from("arn:aws:sqs:eu-west-1:123456789012:q"));
    assert!(write.reason.contains("CreateQueue 2024-01-01T00:00:00Z"), "{}", write.reason);
}

#[test]
fn a_resource_with_the_tag_is_left_whatever_its_value() {
    for known in [Tags::Known(tags(&[("Owner", "bob")])), Tags::Partial(tags(&[("Owner", "bob")]))] {
        let (kind, reason) = fate(false, queue("q").with(known), by_alice()).unwrap_err();
        assert_eq!(kind, SkipKind::HasTag);
        assert!(reason.contains("Owner=bob"), "{reason}");
    }
    let empty = queue("q").with(Tags::Known(tags(&[("Owner", "")])));
    assert_eq!(kind(empty, by_alice()), SkipKind::HasTag);
    let other_case = queue("q").with(Tags::Known(tags(&[("owner", "bob")])));
    assert!(fate(false, other_case, by_alice()).is_ok(), "keys are compared with case");
}

#[test]
fn overwriting_replaces_other_values_only() {
    let write = fate(true, queue("q").with(Tags::Known(tags(&[("Owner", "bob")]))), by_alice()).unwrap();
    assert_eq!(write.old_value, Some(TagValue::from("bob")));
    let same = queue("q").with(Tags::Known(tags(&[("Owner", "alice")])));
    assert_eq!(fate(true, same, by_alice()).unwrap_err().0, SkipKind::SameValue);
    let without_record = queue("q").with(Tags::Known(tags(&[("Owner", "bob")])));
    assert_eq!(fate(true, without_record, vec![]).unwrap_err().0, SkipKind::NoRecord);
}

#[test]
fn without_a_creation_there_is_no_record() {
    assert_eq!(kind(queue("q"), vec![]), SkipKind::NoRecord);
    assert_eq!(kind(queue("q"), vec![stored("create", "other", "alice", DAY)]), SkipKind::NoRecord);
    let deleted = vec![stored("upsert", "q", "alice", DAY), stored("delete", "q", "alice", "2024-01-02T00:00:00Z")];
    let (kind, reason) = fate(false, queue("q"), deleted).unwrap_err();
    assert_eq!(kind, SkipKind::NoRecord);
    assert!(reason.contains("since it was last deleted"), "{reason}");
}

#[test]
fn a_service_is_no_owner() {
    let (kind, reason) = fate(false, queue("q"), by_a_service()).unwrap_err();
    assert_eq!(kind, SkipKind::NoOwner);
    assert!(!reason.is_empty());
}

#[test]
fn unread_tags_are_never_taken_for_missing_ones() {
    assert_eq!(kind(queue("q").with(Tags::Partial(tags(&[]))), by_alice()), SkipKind::TagsUnknown);
    let (kind, reason) = fate(false, queue("q").with(Tags::Unknown("denied".to_owned())), by_alice()).unwrap_err();
    assert_eq!(kind, SkipKind::TagsUnknown);
    assert!(reason.contains("denied"), "{reason}");
}

#[test]
fn fifty_user_tags_leave_no_room() {
    let numbered = |count: usize, prefix: &str| -> BTreeMap<String, String> {
        (0..count).map(|number| (format!("{prefix}{number}"), String::new())).collect()
    };
    assert_eq!(kind(queue("q").with(Tags::Known(numbered(50, "t"))), by_alice()), SkipKind::TagLimit);
    let mut with_awss = numbered(49, "t");
    with_awss.extend(numbered(5, "aws:"));
    assert!(fate(false, queue("q").with(Tags::Known(with_awss)), by_alice()).is_ok());
    let mut full = numbered(49, "t");
    full.insert("Owner".to_owned(), "bob".to_owned());
    assert!(fate(true, queue("q").with(Tags::Known(full)), by_alice()).is_ok(), "replacing needs no room");
}

#[test]
fn a_stack_is_tagged_in_a_steady_state_only() {
    let stack = |status: &str| {
        let mut stack = live("web", "arn:aws:cloudformation:eu-west-1:123456789012:stack/web/1");
        stack.item = json!({"StackName": "web", "StackStatus": status}).into();
        facts("cfn", vec![stack], vec![stored("create", "web", "alice", DAY)])
    };
    let question = with_updates(question(false), &["cfn"]);
    assert_eq!(plan(&question, None, &[stack("UPDATE_COMPLETE")]).actions.len(), 1);
    let left = plan(&question, None, &[stack("UPDATE_IN_PROGRESS")]).skipped;
    assert_eq!(left.get(0).kind, SkipKind::NotNow);
    assert!(left.get(0).reason.contains("UPDATE_IN_PROGRESS"), "{}", left.get(0).reason);
}

#[test]
fn a_type_that_no_map_can_tag_is_said_so() {
    let definition = TypeDefinition {
        resource_type: "sqs".into(),
        cloudformation: None,
        aliases: Vec::new(),
        doubts: None,
        global: false,
        access: crate::resource_map::Later::default(),
    };
    let mut facts = facts("sqs", vec![queue("q")], by_alice());
    facts.definition = &definition;
    assert_eq!(plan(&question(false), None, &[facts]).skipped.get(0).kind, SkipKind::NotTaggable);
}

#[test]
fn only_what_hangs_on_unread_tags_is_read() {
    let resources = vec![
        queue("known"),
        queue("partial").with(Tags::Partial(tags(&[]))),
        queue("unknown").with(Tags::Unknown("denied".to_owned())),
        queue("tagged").with(Tags::Partial(tags(&[("Owner", "bob")]))),
        queue("strange").with(Tags::Partial(tags(&[]))),
    ];
    let events = ["known", "partial", "unknown", "tagged"].map(|id| stored("create", id, "alice", DAY));
    let facts = facts("sqs", resources, events.to_vec());
    assert_eq!(unproven(&question(false), &facts), [1, 2]);
    assert_eq!(unproven(&question(true), &facts), [1, 2, 3], "the value that is replaced must be known");
}

#[test]
fn figures_are_those_that_users_know() {
    let resources = vec![
        queue("a"),
        queue("b"),
        queue("tagged").with(Tags::Known(tags(&[("Owner", "bob")]))),
        queue("no-record"),
        queue("unread").with(Tags::Unknown("denied".to_owned())),
    ];
    let mut events = ["a", "b", "unread", "gone"].map(|id| stored("create", id, "alice", DAY)).to_vec();
    events.push(stored("delete", "gone", "alice", "2024-01-02T00:00:00Z"));
    let plan = plan(&question(false), None, &[facts("sqs", resources, events)]);
    let expected = TypeFigures {
        resource_type: "sqs".into(),
        tag: 2,
        users: 1,
        population: 5,
        not_found: 1,
        records: 4,
        untagged: 3,
        source: None,
    };
    assert_eq!(plan.summary.types, [expected]);
    assert_eq!(plan.summary.tag, 2);
    let left = BTreeMap::from([(SkipKind::HasTag, 1), (SkipKind::NoRecord, 1), (SkipKind::TagsUnknown, 1)]);
    assert_eq!(plan.summary.skipped, left);
}

#[test]
fn the_document_has_the_agreed_fields() {
    let untagged = plan(&question(false), None, &[facts("sqs", vec![queue("q"), queue("strange")], by_alice())]);
    let document = serde_json::to_value(&untagged).unwrap();
    assert_eq!(document["format_version"], 1);
    let mut action = document["actions"][0].clone();
    action.as_object_mut().unwrap().shift_remove("reason").unwrap();
    let expected = json!({
        "type": "sqs", "id": "q", "arn": "arn:aws:sqs:eu-west-1:123456789012:q", "account_id": "123456789012",
        "region": "eu-west-1", "key": "Owner", "value": "alice", "event_id": "q-2024-01-01T00:00:00Z",
    });
    assert_eq!(action, expected);
    let left = json!({
        "type": "sqs", "id": "strange", "kind": "no-record", "reason": "no create event in the database",
    });
    assert_eq!(document["skipped"], json!([left]));
    let read: PlannedWrite = serde_json::from_value(document["actions"][0].clone()).unwrap();
    assert_eq!(read, untagged.actions.get(0));
    let earlier = document["actions"][0].to_string().replace("\"type\"", "\"resource_type\"");
    assert_eq!(serde_json::from_str::<PlannedWrite>(&earlier).unwrap(), read, "as early builds saved it");
}

/// Anything that can be known of a queue.
fn any_queue() -> impl Strategy<Value = (Tags, Vec<StoredEvent>)> {
    let owner = prop_oneof![Just(None), Just(Some("alice")), Just(Some("bob"))];
    let tags = (0..3, owner).prop_map(|(kind, owner): (i32, Option<&str>)| {
        let tags = owner.map(|owner| ("Owner".to_owned(), owner.to_owned())).into_iter().collect();
        match kind {
            0 => Tags::Known(tags),
            1 => Tags::Partial(tags),
            _ => Tags::Unknown("denied".to_owned()),
        }
    });
    let action = prop_oneof![Just("create"), Just("upsert"), Just("delete")];
    let event = (action, prop_oneof![Just("alice"), Just("bob")], 1..9_u32);
    let events = prop::collection::vec(event, 0..4);
    let stored =
        |(action, user, day): (&str, &str, u32)| stored(action, "q", user, &format!("2024-01-0{day}T00:00:00Z"));
    (tags, events).prop_map(move |(tags, events)| (tags, events.into_iter().map(stored).collect()))
}

proptest! {
    #[test]
    fn every_live_resource_has_one_fate_whatever_the_order(
        queues in prop::collection::vec(any_queue(), 0..12),
        overwrite: bool,
        turn in 0..12_usize,
    ) {
        let mut resources = Vec::new();
        let mut events = Vec::new();
        for (number, (tags, of_queue)) in queues.into_iter().enumerate() {
            let name = format!("q{number}");
            resources.push(queue(&name).with(tags));
            events.extend(of_queue.into_iter().map(|mut event| {
                event.resource_id = name.as_str().into();
                event.event.event_id = format!("{name}-{}", event.event.event_id).into();
                event
            }));
        }
        let first = plan(&question(overwrite), None, &[facts("sqs", resources.clone(), events.clone())]);

        let mut fates: Vec<ResourceId> =
            first.actions.iter().map(|action| action.id).chain(first.skipped.iter().map(|left| left.id)).collect();
        fates.sort();
        let mut all: Vec<ResourceId> = resources.iter().map(|resource| resource.id.clone()).collect();
        all.sort();
        prop_assert_eq!(fates, all);
        let tag_of = |id: &ResourceId| {
            let resource = resources.iter().find(|resource| resource.id == *id).unwrap();
            present_tag(&MAP.types["sqs"], resource, &"Owner".into()).map(|tag| tag.value.into())
        };
        for action in &first.actions {
            prop_assert_eq!(&action.old_value, &tag_of(&action.id));
            prop_assert!(overwrite || action.old_value.is_none());
            prop_assert_ne!(action.old_value.as_ref(), Some(&action.value));
        }

        let mut turned = resources.clone();
        turned.rotate_left(turn.min(resources.len()));
        prop_assert_eq!(plan(&question(overwrite), None, &[facts("sqs", turned, events)]), first);
    }
}

#[test]
fn an_event_that_names_the_arn_counts_too() {
    let by_arn = stored("create", "arn:aws:sqs:eu-west-1:123456789012:q", "carol", "2024-02-01T00:00:00Z");
    let events = vec![stored("create", "q", "alice", DAY), by_arn];
    assert_eq!(fate(false, queue("q"), events).unwrap().value, TagValue::from("carol"), "the later creation counts");
}

#[test]
fn a_sanitized_value_is_reported() {
    let mut event = stored("create", "q", "x", DAY);
    event.event = Event { identity: Identity { user_name: Some("a<b".into()), ..event.event.identity }, ..event.event };
    let write = fate(false, queue("q"), vec![event]).unwrap();
    assert_ne!(write.value, TagValue::from("a<b"));
    assert!(write.reason.contains("a<b"), "{}", write.reason);
}

/// A question with further tags.
fn asking(overwrite: bool, more: &[&str]) -> Question {
    Question { more_tags: more.iter().map(|text| text.parse().unwrap()).collect(), ..question(overwrite) }
}

fn with_updates(question: Question, types: &[&str]) -> Question {
    Question { updates: Updates::of(types.iter().map(|name| ResourceType::from(*name)), []), ..question }
}

/// A stack by its name, as [`stored`] names what alice made.
fn stack(tags: Tags) -> LiveResource {
    let arn = "arn:aws:cloudformation:eu-west-1:123456789012:stack/web/1";
    let item = json!({"StackName": "web", "StackStatus": "CREATE_COMPLETE"});
    LiveResource { resource_type: "cfn".into(), item: item.into(), ..live("web", arn) }.with(tags)
}

#[test]
fn what_a_tag_would_update_is_left_unless_its_type_is_named() {
    let created = || vec![stored("create", "web", "alice", DAY)];
    let kinds = |question: &Question, tags: Tags, events: Vec<StoredEvent>| {
        let facts = facts("cfn", vec![stack(tags)], events);
        let unproven = unproven(question, &facts);
        let plan = plan(question, None, &[facts]);
        (plan.actions.len(), plan.skipped.iter().map(|left| left.kind).collect::<Vec<_>>(), unproven.len())
    };
    let known = |pairs: &[(&str, &str)]| Tags::Known(tags(pairs));
    let plain = question(false);
    assert_eq!(kinds(&plain, known(&[]), created()), (0, vec![SkipKind::SideEffects], 0));
    assert_eq!(
        kinds(&plain, Tags::Unknown("unread".to_owned()), created()),
        (0, vec![SkipKind::SideEffects], 0),
        "no read"
    );
    assert_eq!(kinds(&plain, known(&[("Owner", "zoe")]), created()), (0, vec![SkipKind::HasTag], 0));
    assert_eq!(kinds(&plain, known(&[]), Vec::new()), (0, vec![SkipKind::NoRecord], 0), "the flag would not help");
    let inheriting = Question { inherit: true, ..question(false) };
    assert_eq!(
        kinds(&inheriting, known(&[]), Vec::new()),
        (0, vec![SkipKind::SideEffects], 0),
        "its parent may have an owner"
    );
    let more = asking(false, &["At={event_time}"]);
    let both = vec![SkipKind::HasTag, SkipKind::SideEffects];
    assert_eq!(kinds(&more, known(&[("Owner", "zoe")]), created()), (0, both, 0), "further tags as well");
    assert_eq!(kinds(&with_updates(plain, &["cfn"]), known(&[]), created()), (1, Vec::new(), 0));
}
