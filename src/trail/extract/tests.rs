//! The results for records, with the rules of the tests.

use super::*;
use crate::model::event::Action;
use crate::model::event::Identity;
use crate::resource_map::Expression;
use crate::trail::samples::{map, record};
use serde_json::json;

fn read_value(rules: &[(&str, &str, &str, Action, &str)], record: &Value) -> Extraction {
    read(&map(rules), &RecordFilter::default(), &Fields::parse(&record.to_string()).unwrap())
}

fn ids(expression: &str, record: &Value) -> Vec<String> {
    let rules = [("s3.amazonaws.com", "CreateBucket", "s3", Action::Create, expression)];
    match read_value(&rules, record) {
        Extraction::Touched(event) => event.touched.into_iter().map(|t| t.resource_id.to_string()).collect(),
        Extraction::WithoutIds { call } => {
            assert_eq!(call, "s3.amazonaws.com:CreateBucket");
            vec![]
        }
        other => panic!("{other:?}"),
    }
}

fn bucket(parameters: &Value) -> Value {
    record("s3.amazonaws.com", "CreateBucket", &json!({"requestParameters": parameters}))
}

#[test]
fn empty_error_code_means_success() {
    let rules = [("s3.amazonaws.com", "CreateBucket", "s3", Action::Create, "requestParameters.bucketName")];
    let read = |field: &str, value: Value| {
        let mut record = bucket(&json!({"bucketName": "b"}));
        record[field] = value;
        read_value(&rules, &record)
    };
    for field in ["errorCode", "errorMessage"] {
        assert_eq!(read(field, json!("AccessDenied")), Extraction::Unmatched);
        assert!(
            matches!(read(field, json!("")), Extraction::Touched(_))
                && matches!(read(field, json!(null)), Extraction::Touched(_))
        );
    }
}

#[test]
fn string_or_number_is_one_id_and_a_list_is_many() {
    let found = |value: Value| ids("requestParameters.x", &bucket(&json!({ "x": value })));
    assert_eq!(found(json!("a, b")), ["a, b"]);
    assert_eq!(found(json!(12)), ["12"]);
    assert_eq!(found(json!(["a", null, ["b", [3]], "", true, {"k": "v"}, "a", HIDDEN])), ["a", "b", "3"]);
    for none in [json!(null), json!(""), json!(HIDDEN), json!(true), json!({"a": "b"}), json!([]), json!([[]])] {
        assert!(found(none).is_empty());
    }
}

#[test]
fn null_or_absent_requests_and_responses_give_no_id() {
    let mut record = bucket(&Value::Null);
    assert!(ids("requestParameters.x", &record).is_empty());
    record.as_object_mut().unwrap().remove("requestParameters");
    assert!(ids("requestParameters.x || responseElements.y", &record).is_empty());
    assert!(ids("join('/', [requestParameters.a])", &record).is_empty());
}

#[test]
fn aliases_of_c7n_trailcreator_work() {
    let mut record = bucket(&Value::Null);
    let joined = "join('|', [region, accountId, userType, userArn, userName])";
    assert_eq!(ids(joined, &record), ["eu-west-1|123456789012|IAMUser|arn:aws:iam::123456789012:user/ann|ann"]);
    record["userIdentity"] = json!({"invokedBy": "AWS Internal"});
    assert_eq!(ids("invokedBy", &record), ["AWS Internal"]);
    assert_eq!(ids("userIdentity.invokedBy", &record), ["AWS Internal"]);
}

#[test]
fn every_matching_rule_adds_its_resources_once() {
    let run = |kind, ids| ("ec2.amazonaws.com", "RunInstances", kind, Action::Create, ids);
    let rules = [
        run("ec2", "responseElements.instancesSet.items[].instanceId"),
        run("eni", "responseElements.instancesSet.items[].networkInterfaceSet.items[].networkInterfaceId"),
        run("ec2", "responseElements.instancesSet.items[0].instanceId"),
    ];
    let instances = json!({"responseElements": {"instancesSet": {"items": [
        {"instanceId": "i-1", "networkInterfaceSet": {"items": [{"networkInterfaceId": "eni-1"}]}},
        {"instanceId": "i-2"},
    ]}}});
    let Extraction::Touched(event) = read_value(&rules, &record("ec2.amazonaws.com", "RunInstances", &instances))
    else {
        panic!()
    };
    let touched: Vec<_> = event.touched.iter().map(|t| format!("{} {}", t.resource_type, t.resource_id)).collect();
    assert_eq!(touched, ["ec2 i-1", "ec2 i-2", "eni eni-1"]);
}

