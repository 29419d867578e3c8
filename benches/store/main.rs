//! How the store scales: the rate of inserts at the beginning and at the end of a large load with the longest pause and the largest WAL, `who`
//! on the full database, the join of the events of one account-region with its live resources, and the memory of `prune`.
//!
//! `cargo bench --bench store [-- EVENTS [DATABASE]]` makes EVENTS create events (default 10,000,000: a database of 5 GB) in the order in which
//! trails are read: each tenth is one month of 20 accounts in 5 regions. A tenth of all is of one account-region, and another
//! tenth of one type in another. The database is pruned and removed at the end unless DATABASE names it; one that exists is measured as it
//! is.

#![allow(clippy::print_stdout, reason = "a benchmark's result is what it prints")]
#![allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]

mod peak;
mod prune;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use trailcreator::model::event::{Action, Event, Identity, ResourceEvent, Touched};
use trailcreator::model::{AccountId, LiveResource, Region, ResourceType, Tags};
use trailcreator::plan::join::Join;
use trailcreator::store::{Batch, Store};

/// Events of a full run.
const EVENTS: u64 = 10_000_000;
/// Parts, each a month. The rates of the first and the last one are compared.
const PARTS: u64 = 10;
/// Events of a transaction, as in a load.
const BATCH: usize = 4096;
/// Each figure is the best of so many runs.
const RUNS: usize = 5;
const ACCOUNTS: u64 = 20;
const REGIONS: [&str; 5] = ["eu-central-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2"];
/// Types with their call, service, and what IDs and ARNs begin with.
const TYPES: [[&str; 5]; 10] = [
    ["ec2", "RunInstances", "ec2.amazonaws.com", "i-", ""],
    ["ebs", "CreateVolume", "ec2.amazonaws.com", "vol-", ""],
    ["ebs-snapshot", "CreateSnapshot", "ec2.amazonaws.com", "snap-", ""],
    ["eni", "CreateNetworkInterface", "ec2.amazonaws.com", "eni-", ""],
    ["security-group", "CreateSecurityGroup", "ec2.amazonaws.com", "sg-", ""],
    ["log-group", "CreateLogGroup", "logs.amazonaws.com", "/aws/lambda/f-", ""],
    ["lambda", "CreateFunction20150331", "lambda.amazonaws.com", "f-", "lambda:function:"],
    ["secrets-manager", "CreateSecret", "secretsmanager.amazonaws.com", "team/service-", "secretsmanager:secret:"],
    ["sqs", "CreateQueue", "sqs.amazonaws.com", "jobs-", "sqs:"],
    ["ecs-task-definition", "RegisterTaskDefinition", "ecs.amazonaws.com", "family-", "ecs:task-definition/"],
];
/// The account-region with a tenth of all events, and the one with a tenth of all in one type.
const LARGE: Place = Place { account: 0, region: 0 };
const OF_ONE_TYPE: Place = Place { account: 1, region: 0 };

/// The program's.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let events = arguments.first().and_then(|count| count.parse().ok()).unwrap_or(EVENTS);
    let named = arguments.get(1).map(PathBuf::from);
    let path = named.clone().unwrap_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("store.db"));
    if named.is_none() || !path.exists() {
        remove(&path);
        insert(&path, events);
    }
    who(&path, events);
    join(&path, events);
    if named.is_none() {
        prune::measure(&path, events);
        remove(&path);
    }
}

fn remove(path: &Path) {
    for end in ["", "-wal", "-shm"] {
        std::fs::remove_file(beside(path, end)).unwrap_or_default();
    }
}

/// A file of the database.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(end);
    path.into()
}

/// The bytes of the database's WAL.
fn wal_size(path: &Path) -> u64 {
    std::fs::metadata(beside(path, "-wal")).map_or(0, |file| file.len())
}

/// An account and a region, by number.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    account: u64,
    region: usize,
}

impl Place {
    fn account(self) -> AccountId {
        format!("{:012}", 100_000_000_000 + self.account).as_str().into()
    }

    fn region(self) -> Region {
        REGIONS[self.region].into()
    }
}

/// The places of a part with the number of their events.
fn places(part_events: u64) -> Vec<(Place, u64)> {
    let all: Vec<Place> =
        (0..ACCOUNTS).flat_map(|account| (0..REGIONS.len()).map(move |region| Place { account, region })).collect();
    let large = part_events / 10;
    let rest = (part_events - 2 * large) / (all.len() as u64 - 2);
    let is_large = |place: &Place| [LARGE, OF_ONE_TYPE].contains(place);
    all.into_iter().map(|place| (place, if is_large(&place) { large } else { rest })).collect()
}

/// A number without order: `SplitMix64`.
fn scattered(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// An event, by its number among all events.
struct Made {
    place: Place,
    number: u64,
    resource_type: &'static [&'static str; 5],
}

