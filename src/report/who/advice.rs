//! Suggestions for a resource without an owner, or with only an ID as owner.

use crate::creator::{NoOwner, Owner, Rule, Step, may_lead_to_a_maker};
use crate::model::event::Event;

const INHERIT: &str =
    "use tag --inherit to give it the owner of its parent: the stack, group, cluster or instance that it belongs to";

const MAP: &str = "set its owner with a rule in --identity-map FILE";

const CHAINS: &str =
    "to find who created the session, load that day and the day before with --chains, then use --resolve-chains";

/// For a resource without events. `recorded`: it has events, but the filters exclude them.
pub(super) fn of_unknown(recorded: bool) -> Vec<String> {
    if recorded {
        return vec!["change or remove --type, --account and --region".to_owned()];
    }
    vec![
        "load the time range in which it was created: load-s3, load-athena or load-files with --since".to_owned(),
        "look in Event history, which holds 90 days: who ID --live".to_owned(),
        "check that the resource map has the event that creates it, with resource-map list or show".to_owned(),
    ]
}

/// For a resource with a create event. `is_left`: an AWS service created it, so a parent may have an owner.
pub(super) fn of_creation(steps: &[Step], event: &Event, owner: &Result<Owner, NoOwner>, is_left: bool) -> Vec<String> {
    let inherit = is_left.then(|| INHERIT.to_owned());
    inherit.into_iter().chain(of_owner(steps, event, owner)).collect()
}

/// Depends on the rule that decided. For a machine-named session, adds how to find who created the session.
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
        (Ok(owner), _) if Some(owner.value.as_str()) == event.identity.on_behalf_of_user_id.as_deref() => {
            "look up the user name in the identity store: who ID --live, with permission for identitystore:DescribeUser"
        }
        (Ok(_), _) | (Err(_), None | Some(Rule::Event)) => return Vec::new(),
        (Err(NoOwner::Undecided(_)), _) => "use list --live, which reads the tags of resources, or tag --dry-run",
        (Err(no_owner), _) if no_owner.missing_person().is_some() => {
            "add the person to the table of people of the identity map, or a rule or a default to the map"
        }
        (Err(_), Some(Rule::Caller)) => return vec![format!("no person created it; {MAP}")],
        (Err(_), Some(Rule::IdentityMap)) => "a rule of your identity map skips it; change the rule if that is wrong",
        (Err(_), Some(Rule::MachineSessions)) => "use the role as the owner: --machine-sessions role",
        (Err(_), Some(Rule::UserSuffix)) => {
            "--user-suffix excludes it: only names and ARNs with that suffix become owners"
        }
        (Err(_), Some(Rule::CreatorValue | Rule::Chain | Rule::SourceIdentity | Rule::TagValue)) => {
            return vec![format!("use another value with --creator-value, or {MAP}")];
        }
    };
    vec![advice.to_owned()]
}
