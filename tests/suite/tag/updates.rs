//! Writes with side effects: tagging a stack updates it. They are made only where --allow-updates names their type, and
//! then only where nothing but tags changes. moto's updates are as AWS's by `moto_strict/cloudformation_updates.py`.

use serde_json::{Value, json};

use super::lab::{Lab, entry};
use crate::common::{Bench, Caller, Event, Run};

const ALLOW: [&str; 2] = ["--allow-updates", "cfn"];

/// A stack of a queue that is named by a parameter in Parameter Store, made by alice.
fn stack(lab: &mut Lab, name: &str, tags: &Value) -> String {
    let id = lab.moto.boto3(&format!(
        "
ssm = client('ssm')
if not ssm.get_parameters(Names=['/names/{name}'])['Parameters']:
    ssm.put_parameter(Name='/names/{name}', Value='{name}-1', Type='String')
template = json.dumps(dict(
    Parameters=dict(Name=dict(Type='AWS::SSM::Parameter::Value<String>', Default='/names/{name}')),
    Resources=dict(Q=dict(Type='AWS::SQS::Queue', Properties=dict(QueueName=dict(Ref='Name'))))))
tags = [dict(Key=key, Value=value) for key, value in {tags}.items()]
result = client('cloudformation').create_stack(StackName='{name}', TemplateBody=template, Tags=tags)['StackId']"
    ));
    let event = Event::new("cloudformation.amazonaws.com", "CreateStack").request(json!({"stackName": name}));
    lab.event(event.response(json!({"stackId": id})).by(Caller::iam_user("alice")));
    id.as_str().expect("an id is a text").to_owned()
}

fn stack_tags(lab: &Lab, name: &str) -> Value {
    lab.moto.boto3(&format!(
        "result = {{tag['Key']: tag['Value'] for tag in client('cloudformation').describe_stacks(StackName='{name}')['Stacks'][0]['Tags']}}"
    ))
}

fn queue_tags(lab: &Lab, name: &str) -> Value {
    lab.moto.boto3(&format!(
        "sqs = client('sqs')
result = sqs.list_queue_tags(QueueUrl=sqs.get_queue_url(QueueName='{name}')['QueueUrl']).get('Tags', {{}})"
    ))
}

/// A server with one loaded stack.
fn one_stack(hook: &str, tags: &Value) -> Lab {
    let mut lab = Lab::with_hook(Bench::new(), hook);
    stack(&mut lab, "web", tags);
    lab.load();
    lab
}

fn tag(lab: &Lab, more: &[&str]) -> Run {
    lab.run(&[&["tag", "--type", "cfn"][..], more].concat())
}

fn action(run: &Run) -> Value {
    entry(&run.json()["actions"], "web").clone()
}

#[test]
fn without_the_flag_stacks_are_left_with_the_reason_and_nothing_is_written() {
    let mut lab = Lab::new();
    stack(&mut lab, "web", &json!({"stage": "prod"}));
    stack(&mut lab, "owned", &json!({"Owner": "zoe"}));
    let volume = lab.volumes(&["bob"]).remove(0);
    lab.load();
    let report = lab.run(&["tag", "--output", "json"]).success().json();
    let left = entry(&report["skipped"], "web");
    assert_eq!(left["kind"], "side-effects");
    let reason = left["reason"].as_str().expect("a text");
    assert!(reason.contains("--allow-updates cfn") && reason.contains("the stack is updated"), "{reason}");
    assert_eq!(entry(&report["skipped"], "owned")["kind"], "has-tag");
    assert_eq!(report["summary"]["skipped"]["side-effects"], 1);
    assert_eq!(lab.volume_tags(&volume), json!({"Owner": "bob"}), "the others are tagged");
    assert_eq!(stack_tags(&lab, "web"), json!({"stage": "prod"}));
    assert_eq!(lab.moto.writes(), 1, "the volume's");
    let dry = lab.run(&["tag", "--dry-run"]);
    dry.success().says(["1 that tagging would update"]);
    assert!(dry.stdout.contains("skip cfn web (tagging it would update it"), "{}", dry.stdout);
}

#[test]
fn a_saved_plan_and_undo_need_the_flag_too() {
    let lab = one_stack("", &json!({}));
    tag(&lab, &[&ALLOW[..], &["--save-plan", "plan.json"]].concat()).success();
    let held = lab.run(&["apply", "plan.json"]);
    held.success().says(["1 skipped"]);
    assert!(held.stdout.contains("skipped cfn web Owner=alice (tagging it would update it"), "{}", held.stdout);
    assert_eq!(lab.moto.writes(), 0);
    let applied = lab.run(&[&["apply", "plan.json"][..], &ALLOW].concat());
    applied.success().says(["1 tagged", "trailcreator undo 1 --allow-updates cfn"]);
    assert_eq!(stack_tags(&lab, "web"), json!({"Owner": "alice"}));
    let writes = lab.moto.writes();
    lab.run(&["undo", "1"]).success().says(["1 skipped"]);
    assert_eq!(lab.moto.writes(), writes);
    lab.run(&[&["undo", "1"][..], &ALLOW].concat()).success().says(["1 undone"]);
    assert_eq!(stack_tags(&lab, "web"), json!({}));
    assert_eq!(queue_tags(&lab, "web-1"), json!({}), "the stack's resources have it no longer");
}

