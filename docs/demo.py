"""Resources for docs/demo.sh on the local server, and the CloudTrail records of their creation.

    demo.py create FOLDER   creates the resources and writes a log file to FOLDER
    demo.py show            prints the resources with their tags

tests/suite/readme.rs creates the same resources, and compares what the commands print with the README.
"""

import gzip
import json
import pathlib
import sys

import boto3

ACCOUNT = "123456789012"
ALICE = {"type": "IAMUser", "userName": "alice", "arn": f"arn:aws:iam::{ACCOUNT}:user/alice", "accountId": ACCOUNT}
ROOT = {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT}
SERVICE = {"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}
TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.13.3 terraform-provider-aws/6.14.1 aws-sdk-go-v2/1.39.2"
CLI = "aws-cli/2.31.0 md/awscrt#0.28.0 ua/2.1 os/linux#6.8"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def session(role, name):
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}", "accountId": ACCOUNT, "userName": role}
    return {"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}", "accountId": ACCOUNT,
            "sessionContext": {"sessionIssuer": issuer}}


def create_resources(client):
    """Creates the resources; returns the records that CloudTrail would have written."""
    records = []

    def record(principal, tool, source, event, request, response):
        records.append({
            "eventVersion": "1.11", "userIdentity": principal, "eventTime": f"2026-03-01T10:{len(records):02}:00Z",
            "eventSource": source, "eventName": event, "awsRegion": "us-east-1", "sourceIPAddress": "203.0.113.7",
            "userAgent": tool, "requestParameters": request, "responseElements": response, "readOnly": False,
            "eventID": f"00000000-0000-4000-8000-{len(records):012}", "eventType": "AwsApiCall", "managementEvent": True,
            "recipientAccountId": ACCOUNT, "eventCategory": "Management"})

    trust = '{"Version": "2012-10-17", "Statement": []}'
    client("iam").create_role(RoleName="payments", AssumeRolePolicyDocument=trust, Tags=[{"Key": "team", "Value": "blue"}])
    record(ALICE, CLI, "iam.amazonaws.com", "CreateRole", {"roleName": "payments"}, {"role": {"roleName": "payments"}})

    client("s3").create_bucket(Bucket="invoices")
    bob = session("AWSReservedSSO_Admin_0123456789abcdef", "bob@example.com")
    record(bob, BROWSER, "s3.amazonaws.com", "CreateBucket", {"bucketName": "invoices"}, None)

    client("sqs").create_queue(QueueName="orders")
    url = f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/orders"
    carol = session("ci", "carol")
    record(carol, TERRAFORM, "sqs.amazonaws.com", "CreateQueue", {"queueName": "orders"}, {"queueUrl": url})

    for principal, tags in ((ROOT, []), (SERVICE, []), (ALICE, [{"Key": "Owner", "Value": "dave"}])):
        tags = [{"ResourceType": "volume", "Tags": tags}] if tags else []
        volume = client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1, TagSpecifications=tags)["VolumeId"]
        record(principal, BROWSER, "ec2.amazonaws.com", "CreateVolume", {"size": "1"}, {"volumeId": volume})
    client("sns").create_topic(Name="older-than-the-trail")
    return records


def show_tags(client):
    def show(kind, name, tags):
        print(f"  {kind:12} {name:52}", ", ".join(f"{tag['Key']}={tag['Value']}" for tag in tags) or "-")

    show("role", "payments", client("iam").list_role_tags(RoleName="payments")["Tags"])
    try:
        show("bucket", "invoices", client("s3").get_bucket_tagging(Bucket="invoices")["TagSet"])
    except client("s3").exceptions.ClientError:
        show("bucket", "invoices", [])
    url = client("sqs").get_queue_url(QueueName="orders")["QueueUrl"]
    tags = client("sqs").list_queue_tags(QueueUrl=url).get("Tags", {})
    show("queue", "orders", [{"Key": key, "Value": value} for key, value in tags.items()])
    for volume in client("ec2").describe_volumes()["Volumes"]:
        show("volume", volume["VolumeId"], volume.get("Tags", []))
    for topic in client("sns").list_topics()["Topics"]:
        tags = client("sns").list_tags_for_resource(ResourceArn=topic["TopicArn"])["Tags"]
        show("topic", topic["TopicArn"], tags)


def main():
    match sys.argv[1:]:
        case ["create", folder]:
            records = create_resources(boto3.client)
            path = pathlib.Path(folder) / f"{ACCOUNT}_CloudTrail_us-east-1_20260301T1015Z_demo.json.gz"
            with gzip.open(path, "wt") as file:
                json.dump({"Records": records}, file)
        case ["show"]:
            show_tags(boto3.client)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
