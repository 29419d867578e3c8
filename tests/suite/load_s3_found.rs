//! `load-s3` on buckets as they are found: archived and encrypted objects, Requester Pays, access points, refusals.

use serde_json::{Value, json};

use crate::common::database::events;
use crate::common::{Bench, Event, Moto, Run, Trail};

const ACCOUNT: &str = "123456789012";

/// The folder of a day that ended long ago.
fn day() -> String {
    format!("AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2026/03/01/")
}

/// A bucket `trail` with one log file for each `(name, options of put_object)`.
fn bucket(bench: &Bench, moto: &Moto, objects: &[(&str, &str)]) {
    let mut code = "import pathlib\ns3 = client('s3')\ns3.create_bucket(Bucket='trail')\n".to_owned();
    for (name, options) in objects {
        let event = Event::new("s3.amazonaws.com", "CreateBucket")
            .request(json!({"bucketName": format!("made-{name}")}))
            .at("2026-03-01T09:00:00Z")
            .field("eventID", json!(name));
        let file = bench.path(format!("logs/{name}.json.gz"));
        Trail::new().event(event).write(&file);
        let put = format!("Body=pathlib.Path({file:?}).read_bytes(){options}");
        code.push_str(&format!("s3.put_object(Bucket='trail', Key='{}{name}.json.gz', {put})\n", day()));
    }
    moto.boto3(&code);
}

fn load(bench: &Bench, moto: &Moto, args: &[&str]) -> Run {
    bench.trailcreator(["load-s3", "--bucket", "trail", "--output", "json"].iter().chain(args)).aws(moto).run()
}

/// The names of the objects that were requested, since the last call.
struct Requested(usize);

impl Requested {
    fn now(&mut self, moto: &Moto) -> Vec<String> {
        let prefix = format!("/trail/{}", day());
        let requests = moto.our_requests();
        let mut names: Vec<String> = requests[self.0..]
            .iter()
            .filter(|request| request.method == "GET")
            .filter_map(|request| Some(request.path.strip_prefix(&prefix)?.trim_end_matches(".json.gz").to_owned()))
            .collect();
        self.0 = requests.len();
        names.sort();
        names
    }
}

fn restore(moto: &Moto, name: &str, request: &str) {
    moto.boto3(&format!(
        "client('s3').restore_object(Bucket='trail', Key='{}{name}.json.gz', RestoreRequest={request})",
        day()
    ));
}

fn archived(run: &Run) -> Value {
    run.json()["archived"].clone()
}

#[test]
fn archived_objects_are_counted_with_advice_and_loaded_once_restored() {
    let (bench, moto) = (Bench::new(), Moto::start());
    let mut requested = Requested(0);
    bucket(
        &bench,
        &moto,
        &[
            ("standard", ""),
            ("instant", ", StorageClass='GLACIER_IR'"),
            ("glacier", ", StorageClass='GLACIER'"),
            ("deep", ", StorageClass='DEEP_ARCHIVE'"),
        ],
    );
    requested.now(&moto);
    for expected in [["instant", "standard"].as_slice(), &[]] {
        let run = load(&bench, &moto, &[]);
        let archived = archived(run.success());
        assert_eq!(archived["objects"], 2);
        assert_eq!(archived["by_storage_class"], json!({"DEEP_ARCHIVE": 1, "GLACIER": 1}));
        assert_eq!(archived["first"], format!("s3://trail/{}deep.json.gz", day()));
        assert!(archived["advice"].to_string().contains("aws s3api restore-object"), "{archived}");
        assert_eq!(requested.now(&moto), expected);
        assert_eq!(events(&bench.path("creators.db")).len(), 2);
    }
    restore(&moto, "glacier", "{'Days': 2}");
    let run = load(&bench, &moto, &[]);
    assert_eq!(archived(run.success())["by_storage_class"], json!({"DEEP_ARCHIVE": 1}));
    assert_eq!(requested.now(&moto), ["glacier"]);
    restore(&moto, "deep", "{'Days': 2}");
    let run = load(&bench, &moto, &[]);
    assert_eq!(archived(run.success()), Value::Null);
    assert_eq!(events(&bench.path("creators.db")).len(), 4);
    requested.now(&moto);
    let run = load(&bench, &moto, &[]);
    assert_eq!(run.success().json()["files"]["already_loaded"], 0, "the day is complete now");
    assert_eq!(requested.now(&moto), [""; 0]);
}

