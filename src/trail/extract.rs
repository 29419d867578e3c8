//! One record → the event and the resources it touched, by the resource map's rules.
//!
//! Works on a record cut into [`Fields`], wherever those came from. Parses only what the record's own rules read.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;

use jiff::Timestamp;
use jmespath::{Rcvar, Variable};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::fields::Fields;
use super::filter::RecordFilter;
use super::record::{Event, Identity, ResourceEvent, Touched};
use crate::names::ResourceId;
use crate::resource_map::expression::TopLevelFields;
use crate::resource_map::sessions::is_session;
use crate::resource_map::{EventRule, ResourceMap};

/// What CloudTrail writes in place of values that it doesn't show.
pub(crate) const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// Hexadecimal digits of an event id that is derived from a record's content.
const DERIVED_ID_DIGITS: usize = 32;

/// What a record comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, taken apart where it is returned")]
pub enum Reading {
    /// The map doesn't know the call, or it failed.
    Unmatched,
    /// An Insights event: a statistic, no call.
    Insight,
    /// The map knows the call, but the filter doesn't want the record.
    Filtered,
    /// The map knows the call, but no rule found an id.
    WithoutIds {
        /// `eventSource:eventName`.
        call: String,
    },
    /// The call touched resources.
    Touched(ResourceEvent),
    /// It isn't a record that CloudTrail would write; why.
    Broken(String),
}

/// Reads a record.
pub fn read(map: &ResourceMap, filter: &RecordFilter, fields: &Fields<'_>) -> Reading {
    let (source, name) = match (fields.text("eventSource"), fields.text("eventName")) {
        (Some(source), Some(name)) => (source, name),
        _ if is_insight(fields) => return Reading::Insight,
        (_, None) => return Reading::Broken("a record has no eventName".to_owned()),
        (None, _) => return Reading::Broken("a record has no eventSource".to_owned()),
    };
    let rules = map.rules(&source, &name);
    if rules.is_empty() || has_failed(fields) {
        return Reading::Unmatched;
    }
    read_matched(rules, filter, fields, &source, &name).unwrap_or_else(Reading::Broken)
}

/// An empty code says nothing, as everywhere: Athena's older tables give it for a field that isn't there.
fn has_failed(fields: &Fields<'_>) -> bool {
    const EMPTY: &str = "\"\"";
    ["errorCode", "errorMessage"].iter().any(|name| fields.is_set(name) && fields.raw(name) != Some(EMPTY))
}

fn read_matched(
    rules: &[EventRule],
    filter: &RecordFilter,
    fields: &Fields<'_>,
    source: &str,
    name: &str,
) -> Result<Reading, String> {
    let call = || format!("{source}:{name}");
    let unreadable = |error: serde_json::Error| format!("a record of {}: {error}", call());
    let time = fields.text("eventTime").unwrap_or_default();
    let moment: Timestamp = time.parse().map_err(|_| format!("a record of {} has the eventTime {time:?}", call()))?;
    let user_identity = fields.raw("userIdentity").map(serde_json::from_str).transpose().map_err(unreadable)?;
    let identity = identity(&user_identity.unwrap_or(Value::Null));
    let account_id = fields.text("recipientAccountId").map(Cow::into_owned).or_else(|| identity.account_id.clone());
    let account_id = account_id.unwrap_or_default();
    let region = fields.text("awsRegion").unwrap_or_default();
    if !filter.passes(moment, &account_id, &region) {
        return Ok(Reading::Filtered);
    }
    let mut event = Event {
        event_id: String::new(),
        account_id,
        region: region.into_owned(),
        time: time.into_owned(),
        name: name.to_owned(),
        source: source.to_owned(),
        user_agent: fields.text("userAgent").map(Cow::into_owned),
        source_ip: fields.text("sourceIPAddress").map(Cow::into_owned),
        shared_event_id: fields.text("sharedEventID").map(Cow::into_owned),
        identity,
        makers: Vec::new(),
    };
    let (touched, lacks_ids) = touched(rules, fields, &event).map_err(unreadable)?;
    if touched.is_empty() {
        // Of calls that hand out credentials, those that lead to nobody are left out on purpose.
        let of_sessions = rules.iter().all(|rule| is_session(&rule.resource_type));
        let is_unmatched = of_sessions || !lacks_ids;
        return Ok(if is_unmatched { Reading::Unmatched } else { Reading::WithoutIds { call: call() } });
    }
    event.event_id = match fields.text("eventID") {
        Some(id) => id.into_owned(),
        None => derived_id(fields).map_err(unreadable)?,
    };
    Ok(Reading::Touched(ResourceEvent { event, touched }))
}

