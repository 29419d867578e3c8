//! Sessions are found in any load order, and their number is limited.

use super::*;
use crate::model::event::{Action, ResourceEvent, Touched};
use crate::store::{Added, Batch};
use crate::trail::samples::built_in;

const SHARED: &str = "0f0e0d0c-0b0a-4908-8706-050403020100";

fn some(text: &str) -> Option<SmolStr> {
    Some(text.into())
}

fn user(name: &str) -> Identity {
    let arn = some(&format!("arn:aws:iam::1:user/{name}"));
    Identity { kind: some("IAMUser"), arn, access_key_id: some("AKIA1"), ..Identity::default() }
}

fn session(role: &str, key: &str) -> Identity {
    let arn = some(&format!("arn:aws:sts::1:assumed-role/{role}/s"));
    Identity { kind: some("AssumedRole"), arn, access_key_id: some(key), ..Identity::default() }
}

/// The copy in the account of the role: it has few facts about the caller.
fn stranger() -> Identity {
    Identity { kind: some("AWSAccount"), account_id: some("1"), principal_id: some("AROA1:s"), ..Identity::default() }
}

/// A call by `caller` at a second that created a session known as `session`.
fn call(session: &str, caller: Identity, second: u8) -> ResourceEvent {
    let event = Event {
        event_id: format!("00000000-0000-4000-8000-0000000000{second:02x}").into(),
        account_id: "1".into(),
        time: format!("2026-03-01T10:00:{second:02}Z").into(),
        name: "AssumeRole".into(),
        identity: caller,
        ..Event::default()
    };
    ResourceEvent { event, touched: Vec::new(), sessions: vec![session.to_owned()] }
}

fn shared(mut call: ResourceEvent) -> ResourceEvent {
    call.event.shared_event_id = some(SHARED);
    call
}

/// A create event of a queue by a session.
fn queue(key: &str) -> ResourceEvent {
    let identity = session("deploy", key);
    let event =
        Event { event_id: format!("made by {key}").into(), identity, ..call("", Identity::default(), 59).event };
    ResourceEvent {
        event,
        touched: vec![Touched {
            resource_type: "sqs".into(),
            resource_id: "q".into(),
            action: Action::Create,
            names: Vec::new(),
            renamed_to: None,
        }],
        sessions: Vec::new(),
    }
}

fn add(store: &mut Store, events: Vec<ResourceEvent>) -> Added {
    store.add(&Batch { events, ..Batch::default() }).unwrap()
}

fn store(events: Vec<ResourceEvent>) -> Store {
    let mut store = Store::in_memory().unwrap();
    add(&mut store, events);
    store
}

/// The creators of the session with a key, nearest first.
fn makers(store: &Store, key: &str) -> Vec<SessionMaker> {
    let mut event = queue(key).event;
    store.fill_makers([&mut event]).unwrap();
    event.makers
}

fn arns(store: &Store, key: &str) -> Vec<String> {
    let arn = |maker: SessionMaker| maker.identity.arn.unwrap_or_else(|| "?".into());
    makers(store, key).into_iter().map(arn).map(|arn| arn.rsplit(':').next().unwrap().to_owned()).collect()
}

/// All permutations of so many.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else { return vec![Vec::new()] };
    let with_last = |order: Vec<usize>| (0..count).map(move |at| [&order[..at], &[last], &order[at..]].concat());
    permutations(last).into_iter().flat_map(with_last).collect()
}

#[test]
fn event_is_read_as_written() {
    let identity = Identity {
        kind: some("AssumedRole"),
        arn: some("arn:aws:sts::2:assumed-role/a/b"),
        user_name: some("user"),
        principal_id: some("principal"),
        account_id: some("2"),
        access_key_id: some("ASIA2"),
        issuer_type: some("Role"),
        issuer_arn: some("arn:aws:iam::2:role/a"),
        issuer_user_name: some("a"),
        source_identity: None,
        federated_provider: some("provider"),
        on_behalf_of_user_id: None,
        on_behalf_of_store_arn: some("store"),
        invoked_by: some("invoker"),
    };
    let people = Identity { source_identity: some("anna"), on_behalf_of_user_id: some("u-1"), ..identity.clone() };
    for identity in [identity, Identity { access_key_id: None, ..people }] {
        for event_id in ["0f0e0d0c-0b0a-4908-8706-050403020100", "0F0E0D0C-0b0a-4908-8706-050403020100", "odd", "é"] {
            let mut call = call("ASIA1", identity.clone(), 7);
            call.event.event_id = event_id.into();
            let expected = SessionMaker {
                session_key: "ASIA1".into(),
                event_id: event_id.into(),
                name: "AssumeRole".into(),
                time: "2026-03-01T10:00:07Z".into(),
                account_id: "1".into(),
                identity: identity.clone(),
            };
            assert_eq!(makers(&store(vec![call]), "ASIA1"), [expected]);
        }
    }
}

