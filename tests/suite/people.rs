//! Rules of an identity map about resources and people: what `who`, `list`, `tag`, `tag-org` and `report` make of them.

use serde_json::{Value, json};

use crate::tag::lab::{Lab, entry};

/// The example of docs/owners.md.
const MAP: &str = r#"people: people.csv
rules:
  - resource: {type: sqs}
    owner: messaging@corp.example
  - resource: {tags: {stage: prod}}
    owner: "prod-{team}@corp.example"
  - owner: "{email}"
"#;

/// As a spreadsheet saves it.
const PEOPLE: &str = "\u{feff}user;email;team\r\nalice;Alice@Corp.example;blue\r\nbob;bob@corp.example;red\r\n";

const ACCOUNTS: &str = "accounts:\n- {account_id: '123456789012', name: main, tags: ['CostOwner:finance']}\n";

/// A queue of alice; volumes of alice (one of them in production), bob and carl.
struct World {
    lab: Lab,
    volumes: Vec<String>,
}

impl World {
    fn new() -> Self {
        let mut lab = Lab::new();
        lab.queue("orders", "alice", &json!({}));
        let volumes = lab.volumes(&["alice", "alice", "bob", "carl", "carl"]);
        lab.load();
        let of_production = &volumes[1];
        lab.moto.boto3(&format!(
            "client('ec2').create_tags(Resources=['{of_production}'], Tags=[dict(Key='stage', Value='prod')])"
        ));
        lab.bench.write("maps/map.yml", MAP);
        lab.bench.write("maps/people.csv", PEOPLE);
        lab.bench.write("accounts.yml", ACCOUNTS);
        Self { lab, volumes }
    }

    fn json(&self, args: &[&str]) -> Value {
        let more = ["--identity-map", "maps/map.yml", "--output", "json"];
        self.lab.run(&args.iter().copied().chain(more).collect::<Vec<_>>()).json()
    }

    fn text(&self, args: &[&str]) -> crate::common::Run {
        self.lab.run(&args.iter().copied().chain(["--identity-map", "maps/map.yml"]).collect::<Vec<_>>())
    }
}

fn owners(list: &Value, world: &World) -> Vec<Value> {
    world.volumes.iter().map(|id| entry(&list["resources"], id)["owner"].clone()).collect()
}

#[test]
fn rules_about_tags_and_people_decide_where_tags_are_read() {
    let world = World::new();
    let plan = world.json(&["tag", "--dry-run"]);
    let value = |id: &str| entry(&plan["actions"], id)["value"].clone();
    let expected = ["Alice@Corp.example", "prod-blue@corp.example", "bob@corp.example"];
    for (id, owner) in world.volumes.iter().zip(expected) {
        assert_eq!(value(id), owner, "{plan:#}");
    }
    let reason = entry(&plan["actions"], &world.volumes[1])["reason"].to_string();
    assert!(reason.contains("identity map, rule 2 (maps/map.yml:5), alice (maps/people.csv:2)"), "{reason}");
    let queue = plan["actions"].as_array().unwrap().iter().find(|action| action["value"] == "messaging@corp.example");
    assert!(queue.is_some(), "{plan:#}");
    let live = world.json(&["list", "--live"]);
    let none = Value::Null;
    let expected = [json!(expected[0]), json!(expected[1]), json!(expected[2]), none.clone(), none];
    assert_eq!(owners(&live, &world), expected);
    let reason = &entry(&live["resources"], &world.volumes[0])["owner_reason"];
    assert_eq!(reason, "identity map, rule 3 (maps/map.yml:7), alice (maps/people.csv:2)");
    let table = world.text(&["list", "--live", "--type", "ebs"]);
    table.success();
    assert!(table.stdout.contains("why this owner") && table.stdout.contains("rule 2 (maps/map.yml:5), alice"));
}