/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-insights-fields-trails.html>
fn is_insight(fields: &Fields<'_>) -> bool {
    fields.text("eventCategory").as_deref() == Some("Insight")
        || fields.text("eventType").as_deref() == Some("AwsCloudTrailInsight")
}

/// The facts of a `userIdentity`.
pub(crate) fn identity(user: &Value) -> Identity {
    let text = |path: &str| {
        let found = path.split('.').try_fold(user, |value, key| value.get(key))?;
        found.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    };
    Identity {
        kind: text("type"),
        arn: text("arn"),
        user_name: text("userName"),
        principal_id: text("principalId"),
        account_id: text("accountId"),
        access_key_id: text("accessKeyId"),
        issuer_type: text("sessionContext.sessionIssuer.type"),
        issuer_arn: text("sessionContext.sessionIssuer.arn"),
        issuer_user_name: text("sessionContext.sessionIssuer.userName"),
        source_identity: text("sessionContext.sourceIdentity"),
        federated_provider: text("sessionContext.webIdFederationData.federatedProvider"),
        on_behalf_of_user_id: text("onBehalfOf.userId"),
        on_behalf_of_store_arn: text("onBehalfOf.identityStoreArn"),
        invoked_by: text("invokedBy"),
    }
}

/// The resources, and whether some rule should have found one and didn't. Most calls that can rename do something else: then
/// their rule says nothing.
fn touched(rules: &[EventRule], fields: &Fields<'_>, event: &Event) -> Result<(Vec<Touched>, bool), serde_json::Error> {
    let input = rule_input(rules, fields, event)?;
    let mut touched = Vec::new();
    let mut seen = HashSet::new();
    let mut lacks_ids = false;
    for rule in rules {
        let renamed_to = rule.new_name.as_ref().map(|name| first_id(&name.interpret(&input)));
        if renamed_to == Some(None) {
            continue;
        }
        let renamed_to = renamed_to.flatten();
        let mut finds_some = false;
        collect_ids(&rule.ids.interpret(&input), &mut |id| {
            finds_some = true;
            let is_renaming = renamed_to.as_ref().is_none_or(|name| *name != id);
            if is_renaming && seen.insert((&rule.resource_type, id.clone())) {
                touched.push(Touched {
                    resource_type: rule.resource_type.clone(),
                    resource_id: ResourceId::new(id),
                    action: rule.action,
                    renamed_to: renamed_to.as_deref().map(ResourceId::from),
                });
            }
        });
        lacks_ids |= !finds_some;
    }
    Ok((touched, lacks_ids))
}

/// The record as the rules' expressions see it: converted once, and only the fields that some expression reads.
fn rule_input(rules: &[EventRule], fields: &Fields<'_>, event: &Event) -> Result<Rcvar, serde_json::Error> {
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    for expression in rules.iter().flat_map(EventRule::expressions) {
        match expression.fields() {
            TopLevelFields::Some(names) => wanted.extend(names.iter().map(String::as_str)),
            TopLevelFields::All => wanted.extend(fields.names()),
        }
    }
    let mut object = BTreeMap::new();
    for name in wanted {
        let value = fields.variable(name)?.or_else(|| alias(name, event));
        if let Some(value) = value {
            object.insert(name.to_owned(), Rcvar::new(value));
        }
    }
    Ok(Rcvar::new(Variable::Object(object)))
}

/// The names that c7n-trailcreator's query gave to fields, for maps written for it.
fn alias(name: &str, event: &Event) -> Option<Variable> {
    let identity = &event.identity;
    let text = match name {
        "region" => Some(&event.region),
        "accountId" => Some(&event.account_id),
        "userType" => identity.kind.as_ref(),
        "userArn" => identity.arn.as_ref(),
        "userName" => identity.user_name.as_ref(),
        "invokedBy" => identity.invoked_by.as_ref(),
        _ => None,
    };
    text.map(|text| Variable::String(text.clone()))
}

fn collect_ids(found: &Variable, each: &mut impl FnMut(String)) {
    match found {
        Variable::String(text) if !text.is_empty() && text != HIDDEN => each(text.clone()),
        Variable::Number(number) => each(number.to_string()),
        Variable::Array(items) => items.iter().for_each(|item| collect_ids(item, each)),
        _ => {}
    }
}

fn first_id(found: &Variable) -> Option<String> {
    let mut first = None;
    collect_ids(found, &mut |id| {
        first.get_or_insert(id);
    });
    first
}

