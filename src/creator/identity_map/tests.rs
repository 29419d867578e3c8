//! Identity maps: which rule decides, its result, and the errors for invalid maps.

use std::sync::Arc;

use super::*;
use crate::creator::test_data::{event_by, iam_user, of_kind, session};
use crate::model::Tags;
use crate::model::event::Identity;
use crate::resource_map::ResourceMap;

fn parse(text: &str) -> IdentityMap {
    IdentityMap::parse("map.yml", text).unwrap_or_else(|error| panic!("{error}"))
}

fn verdict(map: &IdentityMap, event: Option<&Event>, resource: Option<&ResourceFacts<'_>>, names: &[&str]) -> Verdict {
    let names = PersonNames::new(None, names.iter().map(|&name| name.to_owned()));
    let mut rules = OwnerRules::default();
    Arc::make_mut(&mut rules.account_tags)
        .set(&"111122223333".into(), &["stage:prod".to_owned(), "CostOwner:finance".to_owned()]);
    map.verdict(Subject { event, resource, names: &names, rules: &rules, assumes_no_match: false })
}

/// The decision about an event alone.
fn decision(map: &IdentityMap, event: &Event) -> Option<Decision> {
    match verdict(map, Some(event), None, &[]) {
        Verdict::Decided(decision) | Verdict::General(decision) | Verdict::Waits(decision) => Some(decision),
        Verdict::Undecided(undecided) => panic!("{undecided}"),
        Verdict::NoMatch => None,
    }
}

fn owner(map: &IdentityMap, identity: Identity) -> Option<Result<String, String>> {
    decision(map, &event_by(identity)).map(|decision| decision.owner.map_err(|why| why.to_string()))
}

/// The owner of a resource with these tags, created by `dana@corp.example`; or the verdict in words.
fn owner_of_resource(map: &IdentityMap, resource_type: &str, tags: &Tags) -> String {
    let (resource_type, account) = (resource_type.into(), "111122223333".into());
    let facts = ResourceFacts {
        resource_type: &resource_type,
        id: "orders",
        arn: None,
        name: Some("orders".into()),
        account_id: &account,
        account_name: Some("shop"),
        region: "eu-west-1",
        tags: Cow::Borrowed(tags),
    };
    let event = event_by(session("deploy", "dana@corp.example"));
    match verdict(map, Some(&event), Some(&facts), &["dana@corp.example"]) {
        Verdict::Decided(Decision { owner: Ok(owner), .. }) => owner,
        Verdict::General(Decision { owner: Ok(owner), .. }) => format!("general {owner}"),
        Verdict::Waits(Decision { owner: Err(why), .. }) => format!("waits: {why}"),
        Verdict::Undecided(undecided) => format!("undecided: {undecided}"),
        other => format!("{other:?}"),
    }
}

