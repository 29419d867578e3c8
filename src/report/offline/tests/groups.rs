//! The answer does not depend on how events are grouped: it is that of all events in one group.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::model::event::Event;
use crate::report::coverage::{Creator, Row};
use crate::report::resources::Counted;
use crate::store::recorded::Group;

const ACCOUNTS: [&str; 2] = [ACCOUNT, "444455556666"];
const REGIONS: [&str; 2] = ["eu-west-1", "us-east-1"];

/// Types with names of many forms, global ones, and one that the map does not have.
const TYPES: [&str; 9] =
    ["sqs", "iam-policy", "iam-user", "security-group", "ecs-service", "log-group", "rds", "ebs", "no-such-type"];

/// What is at random about an event or a write.
#[derive(Debug, Clone)]
struct Random {
    resource_type: &'static str,
    account: &'static str,
    region: &'static str,
    /// The number of the resource.
    resource: u8,
    /// Which of its names are used.
    way: usize,
    second: u8,
}

/// The ways to name a resource: its ID, then other names.
fn ways(random: &Random) -> Vec<Vec<String>> {
    let Random { resource_type, account, region, resource, .. } = random;
    let name = format!("n{resource}");
    let arn = |service: &str, rest: &str| format!("arn:aws:{service}:{region}:{account}:{rest}");
    let policy = format!("arn:aws:iam::{account}:policy/{name}");
    match *resource_type {
        "sqs" => vec![
            vec![format!("https://sqs.{region}.amazonaws.com/{account}/{name}")],
            vec![name.clone()],
            vec![arn("sqs", &name)],
        ],
        "iam-policy" => vec![vec![policy.clone()], vec![format!("ANPA{resource}"), policy]],
        "iam-user" => vec![vec![name.clone()], vec![name.clone(), format!("arn:aws:iam::{account}:user/{name}")]],
        "security-group" => {
            let label = format!("web{}", resource % 2);
            vec![vec![format!("sg-{resource}"), label.clone()], vec![format!("sg-{resource}")], vec![label]]
        }
        "ecs-service" => vec![vec![arn("ecs", &format!("service/c/{name}"))], vec![name]],
        "log-group" => vec![vec![format!("/aws/{name}")], vec![arn("logs", &format!("log-group:/aws/{name}:*"))]],
        "rds" => vec![vec![name.clone()], vec![arn("rds", &format!("db:{name}")), name]],
        _ => vec![vec![name]],
    }
}

fn random() -> impl Strategy<Value = Random> {
    let place = (select(&TYPES[..]), select(&ACCOUNTS[..]), select(&REGIONS[..]));
    (place, 0_u8..4, 0_usize..3, 0_u8..12).prop_map(|((resource_type, account, region), resource, way, second)| {
        Random { resource_type, account, region, resource, way, second }
    })
}

/// An event with one or two IDs of a resource. A delete event with a new name renames.
fn random_event() -> impl Strategy<Value = ResourceEvent> {
    let action = select(&[Action::Create, Action::Create, Action::Upsert, Action::Delete, Action::Rename][..]);
    let facts = (select(&["alice", "bob", "ci"][..]), 0_u32..1000, any::<bool>(), 0_u8..4);
    (random(), action, facts).prop_map(|(random, action, (user, number, has_two, new))| {
        let ways = ways(&random);
        let new_names = ways_of(&random, new);
        let touched = |way: usize| {
            let (id, names) = ways[way % ways.len()].split_first().unwrap();
            Touched {
                resource_type: random.resource_type.into(),
                resource_id: id.as_str().into(),
                action,
                names: names.to_vec(),
                renamed_to: (action == Action::Rename).then(|| new_names[0].as_str().into()),
            }
        };
        let event = Event {
            // Two records with the same event ID have the same time.
            event_id: format!("e{number}-{}", random.second).into(),
            account_id: random.account.into(),
            region: random.region.into(),
            time: format!("2026-03-01T10:00:{:02}Z", random.second).into(),
            ..stored("create", "", user, "").event
        };
        let more = (has_two && ways.len() > 1).then(|| touched(random.way + 1));
        ResourceEvent { event, touched: [touched(random.way)].into_iter().chain(more).collect(), sessions: Vec::new() }
    })
}

