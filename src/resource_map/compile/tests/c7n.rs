//! c7n-trailcreator's maps, and the detection of the format.

use serde_json::json;

use super::{assert_refused, compile};

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
fn the_content_decides_the_format() {
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
