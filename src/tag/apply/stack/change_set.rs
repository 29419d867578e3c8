//! A change set shows what an update of a stack would do before it does it. Only one that changes nothing but tags, in
//! place, is executed; any other is deleted.
//!
//! Parameter values and macros are evaluated when a change set is made, and executing it uses what was found then. A nested
//! stack's own changes are not in it, so a stack with nested stacks is left.
//!
//! Sources: <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html>,
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html>

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Attempt, TagApi, Update, WriteOutcome, is_same_update, list, meanwhile, tags_of};

/// How long AWS may take to make a change set: stacks have up to 500 resources.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// The longest wait before the first further look.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest wait of all.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// Resources that a reason names.
const NAMED: usize = 5;

/// A change set that AWS has made.
pub(super) struct ChangeSet {
    id: String,
    changes: Vec<Value>,
    parameters: Vec<Value>,
}

/// Makes the change set of an update. `None`: AWS finds nothing to change in any resource.
pub(super) async fn create(update: &Update<'_, impl TagApi>, input: &Value) -> Result<Option<ChangeSet>, Attempt> {
    let mut input = input.clone();
    let (run, position) = (update.job.run, update.stack.write.position);
    // A name that no other has, also after a run that was killed.
    let random = RandomState::new().build_hasher().finish();
    input["ChangeSetName"] = json!(format!("trailcreator-{run}-{position}-{random:016x}"));
    input["ChangeSetType"] = json!("UPDATE");
    input["Description"] = json!("trailcreator writes tags");
    let name = input["ChangeSetName"].as_str().unwrap_or_default().to_owned();
    let (id, doubt) = match update.call("CreateChangeSet", input).await {
        Err(Attempt::Ended(WriteOutcome::Failed(why))) if says_no_changes(&why) => return Ok(None),
        // The answer was lost. No other change set has this name.
        Err(Attempt::InDoubt(refusal)) => (name, Some(refusal)),
        Err(attempt) => return Err(attempt),
        Ok(answer) => match answer.body["Id"].as_str() {
            Some(id) => (id.to_owned(), None),
            None => {
                delete(update, &name).await;
                let why = "cloudformation:CreateChangeSet returned no change set".to_owned();
                return Err(WriteOutcome::Failed(why).into());
            }
        },
    };
    match (made(update, &id).await, doubt) {
        (Ok(Some(change_set)), _) => Ok(Some(change_set)),
        (Err(Attempt::Ended(WriteOutcome::Vanished(_))), Some(refusal)) => Err(Attempt::Passing(refusal)),
        (rest, _) => {
            delete(update, &id).await;
            rest
        }
    }
}

