//! Role chains: from a session to the event that created it, to the session that made that call, and so on, up to a
//! principal that is not a session.
//!
//! The store fills in the principals that created sessions ([`Event::makers`]). This module decides which sessions to follow,
//! and how the owner rules apply to such a principal: as if it had created the resource itself.

use super::identity::{Caller, Session, caller_of, foreign_account, identity_center_user, session_of, text};
use super::machine_session;
use crate::model::event::{Event, Identity, SessionMaker};

/// The prefix of access key IDs that STS issues. Those of IAM users and of the root user have other prefixes.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>
const TEMPORARY_KEY: &str = "ASIA";

/// The access key ID to find the creator of a caller's session by. `None` if the caller is not a session, or is a session that
/// already identifies a person: with a source identity, on behalf of an Identity Center user, or of a permission set.
///
/// A root session can come from AssumeRoot. A session of a service-linked role always belongs to AWS.
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

/// Whether a recorded event can lead to the creator of a caller's session. Sessions that AWS issues to instances have none.
pub fn may_lead_to_a_maker(identity: &Identity) -> bool {
    let invoked_by = text(&identity.invoked_by);
    let is_of_aws = |session| machine_session::is_handed_out_by_aws(&session, invoked_by);
    session_key(identity).is_some() && !session_of(identity).is_some_and(is_of_aws)
}

/// How much an identity says. Of two copies of an event, the one with the higher value is used. The access key counts most,
/// then a name, then the number of facts.
pub fn completeness(identity: &Identity) -> (bool, bool, usize) {
    let Identity { arn, user_name, access_key_id, .. } = identity;
    let is_named = text(arn).or(text(user_name)).is_some();
    let facts = identity.facts().into_iter().filter(|fact| text(fact).is_some()).count();
    (text(access_key_id).is_some(), is_named, facts)
}

/// An event that created the previous session in the chain.
pub(super) struct Link {
    /// A phrase for the evidence.
    pub(super) says: String,
    /// The create event, as if the creator of the session had made the call.
    pub(super) event: Event,
}

/// The events from a create event to the last principal in the chain, nearest first.
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

/// The event with the creator of the session as caller. If the identity has no account, the recording account is used.
fn by_maker(event: &Event, maker: &SessionMaker) -> Event {
    let mut identity = maker.identity.clone();
    if text(&identity.account_id).is_none() {
        identity.account_id = Some(maker.account_id.as_str().into());
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

    use smol_str::SmolStr;

    use super::*;
    use crate::creator::test_data::{event_by, iam_user, of_kind, session};
    use crate::creator::{CreatorValue, IdentityMap, MachineSessions, OwnerRules, Rule};

    fn some(text: &str) -> Option<SmolStr> {
        Some(text.into())
    }

    fn with_key(identity: Identity, key: &str) -> Identity {
        Identity { access_key_id: some(key), ..identity }
    }

    /// An event by a session with key ASIA0. The key of its creator is ASIA1, and so on.
    fn event(callers: Vec<Identity>) -> Event {
        let mut callers = callers.into_iter().enumerate().map(|(at, caller)| with_key(caller, &format!("ASIA{at}")));
        let mut event = event_by(callers.next().unwrap());
        event.makers = callers
            .enumerate()
            .map(|(at, identity)| SessionMaker {
                session_key: format!("ASIA{at}").into(),
                event_id: format!("call-{at}").into(),
                name: "AssumeRole".into(),
                time: "2026-03-01T09:00:00Z".into(),
                account_id: "111122223333".into(),
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
            Err(no_owner) => format!("none: {no_owner}"),
        }
    }

    #[test]
    fn service_calls_are_left_to_parents_unless_a_person_created_the_session() {
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
    fn all_options_apply_to_last_principal() {
        let callers = || vec![session("deploy", "i-05c30218156bcc246"), session("hub", "tool"), anna()];
        assert_eq!(owner(&rules(), callers()), "anna");
        assert_eq!(owner(&OwnerRules::default(), callers()), "deploy", "without --resolve-chains");
        let value = |value| owner(&OwnerRules { value, ..rules() }, callers());
        assert_eq!(value(CreatorValue::Arn), "arn:aws:iam::111122223333:user/anna");
        assert_eq!(value(CreatorValue::PrincipalId), "AIDACKCEVSQ6C2EXAMPLE");
        let suffix = |suffix: &str| owner(&OwnerRules { user_suffix: Some(suffix.to_owned()), ..rules() }, callers());
        assert_eq!((suffix("na").as_str(), suffix("@x").as_str()), ("anna", "none: anna does not end with @x"));
        let of_machine = || vec![session("deploy", "tool"), session("runner", "i-05c30218156bcc246")];
        assert_eq!(owner(&rules(), of_machine()), "runner");
        let skip = OwnerRules { machine_sessions: MachineSessions::Skip, ..rules() };
        assert_eq!(owner(&skip, of_machine()), "tool", "the last maker has no owner: the one before has");
    }

    #[test]
    fn evidence_shows_each_link_with_accounts() {
        let mut stranger = with_key(session("hub", "tool"), "");
        stranger.account_id = some("444455556666");
        let explanation = rules().explain(&event(vec![session("deploy", "x"), stranger]));
        let evidence: Vec<&str> =
            explanation.steps.iter().filter(|step| step.rule == Rule::Chain).map(|step| step.says.as_str()).collect();
        assert_eq!(
            evidence,
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
    fn nameless_principal_falls_back_to_the_session_it_created() {
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
    fn web_identities_and_saml_users_end_chains() {
        let principal_id = some(
            "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com:sts.amazonaws.com:repo:a/b:ref:refs/heads/main",
        );
        let github = Identity { principal_id, ..of_kind("WebIdentityUser") };
        assert_eq!(owner(&rules(), vec![session("ci", "GitHubActions"), github]), "repo:a/b:ref:refs/heads/main");
        let saml = Identity { user_name: some("anna@example.com"), ..of_kind("SAMLUser") };
        assert_eq!(owner(&rules(), vec![session("dev", "x"), saml]), "anna@example.com");
    }

    #[test]
    fn sessions_that_identify_a_person_are_not_followed() {
        let key = |identity: Identity| session_key(&with_key(identity, "ASIA1")).map(SmolStr::from);
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
    fn sessions_issued_by_aws_are_not_followed() {
        let leads = |name: &str| may_lead_to_a_maker(&with_key(session("deploy", name), "ASIA1"));
        assert!(leads("botocore-session-1700000000") && leads("anna"));
        assert!(!leads("i-05c30218156bcc246") && !leads("AWSCloudFormation"));
        assert!(!may_lead_to_a_maker(&session("deploy", "anna")), "there is no key to follow");
    }

    #[test]
    fn assumed_root_is_followed_to_its_caller() {
        assert_eq!(owner(&rules(), vec![of_kind("Root"), anna()]), "anna");
        assert_eq!(owner(&rules(), vec![of_kind("Root")]), "root");
    }

    #[test]
    fn creator_of_another_session_is_ignored() {
        let mut event = event(vec![session("deploy", "x"), anna()]);
        event.makers[0].session_key = "ASIA7".into();
        assert_eq!(rules().owner_of(&event).unwrap().value, "x");
    }

    #[test]
    fn identity_map_applies_to_each_link_and_first_match_decides() {
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
