//! Which keys are one tag: by case on most types, without case on IAM's users and roles, and by `--owner-keys` on all.

use serde_json::{Value, json};

use super::lab::{Lab, entry};

/// `{name: tags}` of users, by boto3.
fn user_tags(lab: &Lab, name: &str) -> Value {
    lab.moto.boto3(&format!(
        "result = {{tag['Key']: tag['Value'] for tag in client('iam').list_user_tags(UserName='{name}')['Tags']}}"
    ))
}

#[test]
fn a_role_with_the_tag_in_another_spelling_has_it() {
    let mut lab = Lab::new();
    lab.role("deploy", "alice", &json!({"owner": "payments"}));
    let queue = lab.queue("jobs", "alice", &json!({"owner": "payments"}));
    lab.load();
    let report = lab.run(&["tag", "--output", "json"]).success().json();
    let left = entry(&report["skipped"], "deploy");
    assert_eq!(left["kind"], "has-tag");
    assert_eq!(left["reason"], "already has the tag: owner=payments, the same key as Owner on iam-role");
    assert_eq!(lab.role_tags("deploy"), json!({"owner": "payments"}));
    assert_eq!(lab.queue_tags(&queue), json!({"owner": "payments", "Owner": "alice"}), "SQS compares with case");

    let report = lab.run(&["report", "--output", "json"]).success().json();
    let roles = report["rows"].as_array().unwrap().iter().find(|row| row["type"] == "iam-role").unwrap();
    assert_eq!((&roles["owned"], &roles["would_be_owned"]), (&json!(1), &json!(0)), "the report counts it as tagged");
}

#[test]
fn overwriting_another_spelling_is_undone_with_key_and_value() {
    let mut lab = Lab::new();
    lab.role("deploy", "alice", &json!({"owner": "payments", "team": "blue"}));
    lab.role("same", "alice", &json!({"OWNER": "alice"}));
    lab.load();
    let report = lab.run(&["tag", "--overwrite", "--output", "json"]).success().json();
    let written = entry(&report["actions"], "deploy");
    assert_eq!((&written["old_key"], &written["old_value"]), (&json!("owner"), &json!("payments")));
    assert_eq!(entry(&report["skipped"], "same")["kind"], "same-value");
    assert_eq!(lab.role_tags("deploy"), json!({"Owner": "alice", "team": "blue"}));
    let journal = lab.run(&["runs", "1"]).success().stdout.clone();
    assert!(journal.contains("written iam-role deploy owner -> Owner: payments -> alice"), "{journal}");

    lab.run(&["undo", "1"]).success().says(["1 undone"]);
    assert_eq!(lab.role_tags("deploy"), json!({"owner": "payments", "team": "blue"}));
    assert_eq!(lab.role_tags("same"), json!({"OWNER": "alice"}));
}

#[test]
fn a_saved_plan_replaces_the_spelling_that_it_was_made_for_and_no_other() {
    let mut lab = Lab::new();
    lab.role("deploy", "alice", &json!({"owner": "payments"}));
    lab.role("changed", "alice", &json!({"owner": "payments"}));
    lab.role("late", "alice", &json!({}));
    lab.load();
    lab.run(&["tag", "--overwrite", "--save-plan", "plan.json"]).success();
    lab.moto.boto3(
        "client('iam').tag_role(RoleName='changed', Tags=[dict(Key='OWNER', Value='payments')])
client('iam').tag_role(RoleName='late', Tags=[dict(Key='owner', Value='zoe')])",
    );
    let report = lab.run(&["apply", "plan.json", "--output", "json"]).success().json();
    let result = |id: &str| entry(&report["actions"], id)["result"].clone();
    assert_eq!([result("deploy"), result("changed"), result("late")], ["written", "skipped", "skipped"]);
    assert_eq!(lab.role_tags("deploy"), json!({"Owner": "alice"}));
    assert_eq!(lab.role_tags("changed"), json!({"OWNER": "payments"}));
    assert_eq!(lab.role_tags("late"), json!({"owner": "zoe"}));
    lab.run(&["undo", "1"]).success();
    assert_eq!(lab.role_tags("deploy"), json!({"owner": "payments"}));
}

