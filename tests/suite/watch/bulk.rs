//! Many messages of all forms, some unreadable, in processes that are killed: every resource is tagged once, nothing is lost.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader};
use std::process::Child;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::lab::{FILE_FORMS, Lab, announce, events, queue_event, record, signal};
use crate::common::{Bench, Caller, Event, Moto, Request};

/// One message in so many is unreadable, at least one.
const UNREADABLE: usize = 100;

const KILLS: usize = 5;

/// How often a message is received at most: each killed process is a delivery of its own.
const DELIVERIES: u32 = 1000;

/// Queues and volumes, and the records of their creation.
pub(super) struct Bulk {
    pub(super) lab: Lab,
    /// The ID of each resource as calls name it, with its owner.
    resources: BTreeMap<String, String>,
    pace: Pace,
}

/// How fast a process works, in seconds.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    /// For how long it gathers.
    pub(super) gather: &'static str,
    /// How long the messages of a killed process stay invisible.
    pub(super) visibility: &'static str,
}

/// For tests with few messages.
pub(super) const QUICK: Pace = Pace { gather: "1", visibility: "10" };

impl Bulk {
    pub(super) fn new(pace: Pace) -> Self {
        let lab = Lab::on(Bench::new(), Moto::start(), DELIVERIES);
        Self { lab, resources: BTreeMap::new(), pace }
    }

    /// Creates resources. Returns the records.
    pub(super) fn create(&mut self, count: usize) -> Vec<Event> {
        let from = self.resources.len();
        let made = self.lab.moto.boto3(&format!(
            "def make(number):
    if number % 2:
        return client('sqs').create_queue(QueueName=f'jobs-{{number}}')['QueueUrl']
    return client('ec2').create_volume(AvailabilityZone='us-east-1a', Size=1)['VolumeId']
result = [make(number) for number in range({from}, {from} + {count})]"
        ));
        let ids: Vec<String> = serde_json::from_value(made).expect("texts");
        let events = ids.into_iter().enumerate().map(|(at, id)| {
            let (number, owner) = (from + at, format!("user{}", (from + at) % 7));
            let event = if number % 2 == 1 {
                queue_event(&format!("jobs-{number}"), &id, &owner)
            } else {
                let event = Event::new("ec2.amazonaws.com", "CreateVolume").response(json!({"volumeId": id}));
                event.by(Caller::iam_user(&owner)).field("eventID", json!(format!("event-of-{id}")))
            };
            self.resources.insert(id, owner);
            event
        });
        events.collect()
    }

    /// Sends a message for each record, in all forms in turn, and unreadable ones between them. Returns how many these are.
    pub(super) fn send(&self, all: &[Event]) -> usize {
        let forms = FILE_FORMS.len() + 1;
        let in_files: Vec<Event> =
            all.iter().enumerate().filter(|(at, _)| at % forms > 0).map(|(_, event)| event.clone()).collect();
        let mut files = self.lab.upload_from(self.resources.len() - all.len(), &in_files).into_iter();
        let mut bodies = Vec::new();
        for (at, event) in all.iter().enumerate() {
            bodies.push(match at % forms {
                0 => record(event),
                form => announce(FILE_FORMS[form - 1], &files.next().expect("one for each")),
            });
            if at % UNREADABLE == 0 {
                bodies.push(format!("unreadable {at}"));
            }
        }
        self.lab.send(&bodies);
        bodies.len() - all.len()
    }

    /// Watches, and kills the process after so many tags, or when nothing is left to do. Returns its events.
    fn killed_after(&self, tags: usize) -> String {
        let Pace { gather, visibility } = self.pace;
        let pace = ["--gather", gather, "--visibility", visibility, "--heartbeat", "1"];
        let mut child = self.lab.spawn(&[&["--tag", "--output", "jsonl"][..], &pace].concat());
        drop_messages(&mut child);
        let mut output = String::new();
        let (mut tagged, mut idle) = (0, 0);
        for line in BufReader::new(child.stdout.take().expect("piped")).lines() {
            let line = line.expect("UTF-8");
            let event: Value = serde_json::from_str(&line).expect("JSON");
            output.push_str(&format!("{line}\n"));
            match event["event"].as_str() {
                Some("tagged") => (tagged, idle) = (tagged + 1, 0),
                Some("heartbeat") if event["resources"]["waiting"] == 0 => idle += 1,
                Some("loaded") => idle = 0,
                _ => {}
            }
            if tagged >= tags || idle > 3 {
                break;
            }
        }
        kill(&mut child);
        output
    }

