//! Events are read as they were written, and duplicates add nothing.

use super::*;
use crate::model::event::{ResourceEvent, Touched};
use crate::store::Batch;
use crate::store::insert::{RENAMED_TO, facts};
use crate::trail::samples::built_in;

fn event(id: &str, account: &str, region: &str, time: &str) -> Event {
    Event {
        event_id: id.into(),
        account_id: account.into(),
        region: region.into(),
        time: time.into(),
        name: "CreateX".into(),
        source: "sqs.amazonaws.com".into(),
        ..Event::default()
    }
}

fn touching(event: &Event, resource_type: &str, id: &str, action: Action) -> ResourceEvent {
    let touched = Touched {
        resource_type: resource_type.into(),
        resource_id: id.into(),
        action,
        names: Vec::new(),
        renamed_to: None,
    };
    ResourceEvent { event: event.clone(), touched: vec![touched], sessions: Vec::new() }
}

fn store_with(events: Vec<ResourceEvent>) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("creators.db")).unwrap();
    store.add(&Batch { events, ..Batch::default() }).unwrap();
    (folder, store)
}

fn full_event() -> Event {
    let some = |text: &str| Some(text.into());
    Event {
        user_agent: some("agent"),
        source_ip: some("ip"),
        shared_event_id: some("shared"),
        identity: Identity {
            kind: some("AssumedRole"),
            arn: some("arn"),
            user_name: some("user"),
            principal_id: some("principal"),
            account_id: some("account"),
            access_key_id: some("key"),
            issuer_type: some("issuer"),
            issuer_arn: some("issuer arn"),
            issuer_user_name: some("issuer user"),
            source_identity: some("source"),
            on_behalf_of_user_id: some("behalf"),
            on_behalf_of_store_arn: some("store"),
            invoked_by: some("invoker"),
            federated_provider: some("provider"),
        },
        ..event("e", "1", "r", "2024-01-01T00:00:00Z")
    }
}

#[test]
fn events_are_read_as_written() {
    for event in [full_event(), event("e", "1", "r", "2024-01-01T00:00:00Z")] {
        let (_folder, store) = store_with(vec![touching(&event, "sqs", "q", Action::Upsert)]);
        let found = store.events_of_resource(built_in().naming(), "q").unwrap();
        let mut of_type = Vec::new();
        let each = &mut |row: &EventRow<'_>| {
            of_type.push(row.event()?);
            Ok(())
        };
        store.events_of_type(&"sqs".into(), &"1".into(), None, each).unwrap();
        assert_eq!(found, of_type);
        let expected = StoredEvent {
            resource_type: "sqs".into(),
            resource_id: "q".into(),
            action: Action::Upsert,
            names: Vec::new(),
            renamed_to: None,
            event,
        };
        assert_eq!(found, [expected]);
    }
}

/// What is bound for one row must not show in the next.
#[test]
fn events_of_one_transaction_are_read_as_written() {
    let poor = || event("", "1", "r", "2024-01-01T00:00:00Z");
    let other = Event { user_agent: Some("other".into()), source_ip: None, ..full_event() };
    let events = [full_event(), poor(), full_event(), full_event(), other, poor()];
    let numbered = |(number, event): (usize, Event)| Event { event_id: format!("e{number}").into(), ..event };
    let events: Vec<Event> = events.into_iter().enumerate().map(numbered).collect();
    let rows = events.iter().map(|event| touching(event, "sqs", "q", Action::Upsert)).collect();
    let (_folder, store) = store_with(rows);
    let found = store.events_of_resource(built_in().naming(), "q").unwrap();
    assert_eq!(found.into_iter().map(|stored| stored.event).collect::<Vec<_>>(), events);
}

#[test]
fn duplicate_event_adds_nothing_but_updates_a_changed_action() {
    let event = full_event();
    let (_folder, mut store) = store_with(vec![touching(&event, "sqs", "q", Action::Create)]);
    let mut add = |action| {
        let events = vec![touching(&event, "sqs", "q", action)];
        store.add(&Batch { events, ..Batch::default() }).unwrap().ids
    };
    assert_eq!((add(Action::Create), add(Action::Upsert), add(Action::Upsert)), (0, 1, 0));
    assert_eq!(store.events_of_resource(built_in().naming(), "q").unwrap()[0].action, Action::Upsert);
}

