//! Policy documents: scoped to the resources that are known, and split where one would exceed IAM's limits.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Needs;

/// Characters of a managed policy that IAM takes at most; white space does not count.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub const MAX_CHARACTERS: usize = 6144;

/// Managed policies that a role takes, unless its account has a higher quota.
pub const MAX_POLICIES_OF_ROLE: usize = 10;

/// Characters of all inline policies of a role together; white space does not count.
pub const MAX_INLINE_CHARACTERS: usize = 10_240;

/// Endpoints of S3 and SQS that decrypt for the caller, in all partitions.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service>
const DECRYPTING_SERVICES: [&str; 2] = ["s3.*.amazonaws.com*", "sqs.*.amazonaws.com*"];

/// The resources that are known. Actions on those that are not are allowed on all resources.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// ARNs of buckets with log files.
    pub buckets: Vec<String>,
    /// ARNs of queues to follow.
    pub queues: Vec<String>,
    /// ARNs of log groups, without `:*` at the end.
    pub log_groups: Vec<String>,
    /// ARNs of KMS keys that encrypt them.
    pub kms_keys: Vec<String>,
    /// ARNs of roles to assume.
    pub roles: Vec<String>,
}

/// A statement that allows actions.
#[derive(Debug, Clone, PartialEq)]
struct Statement {
    actions: Vec<String>,
    resources: Vec<String>,
    condition: Option<Value>,
}

impl Statement {
    fn value(&self) -> Value {
        let resource = match self.resources.as_slice() {
            [one] => json!(one),
            several => json!(several),
        };
        let mut statement = json!({"Effect": "Allow", "Action": self.actions, "Resource": resource});
        if let Some(condition) = &self.condition {
            statement["Condition"] = condition.clone();
        }
        statement
    }

    fn size(&self) -> usize {
        characters(&self.value())
    }
}

/// The characters of a document as IAM counts them.
pub(super) fn characters(document: &Value) -> usize {
    // White space in a text of ours: none.
    document.to_string().chars().count()
}

/// The policies with these actions, of at most [`MAX_CHARACTERS`] each, in order; none where nothing is needed. All of them together
/// are needed.
pub fn documents(needs: &Needs, scope: &Scope) -> Vec<Value> {
    let room = MAX_CHARACTERS - characters(&document(&[]));
    let mut parts: Vec<Vec<Statement>> = Vec::new();
    let mut left = 0;
    for statement in statements(needs, scope).iter().flat_map(|statement| split(statement, room)) {
        // A comma.
        let size = statement.size() + 1;
        match parts.last_mut().filter(|_| left >= size) {
            Some(part) => part.push(statement),
            None => {
                parts.push(vec![statement]);
                left = room;
            }
        }
        left = left.saturating_sub(size);
    }
    parts.iter().map(|part| document(part)).collect()
}