#[test]
fn a_tag_added_between_the_listing_and_the_write_is_kept() {
    // A deployment that ends just before the stack is read again.
    let hook = "
from moto.cloudformation.models import cloudformation_backends
def before(entry, environ):
    if entry['action'] == 'DescribeStacks' and 'StackName' in entry['body'] and 'Boto3/' not in entry['user_agent']:
        for stack in cloudformation_backends['123456789012']['us-east-1'].stacks.values():
            stack.tags.setdefault('Release', '7')
";
    let lab = one_stack(hook, &json!({"stage": "prod"}));
    tag(&lab, &ALLOW).success();
    let all = json!({"stage": "prod", "Release": "7", "Owner": "alice"});
    assert_eq!(stack_tags(&lab, "web"), all);
    assert_eq!(queue_tags(&lab, "web-1"), all, "tags go on to the stack's resources");
    let writes = lab.moto.writes();
    tag(&lab, &ALLOW).success().says(["nothing to write"]);
    assert_eq!(lab.moto.writes(), writes);
}

#[test]
fn a_stack_with_a_moved_value_in_parameter_store_is_skipped() {
    let lab = one_stack("", &json!({"stage": "prod"}));
    lab.moto.boto3("client('ssm').put_parameter(Name='/names/web', Value='web-2', Type='String', Overwrite=True)");
    let run = tag(&lab, &[&ALLOW[..], &["--output", "json"]].concat());
    let action = action(run.success());
    assert_eq!(action["result"], "skipped");
    let why = action["error"].as_str().expect("a reason");
    for said in ["parameter Name", "/names/web", "\"web-1\"", "\"web-2\""] {
        assert!(why.contains(said), "{why}");
    }
    assert_eq!(lab.moto.writes(), 0, "not even a change set");
    assert_eq!(stack_tags(&lab, "web"), json!({"stage": "prod"}));
}

#[test]
fn a_value_that_moves_after_it_was_read_is_seen_in_the_change_set() {
    let hook = "
from moto.ssm.models import ssm_backends
def before(entry, environ):
    if entry['action'] == 'CreateChangeSet':
        ssm_backends['123456789012']['us-east-1'].get_parameter('/names/web').value = 'web-2'
";
    let lab = one_stack(hook, &json!({"stage": "prod"}));
    let run = tag(&lab, &[&ALLOW[..], &["--output", "json"]].concat());
    let action = action(run.success());
    assert_eq!(action["result"], "skipped");
    let why = action["error"].as_str().expect("a reason");
    assert!(why.contains("Q (AWS::SQS::Queue: Modify, replacement True)"), "{why}");
    assert_eq!([lab.sent("ExecuteChangeSet"), lab.sent("UpdateStack")], [0, 0]);
    let waiting = lab.moto.boto3("result = client('cloudformation').list_change_sets(StackName='web')['Summaries']");
    assert_eq!(waiting, json!([]), "the change set is deleted");
}

#[test]
fn a_rollback_is_a_failure_and_is_not_repeated_until_asked_for() {
    let lab = one_stack("", &json!({"test:rollback": "yes"}));
    let run = tag(&lab, &[&ALLOW[..], &["--output", "json"]].concat());
    let action = action(run.code(4));
    assert_eq!(action["result"], "failed");
    let why = action["error"].as_str().expect("a reason");
    assert!(why.contains("rolled back") && why.contains("failed to update: [Q]"), "{why}");
    assert_eq!(stack_tags(&lab, "web"), json!({"test:rollback": "yes"}));

    let writes = lab.moto.writes();
    let again = tag(&lab, &[&ALLOW[..], &["--output", "json"]].concat());
    let left = entry(&again.success().json()["skipped"], "web").clone();
    assert_eq!(left["kind"], "rolled-back");
    let why = left["reason"].as_str().expect("a reason");
    assert!(why.contains("by run 1") && why.contains("--retry-rolled-back"), "{why}");
    assert_eq!(lab.moto.writes(), writes, "an hourly run does not repeat it");

    // Another program repairs the stack.
    lab.moto.boto3(
        "client('cloudformation').update_stack(StackName='web', UsePreviousTemplate=True, Parameters=[dict(ParameterKey='Name', UsePreviousValue=True)], Tags=[])",
    );
    assert_eq!(stack_tags(&lab, "web"), json!({}));
    tag(&lab, &[&ALLOW[..], &["--retry-rolled-back"]].concat()).success().says(["1 tagged"]);
    assert_eq!(stack_tags(&lab, "web"), json!({"Owner": "alice"}));
    lab.run(&[&["undo", "2"][..], &ALLOW].concat()).success().says(["1 undone"]);
}