    /// That each resource has its owner by one write. `output`: the events of the processes.
    pub(super) fn check(&self, unreadable: usize, output: &str) {
        let written = self.lab.moto.boto3(
            "sqs = client('sqs')
result = {url: sqs.list_queue_tags(QueueUrl=url).get('Tags', {}).get('Owner') for url in pages('sqs', 'list_queues', 'QueueUrls', PaginationConfig={'PageSize': 1000})}
for volume in pages('ec2', 'describe_volumes', 'Volumes'):
    result[volume['VolumeId']] = {tag['Key']: tag['Value'] for tag in volume.get('Tags', [])}.get('Owner')",
        );
        let mut writes: BTreeMap<&str, usize> = BTreeMap::new();
        let requests = self.lab.moto.our_requests();
        for id in requests.iter().flat_map(ids_written) {
            *writes.entry(id).or_default() += 1;
        }
        for (id, owner) in &self.resources {
            let about = || output.lines().filter(|line| line.contains(id)).collect::<Vec<_>>().join("\n");
            assert_eq!(written[id], json!(owner), "{id}: {}", about());
            let key = id.rsplit('/').next().expect("a part");
            assert_eq!(writes.get(key), Some(&1), "writes of {id}");
        }
        // moto counts both one after the other: a message that appears in between is in neither.
        self.lab.wait_until_visible();
        let (visible, _) = self.lab.messages(&self.lab.queue);
        assert_eq!(visible, u64::try_from(unreadable).expect("few"), "only these are left");
        let database = Connection::open(self.lab.bench.path("creators.db")).expect("a database");
        let query = "SELECT count(DISTINCT event_id) FROM resource_events";
        let loaded: i64 = database.query_row(query, [], |row| row.get(0)).expect("a count");
        assert_eq!(usize::try_from(loaded), Ok(self.resources.len()));
    }
}

/// The resources that a request tags, by the last part of their IDs. The Tagging API, which moto has not for queues, is asked before
/// TagQueue.
fn ids_written(request: &Request) -> Vec<&str> {
    match request.action.as_str() {
        "CreateTags" => {
            let fields = request.body.split('&').filter_map(|field| field.split_once('='));
            fields.filter(|(name, _)| name.starts_with("ResourceId")).map(|(_, id)| id).collect()
        }
        "TagQueue" => {
            let url = request.body.split('"').find(|part| part.starts_with("http")).expect("the queue's URL");
            vec![url.rsplit('/').next().expect("a name")]
        }
        _ => Vec::new(),
    }
}

/// Reads what a process writes to stderr: a full pipe would stop the process.
fn drop_messages(child: &mut Child) {
    let mut stderr = child.stderr.take().expect("piped");
    std::thread::spawn(move || io::copy(&mut stderr, &mut io::sink()).expect("it can be read"));
}

pub(super) fn kill(child: &mut Child) {
    signal(child, "KILL");
    child.wait().expect("it ends");
}

/// Prints how long it was from messages to tags.
#[expect(clippy::print_stderr, reason = "these are figures to be read")]
fn print_times(title: &str, output: &str) {
    let tagged = events(output, "tagged");
    let mut seconds: Vec<f64> = tagged.iter().filter_map(|event| event["seconds_since_message"].as_f64()).collect();
    seconds.sort_by(f64::total_cmp);
    let at = |percent: usize| seconds.get(seconds.len() * percent / 100).copied().unwrap_or_default();
    let last = seconds.last().copied().unwrap_or_default();
    eprintln!(
        "{title}: {} tagged; message to tag: median {:.1} s, p95 {:.1} s, last {last:.1} s",
        seconds.len(),
        at(50),
        at(95)
    );
}

fn killed_five_times(messages: usize, pace: Pace) -> Bulk {
    let mut bulk = Bulk::new(pace);
    let all = bulk.create(messages);
    let unreadable = bulk.send(&all);
    let mut output = String::new();
    for _ in 0..KILLS {
        output.push_str(&bulk.killed_after(messages / (KILLS + 2)));
    }
    bulk.lab.wait_until_visible();
    let last =
        bulk.lab.watch(&["--tag", "--output", "jsonl", "--gather", pace.gather, "--visibility", pace.visibility]);
    last.code(4);
    output.push_str(&last.stdout);
    print_times("a backlog in killed processes", &output);
    bulk.check(unreadable, &output);
    bulk
}

#[test]
fn killed_five_times_every_resource_is_tagged_once() {
    killed_five_times(120, QUICK);
}

/// Messages of all forms, a part of them unreadable; then some in a steady stream. Takes some minutes.
#[test]
#[ignore = "takes minutes: cargo test --test suite watch::bulk -- --ignored --nocapture"]
fn ten_thousand_messages_killed_five_times_every_resource_is_tagged_once() {
    const STEADY: usize = 200;
    let messages: usize = std::env::var("TRAILCREATOR_MESSAGES").map_or(10_000, |text| text.parse().expect("a number"));
    let mut bulk = killed_five_times(messages, Pace { gather: "5", visibility: "20" });
    let all = bulk.create(STEADY);
    let bodies = bulk.lab.bench.write("steady.json", json!(all.iter().map(record).collect::<Vec<_>>()).to_string());
    let url = &bulk.lab.queue;
    let mut child = bulk.lab.spawn(&["--tag", "--output", "jsonl", "--gather", "5", "--visibility", "30"]);
    drop_messages(&mut child);
    let stdout = child.stdout.take().expect("piped");
    let reading = std::thread::spawn(move || io::read_to_string(stdout).expect("UTF-8"));
    bulk.lab.moto.boto3(&format!(
        "import time
for body in json.load(open({bodies:?}, encoding='utf-8')):
    client('sqs').send_message(QueueUrl={url:?}, MessageBody=body)
    time.sleep(0.1)
time.sleep(20)"
    ));
    signal(&child, "TERM");
    child.wait().expect("it ends");
    let output = reading.join().expect("it ends with the process");
    print_times("a steady stream", &output);
    // On a busy machine some of the last are left in the queue.
    bulk.lab.wait_until_visible();
    let last = bulk.lab.watch(&["--tag", "--visibility", "20", "--output", "jsonl"]);
    last.code(4);
    bulk.check(messages.div_ceil(UNREADABLE), &format!("{output}{}", last.stdout));
}
