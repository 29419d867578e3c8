//! What a file is refused for, with the exact place.

use super::{GOOD, assert_refused, compile, good_but, refused};
use crate::resource_map::TagKeys;

#[test]
fn a_misspelt_key_names_the_nearest() {
    assert_refused(
        &good_but("    events:", "    eventz:"),
        "5:5: unknown key `eventz`; did you mean `events`? Allowed here: type, cloudformation, aliases, global, doubts, events, deletes, renames, \
         list, id, names, made_with, parents, arn, arn_forms, ignore_case, region, tags, tag_keys, write",
    );
    assert_refused(
        &good_but("        ids:", "        id:"),
        "7:9: unknown key `id`; did you mean `ids`? Allowed here: event, service, ids, names, upsert, doubts",
    );
    assert_refused(
        &good_but("      method: rgta", "      zzz: rgta"),
        "19:7: unknown key `zzz`; allowed here: method, call, action, params, remove, when, service, otherwise, updates",
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
fn a_missing_key_is_named_at_its_stanza() {
    assert_refused(
        &good_but("    events:\n      - event: CreateThing\n        ids: responseElements.name\n", ""),
        "4:5: `events` is missing here: the events that create a resource, each with `event` and `ids`",
    );
    assert_refused(
        &good_but("\n      - event: CreateThing\n        ids: responseElements.name\n", " []\n"),
        "5:13: `events` is empty: list the events that create a resource, each with `event` and `ids`",
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
fn bad_jmespath_is_an_error_with_the_character() {
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
        "22:53: \"{key\" has an unmatched brace; write {{ or }} for a brace itself",
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
        "2:11: this protocol needs `target`: the part of X-Amz-Target before the operation",
    );
    assert_refused(&with_protocol("json\ntarget: T"), "2:11: this protocol needs `json`: '1.0' or '1.1'");
    assert_refused(
        &with_protocol("json\ntarget: T\njson: '2.0'"),
        "4:7: `2.0` is not a version of AWS JSON; write '1.0' or '1.1'",
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
        "16:13: the call is the same for every resource; use '{id}' or '{arn}', or '{ids}' or '{arns}' with `batch`",
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
        "15:11: `tags` is empty: give `path`, `rgta` or `call`",
    );
    assert_refused(
        &good_but("      call: GET /tags/{arn}\n      items: Tags\n", "      path: Tags\n      absent: [X]\n"),
        "17:15: `absent` needs `call`",
    );
    assert_refused(
        &good_but("      items: Tags\n", ""),
        "16:13: `items` is missing here: JMESPath from the answer to the tags",
    );
}

#[test]
fn tags_of_one_resource_may_come_in_pages() {
    let with = |more: &str| good_but("      items: Tags\n", &format!("      items: Tags\n{more}"));
    let access = compile(&with("      page: ['?next', Next]\n")).remove(0).definition.access.into_inner().unwrap();
    assert_eq!(access.tags.request.unwrap().page.unwrap().send, "?next");
    let batch = with("      batch: 20\n      page: [a, b]\n").replace("GET /tags/{arn}", "GET /tags/{arns}");
    assert_refused(&batch, "19:13: `page` is for calls that read one resource, without `batch`");
    assert_refused(
        &good_but("      call: GET /tags/{arn}\n      items: Tags\n", "      rgta: x\n      page: [a, b]\n"),
        "17:13: `page` needs `call`",
    );
}

#[test]
fn tag_writing_is_whole() {
    const PARAMS: &str = "      params: {Tags: {'{key}': '{value}'}}\n";
    const REMOVE: &str = "      remove: {call: 'DELETE /tags/{arn}', params: {'?keys': '{key}'}}\n";
    let all = [PARAMS, REMOVE].concat();
    let with_call = |rest: &str| good_but(&all, rest);
    assert_refused(&with_call(PARAMS), "20:13: `remove` is missing here: the call that removes the tag, for undo");
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
        "20:13: this method has its own call; remove `call`, or use method native",
    );
    assert_refused(&good_but("      call: POST /tags/{arn}\n", ""), "20:15: `params` needs `call`");
}

#[test]
fn side_effects_say_what_happens_and_where_aws_says_so() {
    const PAGE: &str = "https://docs.aws.amazon.com/thing/latest/dg/tags.html";
    let with = |updates: &str| good_but("method: rgta\n", &format!("method: rgta\n      updates: {updates}\n"));
    let compiled = compile(&with(&format!("{{what: the thing restarts, page: '{PAGE}'}}"))).remove(0);
    let updates = compiled.definition.access.into_inner().unwrap().write.unwrap().updates.unwrap();
    assert_eq!((updates.what.as_str(), updates.page.as_str()), ("the thing restarts", PAGE));
    assert_refused(
        &with("{what: the thing restarts}"),
        "20:16: `page` is missing here: the page of AWS's documentation that says so",
    );
    assert_refused(
        &with(&format!("{{page: '{PAGE}'}}")),
        "20:16: `what` is missing here: one sentence on what else writing a tag does",
    );
    assert_refused(
        &with("{what: it restarts, page: 'https://example.com'}"),
        "20:42: `page` is not a page of AWS's documentation: it must begin with https://docs.aws.amazon.com/",
    );
    assert_refused(
        &with(&format!("{{what: ' ', page: '{PAGE}'}}")),
        "20:23: `what` is empty: say what else writing a tag does",
    );
}

#[test]
fn without_list_nothing_else_may_be_said_of_reaching_the_type() {
    let events_only = "service: x\nresources:\n  - type: thing\n    events: [{event: E, ids: '@'}]\n";
    assert!(compile(events_only)[0].definition.access.is_none());
    assert_refused(
        &format!("{events_only}    arn: Arn\n"),
        "5:10: `arn` needs `list`; add `list`, or keep the built-in definition by removing `arn`",
    );
}

#[test]
fn tag_keys_are_compared_with_case_unless_the_map_says_otherwise() {
    let rule = |text: &str| compile(&good_but("    list:", &format!("{text}    list:")))[0].definition.tag_keys();
    assert_eq!(rule(""), TagKeys::MatchCase);
    assert_eq!(rule("    tag_keys: match-case\n"), TagKeys::MatchCase);
    assert_eq!(rule("    tag_keys: ignore-case\n"), TagKeys::IgnoreCase);
    assert_refused(
        "service: x\nresources:\n  - type: thing\n    events: [{event: E, ids: '@'}]\n    tag_keys: ignore-case\n",
        "5:15: `tag_keys` needs `list`; add `list`, or keep the built-in definition by removing `tag_keys`",
    );
    assert_refused(
        &good_but("    list:", "    tag_keys: ignore_case\n    list:"),
        "8:15: `ignore_case` is not allowed here; did you mean `ignore-case`? Allowed here: match-case, ignore-case",
    );
}

#[test]
fn broken_yaml_is_an_error_with_line_and_column() {
    assert_refused(
        &good_but("    list:", "   list:"),
        "8:4: while parsing a block collection, did not find expected '-' indicator",
    );
    assert_refused(
        &good_but("type: thing", "type: thing\n    type: thing"),
        "5:5: the key `type` is given twice; remove one of them",
    );
    assert_refused("", "1:1: the file is empty or ends too early");
    assert_refused("- a\n", "1:1: a mapping (key: value) is expected here");
    assert_refused("service: x\nresources: {}\n", "2:12: a list is expected here");
}

#[test]
fn a_call_to_fall_back_on_is_checked_like_the_first() {
    let with = |lines: &str| format!("{GOOD}      otherwise:\n{lines}");
    let all = "        call: PUT /tags/{arn}\n        params: {Tags: '{tags}'}\n";
    let access = compile(&with(all)).remove(0).definition.access.into_inner().unwrap();
    let write = access.write.unwrap();
    let ways: Vec<_> = write.native.unwrap().ways().map(|way| way.add.call().to_owned()).collect();
    assert_eq!(ways, ["POST /tags/{arn}", "PUT /tags/{arn}"]);
    let of_s3control = format!("{all}        service: s3control\n");
    assert_refused(
        &with(&of_s3control),
        "24:15: the file's `endpoint` takes `^x-amz-account-id` from each call: add it to `params`",
    );
    assert_refused(
        &with(&format!("{all}        service: s4\n")),
        "26:18: there is no built-in map of service `s4`; write botocore's name of the service, such as s3control",
    );
    assert_refused(
        &with("        call: PUT /tags/{arn}\n"),
        "24:15: `params` must hold either '{key}' and '{value}', or '{tags}' where the call replaces all tags",
    );
    let replacing = with("        call: POST /tags/{arn}\n        params: {'{key}': '{value}'}\n        remove: {call: 'DELETE /tags/{arn}', params: {'?keys': '{key}'}}\n")
        .replace("      params: {Tags: {'{key}': '{value}'}}\n      remove: {call: 'DELETE /tags/{arn}', params: {'?keys': '{key}'}}\n", "      params: {Tags: '{tags}'}\n");
    let error = refused(&replacing);
    assert!(error.ends_with("the one that adds a tag comes first"), "{error}");
}

#[test]
fn tags_can_be_read_by_another_call_but_not_beside_a_batch() {
    let other = "      otherwise: {service: s3control, call: 'GET /tags/{arn+}', params: {'^x-amz-account-id': '{account}'}, items: Tags}\n";
    let text = good_but("      items: Tags\n", &format!("      items: Tags\n{other}"));
    let tags = compile(&text).remove(0).definition.access.into_inner().unwrap().tags.request.unwrap();
    let services: Vec<_> = tags.ways().map(|way| way.service.name.clone()).collect();
    assert_eq!(services, ["x", "s3control"]);
    let batch = text.replace("GET /tags/{arn}\n", "GET /tags/{arns}\n      batch: 5\n");
    let error = refused(&batch);
    assert!(error.ends_with("`otherwise` is for calls that read one resource, without `batch`"), "{error}");
}