#[test]
fn sessions_are_followed_to_a_principal_in_any_order() {
    let calls = [
        call("ASIA1", user("anna"), 1),
        call("ASIA2", session("hub", "ASIA1"), 2),
        call("ASIA3", session("spoke", "ASIA2"), 3),
        call("ASIA9", user("bob"), 4),
    ];
    for order in permutations(calls.len()) {
        let mut ordered: Vec<_> = order.into_iter().map(|at| calls[at].clone()).collect();
        let mut store = store(ordered.split_off(2));
        add(&mut store, ordered);
        assert_eq!(arns(&store, "ASIA3"), ["assumed-role/spoke/s", "assumed-role/hub/s", "user/anna"]);
        assert_eq!(arns(&store, "ASIA4"), [""; 0]);
    }
}

#[test]
fn loops_end() {
    let store = store(vec![call("ASIA1", session("a", "ASIA2"), 1), call("ASIA2", session("b", "ASIA1"), 2)]);
    assert_eq!(arns(&store, "ASIA1"), ["assumed-role/a/s", "assumed-role/b/s"]);
    let itself = self::store(vec![call("ASIA1", session("a", "ASIA1"), 1)]);
    assert_eq!(arns(&itself, "ASIA1"), ["assumed-role/a/s"]);
}

#[test]
fn copy_with_more_facts_counts_in_either_order() {
    let theirs = shared(call("ASIA1", stranger(), 1));
    let ours_with_key = shared(call("ASIA1", session("hub", "ASIA2"), 2));
    let ours_without_key = shared(call(SHARED, session("hub", "ASIA2"), 3));
    for ours in [ours_with_key, ours_without_key] {
        for copies in [[theirs.clone(), ours.clone()], [ours.clone(), theirs.clone()]] {
            let store = store(copies.to_vec());
            assert_eq!(arns(&store, "ASIA1"), ["assumed-role/hub/s"]);
            assert_eq!(makers(&store, "ASIA1")[0].session_key, "ASIA1");
        }
    }
    assert_eq!(arns(&store(vec![theirs]), "ASIA1"), ["?"]);
}

#[test]
fn duplicate_adds_nothing_and_no_session_is_a_resource() {
    let calls = || vec![shared(call("ASIA1", stranger(), 1)), shared(call("ASIA1", session("hub", "ASIA2"), 2))];
    let mut store = store(Vec::new());
    assert!(!store.has_sessions().unwrap());
    assert_eq!(add(&mut store, calls()), Added { sessions: 1, ..Added::default() });
    assert_eq!(add(&mut store, calls()), Added::default());
    assert!(store.has_sessions().unwrap());
    assert_eq!(store.coverage().unwrap().places, []);
    assert_eq!(store.events_of_resource(built_in().naming(), "ASIA1").unwrap(), []);
}

#[test]
fn oldest_unneeded_sessions_are_dropped() {
    let mut store = store(vec![
        queue("ASIA1"),
        call("ASIA1", session("old", "ASIA0"), 1),
        shared(call("ASIA0", stranger(), 0)),
        shared(call(SHARED, user("anna"), 0)),
        call("ASIA2", user("forgotten"), 2),
        call("ASIA3", user("led to by a kept one"), 3),
    ]);
    store.bound = Bound::new(10);
    let new = |at: u8| call(&format!("ASIA{at}"), session("x", "ASIA3"), at);
    let added = add(&mut store, (11..16).map(new).collect());
    assert_eq!(added, Added { sessions: 5, ..Added::default() }, "there is room for them");
    let added = add(&mut store, (16..20).map(new).collect());
    assert_eq!(added, Added { sessions: 4, dropped_sessions: 1, ..Added::default() });
    assert_eq!(arns(&store, "ASIA1"), ["assumed-role/old/s", "user/anna"]);
    assert_eq!(arns(&store, "ASIA2"), [""; 0]);
    assert_eq!(arns(&store, "ASIA15"), ["assumed-role/x/s", "user/led to by a kept one"]);
    let calls: i64 = store.connection.query_row("SELECT count(*) FROM session_calls", [], |row| row.get(0)).unwrap();
    assert_eq!(calls, 5, "those of dropped sessions are gone");
}

#[test]
fn sessions_are_found_by_key() {
    let store = store(Vec::new());
    let mut statement = store.connection.prepare(&format!("EXPLAIN QUERY PLAN {SELECT}")).unwrap();
    let rows = statement.query_map(named_params! {":session": "x"}, |row| row.get::<_, String>(3)).unwrap();
    let plan = rows.map(Result::unwrap).collect::<Vec<_>>().join("; ");
    assert!(plan.contains("sessions USING PRIMARY KEY (session=?)"), "{plan}");
    assert!(!plan.contains("SCAN"), "{plan}");
}