#[test]
fn an_interrupted_update_is_seen_to_its_end_by_resume() {
    let bench = Bench::new();
    let pid_file = bench.path("pid");
    // At the first look at the update: the fourth at the stack.
    let hook = "
import itertools, os, signal, time
counter = itertools.count(1)
def before(entry, environ):
    looks = entry['action'] == 'DescribeStacks' and 'StackName' in entry['body'] and 'Boto3/' not in entry['user_agent']
    if looks and next(counter) == 4:
        while not os.path.exists(r'PID_FILE'):
            time.sleep(0.01)
        os.kill(int(open(r'PID_FILE').read()), signal.SIGINT)
"
    .replace("PID_FILE", &pid_file.display().to_string());
    let mut lab = Lab::with_hook(bench, &hook);
    stack(&mut lab, "web", &json!({"test:slow": "3"}));
    lab.load();
    let child = lab.bench.trailcreator([&["tag", "--type", "cfn"][..], &ALLOW].concat()).aws(&lab.moto).spawn();
    lab.bench.write("pid.part", child.id().to_string());
    std::fs::rename(lab.bench.path("pid.part"), &pid_file).expect("the folder is ours");
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8(output.stderr).expect("stderr is UTF-8");
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("trailcreator apply --resume 1 --allow-updates cfn"), "{stderr}");
    let run = lab.run(&["runs", "--output", "json"]).success().json()["runs"][0].clone();
    assert_eq!([&run["counts"]["started"], &run["finished_at"]], [&json!(1), &Value::Null]);

    let updates = lab.sent("ExecuteChangeSet");
    lab.run(&[&["apply", "--resume", "1"][..], &ALLOW].concat()).success().says(["1 tagged"]);
    assert_eq!(lab.sent("ExecuteChangeSet"), updates, "the update is not made again");
    assert_eq!(stack_tags(&lab, "web"), json!({"test:slow": "3", "Owner": "alice"}));
}

#[test]
fn an_organization_s_run_compares_the_flag_when_it_is_resumed() {
    let lab = one_stack("", &json!({}));
    lab.bench.write("accounts.yml", "accounts:\n  - {name: main, account_id: '123456789012'}\n");
    lab.run(&["tag-org", "accounts.yml"]).success().says(["1 that tagging would update"]);
    assert_eq!(stack_tags(&lab, "web"), json!({}));
    let run = lab.run(&[&["tag-org", "accounts.yml"][..], &ALLOW].concat());
    run.success().says(["--config accounts.yml --allow-updates cfn"]);
    assert_eq!(stack_tags(&lab, "web"), json!({"Owner": "alice"}));
}

#[test]
fn unknown_types_are_refused_and_harmless_ones_are_named() {
    let lab = one_stack("", &json!({}));
    tag(&lab, &["--allow-updates", "cfm"]).code(2).says(["--allow-updates", "cfm", "did you mean cfn?"]);
    let run = tag(&lab, &["--allow-updates", "sqs", "--dry-run"]);
    run.success().says(["--allow-updates sqs: tagging it updates nothing", "elasticbeanstalk-environment"]);
    let by_variable =
        lab.bench.trailcreator(["tag", "--dry-run"]).env("TRAILCREATOR_ALLOW_UPDATES", "cfn").aws(&lab.moto);
    by_variable.run().success().says(["1 to tag"]);
}

#[test]
fn the_policy_asks_for_updates_only_where_they_are_allowed() {
    let bench = Bench::new();
    let policy =
        |args: &[&str]| bench.trailcreator([&["policy", "tag"][..], args].concat()).run().success().stdout.clone();
    let plain = policy(&["--service", "cloudformation"]);
    assert!(plain.contains("cloudformation:DescribeStacks") && !plain.contains("UpdateStack"), "{plain}");
    for args in [&["--type", "cfn"][..], &["--service", "cloudformation", "--allow-updates", "cfn"]] {
        let allowed = policy(args);
        for action in [
            "cloudformation:DescribeStacks",
            "cloudformation:CreateChangeSet",
            "cloudformation:ExecuteChangeSet",
            "cloudformation:UpdateStack",
            "ssm:GetParameters",
        ] {
            assert!(allowed.contains(action), "{action}: {allowed}");
        }
    }
}

#[test]
fn the_resource_map_shows_what_writing_does() {
    let bench = Bench::new();
    let list = bench.trailcreator(["resource-map", "list", "--type", "cfn", "--output", "json"]).run().success().json();
    let updates = &list["resource_types"][0]["updates"];
    assert!(updates["page"].as_str().is_some_and(|page| page.ends_with("API_UpdateStack.html")), "{updates}");
    let text = bench.trailcreator(["resource-map", "list", "--service", "elasticbeanstalk"]).run();
    text.success().says(["(1 of them only with --allow-updates)"]);
    assert!(text.stdout.contains("the environment is updated"), "{}", text.stdout);
    let shown = bench.trailcreator(["resource-map", "show", "catalog-product"]).run();
    assert!(shown.success().stdout.contains("updates:"), "{}", shown.stdout);
}
