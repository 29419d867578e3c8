//! What AWS's error codes and messages say that decides more than the class: conflicts that pass, and refusals that another
//! call can't get around.
//!
//! The codes are those that botocore's models list for the tagging calls of `resource-maps/`, and those of the services'
//! own lists; `tests/oracle/conflicts.py` lists them again.

/// Ends of codes that services add as they like: `ConcurrentModification`, `ConcurrentModificationException`.
const SUFFIXES: [&str; 4] = ["Exception", "Failure", "Fault", "Error"];

/// Codes of conflicts that have none of [`CONFLICT_WORDS`], without their suffix.
///
/// Sources: S3's, Auto Scaling's, Systems Manager's and SNS's lists of errors.
const CONFLICTS: [&str; 6] = [
    "OperationAborted",
    "OptimisticLock",
    "ResourceInUse",
    "ResourceNotReady",
    "ResourceUnavailable",
    "TooManyUpdates",
];

/// Parts of the codes of conflicts. EC2's `ConcurrentTagAccess`, Lightsail's `RegionSetupInProgress`, Lambda's `ResourceConflict`.
const CONFLICT_WORDS: [&str; 3] = ["Concurrent", "Conflict", "InProgress"];

/// Parts of codes that waiting does not change, whatever the HTTP status: IAM sends its quotas with 409.
const LASTING_WORDS: [&str; 8] =
    ["Already", "DeleteConflict", "Disabled", "Duplicate", "Exists", "Limit", "NotEmpty", "Quota"];

const CONFLICT_STATUS: u16 = 409;

/// Whether the code means that another operation on the resource is in progress, and the same call can succeed later.
///
/// A state that does not suit the call counts too (`InvalidReplicationGroupState`): most pass, and attempts are bounded.
pub(super) fn is_conflict(code: &str, status: u16) -> bool {
    let bare = SUFFIXES.iter().find_map(|suffix| code.strip_suffix(suffix)).unwrap_or(code);
    let has = |words: &[&str]| words.iter().any(|word| bare.contains(word));
    if has(&LASTING_WORDS) {
        return false;
    }
    status == CONFLICT_STATUS || CONFLICTS.contains(&bare) || has(&CONFLICT_WORDS) || is_state(bare)
}

/// `InvalidDBInstanceState`, `IncorrectState`, `KMSInvalidState`.
fn is_state(bare: &str) -> bool {
    bare.ends_with("State") && ["Invalid", "Incorrect"].iter().any(|word| bare.contains(word))
}

/// A refusal of the change itself, whatever the call: its cause is a rule of the account or the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Settled {
    /// The organization's tag policy does not allow the key or the value.
    TagPolicy,
    /// The resource has as many tags as the service allows.
    TagLimit,
    /// A policy denies the action; what AWS calls that policy ("a service control policy").
    Denied(String),
}

impl Settled {
    /// What code and message settle, if anything.
    pub(super) fn of(code: &str, message: &str) -> Option<Self> {
        let text = message.to_ascii_lowercase();
        if code.contains("TagPolicy") || text.contains("tag policy") || text.contains("tag policies") {
            Some(Self::TagPolicy)
        } else if is_tag_limit(code, &text) {
            Some(Self::TagLimit)
        } else {
            denying_policy(message).map(Self::Denied)
        }
    }

    /// What a person can do about it.
    pub(super) fn hint(&self, action: &str) -> String {
        match self {
            Self::TagPolicy => "the organization has a tag policy, and this key or value does not comply with it: aws \
                organizations describe-effective-policy --policy-type TAG_POLICY shows what is allowed; write another tag \
                (--creator-tag), or map the owner to a value that is allowed (--identity-map)"
                .to_owned(),
            Self::TagLimit => "the resource has as many tags as AWS allows (50 for most types): remove one that is no \
                longer needed"
                .to_owned(),
            Self::Denied(policy) => {
                let owner = if is_of_organization(policy) { "the organization's administrators" } else { "its owner" };
                format!("{policy} denies {action}, which no permission overrides: ask {owner} for an exception")
            }
        }
    }
}

/// `TooManyTagsException`, `TagLimitExceeded`, `TagQuotaPerResourceExceeded`; IAM's `LimitExceeded` names `TagsPerRole`.
fn is_tag_limit(code: &str, message: &str) -> bool {
    let of_code = code.contains("Tag") && ["TooMany", "Limit", "Quota"].iter().any(|word| code.contains(word));
    let of_quota = code.starts_with("LimitExceeded") || code.starts_with("ServiceQuotaExceeded");
    (of_code && !code.contains("TagKeys"))
        || (of_quota && (message.contains("tagsper") || message.contains("tags per")))
}

/// "… because no service control policy allows the action", "… with an explicit deny in a service control policy: arn:…".
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>
fn denying_policy(message: &str) -> Option<String> {
    let named = |start: &str| message.split_once(start).map(|(_, rest)| rest);
    let missing = || named("because no ").and_then(|rest| rest.split_once(" allows")).map(|(kind, _)| kind.to_owned());
    let denying = named("explicit deny in ").map(|rest| rest.split([':', ',', '.', '\n']).next().unwrap_or(rest));
    match denying {
        Some(kind) => Some(kind.trim().to_owned()).filter(|kind| !kind.is_empty()),
        // An identity-based policy that does not allow it is a permission to add; a policy of the organization is a limit.
        None => missing().filter(|kind| is_of_organization(kind)).map(|kind| format!("a {kind}")),
    }
}

