//! Rows of results become events.

use super::super::table::tests::metadata;
use super::*;
use crate::model::event::Action;
use crate::trail::samples::map;
use serde_json::{Value, json};

fn record(columns: &[(&str, Option<&str>)]) -> Result<Value, String> {
    let header: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let row: Row = columns.iter().map(|(_, value)| value.map(str::to_owned)).collect();
    let mut text = String::new();
    Layout::new(&header).unwrap().record(&row, &mut text).map_err(|error| error.to_string())?;
    Ok(serde_json::from_str(&text).unwrap())
}

const USUAL: [(&str, Option<&str>); 4] = [
    ("eventtime", Some("2019-01-01T00:00:00Z")),
    ("eventsource", Some("s3.amazonaws.com")),
    ("eventname", Some("CreateBucket")),
    ("awsregion", Some("eu-west-1")),
];

#[test]
fn row_becomes_its_record_again() {
    let mut columns = vec![("sessionissuer_type", Some("Role")), ("useridentity_type", Some("AssumedRole"))];
    columns.extend(USUAL);
    columns.extend([
        ("useridentity_accesskeyid", Some("")),
        ("useridentity_username", None),
        ("sourceidentity", Some("ann \"x\" \u{1F600}\n")),
        ("onbehalfof_userid", None),
        ("requestparameters", Some(r#" {"bucketName":"b","x":[1.50]} "#)),
        ("responseelements", None),
        ("additionaleventdata", Some("null")),
        ("of_someone_else", Some("x")),
    ]);
    assert_eq!(
        record(&columns).unwrap(),
        json!({
            "eventTime": "2019-01-01T00:00:00Z", "eventSource": "s3.amazonaws.com", "eventName": "CreateBucket",
            "awsRegion": "eu-west-1",
            "userIdentity": {
                "type": "AssumedRole", "accessKeyId": "",
                "sessionContext": {"sourceIdentity": "ann \"x\" \u{1F600}\n", "sessionIssuer": {"type": "Role"}},
            },
            "requestParameters": {"bucketName": "b", "x": [1.50]}, "additionalEventData": null,
        })
    );
}

#[test]
fn c7n_trailcreator_columns_are_recognized_in_any_case() {
    let columns = [
        ("region", Some("eu-west-1")),
        ("accountId", Some("123456789012")),
        ("eventTime", Some("2019-01-01T00:00:00Z")),
        ("eventName", Some("CreateBucket")),
        ("EVENTSOURCE", Some("s3.amazonaws.com")),
        ("userAgent", Some("cli")),
        ("sourceIPAddress", Some("192.0.2.1")),
        ("userType", Some("IAMUser")),
        ("userArn", Some("arn")),
        ("userName", Some("ann")),
        ("invokedBy", None),
        ("requestParameters", Some("{}")),
        ("responseElements", Some("")),
    ];
    assert_eq!(
        record(&columns).unwrap(),
        json!({
            "awsRegion": "eu-west-1", "recipientAccountId": "123456789012", "eventTime": "2019-01-01T00:00:00Z",
            "eventName": "CreateBucket", "eventSource": "s3.amazonaws.com", "userAgent": "cli",
            "sourceIPAddress": "192.0.2.1", "userIdentity": {"type": "IAMUser", "arn": "arn", "userName": "ann"},
            "requestParameters": {}, "responseElements": null,
        })
    );
}

#[test]
fn invalid_json_is_reported_and_left_out_of_the_record() {
    let mut columns = USUAL.to_vec();
    columns.extend([("eventid", Some("e-1")), ("requestparameters", Some(r#"{},"eventName":"X""#))]);
    let error = record(&columns).unwrap_err();
    assert!(
        error.starts_with("event e-1 (s3.amazonaws.com CreateBucket at 2019-01-01T00:00:00Z): requestParameters"),
        "{error}"
    );
}

#[test]
fn regression_faults_in_texts_do_not_cost_the_row() {
    let mut columns = USUAL.to_vec();
    columns.push(("requestparameters", Some("{\"bucketName\":\"b\",\"x\":\"a\u{1}b\\q\"}")));
    let request = &record(&columns).unwrap()["requestParameters"];
    assert_eq!(request, &json!({"bucketName": "b", "x": "a\u{1}b\u{fdd0}q"}));
}

#[test]
fn result_without_records_is_refused() {
    let header = ["eventTime", "amount"].map(str::to_owned);
    let error = Layout::new(&header).unwrap_err().to_string();
    assert_eq!(
        error,
        "the result has no column for eventSource, eventName, awsRegion; its columns are eventTime, amount"
    );
}

#[test]
fn only_columns_in_map_and_table_are_selected() {
    let table = Table::read("default", &metadata(&[], &[])).unwrap();
    let rule = |ids| [("a", "B", "c", Action::Create, ids)];
    let names = |ids| {
        let wanted = wanted_fields(&map(&rule(ids)), &table);
        let json = wanted.fields.iter().filter(|field| field.need != Need::Always).map(|field| field.name);
        (json.collect::<Vec<_>>(), wanted.missing.into_iter().collect::<Vec<_>>())
    };
    assert_eq!(names("requestParameters.a"), (vec!["requestparameters"], vec![]));
    assert_eq!(names("[resources[0].arn, region]"), (vec![], vec!["resources".to_owned()]));
    assert_eq!(names("keys(@)").0, ["requestparameters", "responseelements", "additionaleventdata"]);
    let wanted = wanted_fields(&map(&rule("eventName")), &table);
    assert!(wanted.fields.iter().any(|field| field.name == "sessionissuer_username"));
    assert!(!wanted.fields.iter().any(|field| field.name == "sourceidentity"), "the table does not have it");
}

/// The record of a row of Security Lake, with these columns beside the usual ones.
fn lake_record(columns: &[(&str, Option<&str>)]) -> Result<Value, String> {
    let usual = USUAL.iter().filter(|(name, _)| *name != "eventtime").copied();
    let all: Vec<_> = usual.chain([("ocsf_time", Some("1546300800000"))]).chain(columns.iter().copied()).collect();
    record(&all)
}

#[test]
fn row_of_security_lake_becomes_its_record_again() {
    let unmapped = json!({
        "recipientAccountId": "111122223333", "sharedEventId": "s-1", "readOnly": "false",
        "userIdentity.sessionContext.sessionIssuer.type": "Role",
        "userIdentity.sessionContext.sessionIssuer.userName": "dev",
        "serviceEventDetails.users": r#"["a","b"]"#, "additionalEventData.note": "[no JSON",
        "requestParameters.bucketName": "another", "eventName": "Other", "eventTime.x": "y", "absent": null,
    });
    let record = lake_record(&[
        ("useridentity_type", Some("AssumedRole")),
        ("useridentity_principalid", Some("AROAEXAMPLE:ann")),
        ("sessionissuer_arn", Some("arn:aws:iam::111122223333:role/dev")),
        ("requestparameters", Some(r#"{"bucketName":"b","x":[1.50]}"#)),
        ("responseelements", None),
        ("ocsf_idp_name", Some("accounts.google.com")),
        ("ocsf_accountid", Some("999999999999")),
        ("ocsf_unmapped", Some(&unmapped.to_string())),
    ]);
    assert_eq!(
        record.unwrap(),
        json!({
            "eventTime": "2019-01-01T00:00:00Z", "eventSource": "s3.amazonaws.com", "eventName": "CreateBucket",
            "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "sharedEventID": "s-1", "readOnly": "false",
            "userIdentity": {
                "type": "AssumedRole", "principalId": "AROAEXAMPLE:ann",
                "sessionContext": {
                    "sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/dev", "type": "Role", "userName": "dev"},
                    "webIdFederationData": {"federatedProvider": "accounts.google.com"},
                },
            },
            "requestParameters": {"bucketName": "b", "x": [1.50]},
            "serviceEventDetails": {"users": ["a", "b"]}, "additionalEventData": {"note": "[no JSON"},
        })
    );
}

#[test]
fn callers_of_security_lake_are_put_back_by_their_type() {
    let store = "arn:aws:identitystore::111122223333:identitystore/d-1";
    let user = "94482488-3041-7026-4cd1-2b4f5e9f6f1b";
    let on_behalf = json!({"userId": user, "identityStoreArn": store});
    let of = |kind: &str, id: &str, name: Option<&str>, uid: Option<&str>| {
        let columns = [
            ("useridentity_type", Some(kind)),
            ("useridentity_principalid", Some(id)),
            ("useridentity_username", Some("ann")),
            ("useridentity_accesskeyid", Some("key")),
            ("ocsf_idp_name", name),
            ("ocsf_idp_uid", uid),
        ];
        let record = lake_record(&columns).unwrap();
        (record["userIdentity"].clone(), record["additionalEventData"].clone())
    };
    let (person, data) = of("IdentityCenterUser", user, None, Some(store));
    assert_eq!(person, json!({"type": "IdentityCenterUser", "credentialId": "key", "onBehalfOf": on_behalf}));
    assert_eq!(data, json!({"UserName": "ann"}));
    let caller = |kind: &str| json!({"type": kind, "userName": "ann", "accessKeyId": "key"});
    let with = |mut caller: Value, name: &str, value: Value| {
        caller[name] = value;
        caller
    };
    let (role, _) = of("AssumedRole", user, None, Some(store));
    assert_eq!(role, with(caller("AssumedRole"), "onBehalfOf", on_behalf));
    let (role, _) = of("AssumedRole", "AROAEXAMPLE:ann", None, Some(store));
    assert_eq!(role["principalId"], "AROAEXAMPLE:ann");
    assert_eq!(role["onBehalfOf"], json!({"identityStoreArn": store}));
    let (federated, _) = of("SAMLUser", "p", Some("urn:idp"), None);
    let federated_caller =
        with(with(caller("SAMLUser"), "principalId", json!("p")), "identityProvider", json!("urn:idp"));
    assert_eq!(federated, federated_caller);
}

#[test]
fn unusable_values_of_security_lake_are_reported() {
    let time = record(&[
        ("eventsource", Some("s")),
        ("eventname", Some("n")),
        ("awsregion", Some("r")),
        ("ocsf_time", Some("x")),
    ]);
    assert!(time.unwrap_err().contains("\"x\" is not a time in milliseconds"));
    assert!(lake_record(&[("ocsf_unmapped", Some("{"))]).unwrap_err().contains("ocsf_unmapped is not JSON"));
    assert!(lake_record(&[("ocsf_unmapped", Some("null"))]).is_ok());
    let deep = format!("{{\"{}\":\"v\"}}", ["a"; 200].join("."));
    assert!(lake_record(&[("ocsf_unmapped", Some(&deep))]).is_ok());
}
