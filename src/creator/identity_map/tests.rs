//! Identity maps: which rule decides, its result, and the errors for invalid maps.

use super::*;
use crate::creator::test_data::{event_by, iam_user, of_kind, session};
use crate::model::event::Identity;

fn parse(text: &str) -> IdentityMap {
    IdentityMap::parse("map.yml", text).unwrap_or_else(|error| panic!("{error}"))
}

fn owner(map: &IdentityMap, identity: Identity) -> Option<Result<String, String>> {
    map.verdict(&event_by(identity)).map(|verdict| verdict.owner.map_err(|why| why.to_string()))
}

fn error(text: &str) -> String {
    IdentityMap::parse("map.yml", text).unwrap_err().to_string()
}

const MAP: &str = r#"
rules:
  - name: pipelines
    role: /ci-(?<team>[a-z]+)/
    session: "GitHub*"
    owner: "{team}@example.com"
  - role: ci-*
    skip: a shared pipeline
  - type: AWSService
    invoked_by: autoscaling.*
    owner: platform
  - account: 111122223333
    user: "*@old.example.com"
    owner: "{user} of {account} by {user_agent}"
"#;

#[test]
fn first_rule_with_only_matching_patterns_decides() {
    let map = parse(MAP);
    assert_eq!(owner(&map, session("ci-data", "GitHubActions")), Some(Ok("data@example.com".to_owned())));
    assert_eq!(owner(&map, session("ci-data", "anna")), Some(Err("a shared pipeline".to_owned())));
    let service = Identity { invoked_by: Some("autoscaling.amazonaws.com".to_owned()), ..of_kind("AWSService") };
    assert_eq!(owner(&map, service), Some(Ok("platform".to_owned())));
    assert_eq!(owner(&map, session("deploy", "anna")), None);
    assert_eq!(map.none_fits(), "none of the 4 rules in map.yml match");
}

#[test]
fn verdict_names_rule_and_matches() {
    let verdict = parse(MAP).verdict(&event_by(session("ci-data", "GitHubActions"))).unwrap();
    assert_eq!(verdict.rule, "rule pipelines (map.yml:3)");
    let because =
        "rule pipelines (map.yml:3): role ci-data matches /ci-(?<team>[a-z]+)/, session GitHubActions matches GitHub*";
    assert_eq!(verdict.because, because);
}

#[test]
fn owner_template_needs_fields_of_event() {
    let user = || iam_user("arn:aws:iam::1:user/x", Some("ann@old.example.com"));
    let map = parse(MAP);
    let reason = owner(&map, user()).unwrap().unwrap_err();
    assert_eq!(reason, "its `owner` uses {user_agent}, which this event does not have");
    let mut event = event_by(user());
    event.user_agent = Some("Boto3".to_owned());
    assert_eq!(map.verdict(&event).unwrap().owner.unwrap(), "ann@old.example.com of 111122223333 by Boto3");
    let optional = parse("rules: [{role: '/ci(-(?<team>.+))?/', owner: '{team}'}]");
    assert!(owner(&optional, session("ci", "x")).unwrap().is_err(), "a group that took no part");
}

#[test]
fn unmatched_rules_are_known_after_first_event() {
    let map = parse(MAP);
    assert_eq!(map.unused().count(), 0, "nothing was asked yet");
    owner(&map, session("ci-data", "GitHubActions"));
    owner(&map, session("deploy", "anna"));
    let unused: Vec<&str> = map.unused().collect();
    assert_eq!(unused, ["rule 2 (map.yml:7)", "rule 3 (map.yml:9)", "rule 4 (map.yml:12)"]);
}

#[test]
fn errors_name_place_and_correction() {
    for (text, expected) in [
        ("rules:\n  - rol: x\n    owner: y\n", "map.yml:2:5: unknown key `rol`; did you mean `role`?"),
        ("rule: []", "map.yml:1:1: unknown key `rule`; did you mean `rules`?"),
        ("rules: []", "map.yml:1:8: an identity map needs at least one rule"),
        ("rules:\n  - owner: x\n", "map.yml:2:5: the rule has no pattern"),
        ("rules:\n  - role: x\n", "map.yml:2:5: the rule has no result"),
        ("rules:\n  - role: x\n    owner: a\n    skip: b\n", "map.yml:4:11: a rule can't have both `owner` and `skip`"),
        ("rules:\n  - role: x\n    skip: ''\n", "map.yml:3:11: `skip` needs a reason"),
        (
            "rules:\n  - role: /a(/\n    skip: b\n",
            "map.yml:2:11: /a(/ is not a valid regular expression: unclosed group",
        ),
        (
            "rules:\n  - role: x\n    owner: '{sesion}'\n",
            "map.yml:3:12: unknown placeholder {sesion}; did you mean `session`?",
        ),
        (
            "rules:\n  - role: '/(?<team>.*)/'\n    owner: '{tem}'\n",
            "map.yml:3:12: unknown placeholder {tem}; did you mean `team`?",
        ),
        ("rules:\n  - role: x\n    owner: '{team'\n", "map.yml:3:12: \"{team\" has an unmatched brace"),
        ("", "map.yml:1:1: "),
    ] {
        let error = error(text);
        assert!(error.starts_with(expected), "{text:?}: {error}");
    }
}

#[test]
fn unreadable_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = IdentityMap::load(&folder.path().join("no.yml")).unwrap_err().to_string();
    assert!(error.contains("no.yml: the identity map can't be read"), "{error}");
}

#[test]
fn example_in_docs_works() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/owners.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, example) = text.split_once("```yaml\n").unwrap();
    let map = parse(example.split_once("```").unwrap().0);
    let mut event = event_by(session("ci-data", "GitHubActions"));
    event.user_agent = Some("APN/1.0 HashiCorp/1.0 Terraform/1.9.5".to_owned());
    assert_eq!(map.verdict(&event).unwrap().owner.unwrap(), "data@example.com");
    let stranger = Identity { account_id: Some("444455556666".to_owned()), ..session("x", "y") };
    assert!(owner(&map, stranger).unwrap().is_err());
}
