use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::super::api::TaggingAnswer;
use super::super::test_world::{job, resource, writes};
use super::*;
use crate::aws::{CallError, ErrorClass};
use crate::model::RunId;
use crate::model::Tags;
use crate::model::{Region, TagKey, TagValue};
use crate::resource_map::{ResourceMap, Service};

static MAP: LazyLock<&ResourceMap> = LazyLock::new(ResourceMap::built_in_once);

const ARN: &str = "arn:aws:cloudformation:eu-west-1:123456789012:stack/web/1";

/// AWS with answers by operation: each in turn, the last one for good. An operation without answers answers nothing.
#[derive(Default)]
struct Script {
    answers: RefCell<HashMap<&'static str, VecDeque<Value>>>,
    calls: RefCell<Vec<(String, Value)>>,
    waited: Cell<Duration>,
    /// Stops at the first pause.
    halt: Option<watch::Sender<bool>>,
}

impl Script {
    /// A stack that takes a change set which only changes tags. The first state is that of all reads before the update.
    fn of(stacks: &[Value]) -> Self {
        const READS_BEFORE: usize = 3;
        let first = if stacks.len() > 1 { READS_BEFORE - 1 } else { 0 };
        Self::of_reads(&[vec![stacks[0].clone(); first], stacks.to_vec()].concat())
    }

    /// The same, by the states that each read shows.
    fn of_reads(stacks: &[Value]) -> Self {
        let script = Self::default();
        script.answer("DescribeStacks", &stacks.iter().map(|stack| json!({"Stacks": [stack]})).collect::<Vec<_>>());
        script.answer("GetTemplate", &[json!({"TemplateBody": "Resources: {}"})]);
        script.answer("CreateChangeSet", &[json!({"Id": "arn:change-set"})]);
        script.answer("DescribeChangeSet", &[change_set(&[change("Tags")])]);
        script
    }

    fn answer(&self, operation: &'static str, answers: &[Value]) {
        self.answers.borrow_mut().insert(operation, answers.to_vec().into());
    }

    fn names(&self) -> Vec<String> {
        self.calls.borrow().iter().map(|(name, _)| name.clone()).collect()
    }

    fn input(&self, operation: &str) -> Value {
        let calls = self.calls.borrow();
        let found = calls.iter().rfind(|(name, _)| name == operation);
        found.unwrap_or_else(|| panic!("no {operation}")).1.clone()
    }

    fn writes(&self) -> Vec<String> {
        self.names().into_iter().filter(|name| !name.starts_with("Describe") && !name.starts_with("Get")).collect()
    }

    async fn write(&self, ready: &ReadyWrite<'_>) -> WriteOutcome {
        match self.attempt(ready).await {
            Attempt::Ended(outcome) => outcome,
            attempt => panic!("{attempt:?}"),
        }
    }

    async fn attempt(&self, ready: &ReadyWrite<'_>) -> Attempt {
        let (_open, never) = watch::channel(false);
        let halted = self.halt.as_ref().map_or(never, watch::Sender::subscribe);
        write(self, &job(RunId(7)), &[ready], halted).await.remove(0).attempt
    }
}

impl TagApi for Script {
    async fn tag_resources(
        &self,
        _: &Region,
        _: &[&str],
        _: &TagKey,
        _: Option<&TagValue>,
    ) -> Result<TaggingAnswer, CallError> {
        panic!("not by the Tagging API");
    }

    async fn call(&self, _: &Service, region: &Region, call: &RenderedCall) -> Result<Answer, CallError> {
        self.calls.borrow_mut().push((call.operation.clone(), call.input.clone()));
        let mut answers = self.answers.borrow_mut();
        let turn = answers.get_mut(call.operation.as_str());
        let answer = turn.and_then(|turn| if turn.len() > 1 { turn.pop_front() } else { turn.front().cloned() });
        let body = answer.unwrap_or_default();
        if let Some(message) = body["error"].as_str() {
            let bare = CallError::bare(&call.operation, region, ErrorClass::Refused, "ValidationError");
            return Err(CallError { message: message.to_owned(), ..bare });
        }
        if body["lost"] == true {
            let bare = CallError::bare(&call.operation, region, ErrorClass::Unreachable, "");
            return Err(CallError { in_doubt: true, ..bare });
        }
        Ok(Answer { body, request_id: Some("request".to_owned()) })
    }

