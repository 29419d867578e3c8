//! Cases as log files in the layout of a trail, and the servers that have them: all sources are built from one folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use super::cases::{Case, Spelling};
use super::sources::{Message, SOURCES, Source, athena_shapes};
use crate::common::envelopes::ENVELOPES;
use crate::common::{ACCOUNT, Athena, Bench, Moto, Trail, gzip};

/// The regions of the cases. LookupEvents answers for each separately.
pub(super) const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-south-1"];

/// All columns of a row.
pub(super) type Row = BTreeMap<String, Option<String>>;

pub(super) struct World {
    pub(super) bench: Bench,
    pub(super) moto: Moto,
    pub(super) athena: Athena,
}

impl World {
    pub(super) fn new(cases: &[Case]) -> Self {
        let bench = Bench::new();
        for case in cases {
            write(&bench, case);
        }
        write_envelopes(&bench);
        let logs = [("TRAIL_LOGS_RATE", "off"), ("TRAIL_LOGS_DELAY", "300")];
        let options = [("TRAIL_SERVICES_RATE", "off"), ("TRAIL_SERVICES_REGIONS", &*REGIONS.join(","))];
        let options: Vec<_> = options.into_iter().chain(logs).collect();
        let moto = Moto::start_with_trail_services(&bench.path("logs"), &options);
        moto.upload("trail", &bench.path("logs"));
        let files = [bench.path("logs")];
        let tables: Vec<Value> =
            athena_shapes().iter().map(|shape| json!({"shape": shape, "name": shape, "files": files})).collect();
        let workgroups = json!({"managed": {"managed": true}});
        let athena = Athena::with(&moto, &json!({"tables": tables, "workgroups": workgroups}));
        Self { bench, moto, athena }
    }

    pub(super) fn database(&self, name: &str) -> PathBuf {
        self.bench.path(format!("{name}.db"))
    }

    /// Sends a message for each log file, in CloudTrail's own form, or for each record, to a queue of its own. Returns its URL. A file with
    /// many records is always one message.
    pub(super) fn announce_all(&self, message: Message) -> String {
        const MOST_RECORDS: usize = 5;
        let is_file = if message == Message::File { "True" } else { "False" };
        let url = self.moto.boto3(&format!(
            "import gzip
sqs, s3 = client('sqs'), client('s3')
dead = sqs.create_queue(QueueName='dead')['QueueUrl']
arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
redrive = json.dumps({{'deadLetterTargetArn': arn, 'maxReceiveCount': 5}})
result = sqs.create_queue(QueueName='trail-{message:?}', Attributes={{'RedrivePolicy': redrive}})['QueueUrl']
bodies = []
for item in pages('s3', 'list_objects_v2', 'Contents', Bucket='trail'):
    if {is_file}:
        bodies.append(json.dumps({{'s3Bucket': 'trail', 's3ObjectKey': [item['Key']]}}))
        continue
    body = gzip.decompress(s3.get_object(Bucket='trail', Key=item['Key'])['Body'].read())
    records = json.loads(body)['Records']
    if len(records) > {MOST_RECORDS}:
        bodies.append(json.dumps({{'s3Bucket': 'trail', 's3ObjectKey': [item['Key']]}}))
        continue
    for record in records:
        event = {{'version': '0', 'detail-type': 'AWS API Call via CloudTrail', 'source': 'aws.example', 'detail': record}}
        bodies.append(json.dumps(event))
for at in range(0, len(bodies), 10):
    entries = [dict(Id=str(number), MessageBody=body) for number, body in enumerate(bodies[at:at + 10])]
    sqs.send_message_batch(QueueUrl=result, Entries=entries)"
        ));
        url.as_str().expect("a URL").to_owned()
    }

    /// Loads the files into the database `files`, and returns the output.
    pub(super) fn load_files(&self, window: &[&str]) -> Value {
        let args = ["load-files", "logs", "--output", "json", "--db", "files.db"];
        self.bench.trailcreator(args.iter().chain(window)).run().success().json()
    }
}

/// Writes the records of all log files into one file for each envelope.
fn write_envelopes(bench: &Bench) {
    let mut records = Vec::new();
    let mut folders = vec![bench.path("logs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let file = std::fs::File::open(path).expect("a log file");
            let document: Value = serde_json::from_reader(flate2::read::GzDecoder::new(file)).expect("JSON");
            records.extend(document["Records"].as_array().expect("records").clone());
        }
    }
    for envelope in
        ENVELOPES.iter().filter(|envelope| SOURCES.iter().any(|source| source.envelope() == Some(envelope.name)))
    {
        bench.write(format!("envelopes/{}", envelope.name), envelope.pack(&records));
    }
}

/// Writes a case's records into the folders of their accounts, regions and days, in separate files.
fn write(bench: &Bench, case: &Case) {
    let mut files: BTreeMap<String, Trail> = BTreeMap::new();
    for (number, event) in case.events.iter().enumerate() {
        let mut event = event.clone();
        let record = event.record();
        let account = record["recipientAccountId"].as_str().filter(|account| !account.is_empty());
        let account = account.unwrap_or(ACCOUNT).to_owned();
        let region = record["awsRegion"].as_str().expect("a region").to_owned();
        let day = record["eventTime"].as_str().expect("a time")[..10].to_owned();
        if record["eventID"].is_null() {
            event = event.field("eventID", json!(format!("{}-{number}", case.name)));
        }
        let (folder, compact) = (day.replace('-', "/"), day.replace('-', ""));
        let stem = format!("{account}_CloudTrail_{region}_{compact}T2359Z_{}", case.name);
        let path = format!("logs/AWSLogs/{account}/CloudTrail/{region}/{folder}/{stem}");
        files.entry(path).or_default().push(event);
    }
    for (path, trail) in files {
        let document = String::from_utf8(trail.json()).expect("JSON is UTF-8");
        for copy in 0..case.copies {
            match case.spelling {
                Spelling::Usual => bench.write(format!("{path}{copy}.json.gz"), gzip(document.as_bytes())),
                Spelling::Escaped => bench.write(format!("{path}{copy}.json.gz"), gzip(escaped(&document).as_bytes())),
            };
        }
    }
}

/// The same JSON in ASCII: other characters as `\u` escapes, those outside the BMP as surrogate pairs, and slashes escaped.
fn escaped(json: &str) -> String {
    let mut text = String::new();
    for character in json.chars() {
        match character {
            '/' => text.push_str("\\/"),
            ' '..='~' => text.push(character),
            _ => text.extend(character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
        }
    }
    text
}

/// All rows of a database, in key order, read with SQLite and not with our own code.
pub(super) fn rows(database: &Path) -> Vec<Row> {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("a database");
    let mut statement = connection.prepare("SELECT * FROM resource_events").expect("the table is there");
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let row = |row: &rusqlite::Row<'_>| names.iter().map(|name| Ok((name.clone(), row.get(name.as_str())?))).collect();
    statement.query_map([], row).expect("the query runs").collect::<Result<_, _>>().expect("all columns are text")
}

/// The number of differing rows to show.
const SHOWN: usize = 3;

/// Fails with the rows that only one of the two has.
pub(super) fn assert_same(source: &Source, expected: &[Row], actual: &[Row]) {
    if expected == actual {
        return;
    }
    let only = |these: &[Row], others: &[Row]| {
        let only: Vec<&Row> = these.iter().filter(|row| !others.contains(row)).collect();
        format!("{} rows: {:#?}", only.len(), &only[..only.len().min(SHOWN)])
    };
    panic!("only in the files: {}\nonly from {source:?}: {}", only(expected, actual), only(actual, expected));
}
