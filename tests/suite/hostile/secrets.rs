//! Secrets that are planted wherever the program reads: none is in its output at any verbosity, or in a file that it writes.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::json;

use crate::common::{Bench, Caller, Event, Moto, Run, Trail};

/// Part of each planted secret.
const PLANTED: &str = "PLANTED";

/// Refuses tags as AWS refuses a signature, with the signed request in the message.
const MISMATCH: &str = r#"def before(entry, environ):
    import json
    message = ('The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for this request '
        "should have been\n'POST\n/\n\nhost:x\nx-amz-security-token:IQoJb3JpZ2luX2VjPLANTEDPLANTEDPLANTEDPLANTEDPLANTEDPLANTED\n'")
    if entry['action'] in ('TagQueue', 'TagResources'):
        return 403, 'application/json', json.dumps({'__type': 'SignatureDoesNotMatch', 'message': message})
    if entry['action'] == 'DescribeInstances':
        return 403, 'text/xml', '<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>Authorization: AWS4-HMAC-SHA256 Credential=PLANTED/x, Signature=PLANTED at https://me:PLANTED@host/</Message></Error></Errors></Response>'"#;

fn no_secret(bench: &Bench, run: &Run) {
    assert!(!run.stdout.contains(PLANTED) && !run.stderr.contains(PLANTED), "{}", run.printed());
    no_secret_in_files(&bench.path("."));
}

fn no_secret_in_files(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            no_secret_in_files(&path);
        } else if !["logs", "config", "fails.sh"].iter().any(|input| path.to_string_lossy().contains(input)) {
            let content = fs::read(&path).unwrap();
            assert!(!String::from_utf8_lossy(&content).contains(PLANTED), "{name} has a secret");
        }
    }
}