    async fn present_tags(&self, _: &[&ReadyWrite<'_>]) -> Vec<Tags> {
        panic!("a stack's tags are part of it");
    }

    async fn pause(&self, longest: Duration) {
        self.waited.set(self.waited.get() + longest);
        if let Some(halt) = &self.halt {
            halt.send_replace(true);
            std::future::pending::<()>().await;
        }
    }
}

fn stack(status: &str, tags: &[(&str, &str)]) -> Value {
    let tags: Value = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    json!({
        "StackName": "web", "StackStatus": status, "Tags": tags, "Capabilities": ["CAPABILITY_IAM"],
        "Parameters": [{"ParameterKey": "Size", "ParameterValue": "3"}],
    })
}

fn with_image(mut stack: Value) -> Value {
    stack["Parameters"] = json!([{"ParameterKey": "Image", "ParameterValue": "/ami", "ResolvedValue": "ami-1"}]);
    stack
}

/// As the survey saw it: long ago, without any tag.
fn ready(old: Option<&str>, new: Option<&str>) -> ReadyWrite<'static> {
    writes(&MAP, vec![resource("cfn", "web", ARN, stack("CREATE_COMPLETE", &[]))], old, new).remove(0)
}

fn change(attribute: &str) -> Value {
    json!({"ResourceChange": {
        "Action": "Modify", "LogicalResourceId": "Web", "ResourceType": "AWS::EC2::Instance", "Replacement": "False",
        "Scope": [attribute],
        "Details": [{"Target": {"Attribute": attribute, "RequiresRecreation": "Never"}, "Evaluation": "Static"}],
    }})
}

fn change_set(changes: &[Value]) -> Value {
    json!({"Status": "CREATE_COMPLETE", "Changes": changes})
}

fn written() -> WriteOutcome {
    WriteOutcome::Written { request_id: Some("request".to_owned()) }
}

fn skipped(outcome: &WriteOutcome) -> &str {
    let WriteOutcome::Skipped(why) = outcome else { panic!("{outcome:?}") };
    why
}

#[tokio::test]
async fn a_tag_that_was_added_after_the_survey_is_kept() {
    let before = stack("CREATE_COMPLETE", &[("Team", "blue"), ("aws:servicecatalog:x", "y")]);
    let after = [("Team", "blue"), ("Owner", "alice")];
    let script = Script::of(&[before, stack("UPDATE_IN_PROGRESS", &after), stack("UPDATE_COMPLETE", &after)]);
    assert_eq!(script.write(&ready(None, Some("alice"))).await, written());
    let mut sent = script.input("CreateChangeSet");
    let name = sent["ChangeSetName"].take();
    assert!(name.as_str().unwrap().starts_with("trailcreator-7-0-"), "{name}");
    assert_eq!(
        sent,
        json!({
            "StackName": ARN, "UsePreviousTemplate": "true", "ChangeSetName": null, "ChangeSetType": "UPDATE",
            "Description": "trailcreator writes tags",
            "Parameters": {"member": [{"ParameterKey": "Size", "UsePreviousValue": "true"}]},
            "Capabilities": {"member": ["CAPABILITY_IAM"]},
            "Tags": {"member": [{"Key": "Owner", "Value": "alice"}, {"Key": "Team", "Value": "blue"}]},
        })
    );
    assert_eq!(script.writes(), ["CreateChangeSet", "ExecuteChangeSet"]);
}

#[tokio::test]
async fn an_owner_that_appeared_meanwhile_is_kept() {
    let script = Script::of(&[stack("CREATE_COMPLETE", &[("Owner", "zoe")])]);
    let outcome = script.write(&ready(None, Some("alice"))).await;
    assert!(skipped(&outcome).contains("it has Owner=zoe"), "{outcome:?}");
    assert_eq!(script.names(), ["DescribeStacks"]);
}

#[tokio::test]
async fn a_stack_that_is_updated_meanwhile_is_left() {
    let script = Script::of(&[stack("UPDATE_IN_PROGRESS", &[])]);
    let outcome = script.write(&ready(None, Some("alice"))).await;
    assert!(skipped(&outcome).contains("UPDATE_IN_PROGRESS"), "{outcome:?}");
    assert_eq!(script.names(), ["DescribeStacks"]);
}

#[tokio::test]
async fn a_parameter_with_another_value_in_parameter_store_is_not_updated_along() {
    let value = |value: &str| json!({"Parameters": [{"Name": "/ami", "Value": value}]});
    for (answer, said) in [
        (
            value("ami-2"),
            "its parameter Image is /ami of Parameter Store, which was \"ami-1\" at its last update and is \"ami-2\" now",
        ),
        (json!({"InvalidParameters": ["/ami"]}), "which no longer exists"),
        (json!({"error": "throttled"}), "which could not be read"),
    ] {
        let script = Script::of(&[with_image(stack("CREATE_COMPLETE", &[]))]);
        script.answer("GetParameters", &[answer]);
        let outcome = script.write(&ready(None, Some("alice"))).await;
        assert!(skipped(&outcome).contains(said), "{outcome:?}");
        assert_eq!(script.input("GetParameters"), json!({"Names": ["/ami"]}));
        assert_eq!(script.writes(), [""; 0]);
    }
    let after = with_image(stack("UPDATE_COMPLETE", &[("Owner", "alice")]));
    let script = Script::of(&[with_image(stack("CREATE_COMPLETE", &[])), after]);
    script.answer("GetParameters", &[value("ami-1")]);
    assert_eq!(script.write(&ready(None, Some("alice"))).await, written());
}

