//! The built-in resource maps: recorded events yield what they made, and botocore's API models know all that the maps say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde::Deserialize;
use serde_json::Value;
use trailcreator::model::event::Touched;
use trailcreator::resource_map::ResourceMap;
use trailcreator::trail::extract::{Extraction, read};
use trailcreator::trail::fields::Fields;
use trailcreator::trail::filter::RecordFilter;

use crate::common::python_command;

/// Where a record's shape comes from, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Origin {
    /// A real record of this call has been seen.
    Recorded,
    /// A server's answer to the call, by the rule of `tests/catalog/record.py`.
    Server,
    /// The API model, by that rule (`tests/oracle/example.py`) or by hand.
    Model,
}

/// A record as CloudTrail writes it, and what it says of resources.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    origin: Origin,
    record: Value,
    /// (type, id, action), in no order; of a rename the id is `OLD -> NEW`.
    expect: BTreeSet<(String, String, String)>,
}

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn cases(resource_type: &str) -> Vec<Case> {
    let file = in_repository("tests/fixtures/events").join(format!("{resource_type}.json"));
    let text = fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{resource_type} needs example records in {} (`tests/oracle/example.py {resource_type}` builds them): {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn the_endpoints_for_fips_and_dual_stack_are_botocores() {
    let output = python_command()
        .arg(in_repository("tests/oracle/endpoint_variants.py"))
        .output()
        .expect("the environment's Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let ours = fs::read_to_string(in_repository("src/aws/endpoint-variants.json")).expect("it is there");
    assert!(ours == String::from_utf8_lossy(&output.stdout), "make it anew with tests/oracle/endpoint_variants.py");
}

fn touched(map: &ResourceMap, record: &Value) -> BTreeSet<(String, String, String)> {
    let text = record.to_string();
    let fields = Fields::parse(&text).expect("a fixture's record is an object");
    match read(map, &RecordFilter::default(), &fields) {
        Extraction::Touched(event) => event
            .touched
            .into_iter()
            .map(|Touched { resource_type, resource_id, action, renamed_to, .. }| {
                let new_name = renamed_to.map(|name| format!(" -> {name}")).unwrap_or_default();
                (resource_type.to_string(), format!("{resource_id}{new_name}"), action.as_str().to_owned())
            })
            .collect(),
        Extraction::WithoutIds { .. } | Extraction::Unmatched => BTreeSet::new(),
        other => panic!("a fixture's record is read as {other:?}"),
    }
}

#[test]
fn every_type_finds_what_its_recorded_events_made() {
    let map = ResourceMap::built_in();
    assert!(!map.types.is_empty());
    let mut wrong = Vec::new();
    for resource_type in map.types.keys() {
        let cases = cases(resource_type.as_str());
        for case in &cases {
            let found = touched(&map, &case.record);
            if found != case.expect {
                wrong.push(format!("{resource_type}: {}: found {found:?}, expected {:?}", case.name, case.expect));
            }
        }
        let made = |case: &Case| {
            case.expect.iter().any(|(kind, _, action)| kind == resource_type.as_str() && action != "delete")
        };
        if !cases.iter().any(made) {
            wrong.push(format!("no event of tests/fixtures/events/{resource_type}.json makes one"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_event_of_every_type_is_shown_by_an_example() {
    let map = ResourceMap::built_in();
    let examples: BTreeMap<&str, Vec<Case>> =
        map.types.keys().map(|name| (name.as_str(), cases(name.as_str()))).collect();
    let mut unseen = Vec::new();
    for (source, name, rules) in map.events.iter() {
        for rule in rules {
            let kind = rule.resource_type().unwrap().as_str();
            let shows = |case: &Case| {
                let event = case.record["eventName"].as_str().unwrap_or_default();
                case.record["eventSource"] == source
                    && (event == name
                        || event.starts_with(name) && std::ptr::eq(map.events.rules(source, event), rules))
                    && case.expect.iter().any(|(of, _, action)| of == kind && action == rule.action.as_str())
            };
            if !examples[kind].iter().any(shows) {
                unseen.push(format!("{kind}: {source} {name} ({})", rule.action.as_str()));
            }
        }
    }
    unseen.sort();
    assert!(
        unseen.is_empty(),
        "no example shows these; `tests/oracle/example.py TYPE` builds them:\n{}",
        unseen.join("\n")
    );
}

#[test]
fn the_examples_say_where_their_shapes_are_from() {
    let map = ResourceMap::built_in();
    let mut types = BTreeMap::new();
    for resource_type in map.types.keys() {
        let best = cases(resource_type.as_str()).into_iter().map(|case| case.origin).min();
        *types.entry(best.expect("a type has examples")).or_insert(0) += 1;
    }
    println!("types by the best origin of their examples: {types:?}");
    assert!(types.contains_key(&Origin::Recorded), "{types:?}");
}

#[test]
fn every_fixture_belongs_to_a_type() {
    let map = ResourceMap::built_in();
    for file in fs::read_dir(in_repository("tests/fixtures/events")).expect("the folder is there") {
        let path = file.expect("the folder is readable").path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("fixtures have names").to_owned();
        assert!(map.types.contains_key(name.as_str()), "{} is no built-in type", path.display());
    }
}

#[test]
fn every_call_that_creates_something_in_a_service_with_tags_is_mapped_or_listed_with_a_reason() {
    let output = python_command()
        .arg(in_repository("tests/oracle/creates.py"))
        .arg(in_repository("resource-maps"))
        .output()
        .expect("the environment's Python starts");
    let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{printed}");
}

/// Runs the check of the maps in `folder` against botocore's models.
fn check(folder: &Path) -> (Output, String) {
    let output = python_command()
        .arg(in_repository("tests/oracle/check_maps.py"))
        .arg(folder)
        .output()
        .expect("the environment's Python starts");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output, said)
}

#[test]
fn the_maps_agree_with_the_api_models() {
    let (output, said) = check(&in_repository("resource-maps"));
    assert!(output.status.success(), "{said}");
    assert_eq!(said.trim().split(' ').next(), Some(ResourceMap::built_in().types.len().to_string().as_str()), "{said}");
}

/// What `src/aws/protocol/answers.txt` says of answers is what the models of the maps' calls say.
#[test]
fn the_facts_of_answers_agree_with_the_maps_and_the_api_models() {
    let output = python_command()
        .arg(in_repository("tests/oracle/answers.py"))
        .arg(in_repository("resource-maps"))
        .arg("--check")
        .arg(in_repository("src/aws/protocol/answers.txt"))
        .output()
        .expect("the environment's Python starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_call_that_answers_with_an_id_of_a_known_type_is_mapped_or_has_a_reason() {
    let output = python_command()
        .arg(in_repository("tests/oracle/known_ids.py"))
        .args([in_repository("resource-maps"), in_repository("tests/oracle/known-ids.yml")])
        .output()
        .expect("the environment's Python starts");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
}

#[test]
fn regression_dated_deletes_and_creates_of_every_service_are_found() {
    let map = ResourceMap::built_in();
    for (source, dated, plain) in [
        ("cloudfront.amazonaws.com", "CreateDistribution2014_01_31", "CreateDistribution"),
        ("cloudfront.amazonaws.com", "CreateDistributionWithTags2018_11_05", "CreateDistributionWithTags"),
        ("cloudfront.amazonaws.com", "DeleteKeyValueStore2020_05_31", "DeleteKeyValueStore"),
        ("lambda.amazonaws.com", "DeleteFunction20150331", "DeleteFunction"),
        ("rds.amazonaws.com", "ModifyDBInstance20141031", "ModifyDBInstance"),
    ] {
        let rules = map.rules(source, plain);
        assert!(std::ptr::eq(map.rules(source, dated), rules), "{dated}");
    }
    assert!(!map.rules("rds.amazonaws.com", "ModifyDBInstance20141031").is_empty());
    assert!(!map.rules("lambda.amazonaws.com", "DeleteFunction20150331").is_empty());
}

#[test]
fn the_check_finds_what_the_api_models_do_not_know() {
    let slips = [
        ("iam.yml", "Filter: {member: [User]}", "Filter: [User]", "a list is written {member: [...]} here"),
        (
            "iam.yml",
            "MaxItems: 1000}\n      items: Policies",
            "MaxItems: 1001}\n      items: Policies",
            "not within 1 and 1000",
        ),
        ("iam.yml", "id: RoleName", "id: Rolename", "RoleDetail has no 'Rolename'"),
        (
            "iam.yml",
            "https://iam.us-gov.amazonaws.com",
            "https://iam.us-gov-west-1.amazonaws.com",
            "endpoints.aws-us-gov",
        ),
        ("ec2.yml", "event: AllocateAddress", "event: AllocateAdress", "no such operation"),
        ("ec2.yml", "responseElements.vpc.vpcId", "responseElements.vpc.id", "Vpc has no 'id'"),
        (
            "ec2.yml",
            "items: volumeSet[]\n      page: [NextToken, nextToken]",
            "items: volumeSet[]",
            "the answer of DescribeVolumes has ['nextToken']",
        ),
        (
            "ec2.yml",
            "id: 'attachmentSet[].instanceId'",
            "id: 'attachmentSet[].instance'",
            "VolumeAttachment has no 'instance'",
        ),
        ("rds.yml", "items: to_array(DBInstances.DBInstance)[]", "items: DBInstances.DBInstance[]", "use to_array()"),
        ("sqs.yml", "target: AmazonSQS", "target: SQS", "'SQS' should be 'AmazonSQS'"),
        ("lambda.yml", "GET /2017-03-31/tags/{arn}", "GET /2015-03-31/tags/{arn}", "no operation has"),
        ("lambda.yml", "'?tagKeys'", "'?TagKeys'", "takes no '?TagKeys'"),
        ("kms.yml", "KeyId: '{id}', Tags: [{TagKey", "KeyId: '{id}', Tags: [{Key", "Tag has no 'Key'"),
        ("sns.yml", "TagKeys: {member: ['{key}']}", "Keys: {member: ['{key}']}", "needs ['TagKeys']"),
        ("cloudwatch.yml", "[MetricAlarm]", "[Metric]", "'Metric' is none of"),
    ];
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for file in fs::read_dir(in_repository("resource-maps")).expect("the folder is there") {
        let path = file.expect("the folder is readable").path();
        let name = path.file_name().expect("a file has a name").to_owned();
        // A map without a slip has no part in this test, and reading the models of its service takes time.
        if slips.iter().all(|slip| name != slip.0) {
            continue;
        }
        let mut text = fs::read_to_string(&path).expect("a map is text");
        for (_, right, wrong, _) in slips.iter().filter(|slip| name == slip.0) {
            assert!(text.contains(right), "{} no longer has {right:?}", path.display());
            text = text.replacen(right, wrong, 1);
        }
        fs::write(folder.path().join(name), text).expect("the folder is writable");
    }
    let (output, said) = check(folder.path());
    assert_eq!(output.status.code(), Some(1), "{said}");
    for (file, _, wrong, problem) in slips {
        assert!(said.contains(problem), "{wrong:?} in {file} was not found:\n{said}");
    }
}
