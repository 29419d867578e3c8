//! AWS Config across an organization: an aggregator's answer, asked for once, and each account-region's own.

use serde_json::Value;

use super::lab::{Lab, REGIONS, entries, id, owner};
use crate::common::Run;

/// Recorders in these account-regions, and an aggregator of all accounts in the account of the credentials.
fn record(lab: &Lab, accounts: usize, regions: &[&str]) {
    let ids: Vec<String> = (0..accounts).map(id).collect();
    lab.moto.boto3(&format!(
        "def of(account, region):
    keys = client('sts').assume_role(RoleArn=f'arn:aws:iam::{{account}}:role/x', RoleSessionName='config')['Credentials']
    return boto3.client('config', region_name=region, endpoint_url=client('config').meta.endpoint_url,
        aws_access_key_id=keys['AccessKeyId'], aws_secret_access_key=keys['SecretAccessKey'], aws_session_token=keys['SessionToken'])
for account in {ids:?}:
    for region in {regions:?}:
        config = of(account, region)
        config.put_configuration_recorder(ConfigurationRecorder=dict(name='default', roleARN='arn:aws:iam::1:role/r', recordingGroup=dict(allSupported=True, includeGlobalResourceTypes=True)))
        config.put_delivery_channel(DeliveryChannel=dict(name='default', s3BucketName='config-deliveries'))
        config.start_configuration_recorder(ConfigurationRecorderName='default')
client('config').put_configuration_aggregator(ConfigurationAggregatorName='organization', AccountAggregationSources=[dict(AccountIds={ids:?}, AllAwsRegions=True)])"
    ));
}

fn tag(lab: &Lab, more: &[&str]) -> Run {
    let args = [&["tag-org", "accounts.yml", "--output", "json"], more].concat();
    lab.run(&args)
}

/// The figures of all account-regions without what differs by intent: sources and the order of their ends.
fn figures(run: &Run) -> Vec<Value> {
    let mut results = run.json()["Results"].as_array().expect("a list").clone();
    for result in &mut results {
        for types in result["Result"]["types"].as_array_mut().expect("a list") {
            types.as_object_mut().expect("an object").remove("source");
        }
        result["Result"].as_object_mut().expect("an object").remove("calls");
    }
    results.sort_by_key(|result| format!("{} {}", result["Id"], result["Region"]));
    results
}

fn sent(lab: &Lab, action: &str) -> usize {
    lab.moto.our_requests().iter().filter(|request| request.action == action).count()
}

#[test]
fn an_aggregator_is_asked_once_for_all_accounts() {
    let lab = Lab::new(3, "");
    record(&lab, 3, &REGIONS);
    let native = tag(&lab, &["--dry-run"]);
    let lists = sent(&lab, "ListQueues");
    let config = tag(&lab, &["--dry-run", "--population", "config:organization"]);
    assert_eq!(figures(native.success()), figures(config.success()));
    assert_eq!((sent(&lab, "SelectAggregateResourceConfig"), sent(&lab, "SelectResourceConfig")), (1, 0));
    assert_eq!(sent(&lab, "ListQueues"), lists, "no service listed them");
    let run = tag(&lab, &["--population", "config:organization"]);
    run.success();
    let owners = lab.owners();
    for number in 0..3 {
        assert_eq!(owners[&id(number)], vec![Some(owner(number)); 1 + REGIONS.len()]);
    }
    for entry in run.json()["Results"].as_array().expect("a list") {
        for types in entry["Result"]["types"].as_array().expect("a list") {
            assert_eq!(types["source"]["from"], "config", "{entry:#}");
        }
    }
}

#[test]
fn accounts_and_regions_without_a_recorder_are_listed_by_their_services() {
    let lab = Lab::new(3, "");
    record(&lab, 2, &REGIONS[..2]);
    for population in ["config:organization", "config"] {
        let native = tag(&lab, &["--dry-run"]);
        let config = tag(&lab, &["--dry-run", "--population", population]);
        let (native, mut config) = (figures(native.success()), figures(config.success()));
        for result in &mut config {
            result["Result"].as_object_mut().expect("an object").remove("population_failure");
        }
        assert_eq!(native, config, "{population}");
    }
    let text = lab.run(&["tag-org", "accounts.yml", "--dry-run", "--population", "config:organization"]);
    text.success().shows(["config:2 service:0", "config:0 service:1"]).says(["AWS Config has no recorder in account"]);
    let config = tag(&lab, &["--dry-run", "--population", "config:organization"]);
    let results = &config.json()["Results"];
    let from = |number: usize, region: &str| {
        let place = entries(results, number).into_iter().find(|entry| entry["Region"] == region).expect("it is there");
        place["Result"]["types"][0]["source"]["from"].clone()
    };
    assert_eq!([from(0, REGIONS[0]), from(0, REGIONS[2]), from(2, REGIONS[0])], ["config", "service", "service"]);
}

#[test]
fn only_the_chosen_accounts_of_an_aggregator_are_asked_for() {
    let lab = Lab::new(3, "");
    record(&lab, 3, &REGIONS);
    tag(&lab, &["--population", "config:organization", "-a", "account-1"]).success();
    let asked = lab.moto.our_requests().into_iter().find(|request| request.action == "SelectAggregateResourceConfig");
    let body = asked.expect("it was asked").body;
    assert!(body.contains(&id(1)) && !body.contains(&id(0)), "{body}");
}

#[test]
fn a_report_and_a_list_of_an_organization_are_the_same_by_an_aggregator() {
    let lab = Lab::new(3, "");
    record(&lab, 3, &REGIONS);
    let args = ["report", "--config", "accounts.yml", "--output", "json"];
    let native = lab.run(&args).success().json();
    let before = lab.moto.our_requests().len();
    let config = lab.run(&[&args[..], &["--population", "config:organization"]].concat()).success().json();
    for part in ["totals", "rows", "creators"] {
        assert_eq!(native[part], config[part], "{part}");
    }
    assert_eq!(config["sources"].as_array().expect("a list").len(), 3 * REGIONS.len() + 3, "{config:#}");
    let queues = lab.requests_since(before).iter().filter(|request| request.service.as_deref() == Some("sqs")).count();
    assert_eq!(queues, 0, "no call of SQS");
    let args = ["list", "--live", "--config", "accounts.yml", "--sort", "id", "--output", "json"];
    let native = lab.run(&args).success().json();
    let config = lab.run(&[&args[..], &["--population", "config:organization"]].concat()).success().json();
    assert_eq!(native["resources"], config["resources"]);
    assert!(config["sources"].is_array(), "{config:#}");
}

#[test]
fn an_aggregator_that_does_not_exist_ends_the_run_before_any_account() {
    let lab = Lab::new(3, "");
    record(&lab, 3, &REGIONS);
    let run = tag(&lab, &["--population", "config:organisation"]);
    run.code(1).says(["there is no aggregator organisation in us-east-1", "did you mean organization?"]);
    assert_eq!(sent(&lab, "AssumeRole"), 0);
}