#[test]
fn restore_in_progress_is_waited_for() {
    let (bench, moto) = (Bench::new(), Moto::start());
    bucket(&bench, &moto, &[("glacier", ", StorageClass='GLACIER'")]);
    moto.boto3(
        "import json, os, urllib.request
body = json.dumps({'model_name': 's3::keyrestore', 'transition': {'progression': 'manual', 'times': 1000}}).encode()
url = os.environ['AWS_ENDPOINT_URL'] + '/moto-api/state-manager/set-transition'
urllib.request.urlopen(urllib.request.Request(url, body, {'Content-Type': 'application/json'})).read()",
    );
    restore(&moto, "glacier", "{'Days': 2}");
    let run = load(&bench, &moto, &[]);
    let archived = archived(run.success());
    assert_eq!((&archived["objects"], &archived["restoring"]), (&json!(1), &json!(1)));
    assert!(archived["advice"].to_string().contains("wait until S3 has restored them"), "{archived}");
    assert_eq!(run.json()["requests"].get("s3:GetObject"), None);
}

#[test]
fn refused_objects_of_intelligent_tiering_are_not_requested_each_run() {
    let (bench, moto) = (Bench::new(), Moto::start());
    let mut requested = Requested(0);
    let tier = ", StorageClass='INTELLIGENT_TIERING', Metadata={'archive-tier': 'ARCHIVE_ACCESS'}";
    bucket(&bench, &moto, &[("frequent", ", StorageClass='INTELLIGENT_TIERING'"), ("tiered", tier)]);
    requested.now(&moto);
    for expected in [["frequent", "tiered"].as_slice(), &[], &[]] {
        let run = load(&bench, &moto, &[]);
        let archived = archived(run.success());
        assert_eq!(archived["by_storage_class"], json!({"INTELLIGENT_TIERING": 1}));
        assert!(archived["advice"].to_string().contains("--relist"), "{archived}");
        assert_eq!(requested.now(&moto), expected);
    }
    restore(&moto, "tiered", "{}");
    let run = load(&bench, &moto, &["--relist"]);
    assert_eq!(archived(run.success()), Value::Null);
    assert_eq!(requested.now(&moto), ["tiered"]);
    assert_eq!(events(&bench.path("creators.db")).len(), 2);
    let sources = bench.trailcreator(["report", "--offline", "--format", "json"]).run();
    assert!(!sources.stdout.contains("archived:"), "{}", sources.printed());
}

#[test]
fn restore_from_a_tier_that_a_run_saw_needs_no_relist() {
    let (bench, moto) = (Bench::new(), Moto::start());
    let mut requested = Requested(0);
    let tier = ", StorageClass='INTELLIGENT_TIERING', Metadata={'archive-tier': 'DEEP_ARCHIVE_ACCESS'}";
    bucket(&bench, &moto, &[("tiered", tier)]);
    load(&bench, &moto, &[]).success();
    restore(&moto, "tiered", "{'GlacierJobParameters': {'Tier': 'Bulk'}}");
    requested.now(&moto);
    let run = load(&bench, &moto, &[]);
    assert_eq!(archived(run.success())["restoring"], 1);
    assert_eq!(requested.now(&moto), [""; 0]);
    restore(&moto, "tiered", "{'GlacierJobParameters': {'Tier': 'Standard'}}");
    let run = load(&bench, &moto, &[]);
    assert_eq!(archived(run.success()), Value::Null);
    assert_eq!(requested.now(&moto), ["tiered"]);
    assert_eq!(events(&bench.path("creators.db")).len(), 1);
}

#[test]
fn archived_objects_are_listed_in_the_text_and_by_count() {
    let (bench, moto) = (Bench::new(), Moto::start());
    bucket(&bench, &moto, &[("standard", ""), ("glacier", ", StorageClass='GLACIER'")]);
    let run = bench.trailcreator(["load-s3", "--bucket", "trail"]).aws(&moto).run();
    run.success();
    let words = ["archived     1 object, not read: GLACIER 1\n", "  restore them with aws s3api restore-object"];
    words.iter().for_each(|words| assert!(run.stdout.contains(words), "{}", run.printed()));
    let run = bench.trailcreator(["count", "s3://trail"]).aws(&moto).run();
    run.success();
    assert!(run.stdout.contains("archived: 1 object, not read: GLACIER 1; restore"), "{}", run.printed());
}

#[test]
fn objects_with_customer_provided_keys_are_refused_with_advice() {
    let (bench, moto) = (Bench::new(), Moto::start());
    let key = ", SSECustomerAlgorithm='AES256', SSECustomerKey='0123456789abcdef0123456789abcdef'";
    bucket(&bench, &moto, &[("plain", ""), ("encrypted", key)]);
    let run = load(&bench, &moto, &[]);
    let failures = run.code(4).json()["failures"].to_string();
    for words in ["encrypted.json.gz", "customer-provided key (SSE-C)", "load-files"] {
        assert!(failures.contains(words), "{failures}");
    }
    assert_eq!(events(&bench.path("creators.db")).len(), 1);
}