#[test]
fn missing_facts_are_filled_in_and_none_is_replaced() {
    let full = full_event();
    let poor = Event {
        user_agent: Some("another agent".into()),
        identity: Identity { source_identity: None, ..full.identity.clone() },
        ..full.clone()
    };
    let (_folder, mut store) = store_with(vec![touching(&poor, "sqs", "q", Action::Create)]);
    let mut add = |event| {
        let events = vec![touching(event, "sqs", "q", Action::Create)];
        store.add(&Batch { events, ..Batch::default() }).unwrap().ids
    };
    assert_eq!((add(&full), add(&poor), add(&full)), (1, 0, 0));
    let filled = Event { user_agent: poor.user_agent.clone(), ..full };
    assert_eq!(store.events_of_resource(built_in().naming(), "q").unwrap()[0].event, filled);
}

#[test]
fn facts_are_the_nullable_columns() {
    let (_folder, store) = store_with(vec![]);
    let mut statement = store
        .connection
        .prepare("SELECT name FROM pragma_table_info('resource_events') WHERE NOT \"notnull\"")
        .unwrap();
    let nullable: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(facts().chain([RENAMED_TO, "names"]).collect::<Vec<_>>(), nullable);
}

#[test]
fn events_are_ordered_by_time_in_one_region_or_all() {
    let (_folder, store) = store_with(vec![
        touching(&event("e3", "1", "a", "2024-01-03T00:00:00Z"), "sqs", "q", Action::Create),
        touching(&event("e1", "1", "b", "2024-01-01T00:00:00Z"), "sqs", "q", Action::Delete),
        ResourceEvent {
            event: event("e2", "1", "a", "2024-01-02T00:00:00Z"),
            ..named("sqs", "p", &["arn:p", "other p"])
        },
        touching(&event("e4", "1", "a", "2024-01-02T00:00:00Z"), "sns", "t", Action::Create),
        touching(&event("e5", "2", "a", "2024-01-02T00:00:00Z"), "sqs", "q", Action::Create),
    ]);
    let account = AccountId::from("1");
    let ids = |region: Option<&str>| {
        let mut ids = Vec::new();
        let region = region.map(Region::from);
        let mut each = |row: &EventRow<'_>| {
            let event = row.event()?;
            assert_eq!(row.names()?, event.event_names());
            ids.push(event.event.event_id);
            Ok(())
        };
        store.events_of_type(&"sqs".into(), &account, region.as_ref(), &mut each).unwrap();
        ids
    };
    assert_eq!(ids(None), ["e1", "e2", "e3"]);
    assert_eq!(ids(Some("a")), ["e2", "e3"]);
    let by_region = store.types_by_region(&account).unwrap();
    assert_eq!(by_region, [("a".into(), vec!["sns".into(), "sqs".into()])].into(), "region b has only a delete event");
    let mut found = Vec::new();
    let types = ["sqs", "sns"].map(ResourceType::from);
    let mut each = |position: usize, row: &EventRow<'_>| {
        found.push((position, row.event()?.event.event_id));
        Ok(())
    };
    store.events_of_types(&[&types[0], &types[1]], &account, None, &mut each).unwrap();
    let expected = [(0, "e1"), (0, "e2"), (1, "e4"), (0, "e3")];
    assert_eq!(found, expected.map(|(position, id)| (position, id.into())));
}

/// A row of one event in account 1, region `r` of Ireland: type, ID, other names.
#[test]
fn an_account_is_as_large_as_its_events_have_identifiers() {
    let events = [("e1", "1"), ("e2", "1"), ("e3", "2")];
    let events = events.map(|(id, account)| {
        touching(&event(id, account, "eu-west-1", "2026-01-01T00:00:00Z"), "sqs", id, Action::Create)
    });
    let (_folder, store) = store_with(events.into());
    assert_eq!(store.account_sizes().unwrap(), HashMap::from([("1".into(), 2), ("2".into(), 1)]));
}

fn named(resource_type: &str, id: &str, names: &[&str]) -> ResourceEvent {
    let event = Event {
        region: "eu-west-1".into(),
        ..event(&format!("{resource_type} {id}"), "1", "r", "2024-01-01T00:00:00Z")
    };
    let mut row = touching(&event, resource_type, id, Action::Create);
    row.touched[0].names = names.iter().map(|name| (*name).to_owned()).collect();
    row
}

fn found(store: &Store, query: &str) -> Vec<String> {
    let rows = store.events_of_resource(built_in().naming(), query).unwrap();
    rows.iter().map(|row| format!("{} {}", row.resource_type, row.resource_id)).collect()
}

