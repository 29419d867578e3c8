//! The documents of recorded resources.

use super::*;
use crate::model::event::{Action, Identity};

fn creation(resource_type: &str, id: &str, names: &[&str], identity: Identity) -> StoredEvent {
    StoredEvent {
        resource_type: resource_type.into(),
        resource_id: id.into(),
        action: Action::Create,
        names: names.iter().map(|&name| name.to_owned()).collect(),
        renamed_to: None,
        event: Event {
            event_id: "e-1".into(),
            account_id: "111122223333".into(),
            region: "eu-west-1".into(),
            time: "2026-03-01T10:00:00Z".into(),
            name: "Create".into(),
            source: "x.amazonaws.com".into(),
            user_agent: Some("APN/1.0 HashiCorp/1.0 Terraform/1.9.5 aws-sdk-go-v2/1.30.3".into()),
            source_ip: None,
            shared_event_id: None,
            identity,
            makers: Vec::new(),
        },
    }
}

fn session(role: &str, name: &str) -> Identity {
    Identity {
        kind: Some("AssumedRole".into()),
        arn: Some(format!("arn:aws:sts::111122223333:assumed-role/{role}/{name}").into()),
        issuer_user_name: Some(role.into()),
        ..Identity::default()
    }
}

fn document(creation: &StoredEvent) -> Resource {
    let map = ResourceMap::built_in_once();
    Describe { rules: &OwnerRules::default(), map }.recorded(creation, &creation.resource_id, None)
}

#[test]
fn fields_are_those_of_the_document() {
    let resource = document(&creation("sqs", "q", &[], session("deploy", "anna")));
    let value = serde_json::to_value(&resource).unwrap();
    assert_eq!(value.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>(), FIELDS);
    assert_eq!((resource.creator.as_deref(), resource.owner.as_deref()), (Some("anna"), Some("anna")));
    assert_eq!(resource.tool.as_deref(), Some("Terraform"), "without its version, so that it can be compared");
    let principal = resource.event.unwrap().principal;
    assert_eq!((principal.role.as_deref(), principal.session.as_deref()), (Some("deploy"), Some("anna")));
}

#[test]
fn a_service_is_a_creator_but_no_owner() {
    let by_service = session("AWSServiceRoleForAutoScaling", "AutoScaling");
    let resource = document(&creation("ec2", "i-1", &[], by_service));
    assert_eq!(resource.owner, None);
    assert_eq!(resource.creator.as_deref(), Some("service-linked role AWSServiceRoleForAutoScaling"));
}

#[test]
fn arn_and_name_are_known_without_aws_where_they_follow_from_the_record() {
    let of = |resource_type: &str, id: &str, names: &[&str]| {
        let Resource { arn, name, .. } = document(&creation(resource_type, id, names, Identity::default()));
        (arn.map(|arn| arn.to_string()).unwrap_or_default(), name.unwrap_or_default())
    };
    let some = |arn: &str, name: &str| (arn.to_owned(), name.to_owned());
    assert_eq!(of("sqs", "q", &[]), some("arn:aws:sqs:eu-west-1:111122223333:q", "q"));
    assert_eq!(
        of("sqs", "https://sqs.eu-west-1.amazonaws.com/111122223333/q", &[]),
        some("arn:aws:sqs:eu-west-1:111122223333:q", "q")
    );
    assert_eq!(of("ebs", "vol-0aaaaaaaaaaaaaaaa", &[]).1, "", "an ID is no name");
    assert_eq!(
        of("iam-role", "ops", &["AROA0000000000000000"]).1,
        "ops",
        "regression: the generated ID was shown as the name"
    );
    assert_eq!(of("security-group", "sg-0aaaaaaaaaaaaaaaa", &["web"]).1, "web");
    let arn = "arn:aws:iam::111122223333:policy/teams/deploy";
    assert_eq!(of("iam-policy", "ANPA0000000000000000", &[arn]).0, arn);
}
