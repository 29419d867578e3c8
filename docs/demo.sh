#!/usr/bin/env bash
# The whole job on this machine, without an AWS account: moto (from PyPI) plays AWS on loopback, boto3 makes a few
# resources there and shows their tags before and after; everything else is the real program on a real trail file.
# Needs Rust, Python 3.11 or newer with venv, and the way to crates.io and PyPI. Writes below target/ only, and leaves
# nothing running.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n\033[1m# %s\033[0m\n' "$1"; }
shown() { printf '\033[36m$ %s\033[0m\n' "$*"; "$@"; }

step "Build (a few minutes the first time) and set up Python's parts"
cargo build --locked --quiet
target=${CARGO_TARGET_DIR:-target}
venv=$target/demo-venv
if [ ! -e "$venv/complete" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --no-compile --disable-pip-version-check -r tests/requirements.txt
    touch "$venv/complete"
fi
python=$(realpath "$venv/bin")/python

# The server ends when this script does: its stdin is then closed.
coproc SERVER { exec "$python" tests/suite/common/moto_launcher.py "$target/demo-requests.jsonl"; }
read -r port <&"${SERVER[0]}"

for variable in $(compgen -e | grep -E '^(AWS|TRAILCREATOR)_' || true); do unset "$variable"; done
export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_EC2_METADATA_DISABLED=true
PATH=$(realpath "$target/debug"):$PATH
rm -rf "$target/demo"
mkdir -p "$target/demo/logs"
cd "$target/demo"

step "Make resources on the local server, and the trail that CloudTrail would have written of it"
"$python" - <<'PYTHON'
import boto3, gzip, json

account, records = "123456789012", []
alice = {"type": "IAMUser", "userName": "alice", "arn": f"arn:aws:iam::{account}:user/alice", "accountId": account}
root = {"type": "Root", "arn": f"arn:aws:iam::{account}:root", "accountId": account}
service = {"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}


def session(role, name):
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{account}:role/{role}", "accountId": account, "userName": role}
    return {"type": "AssumedRole", "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}", "accountId": account,
            "sessionContext": {"sessionIssuer": issuer}}


def record(who, tool, source, event, request, response):
    records.append({
        "eventVersion": "1.11", "userIdentity": who, "eventTime": f"2026-03-01T10:{len(records):02}:00Z",
        "eventSource": source, "eventName": event, "awsRegion": "us-east-1", "sourceIPAddress": "203.0.113.7",
        "userAgent": tool, "requestParameters": request, "responseElements": response, "readOnly": False,
        "eventID": f"00000000-0000-4000-8000-{len(records):012}", "eventType": "AwsApiCall", "managementEvent": True,
        "recipientAccountId": account, "eventCategory": "Management"})


terraform = "APN/1.0 HashiCorp/1.0 Terraform/1.13.3 terraform-provider-aws/6.14.1 aws-sdk-go-v2/1.39.2"
cli = "aws-cli/2.31.0 md/awscrt#0.28.0 ua/2.1 os/linux#6.8"
browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
trust = '{"Version": "2012-10-17", "Statement": []}'
team = [{"Key": "team", "Value": "blue"}]

boto3.client("iam").create_role(RoleName="payments", AssumeRolePolicyDocument=trust, Tags=team)
record(alice, cli, "iam.amazonaws.com", "CreateRole", {"roleName": "payments"}, {"role": {"roleName": "payments"}})

boto3.client("s3").create_bucket(Bucket="invoices")
record(session("AWSReservedSSO_Admin_0123456789abcdef", "bob@example.com"), browser, "s3.amazonaws.com", "CreateBucket",
       {"bucketName": "invoices"}, None)

boto3.client("sqs").create_queue(QueueName="orders")
url = f"https://sqs.us-east-1.amazonaws.com/{account}/orders"
record(session("ci", "carol"), terraform, "sqs.amazonaws.com", "CreateQueue", {"queueName": "orders"}, {"queueUrl": url})

ec2 = boto3.client("ec2")
for who, tags in ((root, []), (service, []), (alice, [{"Key": "Owner", "Value": "dave"}])):
    tags = [{"ResourceType": "volume", "Tags": tags}] if tags else []
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, TagSpecifications=tags)["VolumeId"]
    record(who, browser, "ec2.amazonaws.com", "CreateVolume", {"size": "1"}, {"volumeId": volume})
boto3.client("sns").create_topic(Name="older-than-the-trail")

with gzip.open("logs/123456789012_CloudTrail_us-east-1_20260301T1015Z_demo.json.gz", "wt") as file:
    json.dump({"Records": records}, file)
PYTHON

tags_by_boto3() {
    "$python" - <<'PYTHON'
import boto3

def show(kind, name, tags):
    print(f"  {kind:12} {name:52}", ", ".join(f"{t['Key']}={t['Value']}" for t in tags) or "-")

client = boto3.client
show("role", "payments", client("iam").list_role_tags(RoleName="payments")["Tags"])
try:
    show("bucket", "invoices", client("s3").get_bucket_tagging(Bucket="invoices")["TagSet"])
except client("s3").exceptions.ClientError:
    show("bucket", "invoices", [])
url = client("sqs").get_queue_url(QueueName="orders")["QueueUrl"]
show("queue", "orders", [{"Key": k, "Value": v} for k, v in client("sqs").list_queue_tags(QueueUrl=url).get("Tags", {}).items()])
for volume in client("ec2").describe_volumes()["Volumes"]:
    show("volume", volume["VolumeId"], volume.get("Tags", []))
for topic in client("sns").list_topics()["Topics"]:
    show("topic", topic["TopicArn"], client("sns").list_tags_for_resource(ResourceArn=topic["TopicArn"])["Tags"])
PYTHON
}

step "Tags before, as boto3 sees them"
tags_by_boto3
step "Load the trail: who created what"
shown trailcreator load-files logs
step "What would be tagged"
shown trailcreator tag --dry-run
step "Tag"
shown trailcreator tag
step "Tags after, as boto3 sees them"
tags_by_boto3
step "Ask who created something"
shown trailcreator who orders
step "A second run finds nothing to do"
shown trailcreator tag
step "Undo the first run"
shown trailcreator runs
shown trailcreator undo 1
step "Tags at the end, as boto3 sees them"
tags_by_boto3