#[test]
fn requester_pays_bucket_of_another_account_needs_the_option() {
    let (bench, moto) = (Bench::new(), Moto::start());
    bucket(&bench, &moto, &[("a", "")]);
    moto.boto3(
        "client('s3').put_bucket_request_payment(Bucket='trail', RequestPaymentConfiguration={'Payer': 'Requester'})",
    );
    load(&bench, &moto, &["--db", "owner.db"]).success();
    let other = ["--assume", "arn:aws:iam::210987654321:role/reader"];
    load(&bench, &moto, &other).code(1).says(["refused by the bucket", "--request-payer"]);
    load(&bench, &moto, &[&other[..], &["--request-payer"]].concat()).success();
    assert_eq!(events(&bench.path("creators.db")).len(), 1);
    let count = ["count", "s3://trail", "--request-payer"];
    bench.trailcreator(count.iter().chain(&other)).aws(&moto).run().success();
    load(&bench, &moto, &["--request-payer", "--engine", "select"]).code(2).says(["--engine get"]);
}

#[test]
fn access_point_takes_the_place_of_the_bucket() {
    let bench = Bench::new();
    // Virtual hosts need a resolver; a proxy needs none.
    let moto = Moto::start_with(
        "def before(entry, environ):
    host = environ['HTTP_HOST']
    if host.startswith('mine-123456789012.'):
        environ['PATH_INFO'] = '/trail' + environ['PATH_INFO']
        environ['RAW_URI'] = environ['REQUEST_URI'] = '/trail' + environ['RAW_URI'].split(host, 1)[-1]
        environ['HTTP_HOST'] = '127.0.0.1'",
    );
    bucket(&bench, &moto, &[("a", "")]);
    let access_point = "arn:aws:s3:us-east-1:123456789012:accesspoint/mine";
    let via_proxy = |args: &[&str]| {
        let run = bench.trailcreator(args).aws(&moto);
        run.env("HTTP_PROXY", &moto.endpoint()).env("AWS_ENDPOINT_URL", "http://s3.test").run()
    };
    via_proxy(&["load-s3", "--bucket", access_point]).success();
    assert_eq!(events(&bench.path("creators.db")).len(), 1);
    let run = via_proxy(&["count", &format!("s3://{access_point}/AWSLogs/"), "--output", "json"]);
    assert_eq!(run.success().json()["counted"], 1);
    let several = ["load-s3", "--bucket", "arn:aws:s3::123456789012:accesspoint/abc.mrap"];
    bench.trailcreator(several).aws(&moto).run().code(2).says(["the ARN of an access point in one region"]);
}

#[test]
fn refusals_name_the_object_the_key_or_the_bucket() {
    let moto = Moto::start_with(
        "faults = {
    'object': (403, 'AccessDenied', 'Access Denied'),
    'key': (403, 'AccessDenied', 'User: arn:aws:iam::123456789012:user/a is not authorized to perform: kms:Decrypt on resource: '
        'arn:aws:kms:us-east-1:123456789012:key/k because no identity-based policy allows the kms:Decrypt action'),
    'disabled': (400, 'KMS.DisabledException', 'arn:aws:kms:us-east-1:123456789012:key/k is disabled.'),
    'denied': (403, 'AccessDenied', 'User: arn:aws:iam::123456789012:user/a is not authorized to perform: s3:GetObject on resource: '
        '\"arn:aws:s3:::trail/x\" with an explicit deny in a resource-based policy'),
}
def before(entry, environ):
    name = entry['path'].rsplit('/', 1)[-1].split('.')[0]
    if entry['method'] == 'GET' and name in faults:
        status, code, message = faults[name]
        return status, 'application/xml', f'<Error><Code>{code}</Code><Message>{message}</Message></Error>'",
    );
    let bench = Bench::new();
    bucket(&bench, &moto, &[("fine", ""), ("object", ""), ("key", ""), ("disabled", ""), ("denied", "")]);
    let run = load(&bench, &moto, &[]);
    let failures = run.code(4).json()["failures"].clone();
    for (name, words) in [
        ("object", "refused by the object: allow s3:GetObject"),
        ("key", "refused by the KMS key arn:aws:kms:us-east-1:123456789012:key/k"),
        ("disabled", "check that it exists, is enabled"),
        ("denied", "refused by the bucket's policy, which denies s3:GetObject"),
    ] {
        let of_name = |failure: &&Value| failure["name"].to_string().contains(&format!("/{name}.json.gz"));
        let failure = failures.as_array().expect("a list").iter().find(of_name).expect(name);
        assert!(failure["reason"].to_string().contains(words), "{failure}");
    }
    let denied = Moto::start_with(
        "def before(entry, environ):
    if entry['path'].startswith('/trail'):
        return 403, 'application/xml', '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'",
    );
    load(&bench, &denied, &[]).code(1).says(["refused by the bucket: allow s3:ListBucket"]);
}