#[test]
fn person_missing_from_the_table_is_reported_with_the_resources_that_wait() {
    let world = World::new();
    let missing = json!([{"name": "carl", "resources": 2, "reason": "maps/people.csv has no row for carl"}]);
    let warning = "identity map: maps/people.csv has no row for carl; this affects 2 resources";
    let plan = world.json(&["tag", "--dry-run"]);
    assert_eq!(plan["summary"]["missing_people"], missing);
    let skipped = entry(&plan["skipped"], &world.volumes[3]);
    assert_eq!(
        (&skipped["kind"], &skipped["reason"]),
        (&json!("no-owner"), &json!("maps/people.csv has no row for carl (identity map, rule 3 (maps/map.yml:7))"))
    );
    world.text(&["tag", "--dry-run"]).success().says([warning]);
    let organization = world.json(&["tag-org", "accounts.yml", "--dry-run", "--region", "us-east-1"]);
    assert_eq!(organization["Summary"]["missing_people"], missing);
    let run = world.text(&["tag-org", "accounts.yml", "--dry-run", "--region", "us-east-1"]);
    run.success().says([warning]);
    for args in [&["report"][..], &["report", "--config", "accounts.yml"]] {
        let report = world.json(args);
        assert_eq!(report["missing_people"], missing);
        assert_eq!(report["totals"]["no_owner"], 2, "{report:#}");
        world.text(args).says([warning]);
    }
    let run = world.json(&["tag"]);
    assert_eq!(run["summary"]["missing_people"], missing);
    assert_eq!(world.lab.volume_tags(&world.volumes[1])["Owner"], "prod-blue@corp.example");
    assert_eq!(world.lab.volume_tags(&world.volumes[3]).get("Owner"), None, "it waits");
}

#[test]
fn without_tags_a_rule_is_reported_as_undecided_and_not_skipped() {
    let world = World::new();
    let volume = world.volumes[0].as_str();
    let undecided = "identity map, rule 2 (maps/map.yml:5) could not be decided: it needs the resource's tags, and the database has none; if \
                     it does not match, the owner is Alice@Corp.example";
    let who = world.json(&["who", volume, "orders"]);
    let answer = entry(&who["resources"], volume);
    assert_eq!((&answer["owner"], &answer["owner_reason"]), (&Value::Null, &json!(undecided)));
    assert!(answer["evidence"].to_string().contains("could not be decided"), "{answer:#}");
    assert_eq!(who["resources"][1]["owner"], "messaging@corp.example", "a rule about the type needs no tags");
    assert_eq!(who["resources"][1]["resource"]["owner_reason"], "identity map, rule 1 (maps/map.yml:3)");
    let text = world.text(&["who", volume]);
    assert!(text.stdout.contains(undecided) && text.stdout.contains("list --live"), "{}", text.stdout);
    text.success().says(["rule 2 (maps/map.yml:5): could not be decided for some resources"]);
    assert!(!text.stderr.contains("rule 2 (maps/map.yml:5): matched no principal"), "{}", text.stderr);
    let list = world.json(&["list"]);
    assert_eq!(owners(&list, &world), vec![Value::Null; 5]);
    assert_eq!(entry(&list["resources"], volume)["owner_reason"], undecided);
    let table = world.text(&["list"]);
    assert!(table.stdout.contains("could not be decided"), "{}", table.stdout);
    let report = world.json(&["report", "--offline"]);
    assert_eq!(
        (&report["totals"]["unknown"], &report["totals"]["would_be_owned"]),
        (&json!(5), &json!(1)),
        "{report:#}"
    );
}

