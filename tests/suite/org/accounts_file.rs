//! The accounts file on the command line, its filters, and the ways to the accounts.

use std::collections::BTreeSet;

use serde_json::json;

use super::lab::{Lab, REGIONS, id};
use crate::common::{ACCOUNT, Bench, Caller, Event, Trail};

/// The accounts that have an owner somewhere.
fn tagged(lab: &Lab) -> Vec<String> {
    let is_tagged = |owners: &Vec<Option<String>>| owners.iter().any(Option::is_some);
    lab.owners().into_iter().filter(|(_, owners)| is_tagged(owners)).map(|(account, _)| account).collect()
}

#[test]
fn accounts_are_chosen_by_name_id_and_tag_with_the_predecessors_flags() {
    let lab = Lab::new(6, "");
    let dry = lab.run(&["tag-org", "-c", "accounts.yml", "-r", "us-east-1", "--dryrun", "--creator-tag", "Owner"]);
    dry.success()
        .shows(["account:000000100003 region:us-east-1 tag 2 resources users:1 population:2 not-found:0 records:2"]);
    dry.shows(["tag account:000000100003 region:us-east-1 iam-role deploy Owner=owner3 ("]);
    dry.says(["6 accounts", "12 to tag, nothing was written"]);
    assert_eq!(lab.moto.writes(), 0);

    let by_id = id(2);
    let some = ["tag-org", "--config", "accounts.yml", "-a", "account-0,account-1", "-a", &by_id, "-t", "half:0"];
    lab.run(&some).success();
    assert_eq!(tagged(&lab), [id(0), id(2)]);
    lab.run(&[
        "tag-org",
        "accounts.yml",
        "-a",
        "account-*",
        "--not-accounts",
        "account-5",
        "--type",
        "sqs",
        "-r",
        REGIONS[1],
    ])
    .success();
    assert_eq!(tagged(&lab), (0..5).map(id).collect::<Vec<_>>());
    assert_eq!(lab.owners()[&id(1)], [None, None, Some("owner1".to_owned()), None]);

    lab.run(&["tag-org", "accounts.yml", "-a", "acount-1"]).code(2).says(["acount-1", "did you mean account-1?"]);
    lab.run(&["tag-org", "accounts.yml", "-t", "half:7"]).code(2).says(["no account that matches all filters"]);
    lab.run(&["tag-org"]).code(2).says(["--config FILE"]);
    lab.run(&["tag-org", "nowhere.yml"]).code(2).says(["nowhere.yml"]);
    lab.bench.write("azure.yml", "subscriptions:\n- subscription_id: a\n");
    lab.run(&["tag-org", "azure.yml"]).code(2).says(["azure.yml:2:3", "Azure"]);
}

#[test]
fn hub_roles_are_assumed_once_with_external_id_and_session_name() {
    let lab = Lab::new(4, "");
    let keys = "\n  external_id: 'secret-7'\n  session_name: owners\n  regions: [eu-west-1]";
    let file = lab
        .accounts_file(keys)
        .replace("role: arn:aws:iam::", "role:\n  - arn:aws:iam::999999999999:role/Hub\n  - arn:aws:iam::");
    lab.bench.write("chain.yml", file);
    lab.run(&["tag-org", "chain.yml"]).success();
    let assumed: Vec<_> =
        lab.moto.our_requests().into_iter().filter(|request| request.action == "AssumeRole").collect();
    let of_hub = assumed.iter().filter(|request| request.body.contains("999999999999")).count();
    assert_eq!((of_hub, assumed.len()), (1, 5), "{assumed:#?}");
    assert!(assumed.iter().all(|request| request.body.contains("ExternalId=secret-7")));
    assert!(assumed.iter().all(|request| request.body.contains("RoleSessionName=owners")));
    // The role is in the trail of another region, but there is one in the account.
    let expected = |number: usize| vec![Some(format!("owner{number}")), None, Some(format!("owner{number}")), None];
    for (number, owners) in lab.owners().into_values().enumerate() {
        assert_eq!(owners, expected(number));
    }
    let caller = lab.run(&["runs", "--output", "json"]).success().json()["runs"][0]["caller_arn"].clone();
    let caller = caller.as_str().expect("an ARN");
    assert!(caller.ends_with(":assumed-role/Tagger/owners"), "{caller}");
}

