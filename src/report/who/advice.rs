//! What to do where there is no owner, or only an id.

use crate::creator::{NoOwner, Owner, Rule, Step, may_lead_to_a_maker};
use crate::trail::record::Event;

const INHERIT: &str = "give it the owner of the stack, group, cluster or instance that it belongs to: tag --inherit";

const MAP: &str = "name its owner with a rule of --identity-map FILE (docs/owners.md)";

const CHAINS: &str =
    "find who made the session: load its day and the one before with --chains, then ask with --resolve-chains";

/// For a text that no event knows; `recorded`: but for the filters.
pub(super) fn of_unknown(recorded: bool) -> Vec<String> {
    if recorded {
        return vec!["leave out --type, --account and --region, or change them".to_owned()];
    }
    vec![
        "load the time in which it was made, if that is not loaded: load-s3, load-athena or load-files with --since"
            .to_owned(),
        "ask Event history, which knows 90 days: who ID --live".to_owned(),
        "see whether the resource map knows the event that creates it, with resource-map list or show".to_owned(),
    ]
}

/// For a resource with a creation. `is_left`: no person made it, but perhaps what it belongs to.
pub(super) fn of_creation(
    steps: &[Step],
    event: &Event,
    (owner, is_left): (&Result<Owner, NoOwner>, bool),
) -> Vec<String> {
    let inherit = is_left.then(|| INHERIT.to_owned());
    inherit.into_iter().chain(of_owner(steps, event, owner)).collect()
}

/// By the rule that spoke last; and where a machine's session made it, how to find who made that.
fn of_owner(steps: &[Step], event: &Event, owner: &Result<Owner, NoOwner>) -> Vec<String> {
    let spoke = |rule: Rule| steps.iter().any(|step| step.rule == rule);
    let mut advice = by_last_rule(steps, event, owner);
    if spoke(Rule::MachineSessions) && !spoke(Rule::Chain) && may_lead_to_a_maker(&event.identity) {
        advice.push(CHAINS.to_owned());
    }
    advice
}

fn by_last_rule(steps: &[Step], event: &Event, owner: &Result<Owner, NoOwner>) -> Vec<String> {
    let last = steps.last().map(|step| step.rule);
    let advice = match (owner, last) {
        (Ok(owner), _) if Some(&owner.value) == event.identity.on_behalf_of_user_id.as_ref() => {
            "let the identity store tell the name: who ID --live, or tag, where identitystore:DescribeUser is permitted"
        }
        (Ok(_), _) | (Err(_), None | Some(Rule::Event)) => return Vec::new(),
        (Err(_), Some(Rule::Caller)) => return vec![format!("AWS or nobody made it: {MAP}")],
        (Err(_), Some(Rule::IdentityMap)) => "a rule of your identity map leaves it; change that if it should not",
        (Err(_), Some(Rule::MachineSessions)) => "let the role be the owner: --machine-sessions role",
        (Err(_), Some(Rule::UserSuffix)) => "--user-suffix leaves it: it keeps only whose name or ARN ends so",
        (Err(_), Some(Rule::CreatorValue | Rule::Chain | Rule::SourceIdentity | Rule::TagValue)) => {
            return vec![format!("take another fact with --creator-value, or {MAP}")];
        }
    };
    vec![advice.to_owned()]
}
