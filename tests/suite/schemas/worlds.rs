//! What the command lines run on.

use rusqlite::Connection;
use serde_json::json;

use crate::common::{ACCOUNT, Athena, Bench, Caller, Event, Moto, REGION, Run, Trail, moment};
use crate::tag::lab::Lab;
use crate::tag::population::record;

/// A bench with the servers that its command lines call.
pub(super) struct World {
    pub(super) bench: Bench,
    moto: Option<Moto>,
    athena: Option<Athena>,
    /// The value of each `{name}` in a command line.
    words: Vec<(&'static str, String)>,
}

impl World {
    fn on(bench: Bench, moto: Moto) -> Self {
        Self { bench, moto: Some(moto), athena: None, words: Vec::new() }
    }

    /// Runs a command line. Its arguments have no spaces.
    pub(super) fn run(&self, line: &str) -> Run {
        let line = self.words.iter().fold(line.to_owned(), |line, (name, word)| line.replace(name, word));
        let command = self.bench.trailcreator(line.split(' '));
        match (&self.moto, &self.athena) {
            (Some(moto), Some(athena)) => command.athena(moto, athena).run(),
            (Some(moto), None) => command.aws(moto).run(),
            (None, _) => command.run(),
        }
    }
}

fn lab(mut lab: Lab) -> Lab {
    lab.volumes(&["alice", "bob"]);
    lab.queue("tagged", "alice", &json!({"Owner": "zoe"}));
    lab.role("deploy", "dan", &json!({}));
    lab.load();
    lab
}

/// Resources with create events in the database.
pub(super) fn loaded() -> World {
    let Lab { moto, bench, .. } = lab(Lab::new());
    bench.write("accounts.yml", "accounts:\n  - {account_id: '123456789012', name: main}\n");
    bench.write("bare.json", "{\"format_version\": 1, \"actions\": []}");
    World::on(bench, moto)
}

/// The same in an organization. Besides, one account can't be entered, and one has a profile that does not exist.
pub(super) fn organization() -> World {
    const REFUSE_ONE: &str = include_str!("../hooks/report_refuse_one.py");
    let Lab { moto, bench, .. } = lab(Lab::with_hook(Bench::new(), REFUSE_ONE));
    moto.boto3("client('organizations').create_organization(FeatureSet='ALL')");
    bench.write(
        "accounts.yml",
        "accounts:
  - {account_id: '123456789012', name: main, email: main@example.com}
  - {account_id: '333333333333', name: refused, role: r, regions: [us-east-1]}
  - {account_id: '444444444444', name: without-profile, profile: missing, regions: [us-east-1]}
",
    );
    World::on(bench, moto)
}

/// Resources that AWS Config has.
pub(super) fn recorded() -> World {
    let lab = lab(Lab::new());
    record(&lab, "dict(allSupported=True)");
    let Lab { moto, bench, .. } = lab;
    bench.write("accounts.yml", "accounts:\n  - {account_id: '123456789012', name: main}\n");
    World::on(bench, moto)
}

/// A trail of today: as files, in a bucket, in a log group, in Event history and as an Athena table. Files that can't be read, and a
/// database of c7n-trailcreator.
pub(super) fn trails() -> World {
    let bench = Bench::new();
    let (today, time) = (moment(0, "00:00:00")[..10].replace('-', ""), moment(0, "00:00:00"));
    let event = |name: &str| Event::new("s3.amazonaws.com", "CreateBucket").request(json!({"bucketName": name}));
    let trail = Trail::new().event(event("made").at(&time)).event(event("").at(&time));
    let name = format!("{ACCOUNT}_CloudTrail_{REGION}_{today}T0005Z_x.json.gz");
    let day = time[..10].replace('-', "/");
    trail.write(&bench.path(format!("logs/{name}")));
    trail.write(&bench.path(format!("bucket/AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{day}/{name}")));
    bench.write("broken/cut.json", "{\"Records\": [");
    bench.write("broken/other.txt", "2 123456789012 eni-1 10.0.0.1");
    let moto = Moto::start_with_trail_services(&bench.path("logs"), &[]);
    moto.upload("trail", &bench.path("bucket"));
    let athena = Athena::start(&moto, &json!([{"shape": "plain", "files": [bench.path("logs")]}]));
    write_predecessor(&bench);
    World { athena: Some(athena), ..World::on(bench, moto) }
}

fn write_predecessor(bench: &Bench) {
    let database = Connection::open(bench.path("c7n.db")).expect("a database");
    let rows = "create table events (account_id varchar(16), region varchar(16), event_date datetime,
        event_name varchar(128), event_source varchar(128), user_agent varchar(128), client_ip varchar(32),
        user_id varchar(128), rtype varchar(42), resource_ids varchar(256));
    insert into events values ('123456789012', 'us-east-1', '2026-03-01T10:00:00Z', 'CreateBucket', 's3.amazonaws.com', 'aws-cli/2.0',
        '203.0.113.7', 'arn:aws:iam::123456789012:user/ann', 's3', 'old');
    insert into events select account_id, region, event_date, NULL, event_source, user_agent, client_ip, user_id, rtype, 'broken'
        from events;";
    database.execute_batch(rows).expect("the rows are written");
}

