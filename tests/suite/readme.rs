//! What the README shows works as it is shown. Its commands are run by `docs`.

use serde_json::json;

use crate::common::{Bench, Caller, Event, Moto, Trail};

const README: &str = include_str!("../../README.md");

/// The first block of code in this language.
fn block(language: &str) -> &'static str {
    let (_, after) = README.split_once(&format!("```{language}\n")).expect("the README has such a block");
    after.split_once("```").expect("a block of code has an end").0
}

#[test]
fn the_number_of_types_is_true() {
    let list = Bench::new().trailcreator(["resource-map", "list", "--output", "json"]).run();
    let (before, _) = README.split_once(" resource types are built in").expect("the README has the number of types");
    let least: usize =
        before.rsplit(' ').next().and_then(|number| number.replace(',', "").parse().ok()).expect("a number");
    let types = list.success().json()["resource_types"].as_array().expect("a list").len();
    assert!((least..least + 100).contains(&types), "{types} types, the README says more than {least}");
}

#[test]
fn a_type_of_ones_own_is_ten_lines_of_yaml() {
    let map = block("yaml");
    assert!(map.lines().count() <= 10, "{map}");
    let (moto, bench) = (Moto::start(), Bench::new());
    bench.write("groups.yml", map);
    bench.trailcreator(["resource-map", "check", "groups.yml"]).run().success();
    let arn = moto.boto3(
        "query = {'ResourceTypeFilters': ['AWS::AllSupported'], 'TagFilters': [{'Key': 'team', 'Values': ['blue']}]}
created = client('resource-groups').create_group(
    Name='mine', ResourceQuery={'Type': 'TAG_FILTERS_1_0', 'Query': json.dumps(query)}, Tags={'team': 'blue'})
result = created['Group']['GroupArn']",
    );
    let event = Event::new("resource-groups.amazonaws.com", "CreateGroup")
        .by(Caller::iam_user("alice"))
        .request(json!({"name": "mine"}))
        .response(json!({"group": {"groupArn": arn, "name": "mine"}}));
    Trail::new().event(event).write(&bench.path("trail.json"));
    bench.trailcreator(["load-files", "trail.json", "--extend-map", "groups.yml"]).run().success();
    bench.trailcreator(["tag", "--extend-map", "groups.yml"]).aws(&moto).run().success();
    let tags = || moto.boto3(&format!("result = client('resource-groups').get_tags(Arn={arn})['Tags']"));
    assert_eq!(tags(), json!({"team": "blue", "Owner": "alice"}));
    bench.trailcreator(["undo", "1", "--extend-map", "groups.yml"]).aws(&moto).run().success();
    assert_eq!(tags(), json!({"team": "blue"}));
}