#[test]
fn a_further_owner_key_counts_as_the_tag_on_every_type() {
    let mut lab = Lab::new();
    let by_mail = lab.queue("by-mail", "alice", &json!({"OwnerEmail": "a@example.com"}));
    let by_case = lab.queue("by-case", "alice", &json!({"owneremail": "a@example.com"}));
    lab.role("deploy", "alice", &json!({"OWNEREMAIL": "a@example.com"}));
    lab.load();
    let report = lab.run(&["tag", "--owner-keys", "contact,OwnerEmail", "--output", "json"]).success().json();
    let reason = "already has the tag: OwnerEmail=a@example.com, an owner key beside Owner";
    assert_eq!(entry(&report["skipped"], &by_mail)["reason"], reason);
    assert_eq!(lab.queue_tags(&by_mail), json!({"OwnerEmail": "a@example.com"}));
    assert_eq!(lab.queue_tags(&by_case), json!({"owneremail": "a@example.com", "Owner": "alice"}));
    assert_eq!(lab.role_tags("deploy"), json!({"OWNEREMAIL": "a@example.com"}));
    assert_eq!(lab.sent("ListQueueTags"), 1, "the sweep showed the other's owner key");

    let report = lab.run(&["report", "--owner-keys", "OwnerEmail", "--output", "json"]).success().json();
    let owned: Vec<&Value> = report["rows"].as_array().unwrap().iter().map(|row| &row["owned"]).collect();
    assert_eq!(json!(owned), json!([1, 2]));

    lab.run(&["tag", "--owner-keys", "OwnerEmail", "--overwrite"]).success();
    let both = json!({"OwnerEmail": "a@example.com", "Owner": "alice"});
    assert_eq!(lab.queue_tags(&by_mail), both, "the further key stays");
    lab.run(&["undo", "2"]).success();
    assert_eq!(lab.queue_tags(&by_mail), json!({"OwnerEmail": "a@example.com"}));
}

#[test]
fn an_owner_key_that_came_since_the_plan_keeps_the_tag_from_being_written() {
    let mut lab = Lab::new();
    let queue = lab.queue("jobs", "alice", &json!({}));
    lab.load();
    lab.run(&["tag", "--owner-keys", "OwnerEmail", "--save-plan", "plan.json"]).success();
    lab.moto.boto3(&format!("client('sqs').tag_queue(QueueUrl='{queue}', Tags={{'OwnerEmail': 'a@example.com'}})"));
    lab.run(&["apply", "plan.json"]).success().says(["1 skipped"]);
    assert_eq!(lab.queue_tags(&queue), json!({"OwnerEmail": "a@example.com"}));
}

#[test]
fn a_further_tag_that_is_the_owner_tag_on_a_role_is_not_written_there() {
    let mut lab = Lab::new();
    lab.role("deploy", "alice", &json!({}));
    let queue = lab.queue("jobs", "alice", &json!({}));
    lab.load();
    let tag = ["tag", "--tag", "owner=x", "--type", "iam-role"];
    lab.run(&tag).code(2).says(["the tag owner is given twice: Owner is the same tag on iam-role"]);
    assert_eq!(lab.moto.writes(), 0);
    let report = lab.run(&["tag", "--tag", "owner=x", "--output", "json"]).success().json();
    let left = entry(&report["skipped"], "deploy");
    assert_eq!(left["reason"], "no owner: it is the same tag as Owner on iam-role");
    assert_eq!(lab.role_tags("deploy"), json!({"Owner": "alice"}));
    assert_eq!(lab.queue_tags(&queue), json!({"Owner": "alice", "owner": "x"}));
}

#[test]
fn the_test_server_compares_keys_as_iam_does() {
    let lab = Lab::new();
    let refused = lab.moto.boto3(
        "iam, result = client('iam'), []
two = [dict(Key='Department', Value='finance'), dict(Key='department', Value='hr')]
for create in (lambda: iam.create_user(UserName='two', Tags=two), lambda: iam.create_role(RoleName='two', AssumeRolePolicyDocument='{}', Tags=two)):
    try:
        create()
    except iam.exceptions.InvalidInputException as error:
        result.append(error.response['Error']['Code'])
iam.create_user(UserName='dan', Tags=two[:1])
iam.tag_user(UserName='dan', Tags=two[1:])",
    );
    assert_eq!(refused, json!(["InvalidInput", "InvalidInput"]));
    assert_eq!(user_tags(&lab, "dan"), json!({"department": "hr"}), "it replaces the first tag");
    lab.moto.boto3("client('iam').untag_user(UserName='dan', TagKeys=['DEPARTMENT'])");
    assert_eq!(user_tags(&lab, "dan"), json!({}));
    let policy = lab.moto.boto3(
        "iam, document = client('iam'), json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Deny', 'Action': '*', 'Resource': '*'}]})
arn = iam.create_policy(PolicyName='p', PolicyDocument=document, Tags=[dict(Key='Owner', Value='1')])['Policy']['Arn']
iam.tag_policy(PolicyArn=arn, Tags=[dict(Key='owner', Value='2')])
result = {tag['Key']: tag['Value'] for tag in iam.list_policy_tags(PolicyArn=arn)['Tags']}",
    );
    assert_eq!(policy, json!({"Owner": "1", "owner": "2"}), "IAM's other types compare with case");
}