#[test]
fn accounts_come_straight_from_the_organization_and_its_own_needs_no_role() {
    let lab = Lab::new(2, "");
    let ids = lab.moto.boto3(
        "client('organizations').create_organization(FeatureSet='ALL')
result = [client('organizations').create_account(AccountName=f'lab-{number}', Email=f'l{number}@example.com')['CreateAccountStatus']['AccountId'] for number in range(2)]
client('organizations').tag_resource(ResourceId=result[1], Tags=[dict(Key='stage', Value='prod')])",
    );
    let mut trail = Trail::new();
    for id in ids.as_array().expect("a list").iter().chain(&[json!(ACCOUNT)]) {
        let id = id.as_str().expect("an id");
        lab.moto.boto3(&format!(
            "key = client('sts').assume_role(RoleArn='arn:aws:iam::{id}:role/x', RoleSessionName='lab')['Credentials']['AccessKeyId']
client('sqs', 'us-east-1', key).create_queue(QueueName='jobs')"
        ));
        let event = Event::new("sqs.amazonaws.com", "CreateQueue").request(json!({"queueName": "jobs"})).account(id);
        let url = format!("https://sqs.us-east-1.amazonaws.com/{id}/jobs");
        trail.push(event.response(json!({"queueUrl": url})).by(Caller::iam_user("ann")).account(id));
    }
    trail.write(&lab.bench.path("org.json.gz"));
    lab.bench.trailcreator(["load-files", "org.json.gz"]).run().success();

    let prod = lab.run(&["tag-org", "--org", "-t", "stage:prod", "--dry-run", "--output", "json"]).success().json();
    assert_eq!(prod["Results"].as_array().map(Vec::len), Some(1), "{prod:#}");
    assert_eq!((&prod["Results"][0]["Id"], &prod["Results"][0]["Status"]), (&ids[1], &json!("ACTIVE")));
    let before = lab.moto.our_requests().len();
    let report = lab.run(&["tag-org", "--org", "--role", "Tagger", "--output", "json"]).success().json();
    assert_eq!(report["Summary"]["results"], json!({"written": 3}));
    let assumed: Vec<_> =
        lab.requests_since(before).into_iter().filter(|request| request.action == "AssumeRole").collect();
    assert_eq!(assumed.len(), 2);
    assert!(assumed.iter().all(|request| request.body.contains("role%2FTagger")), "{assumed:#?}");
    lab.run(&["tag-org", "accounts.yml", "--role", "Tagger"]).code(2).says(["--org"]);
}

#[test]
fn all_regions_are_the_enabled_ones_asked_once_an_account() {
    let lab = Lab::new(2, "");
    let run = lab.run(&["tag-org", "accounts.yml", "-r", "all"]);
    run.success();
    let owners = lab.owners();
    assert!(owners.values().flatten().all(Option::is_some), "{owners:?}\n{}", run.printed());
    let requests = lab.moto.our_requests();
    let asked =
        requests.iter().filter(|request| ["DescribeRegions", "POST /regions"].contains(&request.action.as_str()));
    assert_eq!(asked.count(), 2);
    let regions: BTreeSet<_> = requests
        .iter()
        .filter(|request| request.action == "ListQueues")
        .map(|request| request.region.clone())
        .collect();
    assert_eq!(regions, REGIONS.map(|region| Some(region.to_owned())).into(), "only where there are records");
}

#[test]
fn credentials_that_expire_meanwhile_are_renewed() {
    let lab = Lab::new(
        1,
        "
import datetime
from moto.core.utils import utcnow
from moto.sts.models import AssumedRole
born = AssumedRole.__init__
def short(self, *args, **kwargs):
    born(self, *args, **kwargs)
    self.expiration = utcnow() + datetime.timedelta(seconds=2)
AssumedRole.__init__ = short
",
    );
    lab.run(&["tag-org", "accounts.yml"]).success();
    assert!(lab.owners().into_values().flatten().all(|owner| owner.is_some()));
    let keys: BTreeSet<_> = lab.moto.our_requests().into_iter().map(|request| request.access_key).collect();
    assert!(keys.len() > 2, "the base's, and more than one of the role: {keys:?}");
}

#[test]
fn the_account_without_a_role_is_the_callers_own_or_an_error() {
    let lab = Lab::new(1, "");
    lab.bench.write("own.yml", format!("accounts:\n- account_id: {}\n", id(0)));
    lab.run(&["tag-org", "own.yml"]).code(4).shows(["the credentials belong to account 123456789012"]);
    lab.bench.write("profile.yml", format!("accounts:\n- {{account_id: {}, profile: missing}}\n", id(0)));
    lab.run(&["tag-org", "profile.yml"]).code(4).says(["no profile \"missing\""]);
    assert_eq!(lab.moto.writes(), 0);
}

#[test]
fn accounts_without_records_are_not_even_signed_in_to() {
    let lab = Lab::of(Bench::new(), 0, 1, "");
    lab.bench.write("others.yml", "accounts:\n- {account_id: '555555555555', role: Tagger}\n");
    let run = lab.run(&["tag-org", "others.yml", "--output", "json"]);
    assert_eq!(run.success().json()["Results"], json!([]));
    assert_eq!(lab.moto.our_requests().len(), 0);
}