fn known(pairs: &[(&str, &str)]) -> Tags {
    Tags::Known(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
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
    owner: "{user} of {event.principal.account_id} by {user_agent}"
"#;

#[test]
fn first_rule_with_only_matching_patterns_decides() {
    let map = parse(MAP);
    assert_eq!(owner(&map, session("ci-data", "GitHubActions")), Some(Ok("data@example.com".to_owned())));
    assert_eq!(owner(&map, session("ci-data", "anna")), Some(Err("a shared pipeline".to_owned())));
    let service = Identity { invoked_by: Some("autoscaling.amazonaws.com".into()), ..of_kind("AWSService") };
    assert_eq!(owner(&map, service), Some(Ok("platform".to_owned())));
    assert_eq!(owner(&map, session("deploy", "anna")), None);
    assert_eq!(map.none_fits(), "none of the 4 rules in map.yml match");
}

#[test]
fn verdict_names_rule_and_matches() {
    let verdict = decision(&parse(MAP), &event_by(session("ci-data", "GitHubActions"))).unwrap();
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
    event.user_agent = Some("Boto3".into());
    assert_eq!(decision(&map, &event).unwrap().owner.unwrap(), "ann@old.example.com of 111122223333 by Boto3");
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
        ("name: x\n", "map.yml:1:1: unknown key `name`"),
        (
            "people: no.csv\nrules: [{owner: '{email}'}]\n",
            "map.yml:1:9: a table of people needs an identity map in a file",
        ),
        ("peple: no.csv\nrules: []\n", "map.yml:1:1: unknown key `peple`; did you mean `people`?"),
        ("rules:\n  - owner: '{email}'\n", "map.yml:2:12: unknown placeholder {email}; "),
        ("rules:\n  - resource: {tipe: x}\n    owner: y\n", "map.yml:2:16: unknown key `tipe`; did you mean `type`?"),
        ("rules:\n  - resource: {}\n    owner: y\n", "map.yml:2:15: `resource` has no pattern"),
        ("rules:\n  - resource: {tags: {a: /(/}}\n    owner: y\n", "map.yml:2:26: /(/ is not a valid"),
        ("rules:\n  - person: {team: x}\n    owner: y\n", "map.yml:2:13: `person` needs a table of people"),
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
    let error = IdentityMap::load(&folder.path().join("no.yml"), ResourceMap::built_in_once()).unwrap_err().to_string();
    assert!(error.contains("no.yml: the identity map can't be read"), "{error}");
}

#[test]
fn example_in_docs_works() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/owners.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, example) = text.split_once("```yaml\n").unwrap();
    let map = parse(example.split_once("```").unwrap().0);
    let mut event = event_by(session("ci-data", "GitHubActions"));
    event.user_agent = Some("APN/1.0 HashiCorp/1.0 Terraform/1.9.5".into());
    assert_eq!(decision(&map, &event).unwrap().owner.unwrap(), "data@example.com");
    let stranger = Identity { account_id: Some("444455556666".into()), ..session("x", "y") };
    assert!(owner(&map, stranger).unwrap().is_err());
}

/// An identity map in a folder with this table of people.
fn with_people(file: &str, people: &str, map: &str) -> Result<IdentityMap, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(file), people).unwrap();
    std::fs::write(folder.path().join("map.yml"), map).unwrap();
    let loaded = IdentityMap::load(&folder.path().join("map.yml"), ResourceMap::built_in_once());
    loaded.map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

const PEOPLE: &str = "user,email,team,manager\ndana,Dana@Corp.example,blue,lee@corp.example\nlee,lee@corp.example,,\n";

#[test]
fn first_rule_that_matches_the_resource_decides() {
    let map = "people: people.csv\nrules:\n  - resource: {type: AWS::SQS::Queue}\n    owner: messaging@corp.example\n  \
               - resource: {tags: {stage: '/(?<stage>prod|test)/'}, account: shop}\n    owner: '{stage}-{team}@corp.example'\n  \
               - owner: '{email}'\n";
    let map = with_people("people.csv", PEOPLE, map).unwrap();
    assert_eq!(owner_of_resource(&map, "sqs", &Tags::Unknown("denied".to_owned())), "messaging@corp.example");
    assert_eq!(owner_of_resource(&map, "ebs", &known(&[("stage", "prod")])), "prod-blue@corp.example");
    assert_eq!(owner_of_resource(&map, "ebs", &known(&[("stage", "dev")])), "Dana@Corp.example");
    assert_eq!(map.unused().count(), 0);
}

#[test]
fn rule_that_needs_unknown_tags_is_undecided_unless_another_pattern_fails() {
    let map = parse(
        "rules:\n  - resource: {tags: {stage: prod}, type: ebs}\n    owner: a\n  - resource: {name: 'ord*'}\n    owner: b\n",
    );
    let unknown = Tags::Unknown("the database has none".to_owned());
    let partial = |pairs| match known(pairs) {
        Tags::Known(tags) => Tags::Partial(tags),
        other => other,
    };
    let undecided =
        "undecided: identity map, rule 1 (map.yml:2) could not be decided: it needs the resource's tags, and ";
    assert_eq!(owner_of_resource(&map, "ebs", &unknown), format!("{undecided}the database has none"));
    assert_eq!(owner_of_resource(&map, "ebs", &partial(&[])), format!("{undecided}only some tags could be read"));
    assert_eq!(owner_of_resource(&map, "ebs", &partial(&[("stage", "prod")])), "a");
    let name = owner_of_resource(&map, "sqs", &unknown);
    assert!(name.starts_with("undecided: identity map, rule 2 (map.yml:4) could not"), "{name}");
    assert_eq!(owner_of_resource(&map, "sqs", &known(&[])), "b");
}

