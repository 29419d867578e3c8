//! What can't be tagged: each counted, named and explained, the rest tagged, exit code 4 where an item failed.

use serde_json::json;

use crate::catalog::world::{Story, assert_same, create, everything, story_of, with_owners};
use crate::common::{Bench, Moto};

/// The server refuses one queue (all its requests and the Tagging API's for it), and deletes a volume and a role just before
/// the first write reaches it.
const HOOK: &str = include_str!("../hooks/end_to_end_left_behind.py");

const CASES: &str =
    "types=['ebs', 'sqs', 'dynamodb-table', 'log-group'], cases={'fresh': {'team': 'blue'}, 'bare': {}}";

#[test]
fn vanished_and_refused_are_named_and_the_rest_is_tagged() {
    let (moto, bench) = (Moto::start_with(HOOK), Bench::new());
    let mut made = create(&moto, CASES);
    let mut special = create(&moto, "types=['ebs', 'iam-role'], cases={'vanishes': {'vanishes': 'yes'}}");
    special.extend(create(&moto, "types=['sqs'], cases={'refused': {}}"));
    made.extend(special.clone().into_iter().map(|mut resource| {
        resource.case = "fresh".to_owned();
        resource
    }));
    let types = ["ebs", "sqs", "dynamodb-table", "log-group", "iam-role"].map(str::to_owned);
    let Story { trail, mut owners, .. } = story_of(&made);
    trail.write(&bench.path("trail.json.gz"));
    bench.trailcreator(["load-files", "trail.json.gz"]).run().success();
    let mut before = everything(&moto, &types);

    let run = bench.trailcreator(["tag", "--output", "json"]).aws(&moto).run();
    run.code(4);

    for resource in &special {
        owners.remove(&resource.key());
    }
    before.retain(|key, _| !special.iter().any(|resource| resource.case == "vanishes" && resource.key() == *key));
    let wanted = with_owners(&before, owners.iter().map(|(key, owner)| (key, *owner)));
    assert_same(&everything(&moto, &types), &wanted, "after tag");
    let report = run.json();
    for resource in &special {
        let actions = report["actions"].as_array().expect("a report has the outcome of each write");
        let entry = actions.iter().find(|entry| resource.is(entry));
        let entry = entry.unwrap_or_else(|| panic!("{resource:?} is not named in {report:#}"));
        let wanted = if resource.case == "vanishes" { "vanished" } else { "failed" };
        assert_eq!(entry["result"], wanted, "{entry:#}");
        assert!(entry["error"].as_str().is_some_and(|error| !error.is_empty()), "{entry:#}");
    }
    let results = &report["summary"]["results"];
    assert_eq!((&results["vanished"], &results["failed"], &results["written"]), (&json!(2), &json!(1), &json!(8)));
    assert!(report.to_string().contains("sqs:TagQueue"), "the missing permission is not named: {report:#}");
}