#[tokio::test]
async fn a_template_with_a_reference_that_moves_is_left() {
    let script = Script::of(&[stack("CREATE_COMPLETE", &[])]);
    script.answer("GetTemplate", &[json!({"TemplateBody": "Password: '{{resolve:secretsmanager:db}}'"})]);
    let outcome = script.write(&ready(None, Some("alice"))).await;
    assert!(skipped(&outcome).contains("{{resolve:secretsmanager:db}}"), "{outcome:?}");
    assert_eq!(script.writes(), [""; 0]);
}

#[tokio::test]
async fn a_change_set_that_changes_more_than_tags_is_deleted() {
    let moved = json!([{"ParameterKey": "Image", "ParameterValue": "/ami", "ResolvedValue": "ami-2"}]);
    let more = [change_set(&[change("Tags"), change("Properties")])];
    let on_page_two =
        [json!({"Status": "CREATE_COMPLETE", "Changes": [change("Tags")], "NextToken": "2"}), more[0].clone()];
    for (answers, said) in [
        (&more[..], "more than tags: Web (AWS::EC2::Instance: Modify)"),
        (&on_page_two[..], "more than tags: Web (AWS::EC2::Instance: Modify)"),
        (&[json!({"Status": "CREATE_COMPLETE", "Parameters": moved})][..], "its parameter Image has another value"),
    ] {
        let script = Script::of(&[with_image(stack("CREATE_COMPLETE", &[]))]);
        script.answer("GetParameters", &[json!({"Parameters": [{"Value": "ami-1"}]})]);
        script.answer("DescribeChangeSet", answers);
        let outcome = script.write(&ready(None, Some("alice"))).await;
        assert!(skipped(&outcome).contains(said), "{outcome:?}");
        assert_eq!(script.writes(), ["CreateChangeSet", "DeleteChangeSet"]);
    }
}

#[tokio::test]
async fn a_template_that_its_macros_now_give_otherwise_is_left() {
    let script = Script::of(&[stack("CREATE_COMPLETE", &[])]);
    script.answer("GetTemplate", &[json!({"TemplateBody": "a: 1"}), json!({"TemplateBody": "a: 2"})]);
    let outcome = script.write(&ready(None, Some("alice"))).await;
    assert!(skipped(&outcome).contains("its template would change"), "{outcome:?}");
    assert_eq!(script.input("GetTemplate")["ChangeSetName"], "arn:change-set");
    assert_eq!(script.writes(), ["CreateChangeSet", "DeleteChangeSet"]);
}

#[tokio::test]
async fn a_change_set_that_cannot_be_made_or_executed_leaves_nothing_behind() {
    let script = Script::of(&[stack("CREATE_COMPLETE", &[])]);
    script.answer(
        "DescribeChangeSet",
        &[json!({"Status": "CREATE_PENDING"}), json!({"Status": "FAILED", "StatusReason": "no role"})],
    );
    let outcome = script.write(&ready(None, Some("alice"))).await;
    assert!(matches!(&outcome, WriteOutcome::Failed(why) if why.contains("no role")), "{outcome:?}");
    assert_eq!(script.writes(), ["CreateChangeSet", "DeleteChangeSet"]);

    let script = Script::of(&[stack("CREATE_COMPLETE", &[])]);
    script.answer("ExecuteChangeSet", &[json!({"error": "is in OBSOLETE state"})]);
    let outcome = script.write(&ready(None, Some("alice"))).await;
    assert!(matches!(&outcome, WriteOutcome::Failed(why) if why.contains("OBSOLETE")), "{outcome:?}");
    assert_eq!(script.writes(), ["CreateChangeSet", "ExecuteChangeSet", "DeleteChangeSet"]);
}

