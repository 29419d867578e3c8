//! What the README shows works as it stands there.

use serde_json::json;

use crate::common::{Bench, Caller, Event, Moto, Trail};

/// The first block of YAML in the README.
fn yaml_of_the_readme() -> &'static str {
    let readme = include_str!("../../README.md");
    let (_, after) = readme.split_once("```yaml\n").expect("the README shows a map");
    after.split_once("```").expect("a block of code has an end").0
}

#[test]
fn a_type_of_ones_own_is_ten_lines_of_yaml() {
    let map = yaml_of_the_readme();
    assert!(map.lines().count() <= 10, "{map}");
    let (moto, bench) = (Moto::start(), Bench::new());
    bench.write("groups.yml", map);
    bench.trailcreator(["resource-map", "check", "groups.yml"]).run().success();
    let arn = moto.boto3(
        "query = {'ResourceTypeFilters': ['AWS::AllSupported'], 'TagFilters': [{'Key': 'team', 'Values': ['blue']}]}
made = client('resource-groups').create_group(
    Name='mine', ResourceQuery={'Type': 'TAG_FILTERS_1_0', 'Query': json.dumps(query)}, Tags={'team': 'blue'})
result = made['Group']['GroupArn']",
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
