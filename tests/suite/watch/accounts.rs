//! Many accounts: each reached by the role in the accounts file.

use serde_json::{Value, json};

use super::lab::{Lab, queue_event, record};

const ACCOUNTS: [&str; 3] = ["111111111111", "222222222222", "333333333333"];

/// boto3 clients of an account, by a role in it.
const OF_ACCOUNT: &str = "
def of(account, region='us-east-1', service='sqs'):
    arn = f'arn:aws:iam::{account}:role/Tagger'
    keys = client('sts').assume_role(RoleArn=arn, RoleSessionName='lab')['Credentials']
    return boto3.client(service, region_name=region, aws_access_key_id=keys['AccessKeyId'],
                        aws_secret_access_key=keys['SecretAccessKey'], aws_session_token=keys['SessionToken'])
";

/// A queue in a region of an account, and a message with the record of its creation.
fn send_queue(lab: &Lab, account: &str, region: &str) {
    let name = format!("jobs-of-{account}-{region}");
    let url = lab.moto.boto3(&format!(
        "{OF_ACCOUNT}
result = of({account:?}, {region:?}).create_queue(QueueName={name:?})['QueueUrl']"
    ));
    let event = queue_event(&name, url.as_str().expect("a URL"), &format!("user-of-{account}"));
    lab.send(&[record(&event.region(region).account(account))]);
}

fn owners(lab: &Lab, account: &str, region: &str) -> Value {
    lab.moto.boto3(&format!(
        "{OF_ACCOUNT}
sqs = of({account:?}, {region:?})
tags = [sqs.list_queue_tags(QueueUrl=url).get('Tags', {{}}) for url in sqs.list_queues().get('QueueUrls', [])]
result = [of_one.get('Owner') for of_one in tags]"
    ))
}

#[test]
fn resources_are_tagged_in_the_accounts_of_the_file_and_in_no_other() {
    let lab = Lab::new();
    let stanza = |account: &&str| format!("- account_id: '{account}'\n  role: arn:aws:iam::{account}:role/Tagger\n");
    let text: String = ACCOUNTS[..2].iter().map(stanza).collect();
    lab.bench.write("accounts.yml", format!("accounts:\n{text}  regions: [eu-west-1]\n"));
    for account in ACCOUNTS {
        for region in ["us-east-1", "eu-west-1"] {
            send_queue(&lab, account, region);
        }
    }
    let watched = lab.watch(&["--tag", "-c", "accounts.yml", "--output", "json"]).success().json();
    assert_eq!(watched["resources"], json!({"tagged": 3, "failed": 0, "skipped": 1, "waiting": 0}), "{watched}");
    let found = |account| ["us-east-1", "eu-west-1"].map(|region| owners(&lab, account, region));
    let owned = |account| json!([format!("user-of-{account}")]);
    assert_eq!(found(ACCOUNTS[0]), [owned(ACCOUNTS[0]), owned(ACCOUNTS[0])]);
    assert_eq!(found(ACCOUNTS[1]), [json!([null]), owned(ACCOUNTS[1])], "only in its regions");
    assert_eq!(found(ACCOUNTS[2]), [json!([null]), json!([null])], "it is not in the file");
    assert_eq!(lab.messages(&lab.queue), (0, 0));
    let runs = lab.run(&["runs", "--output", "json"]).success().json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(3), "one for each account-region, each can be undone");
}

#[test]
fn filters_of_the_accounts_file_apply() {
    let lab = Lab::new();
    let stanza = |account: &&str| format!("- account_id: '{account}'\n  role: arn:aws:iam::{account}:role/Tagger\n");
    lab.bench.write("accounts.yml", format!("accounts:\n{}", ACCOUNTS.iter().map(stanza).collect::<String>()));
    for account in ACCOUNTS {
        send_queue(&lab, account, "us-east-1");
    }
    lab.watch(&["--tag", "-c", "accounts.yml", "-a", "1*", "--not-accounts", ACCOUNTS[1]]).success();
    let found = ACCOUNTS.map(|account| owners(&lab, account, "us-east-1")[0].is_string());
    assert_eq!(found, [true, false, false]);
}

/// Without a file, the account of the credentials is tagged, and no other.
#[test]
fn records_of_other_accounts_are_loaded_and_not_tagged() {
    let lab = Lab::new();
    send_queue(&lab, ACCOUNTS[0], "us-east-1");
    lab.watch(&["--tag"]).success().shows(["1 received, 1 deleted", "2 new identifiers"]);
    assert_eq!(owners(&lab, ACCOUNTS[0], "us-east-1"), json!([null]));
}