#[test]
fn account_tags_are_the_last_resort() {
    let world = World::new();
    let with_default = format!("{MAP}default: \"{{account_tag:CostOwner}}\"\n");
    world.lab.bench.write("maps/map.yml", &with_default);
    let value = |plan: &Value| entry(&plan["actions"], &world.volumes[3])["value"].clone();
    world
        .lab
        .run(&[
            "tag-org",
            "accounts.yml",
            "--save-plan",
            "plans.jsonl",
            "--identity-map",
            "maps/map.yml",
            "--region",
            "us-east-1",
        ])
        .success();
    let plan: Value =
        serde_json::from_str(&std::fs::read_to_string(world.lab.bench.path("plans.jsonl")).unwrap()).expect("one plan");
    assert_eq!(value(&plan), "finance", "carl is in no row");
    let live = world.json(&["list", "--live", "--config", "accounts.yml", "--region", "us-east-1"]);
    assert_eq!(entry(&live["resources"], &world.volumes[3])["owner"], "finance");
    assert_eq!(entry(&live["resources"], &world.volumes[3])["account_name"], "main");
    let without_accounts = world.json(&["tag", "--dry-run"]);
    assert_eq!(entry(&without_accounts["skipped"], &world.volumes[3])["kind"], "no-owner");
    // A map can name the accounts file for commands that have none.
    world.lab.bench.write("maps/map.yml", format!("accounts: ../accounts.yml\n{with_default}"));
    assert_eq!(value(&world.json(&["tag", "--dry-run"])), "finance");
    // A rule without patterns can use them too.
    world
        .lab
        .bench
        .write("maps/map.yml", "accounts: ../accounts.yml\nrules:\n- owner: 'cost-{account_tag:CostOwner}'\n");
    assert_eq!(world.json(&["who", &world.volumes[3]])["resources"][0]["owner"], "cost-finance");
    assert_eq!(value(&world.json(&["tag", "--dry-run"])), "cost-finance");
}

#[test]
fn rule_about_resources_owns_those_without_a_create_event() {
    let world = World::new();
    world.lab.moto.boto3("client('sqs').create_queue(QueueName='before-the-trail', tags={'stage': 'prod'})");
    let map = "rules:\n- resource: {type: AWS::SQS::Queue, name: 'before-*', account: '123456789012', tags: {stage: prod}}\n  owner: old\n";
    world.lab.bench.write("maps/map.yml", map);
    let plan = world.json(&["tag", "--dry-run", "--type", "sqs"]);
    let action = plan["actions"].as_array().unwrap().iter().find(|action| action["value"] == "old").expect("it");
    assert_eq!(action["reason"], "identity map, rule 1 (maps/map.yml:2); no create event in the database");
    assert_eq!(action["event_id"], Value::Null);
    let live = world.json(&["list", "--live", "--unrecorded", "--type", "sqs", "--where", "owner == 'old'"]);
    assert_eq!(live["resources"].as_array().map(Vec::len), Some(1), "{live:#}");
    assert_eq!(world.json(&["tag", "--type", "sqs"])["summary"]["results"]["written"], 2);
}

#[test]
fn broken_table_is_a_usage_error_with_its_place() {
    let world = World::new();
    for (people, expected) in [
        ("user,email\nalice,\"a@x.org\n", "maps/people.csv:2:7: this quote is never closed"),
        ("user,mail\nalice,a@x.org\n", "maps/people.csv has no column `team`: unknown placeholder {team}"),
        ("user,email,team\nalice,a@x.org,x\nalice,b@x.org,y\n", "maps/people.csv:3:1: `user` alice is also in line 2"),
    ] {
        world.lab.bench.write("maps/people.csv", people);
        for args in [&["who", "orders"][..], &["list"], &["tag"], &["tag-org", "accounts.yml"], &["report"]] {
            world.text(args).code(2).says([expected]);
        }
    }
    std::fs::write(world.lab.bench.path("maps/people.csv"), b"user,email,team\nzo\xeb,z@x.org,x\n").unwrap();
    world.text(&["list"]).code(2).says(["maps/people.csv:2:3: the table of people is not UTF-8"]);
    std::fs::remove_file(world.lab.bench.path("maps/people.csv")).unwrap();
    world.text(&["list"]).code(2).says(["maps/map.yml:1:9: maps/people.csv: the table of people can't be read"]);
}
