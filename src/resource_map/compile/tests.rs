//! What a file is refused for, with the exact place; and what a whole stanza becomes.

use serde_json::json;

use crate::resource_map::compile::CompiledType;
use crate::resource_map::definition::{Protocol, WriteMethod};
use crate::resource_map::load::compile_file;
use crate::resource_map::source::Source;
use crate::trail::record::Action;

pub(super) fn compile(text: &str) -> Vec<CompiledType> {
    compile_file(Source { name: "m", text }).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// `line:column: message` of the error.
fn refused(text: &str) -> String {
    let error = compile_file(Source { name: "m", text }).expect_err(text);
    assert!(!error.message.contains('\n') && !error.message.contains(" at line "), "{}", error.message);
    error.to_string().strip_prefix("m:").expect("the file's name comes first").to_owned()
}

/// A good file. Its last stanza, `write`, is open for more lines.
const GOOD: &str = "service: x
protocol: rest-json
resources:
  - type: thing
    events:
      - event: CreateThing
        ids: responseElements.name
    list:
      call: GET /things
      params: {'?max': 10}
      items: Things
      page: ['?token', NextToken]
    id: Name
    arn: arn:{partition}:x:{region}:{account}:thing/{id}
    tags:
      call: GET /tags/{arn}
      items: Tags
    write:
      method: rgta
      call: POST /tags/{arn}
      params: {Tags: {'{key}': '{value}'}}
      remove: {call: 'DELETE /tags/{arn}', params: {'?keys': '{key}'}}
";

/// [`GOOD`] with one text replaced, which must be there once.
pub(super) fn good_but(from: &str, to: &str) -> String {
    assert_eq!(GOOD.matches(from).count(), 1, "{from}");
    GOOD.replace(from, to)
}

#[track_caller]
pub(super) fn assert_refused(text: &str, message: &str) {
    assert_eq!(refused(text), message, "\n{text}");
}

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
        "{head}endpoints: {{aws: {{url: 'https://e', region: us-east-1}}}}\nresources:
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
    assert_eq!(access.service.endpoints["aws"].url, "https://e");
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
    let texts = ["requestParameters.old", "lower(requestParameters.new)"];
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
    let access = compile(&text).remove(0).definition.access.unwrap();
    let input = access.list.calls[0].request.render(&json!({}), &|_| None).unwrap().input;
    assert_eq!(input, json!({"y": "no", "on": "yes", "n": true, "off": null}));
}

#[test]
fn a_misspelt_key_names_the_nearest() {
    assert_refused(
        &good_but("    events:", "    eventz:"),
        "5:5: unknown key `eventz`; did you mean `events`? Allowed here: type, cloudformation, global, doubts, events, deletes, renames, \
         list, id, names, made_with, parents, arn, region, tags, write",
    );
    assert_refused(
        &good_but("        ids:", "        id:"),
        "7:9: unknown key `id`; did you mean `ids`? Allowed here: event, service, ids, upsert, doubts",
    );
    assert_refused(
        &good_but("      method: rgta", "      zzz: rgta"),
        "19:7: unknown key `zzz`; allowed here: method, call, action, params, remove, when",
    );
    assert_refused(
        &good_but("remove: {call:", "remove: {cal:"),
        "22:16: unknown key `cal`; did you mean `call`? Allowed here: call, action, params",
    );
}

#[test]
fn wrong_values_name_the_right_ones() {
    assert_refused(
        &good_but("rest-json", "rest-jsom"),
        "2:11: `rest-jsom` is not allowed here; did you mean `rest-json`? Allowed here: json, rest-json, query, ec2, rest-xml",
    );
    assert_refused(
        &good_but("method: rgta", "method: rtga"),
        "19:15: `rtga` is not allowed here; did you mean `rgta`? Allowed here: rgta, ec2, native, stack-update",
    );
    let short =
        good_but("      method: rgta\n", "").split("    write:").next().unwrap().to_owned() + "    write: ec3\n";
    assert_refused(
        &short,
        "18:12: `write: ec3` is not allowed here; did you mean `ec2`? Allowed here: rgta, ec2, stack-update",
    );
    assert_refused(&good_but("['?token', NextToken]", "['?token']"), "12:7: a list of two is expected here, not of 1");
    assert_refused(&good_but("type: thing", "type: [thing]"), "4:11: a text is expected here");
    assert_refused(
        &good_but("type: thing", "type:"),
        "4:5: `type` is missing here: the resource type's name, such as iam-role",
    );
}

