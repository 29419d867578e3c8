//! The resources that a text matches, and the answers.

use super::*;
use crate::model::event::{Event, Identity};

const ACCOUNT: &str = "111122223333";

/// An event on a resource by `user`, in a test notation: `iam-role app create 3 alice`.
fn event(line: &str) -> StoredEvent {
    let [resource_type, id, action, second, user] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
    StoredEvent {
        resource_type: resource_type.into(),
        resource_id: id.into(),
        action: Action::parse(action).unwrap(),
        names: Vec::new(),
        renamed_to: None,
        event: Event {
            event_id: format!("{second}-{user}").into(),
            account_id: ACCOUNT.into(),
            region: "eu-west-1".into(),
            time: format!("2026-03-01T10:00:0{second}Z").into(),
            name: format!("Any{action}").into(),
            source: "any.amazonaws.com".into(),
            user_agent: Some("aws-cli/2.31.0".into()),
            source_ip: Some("203.0.113.7".into()),
            identity: Identity {
                kind: Some("IAMUser".into()),
                arn: Some(format!("arn:aws:iam::{ACCOUNT}:user/{user}").into()),
                user_name: Some(user.into()),
                ..Identity::default()
            },
            ..Event::default()
        },
    }
}

fn in_region(region: &str, mut stored: StoredEvent) -> StoredEvent {
    stored.event.region = region.into();
    stored
}

fn in_account(account: &str, mut stored: StoredEvent) -> StoredEvent {
    stored.event.account_id = account.into();
    stored
}

fn ask(query: &str, events: Vec<StoredEvent>) -> Vec<Answer> {
    answers(query, history(events), &Filter::default(), &OwnerRules::default(), &ResourceMap::built_in())
}

fn history(events: Vec<StoredEvent>) -> ResourceHistory {
    ResourceHistory { events, ..ResourceHistory::default() }
}

fn owners(answers: &[Answer]) -> Vec<Option<&str>> {
    answers.iter().map(|answer| answer.owner.as_deref()).collect()
}

#[test]
fn create_event_is_shown_and_others_are_evidence() {
    let events = ["delete 2 bob", "create 3 alice", "create 1 bob"].map(|rest| event(&format!("iam-role app {rest}")));
    let [answer] = &ask("app", events.to_vec())[..] else { panic!() };
    assert_eq!((answer.owner.as_deref(), answer.owner_reason.as_str()), (Some("alice"), "IAM user name"));
    let made = answer.event.as_ref().unwrap();
    assert_eq!((made.id.as_str(), made.action), ("3-alice", "create"));
    assert_eq!(made.tool.as_ref().unwrap().to_string(), "AWS CLI 2.31.0");
    let others: Vec<&str> = answer.other_events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(others, ["1-bob", "2-bob"]);
    assert!(answer.is_known());
}

#[test]
fn deleted_resource_has_no_owner_and_shows_when() {
    let [answer] = &ask("app", vec![event("iam-role app create 1 bob"), event("iam-role app delete 2 bob")])[..] else {
        panic!()
    };
    assert_eq!((&answer.owner, &answer.event), (&None, &None));
    assert_eq!(answer.owner_reason, "deleted at 2026-03-01T10:00:02Z by Anydelete; its owner was bob (IAM user name)");
    assert_eq!((answer.evidence.len(), answer.other_events.len()), (1, 2));
    assert!(answer.is_known());
    let reason = |lines: &[&str]| ask("app", lines.iter().map(|line| event(line)).collect())[0].owner_reason.clone();
    let twice = [
        "sqs app upsert 1 bob",
        "sqs app delete 2 x",
        "sqs app upsert 3 alice",
        "sqs app delete 4 x",
        "sqs app delete 5 x",
    ];
    assert_eq!(reason(&twice), "deleted at 2026-03-01T10:00:04Z by Anydelete; its owner was alice (IAM user name)");
    assert_eq!(
        reason(&["sqs app delete 2 x"]),
        "deleted at 2026-03-01T10:00:02Z by Anydelete; no create event in the loaded time range"
    );
}

#[test]
fn text_without_events_gets_an_answer() {
    let [answer] = &ask("app", Vec::new())[..] else { panic!() };
    assert_eq!((answer.id.as_str(), answer.is_known()), ("app", false));
    assert_eq!(answer.owner_reason, "the database has no event of this resource");
    let filter = Filter { accounts: vec!["999999999999".into()], ..Filter::default() };
    let [answer] = &answers(
        "app",
        history(vec![event("iam-role app create 1 bob")]),
        &filter,
        &OwnerRules::default(),
        &ResourceMap::built_in(),
    )[..] else {
        panic!()
    };
    assert!(answer.owner_reason.contains("none with this account"), "{}", answer.owner_reason);
}

