//! The harness itself: what tests trust must be trustworthy.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::common::{Moto, Request, run_python};

#[test]
fn moto_keeps_state_and_requests_of_each_server_apart() {
    let (one, other) = (Moto::start(), Moto::start());
    one.boto3("client('sqs').create_queue(QueueName='q')");
    let count = "result = len(client('sqs').list_queues().get('QueueUrls', []))";
    assert_eq!((one.boto3(count), other.boto3(count)), (json!(1), json!(0)));
    let actions = |moto: &Moto| moto.requests().into_iter().map(|request| request.action).collect::<Vec<_>>();
    assert_eq!(actions(&one), ["CreateQueue", "ListQueues"]);
    assert_eq!(actions(&other), ["ListQueues"]);
    assert_eq!(one.writes(), 0, "boto3's calls are not ours");
}

#[test]
fn writes_and_reads_are_counted_apart() {
    let moto = Moto::start();
    moto.boto3(
        "client('s3').create_bucket(Bucket='bucket'); client('s3').list_buckets(); client('s3').get_bucket_location(Bucket='bucket')
client('s3').put_bucket_tagging(Bucket='bucket', Tagging={'TagSet': [{'Key': 'a', 'Value': 'b'}]})
client('iam').create_role(RoleName='r', AssumeRolePolicyDocument='{}'); client('iam').list_roles()
client('lambda').list_functions(); client('dynamodb').list_tables()",
    );
    let requests = moto.requests();
    let writes: Vec<&str> =
        requests.iter().filter(|request| request.is_write()).map(|request: &Request| request.action.as_str()).collect();
    assert_eq!(writes, ["PUT /bucket", "PUT /bucket?tagging", "CreateRole"]);
    assert!(requests.iter().any(|request| request.action == "GET /bucket?location"));
}

#[test]
fn a_hook_answers_instead_of_moto() {
    let moto = Moto::start_with(
        "def before(entry, environ):
    if entry['action'] == 'ListQueues':
        return 400, 'application/json', '{\"__type\": \"AccessDenied\", \"message\": \"no\"}'",
    );
    let code = moto.boto3(
        "try:
    client('sqs').list_queues()
except Exception as error:
    result = error.response['Error']['Code']",
    );
    assert_eq!(code, json!("AccessDenied"));
}

/// The clock is the test's: a simulator that did not run for a second finds its requests a second later.
#[test]
fn the_simulator_of_limits_throttles_bursts_but_not_what_waited_for_it() {
    let code = r#"import json, os, selectors, socket, sys, types
sys.path.insert(0, os.environ["FOLDER"])
import polls, server

clock = types.SimpleNamespace(now=0, monotonic=lambda: clock.now)
polls.time = server.time = clock
simulator = server.Simulator({"accounts": 1, "regions": ["us-east-1"], "largest": 1})
listener = server.Listener(simulator)
account = simulator.population.ids[0]
body = json.dumps({"QueueUrl": f"{account}/jobs-0"})
lines = [
    "POST / HTTP/1.1", f"Authorization: Credential=ASIA{account}/20260101/us-east-1/sqs/aws4_request",
    "X-Amz-Target: AmazonSQS.ListQueueTags", f"Content-Length: {len(body)}", "", body,
]
request = "\r\n".join(lines).encode()

def poll():
    listener.loop.call_soon(listener.loop.stop)
    listener.loop.run_forever()

def throttled(connections, stopped):
    """How many of 50 requests that are sent at once after a quiet time, while the simulator is stopped for so many seconds."""
    clock.now += 10
    poll()
    poll()
    ready = len(connections) or 1
    while len(connections) < 50:
        connections.append(socket.create_connection(("127.0.0.1", listener.port())))
    for connection in connections:
        connection.sendall(request)
    while len(selectors.DefaultSelector.select(simulator.polls, 0)) < ready:
        pass
    clock.now += stopped
    counts = simulator.buckets.requests, simulator.buckets.throttled
    expected, before = counts[0].total() + 50, counts[1].total()
    while counts[0].total() < expected:
        poll()
    return counts[1].total() - before

for stopped in 0, 1:
    connections = []
    print("new", throttled(connections, stopped), "used", throttled(connections, stopped))"#;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/limits");
    let printed = run_python(code, &[("FOLDER", folder.to_str().expect("the path is UTF-8"))]);
    // SQS takes 30 at once and 30 a second.
    assert_eq!(printed.lines().collect::<Vec<_>>(), ["new 20 used 20", "new 0 used 0"]);
}

/// A merge once lost a `mod` line, and with it a file of tests, unnoticed.
#[test]
fn every_file_of_tests_is_built() {
    fn check(folder: &Path, parent: &str) {
        let modules = fs::read_to_string(folder.join(parent)).expect("every folder has its root");
        for entry in fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path()) {
            let name = entry.file_stem().expect("a name").to_string_lossy().into_owned();
            let is_rust = entry.extension().is_some_and(|extension| extension == "rs");
            let is_module = is_rust && entry.file_name() != Some(parent.as_ref()) || entry.join("mod.rs").exists();
            let is_built = modules.lines().any(|line| line.ends_with(&format!("mod {name};")));
            assert!(!is_module || is_built, "{} is in no `mod` of {parent}", entry.display());
            if is_module && entry.is_dir() {
                check(&entry, "mod.rs");
            }
        }
    }
    check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite"), "main.rs");
}