#[test]
fn secrets_of_records_are_not_stored_or_printed() {
    let bench = Bench::new();
    let key =
        json!({"accessKey": {"userName": "ann", "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "secretAccessKey": PLANTED}});
    let session =
        json!({"credentials": {"accessKeyId": "ASIAIOSFODNN7EXAMPLE", "sessionToken": PLANTED, "expiration": "x"}});
    let chained = Event::new("sts.amazonaws.com", "AssumeRole")
        .request(json!({"roleArn": "arn:aws:iam::1:role/x", "roleSessionName": "ann"}));
    let nothing = json!({"masterUserPassword": PLANTED, "note": format!("https://me:{PLANTED}@host/")});
    let login = json!({"userName": "ann", "password": PLANTED, "additionalData": {"SecretString": PLANTED}});
    let broken = Event::new("sqs.amazonaws.com", "CreateQueue").request(json!({"secretAccessKey": PLANTED}));
    Trail::new()
        .event(Event::new("iam.amazonaws.com", "CreateLoginProfile").request(login.clone()).response(login))
        .event(broken.clone().field("eventTime", json!("never")))
        .event(broken.failed("AccessDenied").field("errorMessage", json!(format!("Signature={PLANTED}"))))
        .event(Event::new("iam.amazonaws.com", "CreateAccessKey").request(json!({"userName": "ann"})).response(key))
        .event(chained.response(session))
        .event(Event::new("rds.amazonaws.com", "CreateDBInstance").request(nothing))
        .event(
            Event::new("sqs.amazonaws.com", "CreateQueue")
                .response(json!({"queueUrl": "https://sqs/1/q", "x": PLANTED})),
        )
        .write(&bench.path("logs/a.json.gz"));
    let run = |args: &[&str]| {
        let run = bench.trailcreator(args).run();
        no_secret(&bench, &run);
        run
    };
    run(&["load-files", "logs", "--chains", "-vvv"]).code(4).shows(["invalid eventTime"]);
    run(&["count", "logs", "-vvv"]).success();
    run(&["who", "q", "--output", "json"]).success();
    run(&["report", "--offline", "-vvv"]).success();
    run(&["report", "--offline", "--format", "csv", "-vvv"]).success();
    run(&["report", "--offline", "--format", "csv", "--by", "creator", "-vvv"]).success();
    run(&["resource-map", "check", "--events", "logs/a.json.gz", "-vvv"]);
    run(&["count", "logs", "--by", "eventSource,eventName,userIdentity.arn", "--output", "json", "-vvv"]).success();
    bench.write("map.yml", bench.trailcreator(["resource-map", "show", "rds"]).run().stdout);
    run(&["resource-map", "check", "map.yml", "--events", "logs/a.json.gz"]).code(4).shows(["[redacted]"]);
    run(&["resource-map", "check", "map.yml", "--events", "logs/a.json.gz", "--output", "json"]).code(4);
}

#[test]
fn secrets_that_aws_quotes_are_not_stored_or_printed() {
    let bench = Bench::new();
    let moto = Moto::start_with(MISMATCH);
    let url = moto.boto3("result = client('sqs').create_queue(QueueName='q')['QueueUrl']");
    let event = Event::new("sqs.amazonaws.com", "CreateQueue").request(json!({"queueName": "q"}));
    Trail::new()
        .event(event.response(json!({"queueUrl": url})).by(Caller::iam_user("ann")))
        .write(&bench.path("logs/a.json.gz"));
    bench.trailcreator(["load-files", "logs"]).run().success();
    let run = |args: &[&str]| {
        let run = bench.trailcreator(args).aws(&moto).run();
        no_secret(&bench, &run);
        run
    };
    run(&["tag", "--type", "sqs,ec2", "--save-plan", "plan.json", "-vvv"]).code(4).says(["[redacted]"]);
    run(&["apply", "plan.json", "-vvv"]).says(["does not match"]);
    run(&["runs", "1", "--output", "json"]).success().shows(["[redacted]"]);
    run(&["report", "--type", "sqs,ec2", "--format", "json"]);
    bench.write("accounts.yml", "accounts: [{account_id: '123456789012', name: a, regions: [us-east-1]}]");
    run(&[
        "tag-org",
        "--config",
        "accounts.yml",
        "--type",
        "sqs,ec2",
        "--results",
        "results.jsonl",
        "--output",
        "json",
        "-vvv",
    ]);
}

#[test]
fn passwords_of_urls_and_what_programs_say_are_not_printed() {
    let bench = Bench::new();
    Trail::new()
        .event(Event::new("sqs.amazonaws.com", "CreateQueue").response(json!({"queueUrl": "https://sqs/1/q"})))
        .write(&bench.path("logs/a.json.gz"));
    bench.trailcreator(["load-files", "logs"]).run().success();
    let keys = |run: crate::common::Trailcreator| {
        run.env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "PLANTED/K7MDENG/bPxRfiCYEXAMPLEKEY")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_MAX_ATTEMPTS", "1")
    };
    for url in ["http://me:PLANTED@127.0.0.1:9", "http://me:PLANTED@[", "me:PLANTED@host"] {
        for command in [&["tag", "--dry-run", "--type", "sqs"][..], &["load-s3", "--bucket", "b"]] {
            let run = keys(bench.trailcreator([command, &["--endpoint-url", url, "-vvv"]].concat())).run();
            assert_ne!(run.code, Some(0), "{}", run.printed());
            no_secret(&bench, &run);
        }
    }
    bench.write("fails.sh", "echo SecretAccessKey: PLANTED >&2; echo '{\"SecretAccessKey\": \"PLANTED\"}'; exit 7");
    bench.write(
        "config",
        format!("[profile p]\nregion = us-east-1\ncredential_process = sh {}\n", bench.path("fails.sh").display()),
    );
    let run = bench
        .trailcreator(["tag", "--type", "sqs", "--profile", "p", "-vvv"])
        .env("AWS_CONFIG_FILE", &bench.path("config").to_string_lossy())
        .run();
    no_secret(&bench, run.code(1).says(["credential_process failed", "7"]));
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The database with the files beside it, plans, results, accounts.
#[test]
fn files_with_account_data_are_for_their_user_only() {
    let bench = Bench::new();
    let moto = Moto::start();
    let url = moto.boto3("result = client('sqs').create_queue(QueueName='q')['QueueUrl']");
    let event = Event::new("sqs.amazonaws.com", "CreateQueue").request(json!({"queueName": "q"}));
    Trail::new()
        .event(event.response(json!({"queueUrl": url})).by(Caller::iam_user("ann")))
        .write(&bench.path("logs/a.json.gz"));
    bench.shell("umask 000; trailcreator load-files logs").run().success();
    let database = bench.path("creators.db");
    assert_eq!(mode(&database), 0o600);
    let reader = rusqlite::Connection::open(&database).unwrap();
    reader.query_row("SELECT count(*) FROM resource_events", [], |row| row.get::<_, i64>(0)).unwrap();
    for beside in ["creators.db-wal", "creators.db-shm"] {
        assert_eq!(mode(&bench.path(beside)), 0o600, "{beside}");
    }
    bench.write("accounts.yml", "accounts: [{account_id: '123456789012', name: a, regions: [us-east-1]}]");
    let saving = "umask 000; trailcreator tag --type sqs --save-plan plan.json && trailcreator tag-org --config accounts.yml --type sqs \
        --save-plan plans.jsonl && trailcreator tag-org --config accounts.yml --type sqs --results results.jsonl";
    bench.shell(saving).aws(&moto).run().success();
    for file in ["plan.json", "plans.jsonl", "results.jsonl"] {
        assert_eq!(mode(&bench.path(file)), 0o600, "{file}");
    }
    fs::set_permissions(bench.path("plan.json"), fs::Permissions::from_mode(0o640)).unwrap();
    bench.shell("trailcreator tag --type sqs --save-plan plan.json").aws(&moto).run().success();
    assert_eq!(mode(&bench.path("plan.json")), 0o640, "an existing file keeps its mode");
    bench.shell("umask 277; trailcreator --db other.db load-files logs").run();
    assert_eq!(mode(&bench.path("other.db")) & 0o477, mode(&bench.path("other.db")), "the umask is respected");
    symlink("target.db", bench.path("link.db")).unwrap();
    bench.shell("umask 000; trailcreator --db link.db load-files logs").run().success();
    assert_eq!(mode(&bench.path("target.db")), 0o600);
}
