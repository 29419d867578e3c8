//! Events are read as they were written, and duplicates add nothing.

use super::*;
use crate::model::event::{ResourceEvent, Touched};
use crate::store::Batch;
use crate::store::insert::{RENAMED_TO, facts};

fn event(id: &str, account: &str, region: &str, time: &str) -> Event {
    Event {
        event_id: id.to_owned(),
        account_id: account.into(),
        region: region.into(),
        time: time.to_owned(),
        name: "CreateX".to_owned(),
        source: "sqs.amazonaws.com".to_owned(),
        ..Event::default()
    }
}

fn touching(event: &Event, resource_type: &str, id: &str, action: Action) -> ResourceEvent {
    let touched = Touched { resource_type: resource_type.into(), resource_id: id.into(), action, renamed_to: None };
    ResourceEvent { event: event.clone(), touched: vec![touched] }
}

fn store_with(events: Vec<ResourceEvent>) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("creators.db")).unwrap();
    store.add(&Batch { events, ..Batch::default() }).unwrap();
    (folder, store)
}

fn full_event() -> Event {
    let some = |text: &str| Some(text.to_owned());
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
        let found = store.events_of_resource("q").unwrap();
        let expected = StoredEvent {
            resource_type: "sqs".into(),
            resource_id: "q".into(),
            action: Action::Upsert,
            renamed_to: None,
            event,
        };
        assert_eq!(found, [expected]);
    }
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
    assert_eq!(store.events_of_resource("q").unwrap()[0].action, Action::Upsert);
}

#[test]
fn missing_facts_are_filled_in_and_none_is_replaced() {
    let full = full_event();
    let poor = Event {
        user_agent: Some("another agent".to_owned()),
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
    assert_eq!(store.events_of_resource("q").unwrap()[0].event, filled);
}

#[test]
fn facts_are_the_nullable_columns() {
    let (_folder, store) = store_with(vec![]);
    let mut statement = store
        .connection
        .prepare("SELECT name FROM pragma_table_info('resource_events') WHERE NOT \"notnull\"")
        .unwrap();
    let nullable: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(facts().chain([RENAMED_TO]).collect::<Vec<_>>(), nullable);
}

#[test]
fn events_are_ordered_by_time_in_one_region_or_all() {
    let (_folder, store) = store_with(vec![
        touching(&event("e3", "1", "a", "2024-01-03T00:00:00Z"), "sqs", "q", Action::Create),
        touching(&event("e1", "1", "b", "2024-01-01T00:00:00Z"), "sqs", "q", Action::Delete),
        touching(&event("e2", "1", "a", "2024-01-02T00:00:00Z"), "sqs", "p", Action::Upsert),
        touching(&event("e4", "1", "a", "2024-01-02T00:00:00Z"), "sns", "t", Action::Create),
        touching(&event("e5", "2", "a", "2024-01-02T00:00:00Z"), "sqs", "q", Action::Create),
    ]);
    let account = AccountId::from("1");
    let ids = |region: Option<&str>| {
        let mut ids = Vec::new();
        let region = region.map(Region::from);
        let mut each = |event: StoredEvent| ids.push(event.event.event_id);
        store.events_of_type(&"sqs".into(), &account, region.as_ref(), &mut each).unwrap();
        ids
    };
    assert_eq!(ids(None), ["e1", "e2", "e3"]);
    assert_eq!(ids(Some("a")), ["e2", "e3"]);
    let counts = |region: Option<&str>| {
        let counts = store.creation_counts(&account, region.map(Region::from).as_ref()).unwrap();
        let mut counts: Vec<_> = counts.into_iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        counts.sort();
        counts
    };
    assert_eq!(counts(None), ["sns 1", "sqs 2"]);
    assert_eq!(counts(Some("b")), Vec::<String>::new());
}

#[test]
fn resource_is_found_by_id_arn_or_last_part() {
    let ids = [
        "https://sqs.r.amazonaws.com/1/name",
        "arn:aws:sns:r:1:name",
        "name",
        "/aws/lambda/name",
        "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/name/50dc6c495c0c9188",
        "my-name",
    ];
    let event = event("e", "1", "r", "2024-01-01T00:00:00Z");
    let (_folder, store) = store_with(ids.iter().map(|id| touching(&event, "t", id, Action::Create)).collect());
    let found = |query: &str| -> Vec<String> {
        store.events_of_resource(query).unwrap().iter().map(|event| event.resource_id.to_string()).collect()
    };
    let [url, arn, name, path, balancer, my_name] = ids;
    assert_eq!(found(name), [arn, url, name]);
    assert_eq!(found(url), [arn, url, name]);
    assert_eq!(found(arn), [arn, url, name]);
    assert_eq!(found("arn:aws:iam::1:role/team/name"), [url, name]);
    assert_eq!(found("arn:aws:sqs:r:2:name"), Vec::<String>::new());
    assert_eq!(found("arn:aws:sqs:other:1:name"), Vec::<String>::new());
    assert_eq!(found("arn:aws:logs:r:1:log-group:/aws/lambda/name:*"), [path, url, name]);
    assert_eq!(found(path), [path]);
    assert_eq!(found("app/name/50dc6c495c0c9188"), [balancer]);
    assert_eq!(found(my_name), [my_name]);
    assert_eq!(found("ame"), Vec::<String>::new());
}

#[test]
fn arn_prefers_events_of_its_service() {
    let queue = event("e1", "1", "r", "2024-01-01T00:00:00Z");
    let role = Event { source: "iam.amazonaws.com".to_owned(), ..event("e2", "1", "r", "2024-01-01T00:00:00Z") };
    let (_folder, store) = store_with(vec![
        touching(&queue, "sqs", "name", Action::Create),
        touching(&role, "iam-role", "name", Action::Create),
    ]);
    let types = |query: &str| -> Vec<String> {
        store.events_of_resource(query).unwrap().iter().map(|event| event.resource_type.to_string()).collect()
    };
    assert_eq!(types("name"), ["iam-role", "sqs"]);
    assert_eq!(types("arn:aws:iam::1:role/name"), ["iam-role"]);
    assert_eq!(types("arn:aws:other::1:name"), ["iam-role", "sqs"]);
}

#[test]
fn queries_use_indexes() {
    let (_folder, store) = store_with(vec![]);
    let plan = |sql: &str| -> String {
        let mut statement = store.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    };
    let by_id = plan(&format!("SELECT {COLUMNS} FROM resource_events WHERE {} = 'x'", last_part("resource_id")));
    assert!(by_id.contains("resource_events_by_last_part"), "{by_id}");
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
        event.identity.kind = Some("IAMUser".to_owned());
        event.identity.arn = Some(format!("arn:aws:iam::1:user/{id}"));
        event.source_ip = Some("192.0.2.1".to_owned());
        change(&mut event);
        event
    };
    let kind = |kind: &str| Some(kind.to_owned());
    let events = [
        with("e1", &|event| event.user_agent = Some("agent".to_owned())),
        with("e2", &|event| event.identity.kind = kind("Root")),
        with("e3", &|event| {
            event.identity.kind = kind("SAMLUser");
            event.identity.user_name = Some("sam".to_owned());
        }),
        with("e4", &|event| {
            event.identity = Identity { invoked_by: Some("AWS Internal".to_owned()), ..Identity::default() };
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