/// Waits until AWS has made it.
async fn made(update: &Update<'_, impl TagApi>, id: &str) -> Result<Option<ChangeSet>, Attempt> {
    let (mut pause, mut waited) = (FIRST_PAUSE, Duration::ZERO);
    loop {
        let description = describe(update, id, None).await?;
        let reason = description["StatusReason"].as_str().unwrap_or("AWS gave no reason");
        match description["Status"].as_str() {
            Some("CREATE_COMPLETE") => return all_of(update, id, description).await.map(Some),
            Some("FAILED") if says_no_changes(reason) => return Ok(None),
            Some("FAILED") => {
                return Err(WriteOutcome::Failed(format!("AWS could not make a change set: {reason}")).into());
            }
            _ if *update.halted.borrow() => {
                return Err(WriteOutcome::Unfinished("interrupted before its update began".to_owned()).into());
            }
            _ if waited >= PATIENCE => {
                let minutes = PATIENCE.as_secs() / 60;
                return Err(WriteOutcome::Failed(format!("AWS made no change set within {minutes} minutes")).into());
            }
            _ => {}
        }
        update.api.pause(pause).await;
        waited += pause;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// What AWS says where an update would change no resource.
fn says_no_changes(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains("No updates are to be performed")
}

async fn describe(update: &Update<'_, impl TagApi>, id: &str, page: Option<&str>) -> Result<Value, Attempt> {
    let mut input = json!({"ChangeSetName": id, "StackName": update.stack.live.arn});
    if let Some(token) = page {
        input["NextToken"] = json!(token);
    }
    Ok(update.read("DescribeChangeSet", input).await?.body)
}

/// All pages.
async fn all_of(update: &Update<'_, impl TagApi>, id: &str, first: Value) -> Result<ChangeSet, Attempt> {
    let parameters = list(&first, "Parameters").cloned().collect();
    let mut changes: Vec<Value> = list(&first, "Changes").cloned().collect();
    let mut page = first;
    while let Some(token) = page["NextToken"].as_str().map(str::to_owned) {
        page = describe(update, id, Some(&token)).await?;
        changes.extend(list(&page, "Changes").cloned());
    }
    Ok(ChangeSet { id: id.to_owned(), changes, parameters })
}

impl ChangeSet {
    /// Takes it away.
    pub(super) async fn delete(&self, update: &Update<'_, impl TagApi>) {
        delete(update, &self.id).await;
    }
}

/// Executes a change set that changes nothing but tags, of a stack that is still as it was `now`. Returns AWS's id of the call.
///
/// `template`: the stack's, as its macros left it.
pub(super) async fn execute(
    update: &Update<'_, impl TagApi>,
    change_set: &ChangeSet,
    now: &Value,
    template: &str,
) -> Result<Option<String>, Attempt> {
    judge(update, change_set, now, template).await?;
    // AWS refuses a change set of a stack that was updated after it was made. What came before that is seen here.
    let again = update.describe().await?;
    if !is_same_update(now, &again) || tags_of(now) != tags_of(&again) {
        return Err(meanwhile());
    }
    let input = json!({"ChangeSetName": change_set.id, "StackName": update.stack.live.arn});
    Ok(update.call("ExecuteChangeSet", input).await?.request_id)
}

async fn judge(
    update: &Update<'_, impl TagApi>,
    change_set: &ChangeSet,
    now: &Value,
    template: &str,
) -> Result<(), Attempt> {
    let changed: Vec<String> = change_set.changes.iter().filter_map(more_than_tags).collect();
    if !changed.is_empty() {
        let more = changed.len().saturating_sub(NAMED);
        let named = changed[..changed.len() - more].join(", ");
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        return Err(WriteOutcome::Skipped(format!("an update would change more than tags: {named}{more}")).into());
    }
    if let Some(name) = change_set.parameters.iter().find_map(|parameter| moved(parameter, now)) {
        let why =
            format!("its parameter {name} has another value in Parameter Store now; an update would use that value");
        return Err(WriteOutcome::Skipped(why).into());
    }
    if update.template(Some(&change_set.id)).await? != template {
        let why = "its template would change: its macros or referenced values now resolve differently";
        return Err(WriteOutcome::Skipped(why.to_owned()).into());
    }
    Ok(())
}

/// What a change does beside changing tags in place: "Web (AWS::EC2::Instance: Modify, replacement True)".
fn more_than_tags(change: &Value) -> Option<String> {
    let change = &change["ResourceChange"];
    let text = |name: &str| change[name].as_str().unwrap_or("unknown");
    let is_tags = |detail: &Value| {
        let target = &detail["Target"];
        target["Attribute"] == "Tags" && target["RequiresRecreation"] == "Never" && detail["Evaluation"] == "Static"
    };
    let of_tags_only =
        change["Scope"].as_array().is_some_and(|scope| !scope.is_empty() && scope.iter().all(|part| part == "Tags"))
            && list(change, "Details").all(is_tags);
    let is_nested = change["ResourceType"] == "AWS::CloudFormation::Stack";
    if text("Action") == "Modify" && text("Replacement") == "False" && of_tags_only && !is_nested {
        return None;
    }
    let what = if is_nested { "a nested stack" } else { text("ResourceType") };
    let replacement = match change["Replacement"].as_str() {
        None | Some("False") => String::new(),
        Some(replacement) => format!(", replacement {replacement}"),
    };
    Some(format!("{} ({what}: {}{replacement})", text("LogicalResourceId"), text("Action")))
}

/// The name of a parameter that has another value in the change set than in the stack.
fn moved<'p>(parameter: &'p Value, now: &Value) -> Option<&'p str> {
    let planned = parameter["ResolvedValue"].as_str()?;
    let name = parameter["ParameterKey"].as_str()?;
    let present = list(now, "Parameters").find(|present| present["ParameterKey"] == name)?;
    (present["ResolvedValue"].as_str() != Some(planned)).then_some(name)
}

/// Takes a change set away that will not be executed. Where that fails it does no harm: nothing executes it, and the
/// stack's next update removes it.
async fn delete(update: &Update<'_, impl TagApi>, id: &str) {
    let input = json!({"ChangeSetName": id, "StackName": update.stack.live.arn});
    if let Err(attempt) = update.call("DeleteChangeSet", input).await {
        tracing::info!("the change set {id} was not deleted: {attempt:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(with: &[(&str, Value)]) -> Value {
        let detail = json!({
            "Target": {"Attribute": "Tags", "RequiresRecreation": "Never"}, "Evaluation": "Static",
            "ChangeSource": "DirectModification",
        });
        let mut change = json!({
            "Action": "Modify", "LogicalResourceId": "Web", "ResourceType": "AWS::EC2::Instance", "Replacement": "False",
            "Scope": ["Tags"], "Details": [detail],
        });
        for (path, value) in with {
            *change.pointer_mut(path).unwrap() = value.clone();
        }
        json!({"Type": "Resource", "ResourceChange": change})
    }

    #[test]
    fn a_change_of_tags_in_place_is_no_more_than_that() {
        assert_eq!(more_than_tags(&change(&[])), None);
    }

    #[test]
    fn every_other_change_is_named() {
        for (path, value, said) in [
            ("/Action", json!("Remove"), "Web (AWS::EC2::Instance: Remove)"),
            ("/Replacement", json!("True"), "Web (AWS::EC2::Instance: Modify, replacement True)"),
            ("/Replacement", json!("Conditional"), "Web (AWS::EC2::Instance: Modify, replacement Conditional)"),
            ("/Scope", json!(["Properties", "Tags"]), "Web (AWS::EC2::Instance: Modify)"),
            ("/Scope", json!([]), "Web (AWS::EC2::Instance: Modify)"),
            ("/Scope", Value::Null, "Web (AWS::EC2::Instance: Modify)"),
            ("/Details/0/Evaluation", json!("Dynamic"), "Web (AWS::EC2::Instance: Modify)"),
            ("/Details/0/Target/Attribute", json!("Properties"), "Web (AWS::EC2::Instance: Modify)"),
            ("/Details/0/Target/RequiresRecreation", json!("Always"), "Web (AWS::EC2::Instance: Modify)"),
            ("/ResourceType", json!("AWS::CloudFormation::Stack"), "Web (a nested stack: Modify)"),
        ] {
            assert_eq!(more_than_tags(&change(&[(path, value)])).as_deref(), Some(said), "{path}");
        }
    }
}
