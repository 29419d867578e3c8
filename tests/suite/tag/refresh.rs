//! `--refresh`: values that earlier runs wrote are corrected, those of others are left.

use serde_json::{Value, json};

use super::lab::{Lab, entry};

const REFRESH: [&str; 6] = ["tag", "--refresh", "--creator-value", "arn", "--output", "json"];

fn arn(user: &str) -> Value {
    json!({"Owner": format!("arn:aws:iam::123456789012:user/{user}")})
}

fn set_owner(lab: &Lab, volume: &str, owner: &str) {
    lab.moto.boto3(&format!(
        "client('ec2').create_tags(Resources=['{volume}'], Tags=[dict(Key='Owner', Value='{owner}')])"
    ));
}

#[test]
fn what_earlier_runs_wrote_is_replaced_and_everything_else_is_left() {
    let mut lab = Lab::new();
    let volumes = lab.volumes(&["alice", "bob", "carol", "dan"]);
    let [ours, others, changed, removed] = [&volumes[0], &volumes[1], &volumes[2], &volumes[3]];
    lab.role("deploy", "alice", &json!({}));
    set_owner(&lab, others, "bob");
    lab.load();
    lab.run(&["tag"]).success();
    set_owner(&lab, changed, "zoe");
    lab.moto.boto3(&format!("client('ec2').delete_tags(Resources=['{removed}'], Tags=[dict(Key='Owner')])"));

    let report = lab.run(&REFRESH).success().json();
    assert_eq!(lab.volume_tags(ours), arn("alice"));
    assert_eq!(lab.role_tags("deploy"), arn("alice"), "of a global type, too");
    assert_eq!(lab.volume_tags(others), json!({"Owner": "bob"}));
    assert_eq!(lab.volume_tags(changed), json!({"Owner": "zoe"}));
    assert_eq!(lab.volume_tags(removed), arn("dan"), "what is missing is written");
    assert_eq!(entry(&report["actions"], ours)["old_value"], "alice");
    let left =
        |id: &str| (entry(&report["skipped"], id)["kind"].clone(), entry(&report["skipped"], id)["reason"].clone());
    assert_eq!(left(others), (json!("written-by-others"), json!("has Owner=bob, which no earlier run wrote")));
    let (kind, reason) = left(changed);
    assert_eq!(kind, "written-by-others");
    assert!(
        reason.as_str().is_some_and(|reason| reason.contains("changed since an earlier run wrote carol")),
        "{reason}"
    );

    let writes = lab.moto.writes();
    lab.run(&REFRESH).success();
    assert_eq!(lab.moto.writes(), writes, "a second run writes nothing");
    lab.run(&["undo", "2"]).success();
    assert_eq!(lab.volume_tags(ours), json!({"Owner": "alice"}));
    assert_eq!(lab.volume_tags(removed), json!({}));
    lab.run(&REFRESH).success();
    assert_eq!(lab.volume_tags(ours), arn("alice"), "what an undo restored is ours again");
}

#[test]
fn what_was_undone_and_written_by_a_person_is_not_ours() {
    let mut lab = Lab::new();
    let volume = lab.volumes(&["alice"]).remove(0);
    lab.load();
    lab.run(&["tag"]).success();
    lab.run(&["undo", "1"]).success();
    set_owner(&lab, &volume, "alice");
    let report = lab.run(&REFRESH).success().json();
    assert_eq!(report["skipped"][0]["kind"], "written-by-others");
    assert_eq!(lab.volume_tags(&volume), json!({"Owner": "alice"}));
}

#[test]
fn a_value_stays_where_there_is_no_owner_now() {
    let mut lab = Lab::new();
    let volume = lab.volumes(&["alice"]).remove(0);
    lab.load();
    lab.run(&["tag"]).success();
    let report = lab.run(&["tag", "--refresh", "--user-suffix", "@example.com", "--output", "json"]).success().json();
    let left = entry(&report["skipped"], &volume);
    assert_eq!(left["kind"], "no-owner");
    let reason = left["reason"].as_str().expect("a text");
    assert!(reason.starts_with("keeps Owner=alice, which an earlier run wrote: "), "{reason}");
    assert_eq!(lab.volume_tags(&volume), json!({"Owner": "alice"}));
}

#[test]
fn further_tags_are_refreshed_each_for_itself() {
    let mut lab = Lab::new();
    let volumes = lab.volumes(&["alice", "bob"]);
    lab.load();
    lab.run(&["tag", "--tag", "By={creator}"]).success();
    lab.moto.boto3(&format!(
        "client('ec2').create_tags(Resources=['{}'], Tags=[dict(Key='By', Value='a person')])",
        volumes[1]
    ));
    lab.run(&["tag", "--refresh", "--tag", "By={creator} with {tool} {tool_version}"]).success();
    assert_eq!(lab.volume_tags(&volumes[0]), json!({"Owner": "alice", "By": "alice with AWS CLI 2.31.0"}));
    assert_eq!(lab.volume_tags(&volumes[1]), json!({"Owner": "bob", "By": "a person"}));
}

#[test]
fn another_accounts_or_databases_runs_are_not_ours() {
    let mut lab = Lab::new();
    let volume = lab.volumes(&["alice"]).remove(0);
    lab.load();
    lab.run(&["tag"]).success();
    let other = ["load-files", "trail.json.gz", "--db", "other.db"];
    lab.bench.trailcreator(other).run().success();
    lab.run(&[&REFRESH[..], &["--db", "other.db"]].concat()).success();
    assert_eq!(lab.volume_tags(&volume), json!({"Owner": "alice"}));
}

#[test]
fn refresh_and_overwrite_exclude_each_other() {
    let lab = Lab::new();
    lab.run(&["tag", "--refresh", "--overwrite"]).code(2).says(["--refresh", "--overwrite"]);
}