#[test]
fn what_a_stanza_lacks_is_named_where_it_stands() {
    assert_refused(
        &good_but("    events:\n      - event: CreateThing\n        ids: responseElements.name\n", ""),
        "4:5: `events` is missing here: the events that make the type, each with `event` and `ids`",
    );
    assert_refused(
        &good_but("\n      - event: CreateThing\n        ids: responseElements.name\n", " []\n"),
        "5:13: `events` is empty: list the events that make the type, each with `event` and `ids`",
    );
    assert_refused(
        &good_but("        ids: responseElements.name\n", ""),
        "6:9: `ids` is missing here: JMESPath to the ids in the record, such as requestParameters.roleName",
    );
    assert_refused(
        &good_but("event: CreateThing\n        ids", "ids"),
        "6:9: `event` is missing here: the eventName, such as CreateRole",
    );
    assert_refused(
        &good_but("    id: Name\n", ""),
        "9:13: `id` is missing here: JMESPath to the id on the listed item",
    );
    assert_refused(&good_but("      items: Things\n", ""), "11:7: the key `items` is missing here");
    assert_refused("service: x\n", "1:1: the key `resources` is missing here");
    assert_refused(
        "resources:\n  - type: a\n    events: [{event: E, ids: '@'}]\n",
        "3:14: `service` is missing here: the eventSource, such as iam.amazonaws.com",
    );
}

#[test]
fn bad_jmespath_is_told_with_the_place_in_it() {
    assert_refused(
        &good_but("responseElements.name", "responseElements.["),
        "7:14: `responseElements.[` is not JMESPath: it ends too early (at character 19)",
    );
    assert_refused(
        &good_but("id: Name", "id: lenght(Name)"),
        "13:9: `lenght(Name)` is not JMESPath: there is no function lenght() (at character 1)",
    );
    assert_refused(
        &good_but("      items: Tags", "      items: é ]"),
        "17:14: `é ]` is not JMESPath: Invalid character: é (at character 1)",
    );
    assert_refused(
        &good_but("'{value}'", "'{a ~ b}'"),
        "21:32: `a ~ b` is not JMESPath: Invalid character: ~ (at character 3)",
    );
    assert_refused(
        &good_but("'?keys'", "'{key'"),
        "22:53: \"{key\" has a brace without its partner; write {{ or }} for a brace itself",
    );
}

#[test]
fn a_slip_in_the_records_fields_is_found() {
    assert_refused(
        &good_but("responseElements.name", "a || responseElement.name"),
        "7:14: CloudTrail's records have no field `responseElement`; did you mean `responseElements`?",
    );
    assert_refused(
        &good_but("responseElements.name", "requestparameters.name"),
        "7:14: CloudTrail's records have no field `requestparameters`; did you mean `requestParameters`?",
    );
    for good in ["region", "resources[].ARN", "userIdentity.arn", "requestParameters.responseElement", "@"] {
        compile(&good_but("responseElements.name", &format!("'{good}'").replace("'@'", "'@'")));
    }
}

#[test]
fn names_that_can_match_nothing_are_refused() {
    assert_refused(
        &good_but("ids: responseElements.name", "ids: '@'\n        service: iam"),
        "8:18: `iam` is not an eventSource; write iam.amazonaws.com",
    );
    assert_refused(
        &good_but("CreateThing", "'Create Thing'"),
        "6:16: `Create Thing` is not an eventName; write it as in the record, CreateRole",
    );
    assert_refused(
        &good_but("type: thing", "type: AWS::X::Thing"),
        "4:11: `AWS::X::Thing` is not a resource type: lower-case letters, digits and `-`, as iam-role",
    );
}

#[test]
fn the_protocol_decides_what_the_head_and_the_calls_hold() {
    let with_protocol = |protocol: &str| good_but("protocol: rest-json", &format!("protocol: {protocol}"));
    assert_refused(
        &with_protocol("query"),
        "2:11: this protocol needs `version`: the API's version, such as '2010-05-08'",
    );
    assert_refused(
        &with_protocol("json"),
        "2:11: this protocol needs `target`: what stands before the operation in X-Amz-Target",
    );
    assert_refused(&with_protocol("json\ntarget: T"), "2:11: this protocol needs `json`: '1.0' or '1.1'");
    assert_refused(
        &with_protocol("json\ntarget: T\njson: '2.0'"),
        "4:7: `2.0` is no version of AWS JSON; write '1.0' or '1.1'",
    );
    assert_refused(
        &with_protocol("rest-json\nversion: '1'"),
        "3:10: `version` is for protocol query and ec2 only; remove it",
    );
    assert_refused(
        &with_protocol("ec2\nversion: '1'"),
        "10:13: `GET /things` is not an operation of this protocol; write its name, such as ListRoles",
    );
    assert_refused(
        &good_but("call: GET /things", "call: ListThings"),
        "9:13: `ListThings` is not a REST call; write method and path, such as GET /clusters/{id}",
    );
    let query = with_protocol("query\nversion: '1'").replace("GET /things", "ListThings");
    assert_refused(&query, "11:16: `?max`: only REST protocols have a query string; leave out the ?");
    assert_refused(
        &query.replace("'?max'", "Max"),
        "13:14: the input parameter of the page token; a leading ? is for REST protocols only",
    );
    assert_refused(
        &good_but("protocol: rest-json\n", ""),
        "8:13: to list a type, the file needs `service` and `protocol` at its top",
    );
}

