//! S3 buckets: with ABAC enabled, with other writers, and with servers and permissions that lack TagResource.

use serde_json::{Value, json};

use super::lab::{Lab, entry};
use crate::common::{Bench, Caller, Event};

impl Lab {
    /// A bucket with tags, created by `owner`.
    fn bucket(&mut self, name: &str, owner: &str, tags: &Value) {
        self.moto.boto3(&format!(
            "client('s3').create_bucket(Bucket='{name}')
tags = [dict(Key=key, Value=value) for key, value in {tags}.items()]
tags and client('s3').put_bucket_tagging(Bucket='{name}', Tagging={{'TagSet': tags}})"
        ));
        let event = Event::new("s3.amazonaws.com", "CreateBucket").request(json!({"bucketName": name}));
        self.event(event.by(Caller::iam_user(owner)));
    }

    fn enable_abac(&self, name: &str) {
        let status = self.moto.boto3(&format!(
            "client('s3').put_bucket_abac(Bucket='{name}', AbacStatus={{'Status': 'Enabled'}})
result = client('s3').get_bucket_abac(Bucket='{name}')['AbacStatus']['Status']"
        ));
        assert_eq!(status, "Enabled");
    }

    /// A bucket's tags, by boto3.
    fn bucket_tags(&self, name: &str) -> Value {
        self.moto.boto3(&format!(
            "import botocore
try:
    result = {{tag['Key']: tag['Value'] for tag in client('s3').get_bucket_tagging(Bucket='{name}')['TagSet']}}
except botocore.exceptions.ClientError as error:
    result = {{}} if error.response['Error']['Code'] == 'NoSuchTagSet' else str(error)"
        ))
    }

    fn sent_for(&self, method: &str, part: &str) -> usize {
        let is_it = |action: &str| action.starts_with(method) && action.contains(part);
        self.moto.our_requests().iter().filter(|request| is_it(&request.action)).count()
    }
}

#[test]
fn a_bucket_with_abac_is_tagged_overwritten_and_undone_by_tag_resource() {
    let mut lab = Lab::new();
    for name in ["plain", "guarded", "taken"] {
        lab.bucket(name, "alice", &json!({"team": "blue"}));
    }
    lab.moto.boto3(
        "client('s3').put_bucket_tagging(Bucket='taken', Tagging={'TagSet': [{'Key': 'Owner', 'Value': 'zoe'}, {'Key': 'team', 'Value': 'blue'}]})",
    );
    for name in ["guarded", "taken"] {
        lab.enable_abac(name);
    }
    let refused = lab.moto.boto3(
        "import botocore
try:
    client('s3').put_bucket_tagging(Bucket='guarded', Tagging={'TagSet': [{'Key': 'a', 'Value': 'b'}]})
except botocore.exceptions.ClientError:
    result = 'refused'",
    );
    assert_eq!(refused, "refused", "the server is as strict as AWS");
    lab.load();
    lab.run(&["tag", "--type", "s3"]).success().says(["2 tagged"]);
    lab.run(&["tag", "--type", "s3", "--overwrite"]).success().says(["1 tagged"]);
    for name in ["plain", "guarded", "taken"] {
        assert_eq!(lab.bucket_tags(name), json!({"team": "blue", "Owner": "alice"}), "{name}");
    }
    let again = lab.run(&["tag", "--type", "s3", "--output", "json"]);
    assert_eq!(again.success().json()["actions"], json!([]));

    lab.run(&["undo", "2"]).success();
    lab.run(&["undo", "1"]).success();
    for (name, tags) in [
        ("plain", json!({"team": "blue"})),
        ("guarded", json!({"team": "blue"})),
        ("taken", json!({"team": "blue", "Owner": "zoe"})),
    ] {
        assert_eq!(lab.bucket_tags(name), tags, "{name}");
    }
    assert_eq!(lab.sent_for("PUT ", "?tagging"), 0, "no call replaced all tags");
}

/// The Tagging API is closed. Before our first write to a bucket arrives, boto3 adds a tag of its own.
const LATE: &str = include_str!("../hooks/tag_buckets_late.py");