#[test]
fn resources_with_one_id_are_distinguished_by_type_account_and_region() {
    let events = vec![
        event("iam-role app create 1 alice"),
        event("iam-user app create 1 bob"),
        in_account("444455556666", event("iam-role app create 1 carol")),
        event("sqs app create 1 dora"),
        in_region("us-east-1", event("sqs app create 1 emil")),
    ];
    let all = ask("app", events.clone());
    let owners_of = |filter: Filter| {
        let answers =
            answers("app", history(events.clone()), &filter, &OwnerRules::default(), &ResourceMap::built_in());
        answers.into_iter().filter_map(|answer| answer.owner).collect::<Vec<_>>()
    };
    assert_eq!(owners(&all), ["alice", "bob", "dora", "emil", "carol"].map(Some));
    assert_eq!(owners_of(Filter { types: vec!["sqs".into()], ..Filter::default() }), ["dora", "emil"]);
    assert_eq!(owners_of(Filter { accounts: vec!["444455556666".into()], ..Filter::default() }), ["carol"]);
    let in_us = Filter { regions: vec!["us-east-1".into()], ..Filter::default() };
    assert_eq!(owners_of(in_us), ["alice", "bob", "emil", "carol"], "global types are in every region");
}

#[test]
fn global_events_of_all_regions_are_one_resource() {
    let events = vec![
        event("iam-role app create 1 alice"),
        in_region("us-east-1", event("iam-role app delete 2 alice")),
        in_region("ap-south-1", event("iam-role app create 3 bob")),
    ];
    let found = ask("app", events);
    assert_eq!(owners(&found), [Some("bob")]);
    assert_eq!(found[0].region, Some("ap-south-1".into()));
}

#[test]
fn id_arn_and_url_are_one_resource() {
    let url = "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs";
    let arn = "arn:aws:sqs:eu-west-1:111122223333:jobs";
    let found = ask(
        "jobs",
        vec![
            event("sqs jobs create 1 alice"),
            event(&format!("sqs {url} delete 2 bob")),
            event(&format!("sqs {arn} create 3 carol")),
        ],
    );
    assert_eq!(owners(&found), [Some("carol")]);
    let found = ask(
        "web",
        vec![
            event("ecs-service arn:aws:ecs:eu-west-1:111122223333:service/blue/web create 1 alice"),
            event("ecs-service arn:aws:ecs:eu-west-1:111122223333:service/green/web create 1 bob"),
        ],
    );
    assert_eq!(owners(&found), [Some("alice"), Some("bob")], "two clusters' services");
}

#[test]
fn changed_value_is_reported() {
    let mut changed = event("iam-role app create 1 x");
    changed.event.identity.user_name = Some("doe,jane".into());
    let found = ask("app", vec![changed]);
    assert_eq!(owners(&found), [Some("doe_jane")]);
    assert_eq!(found[0].owner_reason, "IAM user name; recorded as \"doe,jane\", changed to a valid tag value");
}

#[test]
fn given_rules_decide() {
    let rules = OwnerRules { user_suffix: Some("@example.com".to_owned()), ..OwnerRules::default() };
    let found = answers(
        "app",
        history(vec![event("iam-role app create 1 bob")]),
        &Filter::default(),
        &rules,
        &ResourceMap::built_in(),
    );
    assert_eq!(
        (found[0].owner.as_deref(), found[0].owner_reason.as_str()),
        (None, "bob does not end with @example.com")
    );
    assert!(found[0].event.is_some(), "the event is shown anyway");
}

#[test]
fn evidence_lists_rules_in_order() {
    let rules = OwnerRules { user_suffix: Some("b".to_owned()), ..OwnerRules::default() };
    let events = vec![event("iam-role app create 1 bob"), event("iam-role app create 2 bob")];
    let found = answers("app", history(events), &Filter::default(), &rules, &ResourceMap::built_in());
    let actual: Vec<_> = found[0].evidence.iter().map(|step| (step.rule, step.says.as_str())).collect();
    assert_eq!(
        actual,
        [
            (Rule::Event, "Anycreate at 2026-03-01T10:00:02Z is the latest of 2 create events on record"),
            (Rule::Caller, "IAMUser arn:aws:iam::111122223333:user/bob"),
            (Rule::CreatorValue, "name is bob: IAM user name"),
            (Rule::UserSuffix, "bob ends with b"),
        ]
    );
    assert_eq!(found[0].advice, [""; 0]);
}