fn is_of_organization(policy: &str) -> bool {
    policy.contains("service control policy") || policy.contains("resource control policy")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_are_known_by_their_code_or_status() {
        for (code, status) in [
            ("ConcurrentModification", 409),
            ("ConcurrentModificationException", 400),
            ("ConcurrentModificationException", 429),
            ("ConcurrentModificationException", 500),
            ("ConcurrentAccess", 400),
            ("ConcurrentAccessException", 400),
            ("ConcurrentTagAccess", 400),
            ("OperationAborted", 409),
            ("ResourceInUse", 400),
            ("ResourceInUseException", 400),
            ("ResourceInUseFault", 400),
            ("ConflictException", 409),
            ("ConflictException", 400),
            ("ResourceConflictException", 409),
            ("RetryableConflictException", 409),
            ("OptimisticLockException", 400),
            ("InvalidReplicationGroupState", 400),
            ("InvalidReplicationGroupStateFault", 400),
            ("InvalidCacheClusterState", 400),
            ("InvalidClusterStateFault", 400),
            ("InvalidDBInstanceState", 400),
            ("InvalidDBClusterEndpointStateFault", 400),
            ("InvalidResourceStateFault", 400),
            ("InvalidStateException", 400),
            ("KMSInvalidStateException", 400),
            ("IncorrectInstanceState", 400),
            ("ResourceNotReady", 400),
            ("ResourceUnavailableException", 400),
            ("TooManyUpdates", 400),
            ("OperationInProgressFailure", 400),
            ("RegionSetupInProgressException", 400),
            ("HTTP 409", 409),
            ("SomethingElse", 409),
        ] {
            assert!(is_conflict(code, status), "{code} {status}");
        }
    }

    #[test]
    fn what_waiting_does_not_change_is_no_conflict() {
        for (code, status) in [
            ("EntityAlreadyExists", 409),
            ("ResourceExistsException", 409),
            ("BucketAlreadyOwnedByYou", 409),
            ("BucketNotEmpty", 409),
            ("DeleteConflict", 409),
            ("DisabledOperationException", 409),
            ("DuplicateTagKeys", 400),
            ("LimitExceeded", 409),
            ("LimitExceededException", 409),
            ("ServiceQuotaExceededException", 402),
            ("ConcurrentCreateImageNoRebootLimitExceeded", 400),
            ("ValidationException", 400),
            ("InvalidParameterException", 400),
            ("InvalidStatement", 400),
        ] {
            assert!(!is_conflict(code, status), "{code} {status}");
        }
    }

    #[test]
    fn refusals_by_tag_policies_and_limits_are_known_in_the_services_spellings() {
        for (code, message, expected) in [
            ("TagPolicyViolationException", "", Some(Settled::TagPolicy)),
            ("TagPolicyException", "", Some(Settled::TagPolicy)),
            ("TagPolicyViolation", "", Some(Settled::TagPolicy)),
            ("TagPolicy", "", Some(Settled::TagPolicy)),
            (
                "InvalidParameterValueException",
                "The tag policy does not allow the specified value for the following tag key: 'Owner'.",
                Some(Settled::TagPolicy),
            ),
            ("TooManyTagsException", "", Some(Settled::TagLimit)),
            ("TagLimitExceeded", "", Some(Settled::TagLimit)),
            ("TagsLimitExceededException", "", Some(Settled::TagLimit)),
            ("TagQuotaPerResourceExceeded", "", Some(Settled::TagLimit)),
            ("TagsPerResourceExceededLimitException", "", Some(Settled::TagLimit)),
            ("LimitExceeded", "Cannot exceed quota for TagsPerRole: 50", Some(Settled::TagLimit)),
            ("LimitExceededException", "Cannot exceed quota for RolesPerAccount: 1000", None),
            ("TooManyTagKeysException", "", None),
            ("AccessDenied", "Access Denied", None),
        ] {
            assert_eq!(Settled::of(code, message), expected, "{code}: {message}");
        }
    }

    #[test]
    fn the_policy_that_denies_is_named_with_who_can_change_it() {
        let hint = |message: &str| Settled::of("AccessDenied", message).map(|settled| settled.hint("sqs:TagQueue"));
        let start = "User: arn:aws:iam::1:user/a is not authorized to perform: sqs:TagQueue on resource: q ";
        let scp =
            format!("{start}with an explicit deny in a service control policy: arn:aws:organizations::1:policy/p");
        assert_eq!(
            hint(&scp).as_deref(),
            Some(
                "a service control policy denies sqs:TagQueue, which no permission overrides: ask the organization's \
                 administrators for an exception"
            )
        );
        let none_allows = format!("{start}because no service control policy allows the sqs:TagQueue action");
        assert_eq!(hint(&none_allows), hint(&scp));
        let identity = hint(&format!("{start}with an explicit deny in an identity-based policy"));
        assert!(identity.is_some_and(|hint| hint.starts_with("an identity-based policy denies")));
        assert_eq!(hint(&format!("{start}because no identity-based policy allows the sqs:TagQueue action")), None);
    }
}
