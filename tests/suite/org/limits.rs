//! An organization on a simulated AWS with latencies and request limits. How long a large one takes: `benches/organization/run.py`.

use serde_json::json;

use crate::common::{Bench, Limits};

#[test]
fn the_largest_account_is_begun_first() {
    let bench = Bench::new();
    let limits = Limits::start(&bench, 12, &["us-east-1"], 40);
    bench.trailcreator(["load-files", "trail.json.gz"]).run().success();
    let args = ["tag-org", "accounts.yml", "--dry-run", "--max-concurrency", "2"];
    bench.trailcreator(args).limited(&limits).run().success();
    let report = limits.report();
    let order = report["order"].as_array().expect("a list of accounts");
    // The first requests are AssumeRole's, of the management account; two roles are assumed at once.
    assert!(order[..3].contains(&report["largest"]), "{report:#}");
}

#[test]
fn all_is_tagged_within_request_limits() {
    let bench = Bench::new();
    // The tags of the largest account's queues take 3 seconds at the rate that SQS allows.
    let limits = Limits::start(&bench, 20, &["us-east-1", "eu-west-1"], 60);
    bench.trailcreator(["load-files", "trail.json.gz"]).run().success();
    let tag = || bench.trailcreator(["tag-org", "--org", "--role", "Tagger"]).limited(&limits).run();
    tag().success();
    let report = limits.report();
    assert_eq!(report["population"]["wrong"], 0, "{report:#}");
    assert!(report["population"]["resources"].as_u64() > Some(600), "{report:#}");
    let count = |name: &str| report[name].as_u64().expect("a number");
    assert!(count("throttled") * 100 < count("requests"), "{report:#}");
    let refused = report["refused"].as_object().expect("counts by operation");
    assert_eq!(refused.len(), report["throttled_by_operation"].as_object().expect("counts").len(), "{report:#}");

    tag().success().says(["nothing to write"]);
    let again = limits.report();
    assert_eq!(again["by_operation"]["tagging:TagResources"], report["by_operation"]["tagging:TagResources"]);
    assert_eq!(again["by_operation"]["ec2:CreateTags"], report["by_operation"]["ec2:CreateTags"]);
    assert_eq!(again["population"]["wrong"], json!(0));
}
