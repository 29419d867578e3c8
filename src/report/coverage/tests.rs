use std::sync::LazyLock;

use super::*;
use crate::model::Region;
use crate::model::event::Identity;
use crate::plan::join::Join;
use crate::plan::test_data::{live, stored, tags};
use crate::plan::updates::Updates;
use crate::plan::{Scope, ScopeFacts};
use crate::resource_map::ResourceMap;

static MAP: LazyLock<&ResourceMap> = LazyLock::new(ResourceMap::built_in_once);

const ACCOUNT: &str = "123456789012";
const DAY: &str = "2024-01-01T00:00:00Z";

fn question(suffix: Option<&str>) -> Question {
    Question {
        account: ACCOUNT.into(),
        region: Region::from("eu-west-1"),
        key: "Owner".into(),
        owner_keys: Vec::new(),
        more_tags: Vec::new(),
        overwrite: false,
        inherit: false,
        rules: OwnerRules { user_suffix: suffix.map(str::to_owned), ..OwnerRules::default() },
        updates: Updates::default(),
        scope: Scope::default(),
    }
}

fn queue(name: &str, tags: Tags) -> LiveResource {
    live(name, &format!("arn:aws:sqs:eu-west-1:{ACCOUNT}:{name}")).with(tags)
}

fn untagged() -> Tags {
    Tags::Known(tags(&[]))
}

/// Created by an IAM user of the account.
fn created(queue: &str, user: &str) -> StoredEvent {
    let mut event = stored("create", queue, user, DAY);
    event.event.identity.account_id = Some(ACCOUNT.into());
    event
}

fn by(queue: &str, identity: Identity) -> StoredEvent {
    let mut event = stored("create", queue, "", DAY);
    event.event.identity = identity;
    event
}

fn session(name: &str) -> Identity {
    Identity {
        kind: Some("AssumedRole".into()),
        arn: Some(format!("arn:aws:sts::{ACCOUNT}:assumed-role/dev/{name}").into()),
        issuer_user_name: Some("dev".into()),
        account_id: Some(ACCOUNT.into()),
        ..Identity::default()
    }
}

fn coverage(suffix: Option<&str>, live: Vec<LiveResource>, events: Vec<StoredEvent>) -> Coverage {
    let mut join = Join::new(&live);
    events.into_iter().for_each(|event| join.add(event));
    let scope = ScopeFacts::default();
    let facts = TypeFacts { definition: &MAP.types["sqs"], live, joined: join.finish(), scope, source: None };
    let mut coverage = Coverage::default();
    coverage.add(&question(suffix), None, &facts).unwrap();
    coverage
}

/// The class that a queue is counted in.
fn class(tags: Tags, events: Vec<StoredEvent>) -> &'static str {
    let coverage = coverage(Some("alice"), vec![queue("q", tags)], events);
    let [row] = coverage.rows().collect::<Vec<_>>().try_into().unwrap();
    let Figures { live, owned, would_be_owned, no_record, no_owner, service_created, unknown, not_taggable } =
        row.figures;
    let counted = [
        ("owned", owned),
        ("would be owned", would_be_owned),
        ("no record", no_record.unwrap()),
        ("no owner", no_owner),
        ("service", service_created),
        ("unknown", unknown.unwrap()),
        ("not taggable", not_taggable.unwrap()),
    ];
    assert_eq!((live, counted.iter().map(|(_, count)| count).sum()), (Some(1), 1), "in one class: {counted:?}");
    counted.iter().find(|(_, count)| *count == 1).unwrap().0
}

#[test]
fn resource_is_in_one_class_and_unreadable_tags_are_unknown() {
    let service = || by("q", Identity { kind: Some("AWSService".into()), ..Identity::default() });
    let alices = || created("q", "alice");
    let full: Vec<(String, String)> = (0..50).map(|number| (format!("k{number}"), String::new())).collect();
    let full = Tags::Known(full.into_iter().collect());
    let owned = || Tags::Known(tags(&[("Owner", "zoe")]));
    for (tags, events, expected) in [
        (owned(), vec![], "owned"),
        (Tags::Partial(tags(&[("Owner", "zoe")])), vec![], "owned"),
        (owned(), vec![service()], "owned"),
        (untagged(), vec![alices()], "would be owned"),
        (untagged(), vec![], "no record"),
        (untagged(), vec![alices(), stored("delete", "q", "bob", "2024-01-02T00:00:00Z")], "no record"),
        (untagged(), vec![created("q", "bob")], "no owner"),
        (untagged(), vec![service()], "service"),
        (Tags::Unknown("denied".to_owned()), vec![], "unknown"),
        (Tags::Partial(tags(&[])), vec![], "unknown"),
        (Tags::Unknown("denied".to_owned()), vec![alices()], "unknown"),
        (Tags::Unknown("denied".to_owned()), vec![service()], "unknown"),
        (full, vec![alices()], "not taggable"),
    ] {
        let shown = format!("{tags:?} {events:?}");
        assert_eq!(class(tags, events), expected, "{shown}");
    }
}

#[test]
fn creators_come_from_events_or_else_tags_and_are_ordered_by_count() {
    let live = vec![
        queue("a", untagged()),
        queue("b", Tags::Known(tags(&[("Owner", "zoe")]))),
        queue("c", Tags::Known(tags(&[("Owner", "zoe")]))),
        queue("d", untagged()),
    ];
    let coverage = coverage(None, live, vec![created("a", "alice"), created("b", "alice"), created("x", "bob")]);
    let actual: Vec<_> = coverage
        .creators()
        .into_iter()
        .map(|creator| (creator.owner, creator.resources, creator.owned, creator.would_be_owned))
        .collect();
    assert_eq!(actual, [("alice".to_owned(), 2, 1, 1), ("zoe".to_owned(), 1, 1, 0)]);
    assert_eq!(coverage.totals().live, Some(4));
}

#[test]
fn creator_is_gone_only_if_iam_lists_the_users() {
    let events = || {
        vec![
            created("a", "alice"),
            created("b", "bob"),
            created("c", "both"),
            by("d", session("both")),
            by("e", session("sso")),
            stored("create", "f", "foreign", DAY),
        ]
    };
    let mut live: Vec<_> = ["a", "b", "c", "d", "e", "f"].map(|name| queue(name, untagged())).into();
    // A tag alone does not identify the creator, so it has no effect.
    live.push(queue("g", Tags::Known(tags(&[("Owner", "bob")]))));
    let gone = |coverage: &Coverage| -> Vec<(String, Option<bool>)> {
        let mut gone: Vec<_> = coverage.creators().into_iter().map(|creator| (creator.owner, creator.gone)).collect();
        gone.sort();
        gone
    };
    let mut coverage = coverage(None, live, events());
    assert!(coverage.has_iam_users_of(&ACCOUNT.into()) && !coverage.has_iam_users_of(&"1".into()));
    assert!(gone(&coverage).iter().all(|(_, gone)| gone.is_none()), "IAM was not asked");
    coverage.set_users(&ACCOUNT.into(), ["alice".to_owned()]);
    let expected = [("alice", Some(false)), ("bob", Some(true)), ("both", None), ("foreign", None), ("sso", None)];
    assert_eq!(gone(&coverage), expected.map(|(name, gone)| (name.to_owned(), gone)));
}
