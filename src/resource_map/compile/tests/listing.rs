//! Unusual listings: scopes, ancestors, trees, headers, templates, actions; what is refused of them, with the place.

use serde_json::{Value, json};

use super::{assert_refused, compile, good_but};
use crate::resource_map::{Access, ParentSource};

/// The stanza with `more` under `list`.
fn listing(more: &str) -> String {
    good_but("      items: Things\n", &format!("      items: Things\n{more}"))
}

fn access(text: &str) -> Access {
    compile(text).remove(0).definition.access.into_inner().unwrap()
}

#[test]
fn scopes_add_their_params() {
    let access = access(&listing(
        "      scopes: [{params: {'?Scope': A}}, {params: {'?max': 5, '?Scope': B}, region: us-east-1}]\n",
    ));
    let calls: Vec<_> = access.list.calls.iter().map(|call| (input(&call.request), call.region.as_ref())).collect();
    assert_eq!(calls[0], (json!({"?max": 10, "?Scope": "A"}), None));
    assert_eq!(calls[1], (json!({"?max": 5, "?Scope": "B"}), Some(&"us-east-1".into())));
    assert_eq!(calls.len(), 2);
    assert_refused(
        &listing("      scopes: []\n"),
        "12:15: `scopes` is empty: give the parameters of each call, as in {params: {Scope: REGIONAL}}",
    );
    assert_refused(
        &listing("      scopes: [{region: global}]\n"),
        "12:25: \"global\" is not a region code such as eu-west-1",
    );
    assert_refused(
        &listing("      scopes: [{params: {a: '{b}'}}]\n"),
        "12:29: {b} has no value in `list`; known here: {account} {region} {partition}; there is no single item to take others from",
    );
}

fn input(request: &crate::resource_map::Request) -> Value {
    request.render(&Value::Null, &|_| None).unwrap().input
}

#[test]
fn a_parent_is_a_type_or_a_listing() {
    let access =
        access(&listing("      parent: {list: {call: GET /roots, items: Roots}, value: Id}\n      recurse: Id\n"));
    let parent = access.list.parent.as_ref().unwrap();
    assert!(matches!(&parent.source, ParentSource::Listing(listing) if listing.items.source() == "Roots"));
    assert!(access.list.recurse.is_some());
    assert_eq!(access.requests().len(), 5);
    let either = "12:15: a parent is either a `type` of the map, or a `list` of its own";
    assert_refused(&listing("      parent: {value: Id}\n"), either);
    assert_refused(&listing("      parent: {type: a, list: {call: GET /a, items: b}, value: Id}\n"), either);
    assert_refused(
        &listing("      recurse: Id\n"),
        "12:16: `recurse` needs `parent`: where the first items are listed",
    );
    assert_refused(
        &listing("      parent: {type: a, value: {x: Id}}\n      recurse: Id\n"),
        "13:16: `recurse` must give the same names as `parent.value`",
    );
}

#[test]
fn values_of_a_parent_have_names() {
    let with = |placeholder: &str| {
        listing("      parent: {type: a, value: {x: Id, y: Name}}\n")
            .replace("thing/{id}", &format!("thing/{{{placeholder}}}"))
    };
    for good in ["parent.x", "parent.y", "parent.parent", "parent.parent.z", "parents.x"] {
        compile(&with(good));
    }
    let known = "known here: {parent.x} {parent.y} {id} {account} {region} {partition} and JMESPath on the item";
    for bad in ["parent", "parent.z"] {
        assert_refused(&with(bad), &format!("15:10: {{{bad}}} has no value in `arn`; {known}"));
    }
    assert_refused(
        &listing("      parent: {type: a, value: {parent: Id}}\n"),
        "12:33: `parent` can't be the name of a value: use letters and digits, but not `parent`",
    );
    assert_refused(
        &listing("      parent: {type: a, value: {}}\n"),
        "12:32: `value` is empty: give JMESPath on the parent's item",
    );
}

#[test]
fn templates_stand_for_id_names_and_arn() {
    let text = good_but("id: Name", "id: {template: '{region}/{Name}'}\n    names: ['Old[]', {template: 'x-{id}'}]");
    let access =
        access(&text.replace("arn: arn:{partition}:x:{region}:{account}:thing/{id}", "arn: {template: 'a:{id}'}"));
    let item = json!({"Name": "n", "Old": ["o", "p"]});
    let lookup = |name: &str| match name {
        "id" => Some(json!("i")),
        "region" => Some(json!("r")),
        _ => None,
    };
    assert_eq!(access.id.text(&item, &lookup).unwrap(), "r/n");
    let names: Vec<String> = access.names.iter().flat_map(|name| name.texts(&item, &lookup)).collect();
    assert_eq!(names, ["o", "p", "x-i"]);
    assert_eq!(access.arn.unwrap().text(&item, &lookup).unwrap(), "a:i");
    assert_refused(
        &good_but("id: Name", "id: {template: 'x{id}'}"),
        "13:20: {id} has no value in `id`; known here: {account} {region} {partition} and JMESPath on the item",
    );
    assert_refused(
        &good_but("id: Name", "id: {templat: x}"),
        "13:10: unknown key `templat`; did you mean `template`? Allowed here: template",
    );
}