#[test]
fn failed_calls_and_same_names_of_other_services_do_not_match() {
    let rules = [("ecs.amazonaws.com", "CreateCluster", "ecs", Action::Create, "requestParameters.n")];
    let with = |more: Value| read_value(&rules, &record("ecs.amazonaws.com", "CreateCluster", &more));
    assert_eq!(with(json!({"errorCode": "AccessDenied"})), Extraction::Unmatched);
    assert_eq!(with(json!({"errorMessage": "no"})), Extraction::Unmatched);
    let ok = with(json!({"errorCode": null, "errorMessage": null, "requestParameters": {"n": "c"}}));
    assert!(matches!(ok, Extraction::Touched(_)));
    let other = record("eks.amazonaws.com", "CreateCluster", &json!({"requestParameters": {"n": "c"}}));
    assert_eq!(read_value(&rules, &other), Extraction::Unmatched);
}

#[test]
fn facts_of_the_record_are_unchanged() {
    let more = json!({
        "requestParameters": {"x": "b"}, "sharedEventID": "shared", "recipientAccountId": null,
        "userIdentity": {
            "type": "AssumedRole", "principalId": "AROA:ann", "arn": "arn:aws:sts::1:assumed-role/dev/ann",
            "accountId": "111111111111", "accessKeyId": "ASIA1", "userName": "",
            "sessionContext": {
                "sourceIdentity": "ann@example.com",
                "sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::1:role/dev", "userName": "dev"},
                "webIdFederationData": {"federatedProvider": "accounts.google.com", "attributes": {}},
            },
            "onBehalfOf": {"userId": "u", "identityStoreArn": "store"},
        },
    });
    let rules = [("s3.amazonaws.com", "CreateBucket", "s3", Action::Upsert, "requestParameters.x")];
    let Extraction::Touched(ResourceEvent { event, touched, .. }) =
        read_value(&rules, &record("s3.amazonaws.com", "CreateBucket", &more))
    else {
        panic!()
    };
    let some = |text: &str| Some(text.into());
    let identity = Identity {
        kind: some("AssumedRole"),
        arn: some("arn:aws:sts::1:assumed-role/dev/ann"),
        user_name: None,
        principal_id: some("AROA:ann"),
        account_id: some("111111111111"),
        access_key_id: some("ASIA1"),
        issuer_type: some("Role"),
        issuer_arn: some("arn:aws:iam::1:role/dev"),
        issuer_user_name: some("dev"),
        source_identity: some("ann@example.com"),
        federated_provider: some("accounts.google.com"),
        on_behalf_of_user_id: some("u"),
        on_behalf_of_store_arn: some("store"),
        invoked_by: None,
    };
    let expected = Event {
        event_id: "event-CreateBucket".into(),
        account_id: "111111111111".into(),
        region: "eu-west-1".into(),
        time: "2023-07-10T11:54:39Z".into(),
        name: "CreateBucket".into(),
        source: "s3.amazonaws.com".into(),
        user_agent: some("aws-cli/2.0"),
        source_ip: some("192.0.2.1"),
        shared_event_id: some("shared"),
        identity,
        makers: Vec::new(),
    };
    assert_eq!(event, expected);
    assert_eq!(touched[0].action, Action::Upsert);
}

#[test]
fn missing_event_id_is_computed_from_the_content_only() {
    let rules = [("s3.amazonaws.com", "CreateBucket", "s3", Action::Create, "requestParameters.x")];
    let id = |text: &str| {
        let fields = Fields::parse(text).unwrap();
        let Extraction::Touched(event) = read(&map(&rules), &RecordFilter::default(), &fields) else {
            panic!("{text}")
        };
        event.event.event_id
    };
    let one = r#"{"eventSource":"s3.amazonaws.com","eventName":"CreateBucket","eventTime":"2023-07-10T11:54:39Z",
        "requestParameters":{"x":"a","y":1}}"#;
    let same = r#"{ "eventTime" : "2023-07-10T11:54:39Z", "requestParameters":{"y":1,"x":"\u0061"},
        "eventName":"CreateBucket", "eventSource":"s3.amazonaws.com" }"#;
    assert_eq!(id(one), id(same));
    assert_eq!(id(one).len(), "derived-".len() + DERIVED_ID_DIGITS);
    assert_ne!(id(one), id(&one.replace("\"y\":1", "\"y\":2")));
}

