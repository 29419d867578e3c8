//! What limits a run across an organization: in total, by resource, and by what earlier runs wrote.

use serde_json::json;

use super::lab::{Lab, id, owner};

const ACCOUNTS: usize = 3;
/// A role and a queue in each region, of each account.
const WRITES: u64 = 12;

fn tagged(lab: &Lab) -> usize {
    lab.owners().into_values().flatten().flatten().count()
}

fn organization_runs(lab: &Lab) -> usize {
    let runs = lab.run(&["runs", "--output", "json"]).success().json();
    runs["organization_runs"].as_array().expect("a list").len() + runs["runs"].as_array().expect("a list").len()
}

#[test]
fn max_changes_counts_the_writes_of_all_accounts_before_the_first() {
    let lab = Lab::new(ACCOUNTS, "");
    let few = lab.run(&["tag-org", "accounts.yml", "--max-changes", "11", "--output", "json"]);
    few.code(1).says(["9 account-regions", "12 writes", "--max-changes 12"]);
    let report = few.json();
    assert_eq!(report["Summary"]["tag"], WRITES);
    assert_eq!(report["Results"].as_array().map(Vec::len), Some(ACCOUNTS * 3));
    assert_eq!((lab.moto.writes(), organization_runs(&lab)), (0, 0));

    let enough = lab.run(&["tag-org", "accounts.yml", "--max-changes", "12", "--output", "json"]).success().json();
    assert_eq!(enough["Summary"]["results"], json!({"written": WRITES}));
    assert_eq!((&enough["Summary"]["accounts"], &enough["Summary"]["places"]), (&json!(ACCOUNTS), &json!(9)));
    assert_eq!(enough["Summary"]["run_id"], "org-1");
    assert_eq!(tagged(&lab), 12);
    let left = std::fs::read_dir(lab.bench.path("")).expect("it is there").flatten();
    let left: Vec<String> = left.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(left.iter().all(|name| !name.ends_with(".tmp")), "{left:?}");

    lab.run(&["tag-org", "accounts.yml", "--max-changes", "0"]).success().says(["0 to tag, nothing was written"]);
    lab.run(&["undo", "org-1", "-c", "accounts.yml"]).success();
    assert_eq!(tagged(&lab), 0);
}

#[test]
fn saved_plans_with_more_writes_than_max_changes_write_nothing() {
    let lab = Lab::new(ACCOUNTS, "");
    lab.run(&["tag-org", "accounts.yml", "--save-plan", "plans.jsonl"]).success();
    let apply = ["apply", "plans.jsonl", "-c", "accounts.yml"];
    lab.run(&[&apply[..], &["--max-changes", "11"]].concat()).code(1).says(["12 writes"]);
    assert_eq!((lab.moto.writes(), organization_runs(&lab)), (0, 0));
    lab.run(&[&apply[..], &["-a", "account-1", "--max-changes", "4"]].concat()).success().says(["4 tagged"]);

    let dry = lab.run(&[&apply[..], &["--dry-run"]].concat());
    dry.success().says(["8 to tag, 4 skipped, nothing was written"]);
    dry.shows([format!("tag account:{} region:eu-west-1 sqs", id(0)), "already".to_owned()]);
    let writes = lab.moto.writes();
    let report = lab.run(&[&apply[..], &["--dry-run", "--output", "json"]].concat()).success().json();
    assert_eq!(report["Summary"]["results"], json!({"planned": 8, "skipped": 4}));
    assert_eq!((lab.moto.writes(), tagged(&lab)), (writes, 4));
}

#[test]
fn an_id_is_sought_only_where_it_can_be() {
    let lab = Lab::new(ACCOUNTS, "");
    let arn = format!("arn:aws:sqs:eu-west-1:{}:jobs", id(1));
    lab.run(&["tag-org", "accounts.yml", "--id", &arn]).success().says(["1 tagged"]);
    assert_eq!(lab.owners()[&id(1)], [None, None, Some(owner(1)), None]);
    let requests = lab.moto.our_requests();
    let sent = |action: &str| requests.iter().filter(|request| request.action == action).count();
    assert_eq!((sent("AssumeRole"), sent("ListQueues")), (1, 1));
    let gone = format!("arn:aws:sqs:eu-west-1:{}:gone", id(1));
    lab.run(&["tag-org", "accounts.yml", "--id", &gone]).code(4).says([format!("--id {gone}: no live resource")]);
    lab.run(&["tag-org", "accounts.yml", "--not-type", "sqs"]).success().says(["3 tagged"]);
}

#[test]
fn refresh_replaces_what_earlier_runs_wrote_in_each_account() {
    let lab = Lab::new(ACCOUNTS, "");
    lab.run(&["tag-org", "accounts.yml"]).success();
    let refresh = ["tag-org", "accounts.yml", "--refresh", "--creator-value", "arn"];
    lab.run(&refresh).success().says(["12 tagged"]);
    let owners = lab.owners();
    assert!(owners.values().flatten().flatten().all(|owner| owner.starts_with("arn:aws:iam::")), "{owners:?}");
    lab.run(&refresh).success().says(["nothing to write"]);
    lab.run(&["undo", "org-2", "-c", "accounts.yml"]).success();
    assert_eq!(lab.owners()[&id(2)], vec![Some(owner(2)); 4]);
}

#[cfg(unix)]
#[test]
fn overwrite_asks_once_for_all_accounts() {
    let lab = Lab::new(ACCOUNTS, "");
    lab.run(&["tag-org", "accounts.yml"]).success();
    let overwrite = ["tag-org", "accounts.yml", "--overwrite", "--creator-value", "arn"];
    let run = |answer: &str| lab.bench.trailcreator(overwrite).aws(&lab.moto).on_terminal(answer);
    let writes = lab.moto.writes();
    run("n").code(1).says(["12 tags have another value", "and 7 more", "nothing was written"]);
    assert_eq!((lab.moto.writes(), organization_runs(&lab)), (writes, 1 + 9));
    let yes = run("yes");
    yes.success().says(["12 tagged"]);
    assert_eq!(yes.stderr.matches("[y/N]").count(), 1);
    assert!(lab.owners()[&id(0)].iter().flatten().all(|owner| owner.starts_with("arn:aws:iam::")));
}