/// Queues with messages of created queues, and with one that can't be read.
pub(super) fn queues() -> World {
    let (bench, moto) = (Bench::new(), Moto::start());
    let mut world = World { words: Vec::new(), ..World::on(bench, moto) };
    for (name, created) in [("{planned}", "p"), ("{queue}", "q"), ("{others}", "o"), ("{empty}", "")] {
        let moto = world.moto.as_ref().expect("it was started");
        let queue = name.trim_matches(['{', '}']);
        let url = moto.boto3(&format!("result = client('sqs').create_queue(QueueName='trail-{queue}')['QueueUrl']"));
        let url = url.as_str().expect("a URL").to_owned();
        if !created.is_empty() {
            send(&world, &url, created);
        }
        world.words.push((name, url));
    }
    world
}

/// Sends the record of a queue's creation, one of a queue that does not exist, and a message that is no record.
fn send(world: &World, url: &str, created: &str) {
    let moto = world.moto.as_ref().expect("it was started");
    moto.boto3(&format!("client('sqs').create_queue(QueueName='{created}')"));
    let message = |name: &str| {
        let created = json!({"queueUrl": format!("{}/{ACCOUNT}/{name}", moto.endpoint())});
        let event = Event::new("sqs.amazonaws.com", "CreateQueue").request(json!({"queueName": name}));
        let event = event.response(created).by(Caller::iam_user("alice")).at(&moment(0, "00:00:00"));
        let event = event.field("eventID", json!(format!("event-of-{name}")));
        json!({
            "version": "0", "id": "1", "detail-type": "AWS API Call via CloudTrail", "source": "aws.sqs",
            "account": ACCOUNT, "time": "2026-03-01T10:00:10Z", "region": REGION, "resources": [], "detail": event.record(),
        })
    };
    let bodies = [message(created).to_string(), "hello".to_owned()];
    let file = world.bench.write("bodies.json", json!(bodies).to_string());
    moto.boto3(&format!(
        "for body in json.load(open({file:?}, encoding='utf-8')):
    client('sqs').send_message(QueueUrl={url:?}, MessageBody=body)"
    ));
}

/// Files about the product, and neither database nor server.
pub(super) fn alone() -> World {
    let bench = Bench::new();
    bench.write("accounts.yml", "accounts:\n  - {account_id: '123456789012', name: main}\n");
    bench.write(
        "map.yml",
        "service: sqs
resources:
  - type: sqs
    events:
      - {event: CreateQueue, ids: responseElements.queueUrl}
    deletes:
      - {event: DeleteQueue, ids: requestParameters.queueUrl}
",
    );
    bench.write("invalid.yml", "service: sqs\nresources: 7\n");
    let event = |response| Event::new("sqs.amazonaws.com", "CreateQueue").response(response);
    let records =
        [event(json!({"queueUrl": "http://q"})), event(json!({"queue": "q"})), event(json!({})).failed("AccessDenied")];
    let records: Vec<_> = records.iter().map(Event::record).collect();
    bench.write("trail.json", json!({"Records": records}).to_string());
    World { bench, moto: None, athena: None, words: Vec::new() }
}