#[test]
fn advice_fits_the_missing_owner() {
    let service = Identity { kind: Some("AWSService".into()), ..Identity::default() };
    let machine = Identity {
        arn: Some("arn:aws:sts::111122223333:assumed-role/deploy/i-05c30218156bcc246".into()),
        ..Identity::default()
    };
    let stack = Identity {
        arn: Some("arn:aws:sts::111122223333:assumed-role/stacks/AWSCloudFormation".into()),
        ..Identity::default()
    };
    let center = Identity { on_behalf_of_user_id: Some("u-1".into()), ..Identity::default() };
    let skip = OwnerRules { machine_sessions: crate::creator::MachineSessions::Skip, ..OwnerRules::default() };
    let suffix = OwnerRules { user_suffix: Some("@x".to_owned()), ..OwnerRules::default() };
    for (identity, rules, expected) in [
        (service.clone(), OwnerRules::default(), "--identity-map"),
        (service, OwnerRules::default(), "tag --inherit"),
        (stack, OwnerRules::default(), "tag --inherit"),
        (machine, skip, "--machine-sessions role"),
        (center.clone(), OwnerRules::default(), "identitystore:DescribeUser"),
        (center, suffix, "--user-suffix"),
        (Identity::default(), OwnerRules::default(), "--creator-value"),
    ] {
        let mut made = event("iam-role app create 1 x");
        made.event.identity = identity;
        let found = answers("app", history(vec![made]), &Filter::default(), &rules, &ResourceMap::built_in());
        assert!(found[0].advice.iter().any(|advice| advice.contains(expected)), "{expected}: {:?}", found[0].advice);
    }
    let unknown = ask("app", vec![]);
    assert!(unknown[0].advice.iter().any(|advice| advice.contains("--live")), "{:?}", unknown[0].advice);
}

/// `iam-user old rename 3 carol new`
fn renaming(line: &str) -> StoredEvent {
    let (event_line, to) = line.rsplit_once(' ').unwrap();
    let deletion = event(&event_line.replace(" rename ", " delete "));
    let name = "UpdateUser".into();
    StoredEvent { renamed_to: Some(to.into()), event: Event { name, ..deletion.event }, ..deletion }
}

#[test]
fn renamed_resource_is_found_by_both_names() {
    let created = event("iam-user old create 1 alice");
    let rename = renaming("iam-user old rename 3 carol new");
    let [by_old] = &ask("old", vec![created.clone(), rename.clone()])[..] else { panic!() };
    assert_eq!((by_old.id.as_str(), &by_old.owner), ("old", &None));
    assert_eq!(
        by_old.owner_reason,
        "renamed to new at 2026-03-01T10:00:03Z by UpdateUser; its owner was alice (IAM user name)"
    );

    let asked = |query: &str, filter: &Filter| {
        let (renames, of_earlier_names) = (vec![rename.clone()], vec![created.clone(), rename.clone()]);
        let history = ResourceHistory { renames, of_earlier_names, ..ResourceHistory::default() };
        answers(query, history, filter, &OwnerRules::default(), &ResourceMap::built_in())
    };
    for query in ["new", "arn:aws:iam::111122223333:user/new"] {
        let [by_new] = &asked(query, &Filter::default())[..] else { panic!("{query}") };
        assert_eq!((by_new.id.as_str(), by_new.owner.as_deref()), ("new", Some("alice")), "{query}");
        let evidence = by_new.evidence[0].says.as_str();
        let renamed = ", renamed from old to new by UpdateUser at 2026-03-01T10:00:03Z";
        assert!(evidence.ends_with(renamed), "{evidence}");
        let [other] = &by_new.other_events[..] else { panic!() };
        let new_name = other.renamed_to.as_ref().map(ResourceId::as_str);
        assert_eq!((other.action, new_name, other.name.as_str()), ("rename", Some("new"), "UpdateUser"));
    }
    let only_roles = Filter { types: vec!["iam-role".into()], ..Filter::default() };
    let reason = "the database has events of this resource, but none with this account, region and type";
    assert_eq!(asked("new", &only_roles)[0].owner_reason, reason);
}

#[test]
fn renamed_resource_without_create_event_says_so() {
    let rename = renaming("iam-user old rename 3 carol new");
    let history =
        ResourceHistory { renames: vec![rename.clone()], of_earlier_names: vec![rename], ..ResourceHistory::default() };
    let [answer] = &answers("new", history, &Filter::default(), &OwnerRules::default(), &ResourceMap::built_in())[..]
    else {
        panic!()
    };
    let reason =
        "no create event in the loaded time range, renamed from old to new by UpdateUser at 2026-03-01T10:00:03Z";
    assert_eq!((&answer.owner, answer.owner_reason.as_str()), (&None, reason));
}