fn document(statements: &[Statement]) -> Value {
    let statements: Vec<Value> = statements.iter().map(Statement::value).collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// Parts of a statement that each fit into a document.
fn split(statement: &Statement, room: usize) -> Vec<Statement> {
    let empty = Statement { actions: Vec::new(), ..statement.clone() };
    let room = room.saturating_sub(empty.size() + 1);
    let mut parts: Vec<Statement> = Vec::new();
    let mut left = 0;
    for action in &statement.actions {
        // Two quotes and a comma.
        let size = action.len() + 3;
        match parts.last_mut().filter(|_| left >= size) {
            Some(part) => part.actions.push(action.clone()),
            None => {
                parts.push(Statement { actions: vec![action.clone()], ..empty.clone() });
                left = room;
            }
        }
        left = left.saturating_sub(size);
    }
    parts
}

/// What is allowed on all resources first, then what is allowed on some.
fn statements(needs: &Needs, scope: &Scope) -> Vec<Statement> {
    let objects: Vec<String> = scope.buckets.iter().map(|bucket| format!("{bucket}/*")).collect();
    // For FilterLogEvents the ARN ends in `:*`.
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    let streams: Vec<String> = scope.log_groups.iter().map(|group| format!("{group}:*")).collect();
    let scoped: [(&[&str], &[String]); 5] = [
        (&["s3:GetObject"], &objects),
        (&["s3:ListBucket"], &scope.buckets),
        (
            &["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            &scope.queues,
        ),
        (&["logs:FilterLogEvents"], &streams),
        (&["sts:AssumeRole"], &scope.roles),
    ];
    let is_scopable = |action: &str| !needs.of_types.contains(action);
    let mut on_all: BTreeSet<&str> = needs.actions.iter().map(String::as_str).collect();
    let mut on_some = Vec::new();
    for (actions, resources) in scoped {
        let actions = actions.iter().filter(|action| !resources.is_empty() && is_scopable(action));
        let actions: Vec<String> =
            actions.filter(|action| on_all.remove(**action)).map(|&action| action.to_owned()).collect();
        if !actions.is_empty() {
            on_some.push(Statement { actions, resources: resources.to_vec(), condition: None });
        }
    }
    let on_all = (!on_all.is_empty()).then(|| Statement {
        actions: on_all.into_iter().map(str::to_owned).collect(),
        resources: vec!["*".to_owned()],
        condition: None,
    });
    on_all.into_iter().chain(on_some).chain(of_keys(needs, scope)).collect()
}

/// Decrypting log files and messages that are encrypted with a KMS key, and encrypting Athena's results.
fn of_keys(needs: &Needs, scope: &Scope) -> Option<Statement> {
    let actions: Vec<String> = needs.of_keys.iter().map(|&action| action.to_owned()).collect();
    if actions.is_empty() {
        return None;
    }
    // With a key, its ARN is the limit.
    let (resources, condition) = if scope.kms_keys.is_empty() {
        (vec!["*".to_owned()], Some(json!({"StringLike": {"kms:ViaService": DECRYPTING_SERVICES}})))
    } else {
        (scope.kms_keys.clone(), None)
    };
    Some(Statement { actions, resources, condition })
}

/// How the policies can be attached to a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    /// The number of managed policies.
    pub policies: usize,
    /// Characters of all of them.
    pub characters: usize,
}

impl Fit {
    /// Of these policies.
    pub fn of(documents: &[Value]) -> Self {
        Self { policies: documents.len(), characters: documents.iter().map(characters).sum() }
    }

    /// Whether a role takes all of them as managed policies.
    pub fn is_of_one_role(self) -> bool {
        self.policies <= MAX_POLICIES_OF_ROLE
    }

    /// Whether a role takes all of them as inline policies.
    pub fn is_inline(self) -> bool {
        self.characters <= MAX_INLINE_CHARACTERS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(actions: impl IntoIterator<Item = String>) -> Needs {
        Needs { actions: actions.into_iter().collect(), ..Needs::default() }
    }

    #[test]
    fn a_long_policy_is_split_and_loses_nothing() {
        let all = needs((0..1000).map(|n| format!("service{}:Action{n}", n % 7)));
        let documents = documents(&all, &Scope::default());
        assert!(documents.len() > 1);
        let mut found = BTreeSet::new();
        for document in &documents {
            let text = document.to_string();
            assert!(!text.contains(char::is_whitespace) && text.len() <= MAX_CHARACTERS, "{}", text.len());
            let actions = document["Statement"][0]["Action"].as_array().unwrap();
            found.extend(actions.iter().map(|action| action.as_str().unwrap().to_owned()));
        }
        assert_eq!(found, all.actions);
        let full = documents[0].to_string().len();
        assert!(full > MAX_CHARACTERS - 30, "the first is full: {full}");
        assert!(super::documents(&Needs::default(), &Scope::default()).is_empty());
        assert!(!Fit::of(&documents).is_inline() && Fit::of(&documents).is_of_one_role());
    }

    #[test]
    fn actions_are_scoped_to_the_resources_that_are_known() {
        let scope = Scope {
            buckets: vec!["arn:aws:s3:::trail".to_owned()],
            kms_keys: vec!["arn:aws:kms:eu-west-1:111122223333:key/k".to_owned()],
            queues: vec!["arn:aws:sqs:eu-west-1:111122223333:q".to_owned()],
            ..Scope::default()
        };
        let mut needs = needs(["s3:GetObject", "s3:ListBucket", "sqs:GetQueueAttributes", "x:Y"].map(str::to_owned));
        needs.of_types.insert("sqs:GetQueueAttributes".to_owned());
        needs.of_keys = vec!["kms:Decrypt"];
        let [document] = &documents(&needs, &scope)[..] else { panic!("one") };
        assert_eq!(
            document["Statement"],
            json!([
                {"Effect": "Allow", "Action": ["sqs:GetQueueAttributes", "x:Y"], "Resource": "*"},
                {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::trail/*"},
                {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::trail"},
                {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": "arn:aws:kms:eu-west-1:111122223333:key/k"},
            ]),
            "the queues' type needs its action on all queues"
        );
    }

    #[test]
    fn scoped_statements_count_for_the_limit() {
        let queues = (0..100).map(|n| format!("arn:aws:sqs:eu-west-1:111122223333:queue-{n}")).collect();
        let scope = Scope { queues, ..Scope::default() };
        let actions = (0..300).map(|n| format!("service:Action{n}")).chain(["sqs:ReceiveMessage".to_owned()]);
        let documents = documents(&needs(actions), &scope);
        assert_eq!(documents.len(), 2);
        assert!(documents.iter().all(|document| characters(document) <= MAX_CHARACTERS));
    }
}
