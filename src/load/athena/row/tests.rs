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
