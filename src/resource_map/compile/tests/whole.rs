//! What a whole stanza becomes.

use serde_json::json;

use super::{GOOD, assert_refused, compile, good_but};
use crate::model::event::Action;
use crate::resource_map::compile::CompiledType;
use crate::resource_map::definition::{FixedEndpoint, Protocol, WriteMethod};

#[test]
fn a_whole_stanza() {
    let types = compile(GOOD);
    let [CompiledType { definition, events, .. }] = types.as_slice() else { panic!("one type") };
    assert_eq!(events[0].source, "x.amazonaws.com");
    assert_eq!((events[0].name.as_str(), events[0].rule.action), ("CreateThing", Action::Create));
    let access = definition.access.as_ref().unwrap();
    assert_eq!((access.service.protocol, access.service.sdk_id.as_str()), (Protocol::RestJson, "x"));
    let lookup = |name: &str| match name {
        "arn" => Some(json!("a:b")),
        "key" => Some(json!("Owner")),
        "value" => Some(json!("ann")),
        _ => None,
    };
    let list = access.list.calls[0].request.render(&json!({}), &lookup).unwrap();
    assert_eq!((list.operation.as_str(), list.input), ("GET /things", json!({"?max": 10})));
    let write = access.write.as_ref().unwrap();
    assert_eq!(write.method, WriteMethod::Rgta);
    let native = write.native.as_ref().unwrap();
    let add = native.add.render(&json!({}), &lookup).unwrap();
    assert_eq!((add.operation.as_str(), add.input), ("POST /tags/a%3Ab", json!({"Tags": {"Owner": "ann"}})));
    let remove = native.remove.as_ref().unwrap().render(&json!({}), &lookup).unwrap();
    assert_eq!((remove.operation.as_str(), remove.input), ("DELETE /tags/a%3Ab", json!({"?keys": "Owner"})));
}

#[test]
fn the_head_gives_its_defaults() {
    let head = "service: elbv2\nprotocol: query\nversion: 2015-12-01\nendpoint: elasticloadbalancing\n";
    let types = compile(&format!(
        "{head}endpoints: {{aws: {{url: 'https://e', region: us-east-1, discovery: Find}}}}\nresources:
  - type: aws.app-elb
    global: true
    events: [{{event: A, ids: requestParameters.a, upsert: true}}, {{event: B, ids: '@', service: b.c}}]
    deletes: [{{event: C, ids: requestParameters.a}}]
    list: {{call: List, items: x}}
    id: Id
    arn: Arn
    write: ec2\n"
    ));
    let CompiledType { definition, events, .. } = &types[0];
    assert!(definition.global);
    assert_eq!(definition.resource_type.as_str(), "app-elb");
    let found: Vec<_> =
        events.iter().map(|event| (event.source.as_str(), event.name.as_str(), event.rule.action)).collect();
    let own = "elasticloadbalancing.amazonaws.com";
    assert_eq!(found, [(own, "A", Action::Upsert), ("b.c", "B", Action::Create), (own, "C", Action::Delete)]);
    let access = definition.access.as_ref().unwrap();
    assert_eq!(access.service.signing, "elasticloadbalancing");
    assert_eq!(access.service.version.as_deref(), Some("2015-12-01"));
    let FixedEndpoint { url, discovery, .. } = &access.service.endpoints["aws"];
    assert_eq!((url.as_str(), discovery.as_deref()), ("https://e", Some("Find")));
    assert_eq!(access.write.as_ref().unwrap().method, WriteMethod::Ec2);
    let arn = access.arn.as_ref().unwrap().text(&json!({"Arn": "arn:x"}), &|_| None).unwrap();
    assert_eq!(arn, "arn:x");
}

#[test]
fn a_rename_has_the_old_name_and_the_new_one() {
    let renames = "renames: [{event: RenameThing, from: requestParameters.old, to: lower(requestParameters.new)}]";
    let types = compile(&good_but("    list:\n", &format!("    {renames}\n    list:\n")));
    let [_, renaming] = types[0].events.as_slice() else { panic!("two events") };
    assert_eq!((renaming.name.as_str(), renaming.rule.action), ("RenameThing", Action::Rename));
    let texts = ["requestParameters.old", "", "lower(requestParameters.new)"];
    assert_eq!(renaming.rule.texts(), texts);
    let but =
        |from: &str, to: &str| good_but("    list:\n", &format!("    {}\n    list:\n", renames.replace(from, to)));
    assert_refused(
        &but(", to: lower(requestParameters.new)", ""),
        "8:15: `to` is missing here: JMESPath to the new name in the record, such as requestParameters.newUserName",
    );
    assert_refused(
        &but(", from: requestParameters.old", ""),
        "8:15: `from` is missing here: JMESPath to the ids in the record, such as requestParameters.roleName",
    );
    assert_refused(
        &but("requestParameters.new", "requestParameter.new"),
        "8:69: CloudTrail's records have no field `requestParameter`; did you mean `requestParameters`?",
    );
}

#[test]
fn anchors_and_merges_are_yaml_too() {
    let two = "  - type: other
    events: [{event: CreateOther, ids: requestParameters.name}]
    list: {call: GET /others, items: Others}
    id: Name
    arn: Arn
    write: {<<: *write, when: 'Ready'}
  - type: third
    events: [{event: CreateThird, ids: requestParameters.name}]
    list: {call: GET /thirds, items: Thirds}
    id: Name
    arn: Arn
    write: *write
";
    let types = compile(&(good_but("    write:\n", "    write: &write\n") + two));
    for (compiled, has_condition) in types.iter().zip([false, true, false]) {
        let write = compiled.definition.access.as_ref().unwrap().write.as_ref().unwrap();
        assert_eq!((write.native.is_some(), write.when.is_some()), (true, has_condition));
    }
}

#[test]
fn words_of_yaml_1_1_are_texts() {
    let text = good_but("{'?max': 10}", "{y: no, 'on': yes, n: true, off: null}");
    let access = compile(&text).remove(0).definition.access.into_inner().unwrap();
    let input = access.list.calls[0].request.render(&json!({}), &|_| None).unwrap().input;
    assert_eq!(input, json!({"y": "no", "on": "yes", "n": true, "off": null}));
}
