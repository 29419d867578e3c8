//! Role chains: from a session to the call that made it, to the session that made that call, up to somebody who is no
//! session.
//!
//! The store knows who made which session and fills it into the events ([`Event::makers`]); this decides which sessions are
//! followed at all, and in which light the rules see a maker: as if it had made the event itself.

use super::identity::{Caller, Session, caller_of, foreign_account, identity_center_user, session_of, text};
use crate::trail::record::{Event, Identity, SessionMaker};

/// The beginning of access key ids that STS hands out; those of users and of the root user begin otherwise.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>
const TEMPORARY_KEY: &str = "ASIA";

/// The access key id by which the maker of a caller's session is found; `None` where the caller is no session, or one that
/// stands for a person already: with a source identity, on behalf of an Identity Center user, or of a permission set.
///
/// A root user's session may be AssumeRoot's; a service-linked role's is always AWS's own.
pub fn session_key(identity: &Identity) -> Option<&str> {
    let key = text(&identity.access_key_id)?;
    let names_a_person = text(&identity.source_identity).is_some() || identity_center_user(identity).is_some();
    let is_followed = match (session_of(identity), caller_of(identity)) {
        (_, Caller::Service(_)) => false,
        (Some(session), _) => session.permission_set().is_none(),
        (None, _) => text(&identity.kind) == Some("Root") && key.starts_with(TEMPORARY_KEY),
    };
    (is_followed && !names_a_person).then_some(key)
}

/// How much an identity tells: of two copies of one call the one that tells more is believed. The key that leads on counts
/// most, then a name, then the number of facts.
pub fn telling(identity: &Identity) -> (bool, bool, usize) {
    let Identity {
        kind,
        arn,
        user_name,
        principal_id,
        account_id,
        access_key_id,
        issuer_type,
        issuer_arn,
        issuer_user_name,
        source_identity,
        federated_provider,
        on_behalf_of_user_id,
        on_behalf_of_store_arn,
        invoked_by,
    } = identity;
    let facts = [
        kind,
        arn,
        user_name,
        principal_id,
        account_id,
        access_key_id,
        issuer_type,
        issuer_arn,
        issuer_user_name,
        source_identity,
        federated_provider,
        on_behalf_of_user_id,
        on_behalf_of_store_arn,
        invoked_by,
    ];
    let is_named = text(arn).or(text(user_name)).is_some();
    (text(access_key_id).is_some(), is_named, facts.into_iter().filter(|fact| text(fact).is_some()).count())
}

/// A call by which the session before it was made.
pub(super) struct Link {
    /// What it says, as a phrase.
    pub(super) says: String,
    /// The event as if the maker had made it.
    pub(super) event: Event,
}

/// The calls that lead from an event to the last maker, nearest first.
pub(super) fn links(event: &Event) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    let mut session = &event.identity;
    for maker in &event.makers {
        if session_key(session) != Some(maker.session_key.as_str()) {
            break;
        }
        let by_maker = by_maker(event, maker);
        links.push(Link { says: says(session, maker, &by_maker), event: by_maker });
        session = &maker.identity;
    }
    links
}

/// The event by the maker. The account that recorded the maker's call is the maker's where its identity tells none.
fn by_maker(event: &Event, maker: &SessionMaker) -> Event {
    let mut identity = maker.identity.clone();
    if text(&identity.account_id).is_none() {
        identity.account_id = Some(maker.account_id.clone());
    }
    Event {
        event_id: event.event_id.clone(),
        account_id: event.account_id.clone(),
        region: event.region.clone(),
        time: event.time.clone(),
        name: event.name.clone(),
        source: event.source.clone(),
        user_agent: event.user_agent.clone(),
        source_ip: event.source_ip.clone(),
        shared_event_id: event.shared_event_id.clone(),
        identity,
        makers: Vec::new(),
    }
}

/// "session anna of role deploy (ASIA…) was made by AssumeRole at 2026-03-01T10:00:00Z in account 1, event e-1, by
/// IAMUser arn:…".
fn says(session: &Identity, maker: &SessionMaker, by_maker: &Event) -> String {
    let what = match session_of(session) {
        Some(Session { name: Some(name), role: Some(role), .. }) => format!("session {name} of role {role}"),
        Some(Session { name, role, .. }) => format!("session of {}", role.or(name).unwrap_or("a role")),
        None => "session of root".to_owned(),
    };
    let SessionMaker { session_key, name, time, account_id, event_id, .. } = maker;
    let caller = super::owner::principal_phrase(&by_maker.identity);
    let foreign = foreign_account(by_maker).map(|account| format!(" of account {account}")).unwrap_or_default();
    format!(
        "{what} ({session_key}) was made by {name} at {time}, recorded in account {account_id} (event {event_id}), by \
         {caller}{foreign}"
    )
}
