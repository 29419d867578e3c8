//! `resource-map list`, `show` and `check`.

use serde_json::{Value, json};

use crate::common::{Bench, Caller, Event, Trail};

#[test]
fn list_shows_how_each_type_is_created_listed_and_tagged() {
    let bench = Bench::new();
    let all = bench.trailcreator(["resource-map", "list", "--output", "json"]).run().success().json();
    let types = all["resource_types"].as_array().expect("a list");
    assert_eq!(all["format_version"], json!(1));
    let of = |name: &str| types.iter().find(|one| one["type"] == name).unwrap_or_else(|| panic!("no {name}"));
    let service = of("ecs-service");
    assert_eq!(service["cloudformation"], "AWS::ECS::Service");
    assert_eq!(service["parent"], "ecs");
    assert_eq!(service["listed_by"], json!(["ListServices", "DescribeServices"]));
    assert_eq!(service["tags_read_by"], json!(["the listed item (tags)"]));
    assert_eq!(service["tags_written_by"], json!(["tag:TagResources", "TagResource"]));
    let events = service["events"].as_array().expect("a list");
    assert_eq!(events[0]["action"], "create");
    assert!(events.iter().any(|event| event["event"] == "CreateService"), "{events:?}");
    assert_eq!(events.last().expect("a delete")["action"], "delete");
    assert_eq!(of("ebs")["tags_written_by"], json!(["CreateTags"]));

    let one = bench.trailcreator(["resource-map", "list", "--type", "ebs"]).run();
    let lines: Vec<&str> = one.success().stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", one.printed());
    one.shows(["CloudFormation", "AWS::EC2::Volume", "DescribeVolumes", "CreateVolume"])
        .says(["1 type: 1 can be listed"]);
    let service =
        bench.trailcreator(["resource-map", "list", "--service", "kms", "--output", "json"]).run().success().json();
    let services: Vec<&Value> =
        service["resource_types"].as_array().expect("a list").iter().map(|one| &one["service"]).collect();
    assert!(!services.is_empty() && services.iter().all(|service| *service == "kms"), "{services:?}");
    bench.trailcreator(["resource-map", "list", "--service", "kmz"]).run().code(2).says(["did you mean kms?"]);
    bench.trailcreator(["resource-map", "list", "--type", "ebz"]).run().code(2).says(["did you mean ebs?"]);
    let omitted = bench.trailcreator(["resource-map", "list", "--omitted"]).run();
    omitted.success().shows(["qldb", "closed"]);
}

#[test]
fn doubts_are_shown() {
    let bench = Bench::new();
    let map = bench.write(
        "map.yml",
        "service: x\nresources:\n  - type: thing\n    doubts: never seen\n    events: [{event: MakeThing, ids: requestParameters.n, doubts: no sample}]\n",
    );
    let map = map.display().to_string();
    let run = bench.trailcreator(["resource-map", "list", "--type", "thing", "--extend-map", &map]).run();
    run.success()
        .shows(["never seen; MakeThing: no sample"])
        .says(["1 type: 0 can be listed, 0 can be tagged, 1 with doubts"]);
}

#[test]
fn what_show_prints_is_a_map_of_ones_own() {
    let bench = Bench::new();
    for name in ["s3", "lambda", "alarm", "ecs-service", "aws.cfn"] {
        let shown = bench.trailcreator(["resource-map", "show", name]).run();
        let file = bench.write("shown.yml", &shown.success().stdout).display().to_string();
        bench.trailcreator(["resource-map", "check", &file]).run().success().shows(["valid, 1 types"]);
        let json = bench.trailcreator(["resource-map", "show", name, "--output", "json"]).run().success().json();
        let map = &json["descriptions"][0]["map"];
        assert_eq!(map["resources"][0]["type"], name.trim_start_matches("aws."));
        assert!(map["service"].is_string() && map["resources"][0]["list"].is_object(), "{map:#}");
    }
    bench.trailcreator(["resource-map", "show", "lambada"]).run().code(2).says(["did you mean lambda?"]);
    bench
        .trailcreator(["resource-map", "show", "qldb"])
        .run()
        .code(2)
        .says(["it is not in the resource map: AWS closed"]);
}