#[test]
fn bare_name_finds_every_resource_that_has_it_and_an_arn_only_its_own() {
    let balancer = "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/web/50dc6c495c0c9188";
    let (_folder, store) = store_with(vec![
        named("asg", "web", &[]),
        named("iam-role", "web", &[]),
        named("sqs", "https://sqs.eu-west-1.amazonaws.com/1/web", &[]),
        named("sns", "arn:aws:sns:eu-west-1:1:web", &[]),
        named("app-elb", balancer, &["web"]),
        named("log-group", "/aws/lambda/web", &[]),
        named("asg", "my-web", &[]),
    ]);
    let queue = "sqs https://sqs.eu-west-1.amazonaws.com/1/web";
    let topic = "sns arn:aws:sns:eu-west-1:1:web";
    let balancer = format!("app-elb {balancer}");
    assert_eq!(found(&store, "web"), [&balancer, "asg web", "iam-role web", topic, queue]);
    for (query, expected) in [
        ("arn:aws:iam::1:role/web", "iam-role web"),
        ("arn:aws:iam::1:role/team/web", "iam-role web"),
        ("role/web", "iam-role web"),
        ("arn:aws:sns:eu-west-1:1:web", topic),
        ("arn:aws:sqs:eu-west-1:1:web", queue),
        ("https://eu-west-1.queue.amazonaws.com/1/web", queue),
        ("arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/web:*", "log-group /aws/lambda/web"),
        ("/aws/lambda/web", "log-group /aws/lambda/web"),
        ("loadbalancer/app/web/50dc6c495c0c9188", balancer.as_str()),
        ("web-123456789.eu-west-1.elb.amazonaws.com", balancer.as_str()),
    ] {
        assert_eq!(found(&store, query), [expected], "{query}");
    }
    for unknown in [
        "arn:aws:iam::1:user/web",
        "arn:aws:iam::2:role/web",
        "arn:aws-cn:iam::1:role/web",
        "arn:aws:sqs:eu-west-1:2:web",
        "arn:aws:sqs:us-east-1:1:web",
        "https://sqs.eu-west-1.amazonaws.com/2/web",
        "arn:aws:logs:eu-west-1:1:log-group:web",
        "arn:aws:other::1:web",
        "user/web",
        "eb",
    ] {
        assert_eq!(found(&store, unknown), [""; 0], "{unknown}");
    }
}

#[test]
fn row_is_found_by_every_name_that_it_has() {
    let policy = "arn:aws:iam::1:policy/read";
    let (_folder, store) = store_with(vec![
        named("iam-policy", "ANPA1", &[policy]),
        named("security-group", "sg-1", &["web"]),
        named("secrets-manager", "prod/db", &["arn:aws:secretsmanager:eu-west-1:1:secret:prod/db-AbCdEf"]),
        named("hostedzone", "/hostedzone/Z1", &[]),
        named("rds", "orders", &[]),
    ]);
    for (query, expected) in [
        ("ANPA1", "iam-policy ANPA1"),
        (policy, "iam-policy ANPA1"),
        ("read", "iam-policy ANPA1"),
        ("policy/read", "iam-policy ANPA1"),
        ("web", "security-group sg-1"),
        ("arn:aws:ec2:eu-west-1:1:security-group/sg-1", "security-group sg-1"),
        ("prod/db", "secrets-manager prod/db"),
        ("arn:aws:secretsmanager:eu-west-1:1:secret:prod/db-AbCdEf", "secrets-manager prod/db"),
        ("Z1", "hostedzone /hostedzone/Z1"),
        ("hostedzone/Z1", "hostedzone /hostedzone/Z1"),
        ("arn:aws:route53:::hostedzone/Z1", "hostedzone /hostedzone/Z1"),
        ("Orders", "rds orders"),
        ("arn:aws:rds:eu-west-1:1:db:orders", "rds orders"),
    ] {
        assert_eq!(found(&store, query), [expected], "{query}");
    }
    let other = "arn:aws:secretsmanager:eu-west-1:1:secret:prod/db-XxYyZz";
    assert_eq!(found(&store, other), [""; 0], "of a secret with the same name");
}

#[test]
fn names_of_a_row_follow_it_and_a_second_reading_adds_none() {
    let (_folder, mut store) = store_with(vec![named("security-group", "sg-1", &["web"])]);
    let again = |names: &[&str]| Batch { events: vec![named("security-group", "sg-1", names)], ..Batch::default() };
    assert_eq!(store.add(&again(&["web"])).unwrap().ids, 0);
    assert_eq!(store.add(&again(&[])).unwrap().ids, 0, "a source without names");
    assert_eq!(found(&store, "web"), ["security-group sg-1"]);
    assert_eq!(store.add(&again(&["app"])).unwrap().ids, 1, "another map");
    assert_eq!((found(&store, "web").len(), found(&store, "app").len()), (0, 1));
}