#[test]
fn endpoints_are_urls_in_their_partition() {
    let with = |endpoint: &str| good_but("service: x\n", &format!("service: x\nendpoints: {endpoint}\n"));
    assert_refused(
        &with("{aws: {url: iam.amazonaws.com, region: us-east-1}}"),
        "2:24: `iam.amazonaws.com` is not a URL that starts with https://",
    );
    assert_refused(
        &with("{aws-cn: {url: 'https://x', region: us-east-1}}"),
        "2:48: us-east-1 is in partition aws, not in `aws-cn`",
    );
    assert_refused(
        &with("{aws: {url: 'https://x', region: global}}"),
        "2:45: \"global\" is not a region code such as eu-west-1",
    );
}

#[test]
fn placeholders_have_a_value_where_they_stand() {
    assert_refused(
        &good_but("{'?max': 10}", "{max: ['{Name}']}"),
        "10:22: {Name} has no value in `list`; known here: {account} {region} {partition}; there is no single item to take others from",
    );
    assert_refused(
        &good_but("{'?keys': '{key}'}", "{'{key}': '{value}'}"),
        "22:62: {value} has no value in `remove`; known here: {id} {arn} {key} {account} {region} {partition} and JMESPath on the item",
    );
    assert_refused(
        &good_but("thing/{id}", "thing/{parent}"),
        "14:10: {parent} has no value in `arn`; known here: {id} {account} {region} {partition} and JMESPath on the item",
    );
    assert_refused(
        &good_but("call: GET /tags/{arn}", "call: GET /tags/{arns}"),
        "16:13: {arns} has no value in `tags` without `batch`; known here: {id} {arn} {account} {region} {partition} and JMESPath on the item",
    );
    assert_refused(
        &good_but("      items: Tags", "      items: Tags\n      batch: 20"),
        "16:13: {arn} has no value in `tags` with `batch`; known here: {arns} {ids} {account} {region} {partition}; there is no single item to take others from",
    );
    assert_refused(
        &good_but(
            "call: GET /tags/{arn}\n",
            "call: GET /tags\n      batch: 20\n      params: {arns: '{arns}'}\n      page: [t, T]\n",
        ),
        "19:13: `page` is for calls that read one resource, without `batch`",
    );
    compile(&good_but("      items: Tags", "      items: Tags\n      page: ['?token', NextToken]"));
    compile(&good_but("thing/{id}", "thing/{@.parent}-{Name}"));
    compile(&good_but("call: GET /tags/{arn}\n", "call: GET /tags\n      batch: 20\n      params: {arns: '{arns}'}\n"));
}

#[test]
fn calls_take_something_from_what_they_are_for() {
    assert_refused(
        &good_but("call: GET /tags/{arn}", "call: GET /tags/{region}"),
        "16:13: the call reads the same for every resource; use '{id}' or '{arn}', or '{ids}' or '{arns}' with `batch`",
    );
    let describe = |batch: &str| {
        good_but(
            "items: Things\n",
            &format!("items: Things\n      describe: {{call: GET /x, params: {{x: 1}}, items: y{batch}}}\n"),
        )
    };
    assert_refused(
        &describe(""),
        "12:24: `describe` takes nothing from the listed items; put '{items}' into its params",
    );
    assert_refused(
        &describe(", batch: 2").replace("x: 1", "x: '{Name}'"),
        "12:44: {Name} has no value in `describe`; known here: {items} {account} {region} {partition}; there is no single item to take others from",
    );
    compile(&describe("").replace("x: 1", "x: '{Name}'"));
    compile(&describe(", batch: 2").replace("x: 1", "x: '{items}'"));
}