#[test]
fn invalid_records_are_distinguished() {
    let read_text = |text: &str| {
        let rules = [("s3.amazonaws.com", "CreateBucket", "s3", Action::Create, "requestParameters.x")];
        read(&map(&rules), &RecordFilter::default(), &Fields::parse(text).unwrap())
    };
    assert_eq!(read_text("{}"), Extraction::Broken(BrokenRecord::NoField("eventName")));
    assert_eq!(read_text(r#"{"eventName":1,"eventSource":"a"}"#), read_text("{}"));
    assert!(matches!(read_text(r#"{"eventName":"A"}"#), Extraction::Broken(_)));
    assert_eq!(read_text(r#"{"eventType":"AwsCloudTrailInsight"}"#), Extraction::Insight);
    assert_eq!(read_text(r#"{"eventCategory":"Insight"}"#), Extraction::Insight);
    let timeless = r#"{"eventName":"CreateBucket","eventSource":"s3.amazonaws.com","eventTime":"yesterday"}"#;
    assert!(matches!(read_text(timeless), Extraction::Broken(reason) if reason.to_string().contains("yesterday")));
    let deep = format!(
        r#"{{"eventName":"CreateBucket","eventSource":"s3.amazonaws.com","eventTime":"2023-07-10T11:54:39Z",
        "requestParameters":{{"x":"b","y":{}{}}}}}"#,
        "[".repeat(1000),
        "]".repeat(1000)
    );
    assert!(matches!(read_text(&deep), Extraction::Touched(_)));
}

#[test]
fn rename_event_counts_only_if_it_renames() {
    let mut map = map(&[]);
    let rule = EventRule {
        identified: Identified::Resource("rds".into()),
        action: Action::Rename,
        ids: Expression::compile("requestParameters.old").unwrap(),
        names: None,
        new_name: Some(Expression::compile("lower(requestParameters.new)").unwrap()),
        doubts: None,
    };
    map.events.get_mut().add("rds.amazonaws.com", "ModifyDBInstance", rule);
    let read = |parameters: Value| {
        let record = record("rds.amazonaws.com", "ModifyDBInstance", &json!({ "requestParameters": parameters }));
        read(&map, &RecordFilter::default(), &Fields::parse(&record.to_string()).unwrap())
    };
    let Extraction::Touched(event) = read(json!({"old": "db", "new": "DB-2"})) else { panic!() };
    let renamed = Touched {
        resource_type: "rds".into(),
        resource_id: "db".into(),
        action: Action::Rename,
        names: Vec::new(),
        renamed_to: Some("db-2".into()),
    };
    assert_eq!(event.touched, [renamed]);
    for other in [json!({"old": "db"}), json!({"old": "db", "new": "DB"}), json!({"old": "db", "new": ""}), json!(null)]
    {
        assert_eq!(read(other.clone()), Extraction::Unmatched, "{other}");
    }
    let call = "rds.amazonaws.com:ModifyDBInstance".to_owned();
    assert_eq!(read(json!({"new": "db-2"})), Extraction::WithoutIds { call });
}

#[test]
fn filter_applies_before_identifiers_are_searched() {
    let rules = [("s3.amazonaws.com", "CreateBucket", "s3", Action::Create, "requestParameters.x")];
    let other = RecordFilter { accounts: [crate::model::AccountId::from("1")].into(), ..Default::default() };
    let text = bucket(&Value::Null).to_string();
    assert!(matches!(read(&map(&rules), &other, &Fields::parse(&text).unwrap()), Extraction::Filtered(_)));
}

#[test]
fn a_record_without_ids_is_read_again_in_other_spellings() {
    let rules = [(
        "s3.amazonaws.com",
        "CreateBucket",
        "s3",
        Action::Create,
        "responseElements.bucketArn || requestParameters.bucketName",
    )];
    let found = |fields: &Value| match read_value(&rules, &record("s3.amazonaws.com", "CreateBucket", fields)) {
        Extraction::Touched(event) => event.touched[0].resource_id.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(found(&json!({"requestParameters": {"BucketName": "b"}})), "b");
    assert_eq!(found(&json!({"responseElements": {"CreateBucketResponse": {"bucketARN": "a"}}})), "a");
    assert_eq!(found(&json!({"responseElements": {"bucket": {"bucketArn": "a"}}})), "a");
    let both = json!({"requestParameters": {"bucketName": "b"}, "responseElements": {"BucketArn": "a"}});
    assert_eq!(found(&both), "b", "what is spelled as in the map comes first");
}

#[test]
fn a_false_condition_is_no_missing_id() {
    let ids = "requestParameters.group != `null` && requestParameters.name";
    let rules = [("autoscaling.amazonaws.com", "PutScalingPolicy", "scaling-policy", Action::Upsert, ids)];
    let reading = |request: Value| {
        read_value(
            &rules,
            &record("autoscaling.amazonaws.com", "PutScalingPolicy", &json!({"requestParameters": request})),
        )
    };
    assert_eq!(reading(json!({"name": "p"})), Extraction::Unmatched);
    assert!(matches!(reading(json!({"group": "g", "name": "p"})), Extraction::Touched(_)));
    assert!(matches!(reading(json!({"group": "g"})), Extraction::WithoutIds { .. }));
}