#[test]
fn queries_use_indexes() {
    let (_folder, store) = store_with(vec![]);
    let plan = |sql: &str| -> String {
        let mut statement = store.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    };
    let by_part = plan("SELECT 1 FROM resource_seconds JOIN account_regions USING (account_region_id) WHERE part = 1");
    for tier in 1..=4 {
        assert!(by_part.contains(&format!("SEARCH seconds_{tier} USING PRIMARY KEY (part=?)")), "{by_part}");
    }
    assert!(by_part.contains("account_regions USING INTEGER PRIMARY KEY"), "{by_part}");
    let second = plan("SELECT 1 FROM resource_events WHERE account_id = 'x' AND region = 'y' AND event_time = 'z'");
    assert!(second.contains("PRIMARY KEY (account_id=? AND region=? AND event_time=?)"), "{second}");
    for types in [1, 3] {
        let of_types = (1..=types + 2)
            .fold(of_types(types, Some(&"y".into())), |sql, place| sql.replace(&format!("?{place}"), "'x'"));
        let of_types = plan(&of_types);
        let is_in_order = !of_types.contains("ORDER BY");
        assert!(of_types.contains("PRIMARY KEY (account_id=? AND region=?)") && is_in_order, "{of_types}");
    }
    let whole = plan(&facts_of_row().replace('?', "'x'"));
    assert!(whole.contains("PRIMARY KEY (account_id=? AND region=? AND event_time=? AND event_id=? "), "{whole}");
    let by_account = plan("SELECT 1 FROM resource_events WHERE account_id = 'x' AND region = 'y'");
    assert!(by_account.contains("PRIMARY KEY (account_id=? AND region=?)"), "{by_account}");
    let renamed = "SELECT 1 FROM resource_events WHERE renamed_to IS NOT NULL";
    let by_new_name = plan(&format!("{renamed} AND {} = 'x'", last_part("renamed_to")));
    assert!(by_new_name.contains("resource_events_by_new_name"), "{by_new_name}");
}

#[test]
fn events_view_has_the_values_of_c7n_trailcreator() {
    let with = |id: &str, change: &dyn Fn(&mut Event)| {
        let mut event = event(id, "1", "r", &format!("2023-07-10T11:54:3{}Z", &id[1..]));
        event.identity.kind = Some("IAMUser".into());
        event.identity.arn = Some(format!("arn:aws:iam::1:user/{id}").into());
        event.source_ip = Some("192.0.2.1".into());
        change(&mut event);
        event
    };
    let kind = |kind: &str| Some(kind.into());
    let events = [
        with("e1", &|event| event.user_agent = Some("agent".into())),
        with("e2", &|event| event.identity.kind = kind("Root")),
        with("e3", &|event| {
            event.identity.kind = kind("SAMLUser");
            event.identity.user_name = Some("sam".into());
        }),
        with("e4", &|event| {
            event.identity = Identity { invoked_by: Some("AWS Internal".into()), ..Identity::default() };
        }),
    ];
    let mut rows: Vec<_> = events.iter().map(|event| touching(event, "sqs", "q", Action::Create)).collect();
    rows.push(touching(&with("e5", &|_| {}), "sqs", "q", Action::Delete));
    let (_folder, store) = store_with(rows);
    let mut statement = store.connection.prepare("SELECT * FROM events ORDER BY event_date").unwrap();
    let columns = statement.column_names().collect::<Vec<_>>().join(" ");
    assert_eq!(
        columns,
        "account_id region event_date event_name event_source user_agent client_ip user_id rtype resource_ids"
    );
    let rows = statement.query_map([], |row| {
        let fields: Result<Vec<String>, _> = (0..10).map(|column| row.get(column)).collect();
        Ok(fields?.join("|"))
    });
    let row = |second: u8, agent: &str, user: &str| {
        format!("1|r|2023-07-10T11:54:3{second}Z|CreateX|sqs.amazonaws.com|{agent}|192.0.2.1|{user}|sqs|q")
    };
    assert_eq!(
        rows.unwrap().map(Result::unwrap).collect::<Vec<_>>(),
        [row(1, "agent", "arn:aws:iam::1:user/e1"), row(2, "", "root"), row(3, "", "sam"), row(4, "", "AWS Internal")]
    );
}
