//! The AWS calls of a run by operation, as `--stats` has them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Run;

/// Defines `tagging_api(entry)`: moto's Tagging API writes what AWS's does.
pub(crate) const TAGGING_API_AS_AWS: &str = include_str!("../hooks/tagging_api_as_aws.py");

/// Calls by operation.
pub(crate) type Calls = BTreeMap<String, usize>;

const WRITES: [&str; 4] = ["ec2:CreateTags", "iam:TagRole", "sqs:TagQueue", "tag:TagResources"];

/// The calls that a summary has, of a run that wrote so many tags and printed the calls too.
pub(crate) fn calls_of(run: &Run, summary: &Value, tags: usize) -> Calls {
    assert_eq!(summary["results"], json!({"written": tags}));
    let calls: Calls = serde_json::from_value(summary["stats"].clone()).expect("calls by operation");
    let total: usize = calls.values().sum();
    let writes: usize = WRITES.iter().filter_map(|name| calls.get(*name)).sum();
    assert_eq!(summary["calls"], json!({"reads": total - writes, "writes": writes}));
    #[expect(clippy::cast_precision_loss, reason = "counts of a test")]
    let per_tag = total as f64 / tags as f64;
    assert!((summary["calls_per_tag"].as_f64().expect("a number") - per_tag).abs() < 0.01);
    run.says([&format!("{per_tag:.2} calls per tag")]);
    calls
}

/// One line for each operation.
pub(crate) fn listed(calls: &Calls) -> String {
    let lines: Vec<String> = calls.iter().map(|(name, count)| format!("{count:7} {name}")).collect();
    lines.join("\n")
}

/// Calls by operation, without those that are not made.
pub(crate) fn calls<const N: usize>(calls: [(&str, usize); N]) -> Calls {
    calls.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), count)).collect()
}