/// An id for a record that has none: equal for equal content, whatever its white space and the order of its keys.
fn derived_id(fields: &Fields<'_>) -> Result<String, serde_json::Error> {
    let mut content = BTreeMap::new();
    for name in fields.names() {
        content.insert(name, fields.variable(name)?);
    }
    let digest = Sha256::digest(serde_json::to_vec(&content)?);
    let mut id = "derived-".to_owned();
    for byte in &digest[..DERIVED_ID_DIGITS / 2] {
        write!(id, "{byte:02x}").expect("writing to a String can't fail");
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource_map::Expression;
    use crate::trail::record::Action;
    use crate::trail::samples::{map, record};
    use serde_json::json;

    fn read_value(rules: &[(&str, &str, &str, Action, &str)], record: &Value) -> Reading {
        read(&map(rules), &RecordFilter::default(), &Fields::parse(&record.to_string()).unwrap())
    }

    fn ids(expression: &str, record: &Value) -> Vec<String> {
        let rules = [("s3.amazonaws.com", "CreateBucket", "s3", Action::Create, expression)];
        match read_value(&rules, record) {
            Reading::Touched(event) => event.touched.into_iter().map(|t| t.resource_id.to_string()).collect(),
            Reading::WithoutIds { call } => {
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
    fn an_empty_error_code_is_none() {
        let rules = [("s3.amazonaws.com", "CreateBucket", "s3", Action::Create, "requestParameters.bucketName")];
        let read = |field: &str, value: Value| {
            let mut record = bucket(&json!({"bucketName": "b"}));
            record[field] = value;
            read_value(&rules, &record)
        };
        for field in ["errorCode", "errorMessage"] {
            assert_eq!(read(field, json!("AccessDenied")), Reading::Unmatched);
            assert!(
                matches!(read(field, json!("")), Reading::Touched(_))
                    && matches!(read(field, json!(null)), Reading::Touched(_))
            );
        }
    }

    #[test]
    fn a_string_or_number_is_one_id_and_a_list_is_many() {
        let found = |value: Value| ids("requestParameters.x", &bucket(&json!({ "x": value })));
        assert_eq!(found(json!("a, b")), ["a, b"]);
        assert_eq!(found(json!(12)), ["12"]);
        assert_eq!(found(json!(["a", null, ["b", [3]], "", true, {"k": "v"}, "a", HIDDEN])), ["a", "b", "3"]);
        for none in [json!(null), json!(""), json!(HIDDEN), json!(false), json!({"a": "b"}), json!([]), json!([[]])] {
            assert!(found(none).is_empty());
        }
    }

    #[test]
    fn requests_and_answers_that_are_null_or_absent_give_no_id() {
        let mut record = bucket(&Value::Null);
        assert!(ids("requestParameters.x", &record).is_empty());
        record.as_object_mut().unwrap().remove("requestParameters");
        assert!(ids("requestParameters.x || responseElements.y", &record).is_empty());
        assert!(ids("join('/', [requestParameters.a])", &record).is_empty());
    }

    #[test]
    fn aliases_of_the_predecessor_work() {
        let mut record = bucket(&Value::Null);
        let joined = "join('|', [region, accountId, userType, userArn, userName])";
        assert_eq!(ids(joined, &record), ["eu-west-1|123456789012|IAMUser|arn:aws:iam::123456789012:user/ann|ann"]);
        record["userIdentity"] = json!({"invokedBy": "AWS Internal"});
        assert_eq!(ids("invokedBy", &record), ["AWS Internal"]);
        assert_eq!(ids("userIdentity.invokedBy", &record), ["AWS Internal"]);
    }

    #[test]
    fn every_matching_rule_yields_without_repeats() {
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
        let Reading::Touched(event) = read_value(&rules, &record("ec2.amazonaws.com", "RunInstances", &instances))
        else {
            panic!()
        };
        let touched: Vec<_> = event.touched.iter().map(|t| format!("{} {}", t.resource_type, t.resource_id)).collect();
        assert_eq!(touched, ["ec2 i-1", "ec2 i-2", "eni eni-1"]);
    }

    #[test]
    fn failed_calls_and_other_services_calls_of_that_name_do_not_match() {
        let rules = [("ecs.amazonaws.com", "CreateCluster", "ecs", Action::Create, "requestParameters.n")];
        let with = |more: Value| read_value(&rules, &record("ecs.amazonaws.com", "CreateCluster", &more));
        assert_eq!(with(json!({"errorCode": "AccessDenied"})), Reading::Unmatched);
        assert_eq!(with(json!({"errorMessage": "no"})), Reading::Unmatched);
        let ok = with(json!({"errorCode": null, "errorMessage": null, "requestParameters": {"n": "c"}}));
        assert!(matches!(ok, Reading::Touched(_)));
        let other = record("eks.amazonaws.com", "CreateCluster", &json!({"requestParameters": {"n": "c"}}));
        assert_eq!(read_value(&rules, &other), Reading::Unmatched);
    }

    #[test]
    fn the_facts_of_the_record_are_kept_as_they_are() {
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
        let Reading::Touched(ResourceEvent { event, touched }) =
            read_value(&rules, &record("s3.amazonaws.com", "CreateBucket", &more))
        else {
            panic!()
        };
        let some = |text: &str| Some(text.to_owned());
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
            event_id: "event-CreateBucket".to_owned(),
            account_id: "111111111111".to_owned(),
            region: "eu-west-1".to_owned(),
            time: "2023-07-10T11:54:39Z".to_owned(),
            name: "CreateBucket".to_owned(),
            source: "s3.amazonaws.com".to_owned(),
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
    fn a_missing_event_id_is_derived_from_the_content_alone() {
        let rules = [("s3.amazonaws.com", "CreateBucket", "s3", Action::Create, "requestParameters.x")];
        let id = |text: &str| {
            let fields = Fields::parse(text).unwrap();
            let Reading::Touched(event) = read(&map(&rules), &RecordFilter::default(), &fields) else {
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
    fn records_that_cloudtrail_would_not_write_are_told_apart() {
        let read_text = |text: &str| {
            let rules = [("s3.amazonaws.com", "CreateBucket", "s3", Action::Create, "requestParameters.x")];
            read(&map(&rules), &RecordFilter::default(), &Fields::parse(text).unwrap())
        };
        assert_eq!(read_text("{}"), Reading::Broken("a record has no eventName".to_owned()));
        assert_eq!(read_text(r#"{"eventName":1,"eventSource":"a"}"#), read_text("{}"));
        assert!(matches!(read_text(r#"{"eventName":"A"}"#), Reading::Broken(_)));
        assert_eq!(read_text(r#"{"eventType":"AwsCloudTrailInsight"}"#), Reading::Insight);
        assert_eq!(read_text(r#"{"eventCategory":"Insight"}"#), Reading::Insight);
        let timeless = r#"{"eventName":"CreateBucket","eventSource":"s3.amazonaws.com","eventTime":"yesterday"}"#;
        assert!(matches!(read_text(timeless), Reading::Broken(reason) if reason.contains("yesterday")));
        let deep = format!(
            r#"{{"eventName":"CreateBucket","eventSource":"s3.amazonaws.com","eventTime":"2023-07-10T11:54:39Z",
            "requestParameters":{}{}}}"#,
            "[".repeat(1000),
            "]".repeat(1000)
        );
        assert!(matches!(read_text(&deep), Reading::Broken(reason) if reason.contains("recursion limit")));
    }

    #[test]
    fn a_call_that_can_rename_counts_only_where_it_does() {
        let mut map = map(&[]);
        let rule = EventRule {
            resource_type: "rds".into(),
            action: Action::Rename,
            ids: Expression::compile("requestParameters.old").unwrap(),
            new_name: Some(Expression::compile("lower(requestParameters.new)").unwrap()),
            doubts: None,
        };
        map.events.add("rds.amazonaws.com", "ModifyDBInstance", rule);
        let read = |parameters: Value| {
            let record = record("rds.amazonaws.com", "ModifyDBInstance", &json!({ "requestParameters": parameters }));
            read(&map, &RecordFilter::default(), &Fields::parse(&record.to_string()).unwrap())
        };
        let Reading::Touched(event) = read(json!({"old": "db", "new": "DB-2"})) else { panic!() };
        let renamed = Touched {
            resource_type: "rds".into(),
            resource_id: "db".into(),
            action: Action::Rename,
            renamed_to: Some("db-2".into()),
        };
        assert_eq!(event.touched, [renamed]);
        for other in
            [json!({"old": "db"}), json!({"old": "db", "new": "DB"}), json!({"old": "db", "new": ""}), json!(null)]
        {
            assert_eq!(read(other.clone()), Reading::Unmatched, "{other}");
        }
        let call = "rds.amazonaws.com:ModifyDBInstance".to_owned();
        assert_eq!(read(json!({"new": "db-2"})), Reading::WithoutIds { call });
    }

    #[test]
    fn the_filter_decides_before_ids_are_looked_for() {
        let rules = [("s3.amazonaws.com", "CreateBucket", "s3", Action::Create, "requestParameters.x")];
        let other = RecordFilter { accounts: [crate::names::AccountId::from("1")].into(), ..Default::default() };
        let text = bucket(&Value::Null).to_string();
        assert_eq!(read(&map(&rules), &other, &Fields::parse(&text).unwrap()), Reading::Filtered);
    }
}