#[test]
fn rule_without_patterns_matches_everything_and_account_tags_are_the_last_resort() {
    let map = with_people(
        "people.csv",
        "user,email\nlee,lee@corp.example\n",
        "people: people.csv\nrules:\n  - owner: '{email}'\n  - owner: '{account_tag:CostOwner}'\n",
    )
    .unwrap();
    assert_eq!(owner_of_resource(&map, "ebs", &known(&[])), "general finance");
    let map = parse("rules:\n  - owner: '{account_tag:Team}'\n");
    let why = owner_of_resource(&map, "ebs", &known(&[]));
    assert_eq!(
        why,
        "waits: its `owner` uses {account_tag:Team}, and account 111122223333 has no tag Team in an accounts file"
    );
}

#[test]
fn missing_person_and_empty_cell_leave_the_decision_to_later_rules() {
    let rules = "people: people.csv\nrules:\n  - owner: '{team}'\n";
    let map = with_people("people.csv", "user,email,team\ndana,dana@corp.example,\n", rules).unwrap();
    let why = owner_of_resource(&map, "ebs", &known(&[]));
    assert!(why.starts_with("waits: ") && why.ends_with("people.csv:2 has no team for dana@corp.example"), "{why}");
    let map = with_people("people.csv", "user,team\nlee,blue\n", rules).unwrap();
    let why = owner_of_resource(&map, "ebs", &known(&[]));
    assert!(why.ends_with("people.csv has no row for dana@corp.example"), "{why}");
    let map =
        with_people("people.csv", "user,email,team\na,dana@corp.example,x\nb,DANA@corp.example,y\n", rules).unwrap();
    let why = owner_of_resource(&map, "ebs", &known(&[]));
    assert!(why.contains("is in ") && why.contains("people.csv:2 and ") && why.contains("people.csv:3"), "{why}");
}

#[test]
fn rules_match_columns_of_the_person() {
    let map = "people: people.csv\nrules:\n  - person: {team: bl*}\n    owner: 'the {Team} team'\n  - owner: '{person:user}'\n";
    let map = with_people("people.csv", PEOPLE, map).unwrap();
    assert_eq!(owner_of_resource(&map, "ebs", &known(&[])), "the blue team");
}