#[test]
fn a_tag_that_another_writer_adds_between_read_and_write_stays() {
    let mut lab = Lab::with_hook(Bench::new(), LATE);
    lab.bucket("logs", "alice", &json!({"team": "blue"}));
    lab.load();
    lab.run(&["tag", "--type", "s3"]).success().says(["1 tagged"]);
    assert_eq!(lab.bucket_tags("logs"), json!({"team": "blue", "late": "yes", "Owner": "alice"}));
    lab.run(&["undo", "1"]).success();
    assert_eq!(lab.bucket_tags("logs"), json!({"team": "blue", "late": "yes"}));
}

/// Neither the Tagging API nor TagResource: `ANSWER`.
const WITHOUT_TAG_RESOURCE: &str = include_str!("../hooks/tag_buckets_without_tag_resource.py");

#[test]
fn where_tag_resource_is_not_permitted_or_not_known_all_tags_are_sent() {
    let error = |code: &str, message: &str| {
        format!(
            "'text/xml', '<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>'"
        )
    };
    for (status, code) in
        [(403, "AccessDenied"), (405, "MethodNotAllowed"), (404, "NoSuchBucket"), (501, "NotImplemented")]
    {
        let hook = WITHOUT_TAG_RESOURCE.replace("ANSWER", &format!("{status}, {}", error(code, "no")));
        let mut lab = Lab::with_hook(Bench::new(), &hook);
        lab.bucket("logs", "alice", &json!({"team": "blue"}));
        lab.load();
        lab.run(&["tag", "--type", "s3"]).success().says(["1 tagged"]);
        assert_eq!(lab.bucket_tags("logs"), json!({"team": "blue", "Owner": "alice"}), "{code}");
        lab.run(&["undo", "1"]).success();
        assert_eq!(lab.bucket_tags("logs"), json!({"team": "blue"}), "{code}");
    }
}

#[test]
fn what_a_policy_denies_is_not_asked_for_by_another_call() {
    let message = "User: u is not authorized to perform: s3:TagResource on resource: b with an explicit deny in a service control policy";
    let answer = format!(
        "403, 'text/xml', '<ErrorResponse><Error><Code>AccessDenied</Code><Message>{message}</Message></Error></ErrorResponse>'"
    );
    let mut lab = Lab::with_hook(Bench::new(), &WITHOUT_TAG_RESOURCE.replace("ANSWER", &answer));
    lab.bucket("logs", "alice", &json!({"team": "blue"}));
    lab.load();
    let report = lab.run(&["tag", "--type", "s3", "--output", "json"]).code(4).json();
    let failed = &entry(&report["failed"], "logs")["error"];
    assert!(
        failed.as_str().is_some_and(|error| error.contains("a service control policy denies s3:TagResource")),
        "{failed}"
    );
    assert_eq!(lab.sent_for("PUT ", "?tagging"), 0);
    assert_eq!(lab.bucket_tags("logs"), json!({"team": "blue"}));
}

#[test]
fn a_bucket_s_tags_are_read_by_list_tags_for_resource_where_get_bucket_tagging_is_not_permitted() {
    let hook = "
def before(entry, environ):
    if 'Boto3/' not in entry['user_agent'] and entry['action'].endswith('?tagging'):
        return 403, 'text/xml', '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
";
    let mut lab = Lab::with_hook(Bench::new(), hook);
    lab.bucket("logs", "alice", &json!({}));
    lab.bucket("taken", "alice", &json!({"Owner": "zoe"}));
    for name in ["logs", "taken"] {
        lab.enable_abac(name);
    }
    lab.load();
    lab.run(&["tag", "--type", "s3"]).success().says(["1 tagged"]);
    assert_eq!(lab.bucket_tags("logs"), json!({"Owner": "alice"}));
    assert_eq!(lab.bucket_tags("taken"), json!({"Owner": "zoe"}));
    lab.run(&["undo", "1"]).success();
    assert_eq!(lab.bucket_tags("logs"), json!({}));
}

#[test]
fn a_policy_allows_the_calls_of_all_buckets() {
    let bench = Bench::new();
    let actions = |command: &str| {
        let document = bench.trailcreator(["policy", command, "--type", "s3"]).run().success().json();
        document["Statement"][0]["Action"].to_string()
    };
    for action in ["s3:TagResource", "s3:ListTagsForResource", "s3:GetBucketTagging", "s3:PutBucketTagging"] {
        assert!(actions("tag").contains(&format!("\"{action}\"")), "{action}");
    }
    assert!(!actions("tag").contains("s3:UntagResource"));
    assert!(actions("undo").contains("s3:UntagResource"));
}
