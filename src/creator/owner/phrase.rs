//! The phrases of the explanation of an owner.

use super::super::identity::{foreign_account, text};
use super::super::identity_map::Decision;
use crate::model::event::{Event, Identity};

/// "rule 2 (map.yml:4): role ci-data matches ci-*; owner data"
pub(super) fn decision_phrase(Decision { because, owner, .. }: &Decision) -> String {
    match owner {
        Ok(owner) => format!("{because}; owner {owner}"),
        Err(why) => format!("{because}; no owner: {why}"),
    }
}

/// The end of a reason for an owner that is not the caller itself.
pub(super) fn made_by_calls(calls: usize) -> String {
    if calls == 1 { "; created the session".to_owned() } else { format!("; created the session through {calls} calls") }
}

/// The caller as recorded: "AssumedRole arn:… of account 444455556666".
pub(super) fn caller_phrase(event: &Event) -> String {
    let identity = &event.identity;
    let who = principal_phrase(identity);
    let account = foreign_account(event).map(|account| format!(" of account {account}")).unwrap_or_default();
    let through = text(&identity.invoked_by).map(|service| format!(", through {service}")).unwrap_or_default();
    format!("{who}{account}{through}")
}

/// "AssumedRole arn:…"; for a principal without an ARN, its name or ID.
pub(in crate::creator) fn principal_phrase(identity: &Identity) -> String {
    let name = text(&identity.arn).or(text(&identity.user_name)).or(text(&identity.principal_id));
    let who = text(&identity.kind).into_iter().chain(name).collect::<Vec<_>>().join(" ");
    if who.is_empty() { "an identity without type and name".to_owned() } else { who }
}