/// The first way to name another resource of the type.
fn ways_of(random: &Random, resource: u8) -> Vec<String> {
    ways(&Random { resource, ..random.clone() }).swap_remove(0)
}

/// A write of the journal. Removes the tag without a value.
type RandomWrite = (Random, Option<&'static str>, &'static str);

fn random_write() -> impl Strategy<Value = RandomWrite> {
    (random(), prop::option::weighted(0.8, select(&["alice", "zoe"][..])), select(&["Owner", "owner", "Team"][..]))
}

/// Each is a run of its own.
fn journal(store: &Store, (random, value, key): &RandomWrite) {
    let run = NewRun {
        kind: RunKind::Tag,
        undoes: None,
        account: random.account.into(),
        region: random.region.into(),
        key: (*key).into(),
        caller: "arn:aws:iam::1:user/ops".into(),
        organization: None,
    };
    let ways = ways(random);
    let names = &ways[random.way % ways.len()];
    let write = Write {
        position: 0,
        resource_type: random.resource_type.into(),
        id: names[0].as_str().into(),
        arn: names.get(1).filter(|name| name.starts_with("arn:")).map(String::as_str).unwrap_or_default().into(),
        region: random.region.into(),
        key: (*key).into(),
        old_key: None,
        owner_keys: Vec::new(),
        skip_tags: Vec::new(),
        old_value: None,
        new_value: value.map(TagValue::from),
        event_id: None,
    };
    let run = store.begin_run(&run, &[write]).unwrap();
    store.end_writes(run, &[(0, WriteOutcome::Written { request_id: None })].into()).unwrap();
}

/// All that a report shows.
fn shown(coverage: &Coverage) -> (Vec<Row>, Vec<Creator>, Vec<Counted>) {
    let mut resources = Vec::new();
    coverage.resources().unwrap().each(&mut |resource| resources.push(resource)).unwrap();
    // Those without a create event, of one ID, are in the order in which they were added.
    resources.sort_by_cached_key(|resource| format!("{resource:?}"));
    (coverage.rows().collect(), coverage.creators(), resources)
}

/// All events and writes in one group.
fn in_one_group(store: &Store, question: &Question<'_>) -> Coverage {
    let mut events = Vec::new();
    for account in ACCOUNTS {
        for resource_type in TYPES {
            store
                .events_of_type(&resource_type.into(), &account.into(), None, &mut |row| {
                    events.push(row.event()?);
                    Ok(())
                })
                .unwrap();
        }
    }
    let order = |StoredEvent { event, resource_type, resource_id, .. }: &StoredEvent| {
        let Event { account_id, region, time, event_id, .. } = event.clone();
        (account_id, region, time, event_id, resource_type.clone(), resource_id.clone())
    };
    events.sort_by_cached_key(order);
    let mut notes = Vec::new();
    let mut add = |note: crate::store::recorded::Note| {
        notes.push(note.text);
        Ok(())
    };
    journaled::each_note(store, question, &mut add).unwrap();
    let mut coverage = Coverage::with_resources().unwrap();
    let mut counting = Counting::new(store, question, &mut coverage);
    counting.add(Group { events: events.into_iter().enumerate().collect(), notes }).unwrap();
    counting.finish().unwrap();
    coverage
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn report_of_groups_is_that_of_all_events_at_once(
        events in prop::collection::vec(random_event(), 0..120),
        writes in prop::collection::vec(random_write(), 0..12),
    ) {
        let store = store(events);
        writes.iter().for_each(|write| journal(&store, write));
        let question = Question {
            key: "Owner".into(),
            owner_keys: vec!["Team".into()],
            rules: OwnerRules::default(),
            filter: Filter::default(),
            condition: None,
            map: ResourceMap::built_in_once(),
        };
        let mut coverage = Coverage::with_resources().unwrap();
        add_coverage(&store, &question, &mut coverage).unwrap();
        prop_assert_eq!(shown(&coverage), shown(&in_one_group(&store, &question)));
    }
}
