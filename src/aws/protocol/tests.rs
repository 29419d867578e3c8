use aws_smithy_runtime_api::http::{Response, StatusCode};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::*;

fn service(protocol: Protocol) -> Service {
    Service { protocol, version: Some("2010-05-08".to_owned()), ..Service::json("example", "Example", "Example_2020") }
}

fn header<'a>(request: &'a WireRequest, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

#[test]
fn json_names_its_operation_in_a_header() {
    let made = request(&service(Protocol::Json), "ListThings", &json!({"limit": 3})).unwrap();
    assert_eq!((made.method.as_str(), made.path.as_str(), made.body.as_str()), ("POST", "/", r#"{"limit":3}"#));
    assert_eq!(header(&made, "x-amz-target"), Some("Example_2020.ListThings"));
    assert_eq!(header(&made, "content-type"), Some("application/x-amz-json-1.1"));
    let without_target = Service { target: None, ..service(Protocol::Json) };
    assert!(request(&without_target, "ListThings", &json!({})).is_err());
}

#[test]
fn query_flattens_nested_input_in_order() {
    let input =
        json!({"Tags": {"member": [{"Key": "a b", "Value": "ü&="}]}, "Flag": true, "Max": 5, "Not": null, "None": []});
    for protocol in [Protocol::Query, Protocol::Ec2] {
        assert_eq!(
            request(&service(protocol), "TagRole", &input).unwrap().body,
            "Action=TagRole&Version=2010-05-08&Tags.member.1.Key=a%20b&Tags.member.1.Value=%C3%BC%26%3D&Flag=true&Max=5"
        );
    }
}

#[test]
fn rest_sends_marked_keys_in_the_query_string_and_the_rest_in_the_body() {
    let input = json!({"?tagKeys": ["a/b", "c"], "?max": 5, "?none": null, "tags": {"k": "v"}});
    let made = request(&service(Protocol::RestJson), "POST /tags/arn%3Aaws?x", &input).unwrap();
    assert_eq!(made.method, "POST");
    assert_eq!(made.path, "/tags/arn%3Aaws?x&tagKeys=a%2Fb&tagKeys=c&max=5");
    assert_eq!(made.body, r#"{"tags":{"k":"v"}}"#);
    let read = request(&service(Protocol::RestJson), "GET /things", &json!({})).unwrap();
    assert_eq!((read.path.as_str(), read.body.as_str(), header(&read, "content-type")), ("/things", "", None));
    assert_eq!(header(&read, "accept"), Some("application/json"));
    assert_eq!(
        request(&service(Protocol::RestJson), "ListThings", &json!({})),
        Err(InvalidCall::NotRest("ListThings".to_owned()))
    );
}

#[test]
fn s3_bodies_have_its_name_space_and_a_checksum() {
    let s3 = Service {
        signing: "s3".to_owned(),
        namespace: Some("http://s3.amazonaws.com/doc/2006-03-01/".to_owned()),
        ..service(Protocol::RestXml)
    };
    let input = json!({"Tagging": {"TagSet": {"Tag": [{"Key": "<a>", "Value": "&"}, {"Key": "b", "Value": ""}]}}});
    let made = request(&s3, "PUT /bucket?tagging", &input).unwrap();
    assert_eq!(
        made.body,
        "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet><Tag><Key>&lt;a&gt;</Key><Value>&amp;</Value></Tag>\
         <Tag><Key>b</Key><Value></Value></Tag></TagSet></Tagging>"
    );
    assert_eq!(header(&made, "x-amz-checksum-sha256").map(str::len), Some(44));
    let other = request(&service(Protocol::RestXml), "PUT /x", &json!({"A": 1})).unwrap();
    assert_eq!((other.body.as_str(), header(&other, "x-amz-checksum-sha256")), ("<A>1</A>", None));
    let two = request(&service(Protocol::RestXml), "PUT /x", &json!({"A": 1, "B": 2}));
    assert_eq!(two, Err(InvalidCall::NotOneRoot(2)));
    assert!(request(&service(Protocol::RestXml), "PUT /x", &json!({"A><B": 1})).is_err());
}

#[test]
fn rest_sends_marked_keys_as_headers() {
    let input = json!({"^x-amz-account-id": "123456789012", "^x-none": null, "tags": {"k": "v"}});
    let made = request(&service(Protocol::RestJson), "GET /things", &input).unwrap();
    assert_eq!(header(&made, "x-amz-account-id"), Some("123456789012"));
    assert_eq!((header(&made, "x-none"), made.body.as_str()), (None, r#"{"tags":{"k":"v"}}"#));
}

fn read_xml(text: &str) -> Value {
    xml::parse(text.as_bytes()).unwrap().content
}

#[test]
fn xml_becomes_json_by_the_documented_rules() {
    assert_eq!(
        read_xml("<R><set><item><id>1</id></item></set><n/><a>x</a><a>y</a><b>z</b></R>"),
        json!({"set": [{"id": "1"}], "n": null, "a": ["x", "y"], "b": "z"})
    );
    assert_eq!(read_xml("<R><set>\n  <member>1</member>\n  <member/>\n</set></R>"), json!({"set": ["1", null]}));
    assert_eq!(read_xml("<R xmlns='urn:x'><x:v xmlns:x='urn:y' t='1'>1</x:v></R>"), json!({"v": "1"}));
    assert_eq!(
        read_xml("<R><v>a &lt;&amp;&#x263a;<![CDATA[<b>]]></v><w> </w><x>\n </x></R>"),
        json!({"v": "a <&☺<b>", "w": " ", "x": null})
    );
    assert_eq!(read_xml("<?xml version='1.0'?><R/>"), Value::Null);
}

#[test]
fn query_answers_lose_their_wrappers() {
    let read = |text: &str| query::result_of(xml::parse(text.as_bytes()).unwrap().content);
    assert_eq!(
        read(
            "<R><ListResult><Roles><member>a</member></Roles></ListResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></R>"
        ),
        json!({"Roles": ["a"]})
    );
    assert_eq!(read("<R><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></R>"), Value::Null);
    assert_eq!(read("<R><ListResult/></R>"), Value::Null);
}

#[test]
fn broken_deep_and_booby_trapped_answers_are_errors() {
    let refused = |text: &str| xml::parse(text.as_bytes()).is_err();
    let json = |body: &[u8]| answer(&service(Protocol::Json), "TagThing", Effect::Write, body);
    assert!(refused("<a><b></a>"));
    assert!(refused("<a><b>"));
    assert!(refused("</a>"));
    assert!(refused("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"));
    assert!(refused(&"<a>".repeat(1_000_000)));
    assert!(json("[".repeat(1_000_000).as_bytes()).is_err());
    assert!(json(b"<html>").is_err());
    assert_eq!(json(b"").unwrap(), json!({}));
}

/// Answers with status 200 that no operation gives.
const FOREIGN: [&str; 12] = [
    "",
    " \n",
    "busy",
    "null",
    "[]",
    "\"\"",
    "<html><body>busy</body></html>",
    "<Error><Code>SlowDown</Code></Error>",
    "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>",
    "<Foreign/>",
    r#"{"__type":"InternalFailure","message":"m"}"#,
    "{\"tags\": [",
];

#[test]
fn reads_believe_only_an_answer_of_their_operation() {
    for (protocol, name, operation, good) in [
        (Protocol::Json, "ecr", "ListTagsForResource", r#"{"tags":[]}"#),
        (Protocol::RestJson, "lambda", "GET /2017-03-31/tags/x", r#"{"Tags":{}}"#),
        (
            Protocol::Query,
            "rds",
            "ListTagsForResource",
            "<ListTagsForResourceResponse><ListTagsForResourceResult><TagList/></ListTagsForResourceResult></ListTagsForResourceResponse>",
        ),
        (Protocol::Ec2, "ec2", "DescribeTags", "<DescribeTagsResponse><tagSet/></DescribeTagsResponse>"),
        (Protocol::RestXml, "s3", "GET /b?tagging", "<Tagging><TagSet/></Tagging>"),
    ] {
        let service = Service { name: name.to_owned(), ..service(protocol) };
        let read = |body: &str| answer(&service, operation, Effect::Read, body.as_bytes());
        assert!(read(good).is_ok(), "{protocol:?}: {:?}", read(good));
        for foreign in FOREIGN {
            assert!(read(foreign).is_err(), "{protocol:?}: {foreign}");
        }
        assert!(read(&good[..good.len() - 1]).is_err(), "{protocol:?}: truncated");
        assert!(read(&format!("{good}{good}")).is_err(), "{protocol:?}: twice");
    }
    let s3 = Service { name: "s3".to_owned(), ..service(Protocol::RestXml) };
    assert!(answer(&s3, "GET /b?tagging", Effect::Read, b"<Tagging/>").is_err());
}

#[test]
fn writes_believe_an_empty_answer_only_where_the_model_has_no_output() {
    let written = |protocol, name: &str, operation: &str, body: &str| {
        let service = Service { name: name.to_owned(), ..service(protocol) };
        answer(&service, operation, Effect::Write, body.as_bytes()).is_ok()
    };
    for (protocol, name, operation, good, bad) in [
        (Protocol::Json, "kms", "TagResource", &["", "{}"][..], &[r#"{"message":"no"}"#][..]),
        (Protocol::Json, "sagemaker", "AddTags", &[r#"{"Tags":[]}"#], &["", "{}"]),
        (Protocol::RestXml, "s3", "PUT /b?tagging", &[""], &["<Tagging/>"]),
        (
            Protocol::RestXml,
            "route53",
            "POST /2013-04-01/tags/hostedzone/Z1",
            &["<ChangeTagsForResourceResponse xmlns='x'/>"],
            &["", "<Error/>"],
        ),
        (
            Protocol::Ec2,
            "ec2",
            "CreateTags",
            &[
                "<CreateTagsResponse><return>true</return></CreateTagsResponse>",
                "<CreateTagsResponse><requestId>r</requestId></CreateTagsResponse>",
            ],
            &[
                "",
                "<CreateTagsResponse/>",
                "<CreateTagsResponse><requestId>r</requestId><return>false</return></CreateTagsResponse>",
            ],
        ),
        (Protocol::Query, "iam", "TagRole", &["<TagRoleResponse/>"], &["", "{}", "<TagUserResponse/>"]),
    ] {
        assert!(good.iter().all(|body| written(protocol, name, operation, body)), "{name}:{operation}");
        assert!(!bad.iter().any(|body| written(protocol, name, operation, body)), "{name}:{operation}");
        let not_blank = FOREIGN.iter().filter(|body| !body.trim().is_empty());
        for foreign in not_blank {
            assert!(!written(protocol, name, operation, foreign), "{name}:{operation}: {foreign}");
        }
    }
}

fn error(status: u16, headers: &[(&'static str, &'static str)], body: &'static str) -> (String, String, String) {
    let mut response = Response::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body));
    for (name, value) in headers {
        response.headers_mut().insert(*name, *value);
    }
    let read = error_answer::read(&response);
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    (text(read.code()), text(read.message()), text(read.extra(error_answer::REQUEST_ID)))
}

#[test]
fn error_codes_are_found_in_every_protocol() {
    let three = |code: &str, message: &str, id: &str| (code.to_owned(), message.to_owned(), id.to_owned());
    assert_eq!(
        error(400, &[("x-amzn-requestid", "7")], r#"{"__type":"com.amazon#NoSuch","message":"gone"}"#),
        three("NoSuch", "gone", "7")
    );
    assert_eq!(
        error(400, &[("x-amzn-query-error", "AWS.SQS.NonExistentQueue;Sender")], r#"{"__type":"other"}"#),
        three("AWS.SQS.NonExistentQueue", "", "")
    );
    assert_eq!(
        error(404, &[("x-amzn-errortype", "NotFoundException:http://x/")], r#"{"Message":"m"}"#),
        three("NotFoundException", "m", "")
    );
    assert_eq!(
        error(
            400,
            &[],
            "<ErrorResponse><Error><Type>Sender</Type><Code>C</Code><Message>m</Message></Error><RequestId>9</RequestId></ErrorResponse>"
        ),
        three("C", "m", "9")
    );
    assert_eq!(
        error(
            400,
            &[],
            "<Response><Errors><Error><Code>C</Code><Message>m</Message></Error></Errors><RequestID>9</RequestID></Response>"
        ),
        three("C", "m", "9")
    );
    assert_eq!(
        error(404, &[("x-amz-request-id", "5")], "<Error><Code>NoSuchTagSet</Code><Message>m</Message></Error>"),
        three("NoSuchTagSet", "m", "5")
    );
    assert_eq!(error(503, &[], "<html>busy"), three("HTTP 503", "", ""));
}