#[test]
fn tag_reading_is_whole() {
    assert_refused(
        &good_but("    tags:\n      call: GET /tags/{arn}\n      items: Tags\n", "    tags: {}\n"),
        "15:11: `tags` says nothing: give `path`, `rgta` or `call`",
    );
    assert_refused(
        &good_but("      call: GET /tags/{arn}\n      items: Tags\n", "      path: Tags\n      absent: [X]\n"),
        "17:15: `absent` is of no use without `call`",
    );
    assert_refused(
        &good_but("      items: Tags\n", ""),
        "16:13: `items` is missing here: JMESPath from the answer to the tags",
    );
}

#[test]
fn tags_of_one_resource_may_come_in_pages() {
    let with = |more: &str| good_but("      items: Tags\n", &format!("      items: Tags\n{more}"));
    let access = compile(&with("      page: ['?next', Next]\n")).remove(0).definition.access.unwrap();
    assert_eq!(access.tags.request.unwrap().page.unwrap().send, "?next");
    let batch = with("      batch: 20\n      page: [a, b]\n").replace("GET /tags/{arn}", "GET /tags/{arns}");
    assert_refused(&batch, "19:13: `page` is for calls that read one resource, without `batch`");
    assert_refused(
        &good_but("      call: GET /tags/{arn}\n      items: Tags\n", "      rgta: x\n      page: [a, b]\n"),
        "17:13: `page` is of no use without `call`",
    );
}

#[test]
fn tag_writing_is_whole() {
    const PARAMS: &str = "      params: {Tags: {'{key}': '{value}'}}\n";
    const REMOVE: &str = "      remove: {call: 'DELETE /tags/{arn}', params: {'?keys': '{key}'}}\n";
    let all = [PARAMS, REMOVE].concat();
    let with_call = |rest: &str| good_but(&all, rest);
    assert_refused(
        &with_call(PARAMS),
        "20:13: `remove` is missing here: the call that takes a tag away again, for undo",
    );
    assert_refused(
        &with_call(&format!("      params: {{Tags: '{{tags}}'}}\n{REMOVE}")),
        "22:15: a write with '{tags}' replaces all tags and so needs no `remove`",
    );
    compile(&with_call("      params: {Tags: '{tags}'}\n"));
    let which = "20:13: `params` must hold either '{key}' and '{value}', or '{tags}' where the call replaces all tags";
    assert_refused(&with_call(""), which);
    assert_refused(&with_call("      params: {Tags: '{tags}', Key: '{key}'}\n"), which);
    assert_refused(&with_call(&format!("      params: {{Key: '{{key}}'}}\n{REMOVE}")), which);
    assert_refused(
        &good_but("'?keys': '{key}'", "a: b"),
        "22:22: `remove` doesn't say which tag: put '{key}' into its params",
    );
    let call = format!("      call: POST /tags/{{arn}}\n{all}");
    assert_refused(
        &good_but(&format!("rgta\n{call}"), "native\n"),
        "19:7: method native needs `call`, the service's own call that writes a tag",
    );
    assert_refused(
        &good_but("method: rgta", "method: ec2"),
        "20:13: this method knows its call; remove `call`, or use method native",
    );
    assert_refused(&good_but("      call: POST /tags/{arn}\n", ""), "20:15: `params` is of no use without `call`");
}

#[test]
fn without_list_nothing_else_may_be_said_of_reaching_the_type() {
    let events_only = "service: x\nresources:\n  - type: thing\n    events: [{event: E, ids: '@'}]\n";
    assert!(compile(events_only)[0].definition.access.is_none());
    assert_refused(
        &format!("{events_only}    arn: Arn\n"),
        "5:10: `arn` is of no use without `list`; add `list`, or leave the built-in ways by removing `arn`",
    );
}

#[test]
fn broken_yaml_is_told_with_its_place() {
    assert_refused(
        &good_but("    list:", "   list:"),
        "8:4: while parsing a block collection, did not find expected '-' indicator",
    );
    assert_refused(
        &good_but("type: thing", "type: thing\n    type: thing"),
        "5:5: the key `type` stands here a second time; remove one of them",
    );
    assert_refused("", "1:1: the file is empty or ends too early");
    assert_refused("- a\n", "1:1: a mapping (key: value) is expected here");
    assert_refused("service: x\nresources: {}\n", "2:12: a list is expected here");
}

