//! Role chains: from a session to the call that made it, to the session that made that call, up to somebody who is no
//! session.
//!
//! The store knows who made which session and fills it into the events ([`Event::makers`]); this decides which sessions are
//! followed at all, and in which light the rules see a maker: as if it had made the event itself.

use super::identity::{Caller, Session, caller_of, foreign_account, identity_center_user, session_of, text};
use super::machine_session;
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

/// Whether it is worth loading who made a caller's session: one that AWS handed out to an instance leads to nobody.
pub fn may_lead_to_a_maker(identity: &Identity) -> bool {
    let name = session_of(identity).and_then(|session| session.name);
    session_key(identity).is_some() && !name.is_some_and(machine_session::is_handed_out_by_aws)
}

/// How much an identity tells: of two copies of one call the one that tells more is believed. The key that leads on counts
/// most, then a name, then the number of facts.
pub fn telling(identity: &Identity) -> (bool, bool, usize) {
    let Identity { arn, user_name, access_key_id, .. } = identity;
    let is_named = text(arn).or(text(user_name)).is_some();
    let facts = identity.facts().into_iter().filter(|fact| text(fact).is_some()).count();
    (text(access_key_id).is_some(), is_named, facts)
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

/// "session anna of role deploy (ASIA…) was created with AssumeRole at 2026-03-01T10:00:00Z by IAMUser arn:…, recorded in
/// account 1 (event e-1)".
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
        "{what} ({session_key}) was created with {name} at {time} by {caller}{foreign}, recorded in account {account_id} \
         (event {event_id})"
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::creator::test_data::{event_by, iam_user, of_kind, session};
    use crate::creator::{CreatorValue, IdentityMap, MachineSessions, OwnerRules, Rule};

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn with_key(identity: Identity, key: &str) -> Identity {
        Identity { access_key_id: some(key), ..identity }
    }

    /// An event by a session with key ASIA0; its maker's key is ASIA1, and so on.
    fn event(callers: Vec<Identity>) -> Event {
        let mut callers = callers.into_iter().enumerate().map(|(at, caller)| with_key(caller, &format!("ASIA{at}")));
        let mut event = event_by(callers.next().unwrap());
        event.makers = callers
            .enumerate()
            .map(|(at, identity)| SessionMaker {
                session_key: format!("ASIA{at}"),
                event_id: format!("call-{at}"),
                name: "AssumeRole".to_owned(),
                time: "2026-03-01T09:00:00Z".to_owned(),
                account_id: "111122223333".to_owned(),
                identity,
            })
            .collect();
        event
    }

    fn rules() -> OwnerRules {
        OwnerRules { resolve_chains: true, ..OwnerRules::default() }
    }

    fn owner(rules: &OwnerRules, callers: Vec<Identity>) -> String {
        match rules.owner_of(&event(callers)) {
            Ok(owner) => owner.value,
            Err(no_owner) => format!("none: {}", no_owner.0),
        }
    }

    #[test]
    fn a_service_at_work_leaves_the_owner_to_parents_unless_a_person_made_its_session() {
        let is_left = |callers: Vec<Identity>| rules().is_left_to_parents(&event(callers));
        let stack = || session("stacks", "AWSCloudFormation");
        assert!(is_left(vec![stack(), of_kind("AWSService")]));
        assert!(!is_left(vec![stack(), anna()]));
        assert!(!is_left(vec![session("functions", "resize"), of_kind("AWSService")]), "the function called");
        assert!(is_left(vec![session("deploy", "botocore-session-1688990565"), stack()]));
        assert!(OwnerRules::default().is_left_to_parents(&event(vec![stack(), anna()])), "not followed");
    }

    fn anna() -> Identity {
        iam_user("arn:aws:iam::111122223333:user/anna", Some("anna"))
    }

    #[test]
    fn the_last_maker_is_the_owner_by_all_the_options() {
        let callers = || vec![session("deploy", "i-05c30218156bcc246"), session("hub", "tool"), anna()];
        assert_eq!(owner(&rules(), callers()), "anna");
        assert_eq!(owner(&OwnerRules::default(), callers()), "deploy", "without --resolve-chains");
        let value = |value| owner(&OwnerRules { value, ..rules() }, callers());
        assert_eq!(value(CreatorValue::Arn), "arn:aws:iam::111122223333:user/anna");
        assert_eq!(value(CreatorValue::PrincipalId), "AIDACKCEVSQ6C2EXAMPLE");
        let suffix = |suffix: &str| owner(&OwnerRules { user_suffix: some(suffix), ..rules() }, callers());
        assert_eq!((suffix("na").as_str(), suffix("@x").as_str()), ("anna", "none: anna does not end with @x"));
        let of_machine = || vec![session("deploy", "tool"), session("runner", "i-05c30218156bcc246")];
        assert_eq!(owner(&rules(), of_machine()), "runner");
        let skip = OwnerRules { machine_sessions: MachineSessions::Skip, ..rules() };
        assert_eq!(owner(&skip, of_machine()), "tool", "the last maker has no owner: the one before has");
    }

    #[test]
    fn each_link_is_told_with_its_accounts() {
        let mut stranger = with_key(session("hub", "tool"), "");
        stranger.account_id = some("444455556666");
        let explanation = rules().explain(&event(vec![session("deploy", "x"), stranger]));
        let told: Vec<&str> =
            explanation.steps.iter().filter(|step| step.rule == Rule::Chain).map(|step| step.says.as_str()).collect();
        assert_eq!(
            told,
            ["session x of role deploy (ASIA0) was created with AssumeRole at 2026-03-01T09:00:00Z by AssumedRole \
              arn:aws:sts::111122223333:assumed-role/hub/tool of account 444455556666, recorded in account \
              111122223333 (event call-0)"]
        );
        assert_eq!(
            explanation.owner.unwrap().reason,
            "session name of role hub, of account 444455556666; created the session"
        );
    }

    #[test]
    fn who_has_no_name_leaves_it_to_the_session_before() {
        let nameless = Identity { account_id: some("444455556666"), ..of_kind("AWSAccount") };
        let explanation = rules().explain(&event(vec![session("deploy", "x"), session("hub", "anna"), nameless]));
        assert_eq!(explanation.owner.unwrap().value, "anna");
        let says: Vec<&str> = explanation.steps.iter().map(|step| step.says.as_str()).collect();
        let reason = "no owner: a principal of account 444455556666; CloudTrail records its name only in that account";
        assert!(says.windows(2).any(|two| two == [reason, "using the session that it created instead"]), "{says:#?}");
        let alone = Identity { account_id: some("444455556666"), ..of_kind("AWSAccount") };
        assert_eq!(owner(&rules(), vec![session("deploy", "x"), alone]), "x");
    }

    #[test]
    fn web_identities_and_saml_users_are_makers() {
        let principal_id = some(
            "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com:sts.amazonaws.com:repo:a/b:ref:refs/heads/main",
        );
        let github = Identity { principal_id, ..of_kind("WebIdentityUser") };
        assert_eq!(owner(&rules(), vec![session("ci", "GitHubActions"), github]), "repo:a/b:ref:refs/heads/main");
        let saml = Identity { user_name: some("anna@example.com"), ..of_kind("SAMLUser") };
        assert_eq!(owner(&rules(), vec![session("dev", "x"), saml]), "anna@example.com");
    }

    #[test]
    fn who_is_a_person_already_is_not_followed() {
        let key = |identity: Identity| session_key(&with_key(identity, "ASIA1")).map(str::to_owned);
        assert_eq!(key(session("deploy", "x")), some("ASIA1"));
        assert_eq!(key(Identity { source_identity: some("anna"), ..session("deploy", "x") }), None);
        assert_eq!(key(Identity { on_behalf_of_user_id: some("u-1"), ..session("deploy", "x") }), None);
        assert_eq!(key(session("AWSReservedSSO_Admin_0123456789abcdef", "anna")), None);
        assert_eq!(key(session("AWSServiceRoleForRDS", "x")), None);
        assert_eq!(key(anna()), None);
        assert_eq!(key(of_kind("Root")), some("ASIA1"), "may be AssumeRoot's");
        assert_eq!(session_key(&with_key(of_kind("Root"), "AKIA1")), None);
        assert_eq!(session_key(&session("deploy", "x")), None);
        let person = Identity { source_identity: some("bert"), ..session("hub", "y") };
        assert_eq!(owner(&rules(), vec![session("deploy", "x"), person, anna()]), "bert");
    }

    #[test]
    fn what_aws_hands_out_leads_to_nobody() {
        let leads = |name: &str| may_lead_to_a_maker(&with_key(session("deploy", name), "ASIA1"));
        assert!(leads("botocore-session-1700000000") && leads("anna"));
        assert!(!leads("i-05c30218156bcc246") && !leads("AWSCloudFormation"));
        assert!(!may_lead_to_a_maker(&session("deploy", "anna")), "there is no key to follow");
    }

    #[test]
    fn root_by_assume_root_is_who_assumed_it() {
        assert_eq!(owner(&rules(), vec![of_kind("Root"), anna()]), "anna");
        assert_eq!(owner(&rules(), vec![of_kind("Root")]), "root");
    }

    #[test]
    fn a_maker_of_another_session_is_not_believed() {
        let mut event = event(vec![session("deploy", "x"), anna()]);
        event.makers[0].session_key = "ASIA7".to_owned();
        assert_eq!(rules().owner_of(&event).unwrap().value, "x");
    }

    #[test]
    fn the_identity_map_is_asked_at_each_link_and_the_first_rule_that_fits_decides() {
        let map = |text: &str| {
            let map = IdentityMap::parse("map.yml", text).unwrap_or_else(|error| panic!("{error}"));
            OwnerRules { identity_map: Some(Arc::new(map)), ..rules() }
        };
        let callers = || vec![session("deploy", "x"), session("hub-data", "y"), anna()];
        let hub =
            "rules:\n  - user: anna\n    owner: Anna\n  - role: /hub-(?<team>.*)/\n    owner: \"{team} {event_name}\"";
        assert_eq!(owner(&map(hub), callers()), "data CreateRole", "the hub is nearer than anna");
        assert_eq!(owner(&map("rules:\n  - user: anna\n    owner: Anna"), callers()), "Anna");
        assert_eq!(owner(&map("rules:\n  - role: deploy\n    skip: a robot"), callers()), {
            "none: a robot (identity map, rule 1 (map.yml:2))"
        });
        assert_eq!(owner(&map("rules:\n  - user: bert\n    owner: Bert"), callers()), "anna");
    }
}