impl Made {
    fn new(place: Place, number: u64) -> Self {
        let of_type = if place == OF_ONE_TYPE { 1 } else { (scattered(number) >> 7) % TYPES.len() as u64 };
        Self { place, number, resource_type: &TYPES[usize::try_from(of_type).unwrap_or_default()] }
    }

    fn id(&self) -> String {
        format!("{}{:017x}", self.resource_type[3], scattered(self.number) >> 4)
    }

    fn arn(&self) -> Option<String> {
        let (service, rest) = self.resource_type[4].split_once(':')?;
        let (account, region) = (self.place.account(), REGIONS[self.place.region]);
        // The service adds six characters. Without them, what is before the last hyphen would be the name of all.
        let end = if service == "secretsmanager" { "-AbCdEf" } else { "" };
        Some(format!("arn:aws:{service}:{region}:{account}:{rest}{}{end}", self.id()))
    }

    /// `share`: how much of the month is over, in thousandths of a thousandth.
    fn event(&self, part: u64, share: u64) -> ResourceEvent {
        let [resource_type, name, source, ..] = *self.resource_type;
        let second = share * 27 * 86_400 / 1_000_000;
        let (hash, other) = (scattered(self.number), scattered(!self.number));
        let account = self.place.account();
        let user = hash % 200;
        let event = Event {
            event_id: format!(
                "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
                hash >> 32,
                hash >> 16 & 0xffff,
                hash & 0xffff,
                other >> 48,
                other & 0xffff_ffff_ffff
            )
            .into(),
            time: format!(
                "20{:02}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                20 + part / 12,
                1 + part % 12,
                1 + second / 86_400,
                second / 3600 % 24,
                second / 60 % 60,
                second % 60
            )
            .into(),
            region: self.place.region(),
            name: name.into(),
            source: source.into(),
            user_agent: Some("APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io)".into()),
            source_ip: Some(format!("203.0.113.{}", user % 250).into()),
            identity: Identity {
                kind: Some("AssumedRole".into()),
                arn: Some(format!("arn:aws:sts::{account}:assumed-role/deploy-{}/user-{user}", user % 7).into()),
                principal_id: Some(format!("AROA{:017X}:user-{user}", user % 7).into()),
                account_id: Some(account.as_str().into()),
                access_key_id: Some(format!("ASIA{:016X}", other).into()),
                issuer_type: Some("Role".into()),
                issuer_arn: Some(format!("arn:aws:iam::{account}:role/deploy-{}", user % 7).into()),
                issuer_user_name: Some(format!("deploy-{}", user % 7).into()),
                ..Identity::default()
            },
            account_id: account,
            ..Event::default()
        };
        let touched = Touched {
            resource_type: resource_type.into(),
            resource_id: self.id().as_str().into(),
            action: Action::Create,
            names: self.arn().into_iter().collect(),
            renamed_to: None,
        };
        ResourceEvent { event, touched: vec![touched], sessions: Vec::new() }
    }
}

/// The events of a part, in the order of a trail's keys.
fn part(events: u64, part: u64) -> impl Iterator<Item = ResourceEvent> {
    let part_events = events / PARTS;
    let mut first = part * part_events;
    places(part_events).into_iter().flat_map(move |(place, count)| {
        let begin = first;
        first += count;
        (0..count).map(move |at| Made::new(place, begin + at).event(part, at * 1_000_000 / count.max(1)))
    })
}

/// Inserts all, and prints the rates, the times of batches, and the size of the WAL.
fn insert(path: &Path, events: u64) {
    let mut store = Store::open(path).expect("a new database");
    let (mut rates, mut times, mut wal) = (Vec::new(), Vec::new(), 0);
    for number in 0..PARTS {
        let (mut made, mut time, mut count) = (part(events, number), Duration::ZERO, 0_u64);
        loop {
            let batch = Batch { events: made.by_ref().take(BATCH).collect(), ..Batch::default() };
            if batch.events.is_empty() {
                break;
            }
            let begun = Instant::now();
            count += store.add(&batch).expect("it is stored").ids;
            times.push(begun.elapsed());
            time += begun.elapsed();
            wal = wal.max(wal_size(path));
        }
        let rate = count as f64 / time.as_secs_f64();
        println!("insert, part {:>2}: {count} events, {rate:>7.0} a second", number + 1);
        rates.push(rate);
    }
    let (first, last) = (rates.first().expect("PARTS is not 0"), rates.last().expect("PARTS is not 0"));
    println!("insert, last part beside the first: {:.2} of its rate", last / first);
    let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
    println!("database: {} MB, {} bytes an event", bytes / 1_000_000, bytes / events);
    times.sort_unstable();
    let of_all = |share: usize| times[(times.len() - 1) * share / 1000].as_secs_f64() * 1000.0;
    let [median, most, longest] = [500, 990, 1000].map(of_all);
    println!("insert of {BATCH} events: median {median:.0} ms, 99 of 100 within {most:.0} ms, longest {longest:.0} ms");
    println!("insert, largest WAL: {} MB, peak memory: {}", wal / 1_000_000, peak::of_this_process());
}