#[test]
fn errors_of_tables_name_place_and_correction() {
    let map = "people: people.csv\nrules: [{owner: '{email}'}]\n";
    let column = "people: people.csv\nrules:\n  - owner: '{emial}'\n";
    let person = "people: people.csv\nrules:\n  - person: {taem: x}\n    owner: y\n";
    let names = "people: {file: people.csv, names: [usr]}\nrules: [{owner: x}]\n";
    let email = "people: {file: people.csv, names: [email]}\nrules: [{owner: x}]\n";
    for (people, map, expected) in [
        ("user,email\ndana,\"d@x.org\n", map, "people.csv:2:6: this quote is never closed"),
        ("user,email\ndana,d@x.org,blue\n", map, "people.csv:2:14: the row has 3 cells, and the header has 2"),
        ("user;email\r\ndana\r\n", map, "people.csv:2:1: the row has 1 cells, and the header has 2"),
        ("user,email,User\nd,e,f\n", map, "people.csv:1:12: the column `User` is given twice"),
        ("user,,email\nd,e,f\n", map, "people.csv:1:6: this column has no name"),
        ("user,email\n", map, "people.csv:1:1: the table has no people"),
        ("", map, "people.csv:1:1: the table has no people"),
        ("user,email\ndana,a@x.org\nlee,b@x.org\ndana,c@x.org\n", map, "people.csv:4:1: `user` dana is also in line 2"),
        ("user,email\na,t@x.org\nb,T@x.org\n", email, "people.csv:3:3: `email` T@x.org is also in line 2"),
        (
            PEOPLE,
            column,
            "map.yml:3:12: people.csv has no column `emial`: unknown placeholder {emial}; did you mean `email`?",
        ),
        (PEOPLE, person, "map.yml:3:14: people.csv has no column `taem`; did you mean `team`?"),
        (PEOPLE, names, "map.yml:1:36: people.csv has no column `usr`; did you mean `user`?"),
    ] {
        let error = with_people("people.csv", people, map).unwrap_err();
        assert!(error.starts_with(expected), "{people:?}: {error}");
    }
    let yaml = "people: people.yml\nrules: [{owner: '{email}'}]\n";
    for (people, expected) in [
        (
            "- {user: a, email: a@x.org}\n- {user: b, emial: b@x.org}\n",
            "people.yml:2:13: unknown key `emial`; did you mean `email`?",
        ),
        ("- {user: a, email: [a]}\n", "people.yml:1:20: "),
        ("user: a\n", "people.yml:1:1: a list is expected here"),
        ("- {user: a, user: b, email: c}\n", "people.yml:1:13: the key `user` is given twice"),
    ] {
        let error = with_people("people.yml", people, yaml).unwrap_err();
        assert!(error.starts_with(expected), "{people:?}: {error}");
    }
    let error =
        with_people("people.csv", PEOPLE, "people: people.csv\nrules:\n  - resource: {type: sqss}\n    owner: x\n");
    let error = error.unwrap_err();
    assert!(error.starts_with("map.yml:3:22: there is no resource type sqss; did you mean sqs?"), "{error}");
}

#[test]
fn templates_have_the_fields_of_the_resource_document() {
    let tags = known(&[("stage", "prod"), ("Name", "orders")]);
    for (template, expected) in [
        ("{name}@{account_name}.example", "general orders@shop.example"),
        ("{type}-{tags.stage}", "general sqs-prod"),
        ("{event.principal.type} in {region}", "general AssumedRole in eu-west-1"),
        ("{creator}", "general dana@corp.example"),
        ("{tags.team}", "waits: its `owner` uses {tags.team}, which this resource does not have"),
        ("{arn}", "waits: its `owner` uses {arn}, which this resource does not have"),
    ] {
        let map = parse(&format!("rules: [{{owner: '{template}'}}]"));

        assert_eq!(owner_of_resource(&map, "sqs", &tags), expected);
    }
}

#[test]
fn template_that_needs_unread_tags_is_undecided() {
    let unread = Tags::Unknown("access denied".to_owned());
    let map = parse("rules: [{role: deploy, owner: '{tags.team}@corp.example'}, {owner: ops}]");
    assert!(map.needs_tags());
    let expected = "undecided: identity map, rule 1 (map.yml:1) could not be decided: it needs the resource's tags, \
                    and access denied";
    assert_eq!(owner_of_resource(&map, "sqs", &unread), expected);
    let default = parse("rules: [{role: other, owner: x}]\ndefault: '{name}'");
    assert!(default.needs_tags());
    let rules = OwnerRules { identity_map: Some(Arc::new(default)), ..OwnerRules::default() };
    let (resource_type, account) = ("sqs".into(), "111122223333".into());
    let facts = ResourceFacts {
        resource_type: &resource_type,
        id: "orders",
        arn: None,
        name: Some("orders".into()),
        account_id: &account,
        account_name: None,
        region: "eu-west-1",
        tags: Cow::Borrowed(&unread),
    };
    let no_owner = rules.owner_of(crate::creator::Sought { event: None, resource: Some(facts) }).unwrap_err();
    assert!(matches!(no_owner, crate::creator::NoOwner::Undecided(_)), "{no_owner}");
}
