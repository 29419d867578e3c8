//! The generic caller and the live population against moto, with boto3 as the witness.
//!
//! There is no command that only lists, so the library itself is driven: [`driver`] runs in a process of its own, because
//! AWS's settings come from the environment, and that can be set for a child only.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use trailcreator::aws::{AwsOptions, CallError, Session};
use trailcreator::inventory::{LiveResource, Place, Tags, confirm_tags, list};
use trailcreator::names::{AccountId, Region};
use trailcreator::resource_map::{ResourceMap, TypeDefinition};

use crate::common::{ACCOUNT, Bench, Moto, REGION};

const TASK: &str = "TRAILCREATOR_TEST_TASK";
const ANSWER: &str = "TRAILCREATOR_TEST_ANSWER";

/// Runs a task of [`driver`] as moto's default account.
fn drive(moto: &Moto, task: &Value) -> Value {
    let credentials = [("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing"), ("AWS_REGION", REGION)];
    let endpoint = moto.endpoint();
    drive_with(task, credentials.into_iter().chain([("AWS_ENDPOINT_URL", endpoint.as_str())]))
}

/// Runs a task of [`driver`] with these variables as its only AWS settings.
fn drive_with<'a>(task: &Value, variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    let bench = Bench::new();
    let answer = bench.path("answer.json");
    let mut command = Command::new(std::env::current_exe().expect("the test binary has a path"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.args(["--exact", "inventory::driver", "--ignored"]).env("HOME", bench.path(""));
    command.env("AWS_EC2_METADATA_DISABLED", "true").envs(variables);
    command.env(TASK, task.to_string()).env(ANSWER, &answer);
    let output = command.output().expect("the test binary starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let text = std::fs::read_to_string(&answer).unwrap_or_else(|error| panic!("no answer: {error}\n{said}"));
    serde_json::from_str(&text).expect("the driver writes JSON")
}

#[tokio::test]
#[ignore = "other tests run it in a process of its own"]
async fn driver() {
    let (Ok(task), Ok(file)) = (std::env::var(TASK), std::env::var(ANSWER)) else { return };
    let task: Value = serde_json::from_str(&task).unwrap();
    let answer = perform(&task).await.unwrap_or_else(|error| {
        json!({"error": {"class": format!("{:?}", error.class), "code": error.code, "message": error.message,
                         "operation": error.operation, "request_id": error.request_id, "hint": error.hint()}})
    });
    std::fs::write(file, answer.to_string()).unwrap();
}

/// `{types, map?, options?, confirm?}` lists and confirms; `{call: [type, operation, input]}` calls; `{account: true}` asks STS.
async fn perform(task: &Value) -> Result<Value, CallError> {
    let text = |name: &str| task["options"][name].as_str().map(str::to_owned);
    let session = Session::open(&AwsOptions {
        profile: text("profile"),
        region: text("region").map(Region::new),
        assume: serde_json::from_value(task["options"]["assume"].clone()).unwrap_or_default(),
        external_id: text("external_id"),
        endpoint_url: text("endpoint_url"),
    })
    .await?;
    let files: Vec<PathBuf> = task["map"].as_str().map(PathBuf::from).into_iter().collect();
    let map = ResourceMap::load(&files, &[]).unwrap();
    if task["account"] == json!(true) {
        return Ok(json!(session.account().await?.as_str()));
    }
    if let [resource_type, operation, input] = task["call"].as_array().map_or(&[][..], Vec::as_slice) {
        let access = map.types[resource_type.as_str().unwrap()].access.as_ref().unwrap();
        let answer =
            session.caller().call(&access.service, session.region(), operation.as_str().unwrap(), input).await?;
        return Ok(json!({"body": answer.body, "id": answer.request_id, "sent": session.counts().total()}));
    }
    let mut lists = serde_json::Map::new();
    for name in task["types"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()) {
        lists.insert(name.to_owned(), listed(&session, &map, &map.types[name], task["confirm"] == json!(true)).await);
    }
    Ok(Value::Object(lists))
}

async fn listed(session: &Session, map: &ResourceMap, definition: &TypeDefinition, confirm: bool) -> Value {
    let place = Place { account: AccountId::from(ACCOUNT), region: session.region().clone() };
    let mut population = match list(session, map, definition, &place).await {
        Ok(population) => population,
        Err(error) => return json!({"error": error.to_string(), "class": format!("{:?}", error.class)}),
    };
    if confirm {
        let mut resources: Vec<&mut LiveResource> = population.resources.iter_mut().collect();
        confirm_tags(session, definition, &place, &mut resources).await;
    }
    let shown = |resource: &LiveResource| {
        let (kind, tags) = match &resource.tags {
            Tags::Known(tags) => ("known", json!(tags)),
            Tags::Partial(tags) => ("partial", json!(tags)),
            Tags::Unknown(reason) => ("unknown", json!(reason)),
        };
        json!({"id": resource.id.as_str(), "arn": resource.arn.as_str(), "region": resource.region.as_str(),
               "identifiers": resource.identifiers, "kind": kind, "tags": tags})
    };
    json!({"resources": population.resources.iter().map(shown).collect::<Vec<_>>(), "problems": population.problems})
}

/// `[id, arn, tags]` of what was listed, by id.
fn triples(list: &Value) -> Vec<Value> {
    let resources = list["resources"].as_array().unwrap_or_else(|| panic!("not listed: {list}"));
    sorted(resources.iter().map(|one| json!([one["id"], one["arn"], one["tags"]])))
}

fn sorted(items: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut items: Vec<Value> = items.collect();
    items.sort_by_key(ToString::to_string);
    items
}

#[test]
fn every_built_in_type_is_listed_with_its_tags_as_boto3_lists_it() {
    let moto = Moto::start();
    let wanted = moto.boto3(include_str!("inventory/population.py"));
    let types: Vec<&String> = wanted.as_object().unwrap().keys().collect();
    let ours = drive(&moto, &json!({"types": types, "confirm": true}));
    let mut wrong = BTreeMap::new();
    for (name, wanted) in wanted.as_object().unwrap() {
        let wanted = sorted(wanted.as_array().unwrap().iter().cloned());
        let ours = &ours[name];
        let is_right = ours["resources"].is_array() && triples(ours) == wanted && ours["problems"] == json!([]);
        if !is_right {
            wrong.insert(name, format!("ours: {ours}\n  boto3: {wanted:?}").chars().take(1500).collect::<String>());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.iter().map(|(name, what)| format!("{name}: {what}\n")).collect::<String>());
    assert_eq!(moto.writes(), 0, "listing writes nothing");
}