/// The example of c7n-trailcreator's readme.
const README: &str = r#"{
  "resources": [
    {
      "resource": "iam-role",
      "events": [
        {
          "event": "CreateRole",
          "ids": "requestParameters.roleName",
          "service": "iam.amazonaws.com"
        }
      ]
    },
    {
      "resource": "s3",
      "events": [
        {
          "ids": "requestParameters.bucketName",
          "event": "CreateBucket",
          "service": "s3.amazonaws.com"
        }
      ]
    },
    {
      "resource": "aws.iam-user",
      "shape": "User",
      "events": [
        {
          "event": "CreateUser",
          "ids": "requestParameters.userName",
          "service": "iam.amazonaws.com"
        }
      ]
    }
  ]
}
"#;

#[test]
fn c7n_trailcreators_map_works_unchanged() {
    let types = compile(README);
    let found: Vec<_> = types
        .iter()
        .map(|compiled| {
            let event = &compiled.events[0];
            let resource_type = compiled.definition.resource_type.as_str();
            (resource_type, event.source.as_str(), event.name.as_str(), event.rule.ids.source())
        })
        .collect();
    assert_eq!(
        found,
        [
            ("iam-role", "iam.amazonaws.com", "CreateRole", "requestParameters.roleName"),
            ("s3", "s3.amazonaws.com", "CreateBucket", "requestParameters.bucketName"),
            ("iam-user", "iam.amazonaws.com", "CreateUser", "requestParameters.userName"),
        ]
    );
}

#[test]
fn c7n_trailcreators_map_is_checked_too() {
    let but = |from: &str, to: &str| README.replacen(from, to, 1);
    assert_refused(
        &but("\"events\"", "\"eventz\""),
        "5:7: unknown key `eventz`; did you mean `events`? Allowed here: resource, shape, events",
    );
    assert_refused(
        &but("          \"ids\": \"requestParameters.roleName\",\n", ""),
        "6:9: `ids` is missing here: JMESPath to the ids in the record, such as requestParameters.roleName",
    );
    assert_refused(
        &but("\"requestParameters.roleName\"", "\"requestParameters..roleName\""),
        "8:18: `requestParameters..roleName` is not JMESPath: Expected identifier, '*', '{', '[', '&', or '[?' -- found Dot (at character 19)",
    );
    assert_refused(
        &but("\"resource\"", "\"resourse\""),
        "4:7: unknown key `resourse`; did you mean `resource`? Allowed here: resource, shape, events",
    );
    assert_refused(
        "{\"resourcez\": []}",
        "1:2: unknown key `resourcez`; did you mean `resources`? Allowed here: resources",
    );
}

#[test]
fn the_content_tells_the_format() {
    let json_of_ours = r#"{"resources":[{"type":"thing","events":[{"event":"E","service":"a.b","ids":"@"}]}]}"#;
    assert!(compile(json_of_ours)[0].tells_actions);
    let yaml_of_c7n = "resources:\n- resource: thing\n  events:\n  - {event: E, service: a.b, ids: '@'}\n";
    assert!(!compile(yaml_of_c7n)[0].tells_actions);
}

#[test]
fn any_json_is_read() {
    let text = "\u{feff}{\r\n\t\"resources\"\t:\r\n[{\"resource\":\"a\\u002db\",\"shape\":{\"x\":[1.5e3,true,null,\"\\/\\ud83d\\ude00\\b\u{7f}\"]},\
                \"events\":[\n{\"event\":\"E\",\"service\":\"a.b\",\"ids\":\"requestParameters.\\\"x-y\\\" || 'a\\\\'\\\\/'\"}]}]}";
    assert!(serde_json::from_str::<serde_json::Value>(text.trim_start_matches('\u{feff}')).is_ok());
    let types = compile(text);
    assert_eq!(types[0].definition.resource_type.as_str(), "a-b");
    assert_eq!(types[0].events[0].rule.ids.source(), "requestParameters.\"x-y\" || 'a\\'\\/'");
}

proptest::proptest! {
    /// JSON goes through the YAML parser, which must take every text that JSON can hold.
    #[test]
    fn any_json_text_is_read(shape in r"(\PC|[\x00-\u{a0}]|[\u{2020}-\u{2030}]|[\u{fef0}-\u{10010}]){0,9}", pretty in proptest::prelude::any::<bool>()) {
        let map = json!({"resources": [{"resource": "a", "shape": {&shape: [&shape]}, "events":
            [{"event": "E", "service": "a.b", "ids": "requestParameters.x"}]}]});
        let text = if pretty { serde_json::to_string_pretty(&map) } else { serde_json::to_string(&map) }.unwrap();
        assert_eq!(compile(&text).len(), 1);
    }
}