/// The best of some runs.
fn best(mut run: impl FnMut()) -> Duration {
    let times = (0..RUNS).map(|_| {
        let begun = Instant::now();
        run();
        begun.elapsed()
    });
    times.min().expect("RUNS is not 0")
}

/// Asks the program, which starts each time.
fn who(path: &Path, events: u64) {
    // In the middle of the fifth part, in one of the smaller places.
    let first = events / PARTS * 4 + events / PARTS / 2;
    let place = place_of(events, first);
    let made =
        (first..).map(|number| Made::new(place, number)).find(|made| made.arn().is_some()).expect("one has an ARN");
    let texts = [
        ("an ID", Made::new(place, first).id()),
        ("an ARN", made.arn().expect("it has one")),
        ("a name", made.id()),
        ("an unknown ID", "i-0123456789abcdef0".to_owned()),
    ];
    for (what, text) in texts {
        let time = best(|| {
            let mut who = Command::new(env!("CARGO_BIN_EXE_trailcreator"));
            let status = who.arg("--db").arg(path).args(["who", &text, "--quiet"]).stdout(Stdio::null()).status();
            assert!(what == "an unknown ID" || status.expect("it starts").success(), "who {text}");
        });
        println!("who, {what}: {:.1} ms", time.as_secs_f64() * 1000.0);
    }
}

/// The place of an event, by its number.
fn place_of(events: u64, number: u64) -> Place {
    let part_events = events / PARTS;
    let mut at = number % part_events;
    for (place, count) in places(part_events) {
        if at < count {
            return place;
        }
        at -= count;
    }
    LARGE
}

/// The numbers of a place's events.
fn events_of(events: u64, wanted: Place) -> impl Iterator<Item = u64> {
    let part_events = events / PARTS;
    (0..PARTS).flat_map(move |part| {
        let mut first = part * part_events;
        let mut found = 0..0;
        for (place, count) in places(part_events) {
            if place == wanted {
                found = first..first + count;
            }
            first += count;
        }
        found
    })
}

/// Joins the events of the large account-regions with live resources: each tenth of those that were created.
fn join(path: &Path, events: u64) {
    const LIVE: u64 = 10;
    let store = Store::open_to_read(path).expect("the database");
    for (what, place) in [("of 10 types", LARGE), ("of one type", OF_ONE_TYPE)] {
        let mut by_type: Vec<(ResourceType, Vec<LiveResource>)> = Vec::new();
        for made in events_of(events, place).filter(|number| number % LIVE == 0).map(|number| Made::new(place, number))
        {
            let name = ResourceType::from(made.resource_type[0]);
            match by_type.iter_mut().find(|(known, _)| *known == name) {
                Some((_, live)) => live.push(live_resource(&made)),
                None => by_type.push((name, vec![live_resource(&made)])),
            }
        }
        let count: usize = by_type.iter().map(|(_, live)| live.len()).sum();
        let mut found = (0, 0);
        let time = best(|| {
            let (account, region) = (place.account(), place.region());
            let names: Vec<&ResourceType> = by_type.iter().map(|(name, _)| name).collect();
            let mut joins: Vec<Join> = by_type.iter().map(|(_, live)| Join::new(live)).collect();
            store
                .events_of_types(&names, &account, Some(&region), &mut |position, row| {
                    let join = &mut joins[position];
                    if let Some(wanted) = join.wants(&row.names()?) {
                        join.keep(row.event()?, wanted);
                    }
                    Ok(())
                })
                .expect("they are read");
            found = (0, 0);
            for joined in joins.into_iter().map(Join::finish) {
                found.0 += joined.records;
                found.1 += joined.events.iter().filter(|events| !events.is_empty()).count();
            }
        });
        assert_eq!(found.1, count, "each live resource has its event");
        println!("join, {} events {what} and {count} live resources: {:.2} s", found.0, time.as_secs_f64());
    }
}

fn live_resource(made: &Made) -> LiveResource {
    let id = made.id();
    let (account, region) = (made.place.account(), made.place.region());
    let arn = made.arn().unwrap_or_else(|| format!("arn:aws:ec2:{region}:{account}:any/{id}"));
    LiveResource {
        resource_type: made.resource_type[0].into(),
        id: id.as_str().into(),
        identifiers: vec![id.clone(), arn.clone()],
        made_with: Vec::new(),
        arn: arn.into(),
        region,
        tags: Tags::Known([("Name".to_owned(), id)].into()),
        item: serde_json::json!({}).into(),
        ancestors: Vec::new(),
    }
}