#[test]
fn what_can_be_tagged_has_an_arn() {
    let arn = "    arn: arn:{partition}:x:{region}:{account}:thing/{id}\n";
    assert_refused(
        &good_but(arn, ""),
        "18:7: a type that can be tagged needs `arn`: JMESPath on the listed item, or a template arn:…",
    );
    let text = good_but(arn, "");
    let untagged = text.split("    tags:").next().unwrap();
    assert!(access(untagged).arn.is_none());
}

#[test]
fn headers_are_for_rest() {
    let with = |header: &str| good_but("'?max': 10", &format!("'{header}': '{{account}}'"));
    let calls = access(&with("^x-account")).list.calls;
    assert_eq!(calls[0].request.render(&Value::Null, &|_| Some(json!("1"))).unwrap().input, json!({"^x-account": "1"}));
    assert_refused(
        &with("^X-Account"),
        "10:16: `^X-Account` is not a header: lower-case letters, digits and `-`, as ^x-amz-account-id",
    );
    let json = "service: x\nprotocol: json\ntarget: T\njson: '1.0'\nresources:\n  - type: a
    events: [{event: E, ids: '@'}]\n    list: {call: L, params: {^a: b}, items: I}\n    id: I\n";
    assert_refused(json, "8:30: `^a`: only REST protocols have headers of their own; leave out the ^");
}

#[test]
fn an_endpoint_may_take_a_parameter_of_each_call() {
    let head = "service: x\nendpoint: '{^x-account}.control'\nsigning: x\nevent_source: x.amazonaws.com\n";
    let text = good_but("service: x\n", head);
    assert_refused(&text, "12:13: the file's `endpoint` takes `^x-account` from each call: add it to `params`");
    assert_refused(
        &text.replace("signing: x\n", ""),
        "2:11: an `endpoint` with {…} needs `signing` and `event_source` beside it",
    );
    for wrong in ["'{x'", "x}", "x/y", "'{}.x'"] {
        let message = format!(
            "2:11: `{}` is not the beginning of a host's name, with or without {{parameter}}",
            wrong.trim_matches('\'')
        );
        assert_refused(&text.replace("'{^x-account}.control'", wrong), &message);
    }
    let whole = text.split("    tags:").next().unwrap().replace("'?max': 10", "'^x-account': '{account}'");
    assert_eq!(access(&whole).service.endpoint_inputs().collect::<Vec<_>>(), ["^x-account"]);
}

#[test]
fn actions_are_as_iam_spells_them() {
    let of = |text: &str| access(text).list.calls[0].request.actions().to_vec();
    let with = |action: &str| good_but("call: GET /things\n", &format!("call: GET /things\n      action: {action}\n"));
    assert_eq!(of(&with("ListThings")), ["x:ListThings"]);
    assert_eq!(of(&with("[ListThings, kms:DescribeKey]")), ["x:ListThings", "kms:DescribeKey"]);
    assert_eq!(of(&with("ListThings").replace("service: x\n", "service: x\niam: y\n")), ["y:ListThings"]);
    assert!(of(&good_but("service: x\n", "service: x\niam: y\n")).is_empty(), "a path has no action");
    assert_refused(
        &with("'List things'"),
        "10:15: `List things` is not an IAM action; write its name, such as ListTagsForResource",
    );
}

#[test]
fn the_tagging_api_needs_the_services_own_action() {
    let write = |write: &str| {
        let text = good_but("rest-json", "json\ntarget: T\njson: '1.0'").replace("GET /things", "L").replace("'?", "'");
        let head = text.split("    tags:").next().unwrap();
        let write = access(&format!("{head}    write: {write}\n")).write.unwrap();
        (write.actions.add.join(" "), write.actions.remove.join(" "))
    };
    let pair = |add: &str, remove: &str| (add.to_owned(), remove.to_owned());
    assert_eq!(write("rgta"), pair("x:TagResource", "x:UntagResource"));
    assert_eq!(
        write("{method: rgta, action: AddTags, remove: {action: RemoveTags}}"),
        pair("x:AddTags", "x:RemoveTags")
    );
    let own = "{method: rgta, call: Add, params: {i: '{id}', t: {'{key}': '{value}'}}, remove: {call: Del, params: {k: '{key}'}}}";
    assert_eq!(write(own), pair("x:Add", "x:Del"));
    assert_eq!(write("{method: native, call: Put, params: {i: '{id}', t: '{tags}'}}"), pair("x:Put", "x:Put"));
    assert_refused(
        &good_but(
            "rgta\n      call: POST /tags/{arn}\n      params: {Tags: {'{key}': '{value}'}}\n",
            "ec2\n      action: A\n",
        )
        .replace("      remove: {call: 'DELETE /tags/{arn}', params: {'?keys': '{key}'}}\n", ""),
        "20:15: this method has its own actions; remove `action`",
    );
}