#[tokio::test]
async fn where_no_resource_changes_the_stack_itself_is_updated() {
    const NOTHING: &str =
        "The submitted information didn't contain changes. Submit different information to create a change set.";
    let script = Script::of(&[stack("CREATE_COMPLETE", &[("Owner", "alice")]), stack("UPDATE_COMPLETE", &[])]);
    script.answer("DescribeChangeSet", &[json!({"Status": "FAILED", "StatusReason": NOTHING})]);
    assert_eq!(script.write(&ready(Some("alice"), None)).await, written());
    assert_eq!(script.writes(), ["CreateChangeSet", "DeleteChangeSet", "UpdateStack"]);
    assert_eq!(script.input("UpdateStack")["Tags"], "", "an empty value removes all; leaving it out keeps all");
}

#[tokio::test]
async fn a_rollback_is_reported_with_the_reason_that_was_seen_on_the_way() {
    let mut failing = stack("UPDATE_ROLLBACK_IN_PROGRESS", &[("Owner", "alice")]);
    failing["StackStatusReason"] = json!("The following resource(s) failed to update: [Web].");
    let script = Script::of(&[stack("CREATE_COMPLETE", &[]), failing, stack("UPDATE_ROLLBACK_COMPLETE", &[])]);
    let outcome = script.write(&ready(None, Some("alice"))).await;
    let WriteOutcome::RolledBack(why) = &outcome else { panic!("{outcome:?}") };
    assert!(why.contains("UPDATE_ROLLBACK_COMPLETE") && why.contains("failed to update: [Web]"), "{why}");
}

#[tokio::test]
async fn a_stack_that_looks_as_before_is_looked_at_again() {
    let mut again = stack("UPDATE_ROLLBACK_COMPLETE", &[]);
    again["LastUpdatedTime"] = json!("2026-01-01T00:00:00Z");
    let stale = again.clone();
    let script = Script::of(&[again, stale.clone(), stale, stack("UPDATE_COMPLETE", &[("Owner", "alice")])]);
    assert_eq!(script.write(&ready(None, Some("alice"))).await, written());

    let script = Script::of(&[stack("CREATE_COMPLETE", &[])]);
    let outcome = script.write(&ready(None, Some("alice"))).await;
    assert!(matches!(&outcome, WriteOutcome::Failed(why) if why.contains("does not have the tags")), "{outcome:?}");
}

#[tokio::test]
async fn an_update_is_waited_for_within_bounds() {
    let script = Script::of(&[stack("CREATE_COMPLETE", &[]), stack("UPDATE_IN_PROGRESS", &[("Owner", "alice")])]);
    let outcome = script.write(&ready(None, Some("alice"))).await;
    let WriteOutcome::UnderWay(why) = &outcome else { panic!("{outcome:?}") };
    assert!(why.contains("after 30 minutes") && why.contains("resuming the run with --allow-updates cfn"), "{why}");
    assert!(script.waited.get() >= ending::PATIENCE && script.waited.get() < ending::PATIENCE * 2);
}

#[tokio::test]
async fn an_interruption_ends_the_waiting_and_not_the_update() {
    let mut script = Script::of(&[stack("CREATE_COMPLETE", &[]), stack("UPDATE_IN_PROGRESS", &[("Owner", "alice")])]);
    script.halt = Some(watch::Sender::new(false));
    let outcome = script.write(&ready(None, Some("alice"))).await;
    assert!(matches!(&outcome, WriteOutcome::UnderWay(why) if why.contains("UPDATE_IN_PROGRESS")), "{outcome:?}");
}

#[tokio::test]
async fn an_update_that_an_earlier_run_began_is_seen_to_its_end_and_not_made_again() {
    let begun = || ReadyWrite { begun: true, ..ready(None, Some("alice")) };
    let with_owner = |status: &str| stack(status, &[("Owner", "alice")]);
    let script = Script::of(&[with_owner("UPDATE_IN_PROGRESS"), with_owner("UPDATE_COMPLETE")]);
    assert_eq!(script.write(&begun()).await, WriteOutcome::Written { request_id: None });
    assert_eq!(script.writes(), [""; 0]);

    let script = Script::of(&[with_owner("UPDATE_IN_PROGRESS"), stack("UPDATE_ROLLBACK_COMPLETE", &[])]);
    assert!(matches!(script.write(&begun()).await, WriteOutcome::RolledBack(_)));

    let untouched = stack("CREATE_COMPLETE", &[]);
    let script = Script::of(&[untouched.clone(), untouched, with_owner("UPDATE_COMPLETE")]);
    assert_eq!(script.write(&begun()).await, written(), "its call was never made");
    assert_eq!(script.writes(), ["CreateChangeSet", "ExecuteChangeSet"]);
}