const MINE: &str = "service: robomaker
resources:
  - type: robot
    events:
      - event: CreateRobot
        ids: responseElements.arn
      - event: ImportRobot
        ids: responseElements.arn
";

#[test]
fn check_finds_errors_with_their_place() {
    let bench = Bench::new();
    let good = bench.write("good.yml", MINE).display().to_string();
    let bad = bench
        .write("bad.yml", MINE.replace("ids: responseElements.arn\n      -", "idz: a\n      -"))
        .display()
        .to_string();
    let c7n = r#"{"resources":[{"resource":"robot","events":[{"event":"CreateRobot","service":"a.b","ids":"responseElement.arn"}]}]}"#;
    let c7n = bench.write("c7n.json", c7n).display().to_string();
    let run = bench.trailcreator(["resource-map", "check", &good, &bad, &c7n, "missing.yml"]).run();
    run.code(2).shows([
        "good.yml: valid, 1 types, 2 events",
        "bad.yml:6:9: unknown key `idz`; did you mean `ids`?",
        "c7n.json:1:90: CloudTrail's records have no field `responseElement`; did you mean `responseElements`?",
        "missing.yml: the resource map can't be read",
    ]);
    let json = bench.trailcreator(["resource-map", "check", &bad, "--output", "json"]).run().code(2).json();
    assert_eq!((&json["files"][0]["error"]["line"], &json["files"][0]["error"]["column"]), (&json!(6), &json!(9)));
    let twice = bench.write("twice.yml", MINE).display().to_string();
    let run = bench.trailcreator(["resource-map", "check", &good, &twice]).run();
    run.code(2).shows(["twice.yml:3:11: robot is described twice"]);
}

#[test]
fn check_tries_a_map_on_records() {
    let bench = Bench::new();
    let map = bench.write("map.yml", MINE).display().to_string();
    let event = |name: &str| Event::new("robomaker.amazonaws.com", name).by(Caller::iam_user("ann"));
    let trail = Trail::new()
        .event(event("CreateRobot").response(json!({"arn": "arn:robot/one"})))
        .event(event("CreateRobot").response(json!({"robotArn": "arn:robot/two"})))
        .event(event("CreateRobot").failed("AccessDenied"))
        .event(Event::new("iam.amazonaws.com", "CreateRole"));
    trail.write(&bench.path("trail.json.gz"));
    let run = bench.trailcreator(["resource-map", "check", &map, "--events", "trail.json.gz"]).run();
    run.code(4).shows([
        "create robot arn:robot/one",
        "no identifier at responseElements.arn; the record has {\"requestParameters\":null,\"responseElements\":{\"robotArn\":\"arn:robot/two\"}}",
        "failed with AccessDenied, ignored",
        "no record of ImportRobot of robomaker.amazonaws.com, for robot",
        "4 records, 2 with events of the maps, 1 without identifiers",
    ]);
    let json = bench
        .trailcreator(["resource-map", "check", &map, "--events", "trail.json.gz", "--output", "json"])
        .run()
        .code(4)
        .json();
    let events = &json["events"];
    assert_eq!(
        events["results"][0]["resources"][0],
        json!({"type": "robot", "id": "arn:robot/one", "action": "create"})
    );
    assert_eq!(events["results"][1]["without_ids"]["record"]["responseElements"], json!({"robotArn": "arn:robot/two"}));
    assert_eq!(events["unmatched_events"].as_array().expect("a list").len(), 1);
    bench.trailcreator(["resource-map", "check", &map, "--events", "no.json"]).run().code(2).says(["no.json"]);
    let broken = bench.write("broken.json", "{\"Records\": [{\"eventName\"").display().to_string();
    bench.trailcreator(["resource-map", "check", &map, "--events", &broken]).run().code(4).shows(["broken: "]);
}