#[tokio::test]
async fn regression_a_tag_added_while_the_stack_is_checked_is_sent_along() {
    let (before, after) = (stack("CREATE_COMPLETE", &[]), stack("CREATE_COMPLETE", &[("Team", "blue")]));
    let done = stack("UPDATE_COMPLETE", &[("Owner", "alice"), ("Team", "blue")]);
    let script = Script::of_reads(&[before.clone(), after.clone(), after.clone(), done]);
    assert_eq!(script.write(&ready(None, Some("alice"))).await, written());
    let sent = json!([{"Key": "Owner", "Value": "alice"}, {"Key": "Team", "Value": "blue"}]);
    assert_eq!(script.input("CreateChangeSet")["Tags"]["member"], sent);

    const NOTHING: &str = "The submitted information didn't contain changes.";
    let done = stack("UPDATE_COMPLETE", &[("Owner", "alice"), ("Team", "blue")]);
    let script = Script::of_reads(&[before.clone(), before, after, done]);
    script.answer("DescribeChangeSet", &[json!({"Status": "FAILED", "StatusReason": NOTHING})]);
    assert_eq!(script.write(&ready(None, Some("alice"))).await, written());
    assert_eq!(script.input("UpdateStack")["Tags"]["member"], sent);
}

#[tokio::test]
async fn regression_an_owner_set_while_the_stack_is_checked_is_kept() {
    let (before, after) = (stack("CREATE_COMPLETE", &[]), stack("CREATE_COMPLETE", &[("Owner", "zoe")]));
    let script = Script::of_reads(&[before, after]);
    let outcome = script.write(&ready(None, Some("alice"))).await;
    assert!(skipped(&outcome).contains("it has Owner=zoe"), "{outcome:?}");
    assert_eq!(script.writes(), [""; 0]);
}

#[tokio::test]
async fn regression_a_stack_updated_between_the_read_and_the_change_set_is_tried_again() {
    let before = stack("CREATE_COMPLETE", &[]);
    let mut deployed = stack("UPDATE_COMPLETE", &[]);
    deployed["LastUpdatedTime"] = json!("2026-01-01T00:00:00Z");
    for after in [stack("CREATE_COMPLETE", &[("Team", "blue")]), deployed] {
        let script = Script::of_reads(&[before.clone(), before.clone(), after]);
        let attempt = script.attempt(&ready(None, Some("alice"))).await;
        let Attempt::Passing(refusal) = attempt else { panic!("{attempt:?}") };
        assert!(refusal.to_string().contains("updated meanwhile"), "{refusal:?}");
        assert_eq!(script.writes(), ["CreateChangeSet", "DeleteChangeSet"]);
    }
}

#[tokio::test]
async fn regression_a_lost_answer_of_an_update_is_resolved_by_reading() {
    const NOTHING: &str = "The submitted information didn't contain changes.";
    let (before, done) = (stack("CREATE_COMPLETE", &[]), stack("UPDATE_COMPLETE", &[("Owner", "alice")]));
    for (operation, change_set) in [
        ("ExecuteChangeSet", change_set(&[change("Tags")])),
        ("UpdateStack", json!({"Status": "FAILED", "StatusReason": NOTHING})),
    ] {
        let script = Script::of(&[before.clone(), stack("UPDATE_IN_PROGRESS", &[]), done.clone()]);
        script.answer(operation, &[json!({"lost": true})]);
        script.answer("DescribeChangeSet", std::slice::from_ref(&change_set));
        assert_eq!(script.write(&ready(None, Some("alice"))).await, WriteOutcome::Written { request_id: None });
        assert_eq!(script.writes().iter().filter(|name| *name == operation).count(), 1);

        let script = Script::of(std::slice::from_ref(&before));
        script.answer(operation, &[json!({"lost": true})]);
        script.answer("DescribeChangeSet", &[change_set]);
        let attempt = script.attempt(&ready(None, Some("alice"))).await;
        let Attempt::Passing(refusal) = attempt else { panic!("{attempt:?}") };
        assert!(refusal.in_doubt && refusal.to_string().contains("the tag is not written"), "{refusal:?}");
    }
}

#[tokio::test]
async fn regression_a_lost_answer_of_a_change_set_is_found_by_its_name() {
    let script = Script::of(&[stack("CREATE_COMPLETE", &[]), stack("UPDATE_COMPLETE", &[("Owner", "alice")])]);
    script.answer("CreateChangeSet", &[json!({"lost": true})]);
    assert_eq!(script.write(&ready(None, Some("alice"))).await, written());
    let name = script.input("CreateChangeSet")["ChangeSetName"].clone();
    assert_eq!(script.input("DescribeChangeSet")["ChangeSetName"], name);
    assert_eq!(script.input("ExecuteChangeSet")["ChangeSetName"], name);
}
