//! Determines the kind of caller that a `userIdentity` describes, and the facts in it that can become an owner.
//!
//! Empty texts count as absent: CloudTrail writes `""` for unknown values, and so does Athena's CSV for null.
//!
//! Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>

use std::borrow::Cow;

use smol_str::SmolStr;

use super::no_owner::{AwsCaller, Nameless};
use super::people::UserId;
use super::web_identity::{WebIdentity, provider_phrase};
use crate::model::event::{Event, Identity, PRUNED};
use crate::trail::extract::HIDDEN;

/// The values that CloudTrail records for the caller of an unsigned call.
const ANONYMOUS: [&str; 2] = ["anonymous", "ANONYMOUS_PRINCIPAL"];

/// The end of service principals.
const SERVICE_PRINCIPAL: &str = ".amazonaws.com";

/// The sign-in pages: `invokedBy` of calls that people made in the console, in old records.
const SIGN_IN: &str = "signin.amazonaws.com";

/// The services that call in the account's name on their own, never for a request that they forward.
const ON_THEIR_OWN: [&str; 5] = ["autoscaling", "ec2", "elasticloadbalancing", "spot", "spotfleet"];

/// The prefix of the names of service-linked roles.
const SERVICE_LINKED: &str = "AWSServiceRole";

/// The path of service-linked roles. Only AWS can create roles with it.
const SERVICE_LINKED_PATH: &str = ":role/aws-service-role/";

/// The prefix of the names of roles that Identity Center creates for its permission sets.
const PERMISSION_SET: &str = "AWSReservedSSO_";

/// The caller.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Caller<'a> {
    /// AWS on its own behalf.
    Service(AwsCaller),
    /// A session of a role.
    Session(Session<'a>),
    /// A principal with its own name. `what` describes the name: "IAM user name".
    Named { name: &'a str, what: Cow<'static, str> },
    /// An Identity Center user, recorded only by ID.
    IdentityCenterUser(UserId<'a>),
    /// Anonymous: the call was not signed.
    Anonymous,
    /// CloudTrail records no name.
    Nameless(Nameless),
}

/// A session of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Session<'a> {
    /// `RoleSessionName`, chosen by the principal that assumed the role.
    pub(super) name: Option<&'a str>,
    /// The role name, without its path.
    pub(super) role: Option<&'a str>,
    /// The role's ARN, with its path.
    pub(super) role_arn: Option<&'a str>,
    /// The identity provider that signed the session in, if any: the ARN of an IAM identity provider, or a host.
    pub(super) provider: Option<&'a str>,
}

impl<'a> Session<'a> {
    /// The Identity Center permission set of the role, without the suffix that AWS adds. Identity Center names such sessions
    /// after the user.
    pub(super) fn permission_set(&self) -> Option<&'a str> {
        let name = self.role?.strip_prefix(PERMISSION_SET)?;
        Some(name.rsplit_once('_').map_or(name, |(permission_set, _)| permission_set))
    }

    /// The end of a reason: ", signed in through GitHub Actions (token.actions.githubusercontent.com)".
    pub(super) fn signed_in(&self) -> String {
        self.provider.map(|provider| format!(", signed in through {}", provider_phrase(provider))).unwrap_or_default()
    }
}

/// The text of a field. `None` if it is absent or empty.
pub(super) fn text(field: &Option<SmolStr>) -> Option<&str> {
    field.as_deref().map(str::trim).filter(|text| !text.is_empty() && *text != HIDDEN)
}

/// The session, if the caller is a role session, including those of service-linked roles.
pub(super) fn session_of(identity: &Identity) -> Option<Session<'_>> {
    let by_arn = text(&identity.arn).is_some_and(|arn| arn.contains(":assumed-role/"));
    let is_session = match text(&identity.kind) {
        Some("AssumedRole") => true,
        Some("AWSAccount") => by_arn || (text(&identity.arn).is_none() && after_colon(identity).is_some()),
        _ => by_arn,
    };
    is_session.then(|| session(identity))
}

/// The Identity Center user that the call was made on behalf of.
pub(super) fn identity_center_user(identity: &Identity) -> Option<UserId<'_>> {
    let store_arn = text(&identity.on_behalf_of_store_arn).unwrap_or_default();
    text(&identity.on_behalf_of_user_id).map(|user_id| UserId { store_arn, user_id })
}

/// The caller's account, if it is not the account that received the event.
pub(super) fn foreign_account(event: &Event) -> Option<&str> {
    let account = text(&event.identity.account_id)?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (is_account && !event.account_id.is_empty() && account != event.account_id.as_str()).then_some(account)
}

/// The caller, by the type of the identity, or by its facts if the type is absent or new.
pub(super) fn caller_of(identity: &Identity) -> Caller<'_> {
    if let Some(role) = service_linked_role(identity) {
        return Caller::Service(AwsCaller::Role(role.to_owned()));
    }
    let user_name = text(&identity.user_name);
    let tail = text(&identity.arn).and_then(tail);
    let named = |name: Option<_>, what: &'static str| name.map(|name| Caller::Named { name, what: what.into() });
    let caller = match text(&identity.kind) {
        Some("AWSService") => Some(service(identity)),
        Some("Root") if is_service_as_root(identity) => Some(service(identity)),
        Some("Root") => named(Some("root"), "the account's root user"),
        Some("IAMUser") => named(user_name.or(tail), "IAM user name"),
        Some("AssumedRole") => Some(Caller::Session(session(identity))),
        Some("Role") => named(user_name.or(tail), "role"),
        Some("FederatedUser") => tail.or(user_name).map(|name| federated_user(identity, name)),
        // The name can be a path. c7n-trailcreator uses the end of it, and the owner must be the same.
        Some("SAMLUser") => named(user_name.map(|name| name.rsplit('/').next().unwrap_or(name)), "SAML user name"),
        Some("WebIdentityUser") => web_identity_user(identity),
        Some("IdentityCenterUser") => identity_center_user(identity).map(Caller::IdentityCenterUser),
        Some("AWSAccount") => Some(other_account(identity)),
        Some(PRUNED) => Some(Caller::Nameless(Nameless::Pruned)),
        _ => None,
    };
    caller.unwrap_or_else(|| by_facts(identity))
}

/// Whether AWS made the call: a service, or its service-linked role.
pub fn is_of_aws(identity: &Identity) -> bool {
    matches!(caller_of(identity), Caller::Service(_))
}

/// The service that made the call, or its service-linked role, if AWS made it.
pub(super) fn calling_service(identity: &Identity) -> Option<String> {
    match caller_of(identity) {
        Caller::Service(name) => Some(name.to_string()),
        _ => None,
    }
}

/// The `user_id` that c7n-trailcreator stores. Its `--user-suffix` is compared with it.
pub(super) fn custodian_user_id(identity: &Identity) -> Option<&str> {
    match text(&identity.kind) {
        Some("Root") => Some("root"),
        Some("SAMLUser") => text(&identity.user_name),
        _ => text(&identity.arn),
    }
}

/// For the types Directory and Unknown, no type, or a type that is newer than this code.
fn by_facts(identity: &Identity) -> Caller<'_> {
    let arn = text(&identity.arn);
    if arn.is_some_and(|arn| arn.contains(":assumed-role/")) {
        return Caller::Session(session(identity));
    }
    if arn.is_some_and(|arn| arn.ends_with(":root")) {
        return Caller::Named { name: "root", what: "the account's root user".into() };
    }
    if is_anonymous(identity) {
        return Caller::Anonymous;
    }
    let candidates = [(text(&identity.user_name), "user name"), (arn.and_then(tail), "end of the principal's ARN")];
    if let Some((name, what)) = candidates.into_iter().find_map(|(name, what)| Some((name?, what))) {
        return Caller::Named { name, what: what.into() };
    }
    if let Some(id) = identity_center_user(identity) {
        return Caller::IdentityCenterUser(id);
    }
    if text(&identity.invoked_by).is_some() {
        return service(identity);
    }
    Caller::Nameless(match text(&identity.kind) {
        Some(kind) => Nameless::OfType(kind.to_owned()),
        None => Nameless::NoIdentity,
    })
}

/// The first label of a service principal: `batch.amazonaws.com` → `batch`. `None` for other callers, and for people in the console.
pub(super) fn service_of(invoked_by: &str) -> Option<&str> {
    let without_country = invoked_by.strip_suffix(".cn").unwrap_or(invoked_by);
    let is_service = without_country.ends_with(SERVICE_PRINCIPAL) && without_country != SIGN_IN;
    is_service.then(|| invoked_by.split('.').next().unwrap_or(invoked_by))
}

/// Whether an AWS service made a call that is recorded as the root user's. Before there were service-linked roles, services called in
/// the name of the account. A call that a service forwards for the root user has the access key of the root user's session.
fn is_service_as_root(identity: &Identity) -> bool {
    let service = text(&identity.invoked_by).and_then(service_of);
    service.is_some_and(|service| text(&identity.access_key_id).is_none() || ON_THEIR_OWN.contains(&service))
}

fn service(identity: &Identity) -> Caller<'_> {
    Caller::Service(match text(&identity.invoked_by) {
        Some("AWS Internal") | None => AwsCaller::Unnamed,
        Some(service) => AwsCaller::Service(service.to_owned()),
    })
}

/// A call from another account. This account's copy of the event can lack most facts of the caller.
fn other_account(identity: &Identity) -> Caller<'_> {
    let account = text(&identity.account_id);
    let arn = text(&identity.arn);
    if is_anonymous(identity) {
        return Caller::Anonymous;
    }
    if after_colon(identity).is_some() {
        return Caller::Session(session(identity));
    }
    match arn.and_then(tail).or(text(&identity.user_name)) {
        Some(name) => Caller::Named { name, what: "principal name".into() },
        None => Caller::Nameless(Nameless::OfAccount(account.map(str::to_owned))),
    }
}

fn is_anonymous(identity: &Identity) -> bool {
    let said = [text(&identity.account_id), text(&identity.principal_id)];
    said.into_iter().flatten().any(|said| ANONYMOUS.contains(&said))
}

/// A session of GetFederationToken. The principal that requested it chose its name, so the reason names that principal.
fn federated_user<'a>(identity: &Identity, name: &'a str) -> Caller<'a> {
    let issuer = text(&identity.issuer_user_name).or_else(|| text(&identity.issuer_arn).and_then(tail));
    let maker = match text(&identity.issuer_type) {
        Some("Root") => Some("the root user".to_owned()),
        _ => issuer.map(|issuer| format!("IAM user {issuer}")),
    };
    let what =
        maker.map_or("federated user name".into(), |maker| format!("federated user name, requested by {maker}").into());
    Caller::Named { name, what }
}

/// The subject of the provider's token.
fn web_identity_user(identity: &Identity) -> Option<Caller<'_>> {
    let WebIdentity { issuer, subject } = WebIdentity::of(text(&identity.principal_id).unwrap_or_default());
    let name = text(&identity.user_name).or(subject)?;
    let what = match issuer {
        Some(issuer) => format!("web identity of {}", provider_phrase(issuer)).into(),
        None => "user name of a web identity".into(),
    };
    Some(Caller::Named { name, what })
}

fn session(identity: &Identity) -> Session<'_> {
    // arn:aws:sts::111122223333:assumed-role/ROLE/SESSION
    let resource = text(&identity.arn).and_then(|arn| arn.split_once(":assumed-role/")).map(|(_, resource)| resource);
    let (role, name) = match resource.map(|resource| resource.split_once('/').ok_or(resource)) {
        Some(Ok((role, name))) => (Some(role), Some(name)),
        Some(Err(role)) => (Some(role), None),
        None => (None, None),
    };
    let issuer = text(&identity.issuer_user_name).or_else(|| text(&identity.issuer_arn).and_then(tail));
    let name = name.filter(|name| !name.is_empty()).or(after_colon(identity));
    let (role_arn, provider) = (text(&identity.issuer_arn), text(&identity.federated_provider));
    Session { name, role: issuer.or(role), role_arn, provider }
}

/// `AROAIDPPEZS35WEXAMPLE:SESSION` → `SESSION`.
fn after_colon(identity: &Identity) -> Option<&str> {
    text(&identity.principal_id)?.rsplit_once(':').map(|(_, name)| name).filter(|name| !name.is_empty())
}

/// The part of an ARN after its last `/`, if it has one.
fn tail(arn: &str) -> Option<&str> {
    arn.rsplit_once('/').map(|(_, tail)| tail).filter(|tail| !tail.is_empty())
}

fn service_linked_role(identity: &Identity) -> Option<&str> {
    let arns = [text(&identity.issuer_arn), text(&identity.arn)];
    let by_path = arns.into_iter().flatten().find(|arn| arn.contains(SERVICE_LINKED_PATH)).and_then(tail);
    by_path.or_else(|| session(identity).role.filter(|role| role.starts_with(SERVICE_LINKED)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::creator::test_data::{iam_user, of_kind, session as session_of};

    fn some(text: &str) -> Option<SmolStr> {
        Some(text.into())
    }

    #[test]
    fn a_session_is_read_from_its_issuer_its_arn_or_its_principal_id() {
        let whole = session_of("deploy", "anna");
        let with_arn = |role_arn| Session { name: Some("anna"), role: Some("deploy"), role_arn, provider: None };
        let expected = Caller::Session(with_arn(Some("arn:aws:iam::111122223333:role/teams/deploy")));
        assert_eq!(caller_of(&whole), expected);
        let without_issuer = Identity { issuer_arn: None, issuer_user_name: None, ..whole.clone() };
        assert_eq!(caller_of(&without_issuer), Caller::Session(with_arn(None)));
        let without_arn = Identity { arn: None, issuer_user_name: None, ..whole.clone() };
        assert_eq!(caller_of(&without_arn), expected);
        let without_type = Identity { kind: None, ..whole };
        assert_eq!(caller_of(&without_type), expected);
    }

    #[test]
    fn service_linked_roles_are_services_by_name_and_by_path() {
        let by_name = session_of("AWSServiceRoleForRDS", "SLRManagement");
        assert_eq!(caller_of(&by_name), Caller::Service(AwsCaller::Role("AWSServiceRoleForRDS".to_owned())));
        let mut by_path = session_of("Odd", "x");
        by_path.issuer_arn = some("arn:aws:iam::1:role/aws-service-role/odd.amazonaws.com/Odd");
        assert_eq!(caller_of(&by_path), Caller::Service(AwsCaller::Role("Odd".to_owned())));
        let no_service = session_of("MyAWSServiceRole", "anna");
        assert!(matches!(caller_of(&no_service), Caller::Session(_)));
    }

    #[test]
    fn aws_itself_is_a_service_and_a_person_it_called_for_is_not() {
        for (identity, who) in [
            (
                Identity { invoked_by: some("rds.amazonaws.com"), ..of_kind("AWSService") },
                AwsCaller::Service("rds.amazonaws.com".to_owned()),
            ),
            (of_kind("AWSService"), AwsCaller::Unnamed),
            (Identity { invoked_by: some("AWS Internal"), ..Identity::default() }, AwsCaller::Unnamed),
            (
                Identity { invoked_by: some("x.amazonaws.com"), ..Identity::default() },
                AwsCaller::Service("x.amazonaws.com".to_owned()),
            ),
        ] {
            assert_eq!(caller_of(&identity), Caller::Service(who));
        }
        let mut person = iam_user("arn:aws:iam::1:user/alice", Some("alice"));
        person.invoked_by = some("cloudformation.amazonaws.com");
        assert_eq!(caller_of(&person), Caller::Named { name: "alice", what: "IAM user name".into() });
    }

    #[test]
    fn principals_of_other_accounts_have_the_recorded_facts() {
        let account = Identity { account_id: some("444455556666"), ..of_kind("AWSAccount") };
        let with_id = Identity { principal_id: some("AIDACKCEVSQ6C2EXAMPLE"), ..account.clone() };
        let nameless = Nameless::OfAccount(Some("444455556666".to_owned()));
        assert_eq!(caller_of(&with_id), Caller::Nameless(nameless));
        let session_there = Identity { principal_id: some("AROAIDPPEZS35WEXAMPLE:anna"), ..account.clone() };
        let expected = Session { name: Some("anna"), role: None, role_arn: None, provider: None };
        assert_eq!(caller_of(&session_there), Caller::Session(expected));
        let user_there = Identity { arn: some("arn:aws:iam::444455556666:user/anna"), ..with_id };
        assert_eq!(caller_of(&user_there), Caller::Named { name: "anna", what: "principal name".into() });
        let anonymous = Identity { account_id: some("ANONYMOUS_PRINCIPAL"), principal_id: some(""), ..account };
        assert_eq!(caller_of(&anonymous), Caller::Anonymous);
    }

    #[test]
    fn an_unknown_type_is_judged_by_its_facts_and_empty_texts_are_none() {
        let unknown = Identity { user_name: some("bob@example.com"), ..of_kind("Unknown") };
        assert_eq!(caller_of(&unknown), Caller::Named { name: "bob@example.com", what: "user name".into() });
        let root = Identity { arn: some("arn:aws:iam::1:root"), ..Identity::default() };
        assert_eq!(caller_of(&root), Caller::Named { name: "root", what: "the account's root user".into() });
        let empty = Identity { arn: some(""), user_name: some("  "), invoked_by: some(""), ..of_kind("") };
        assert_eq!(caller_of(&empty), Caller::Nameless(Nameless::NoIdentity));
        let nameless_user = Identity { user_name: some(""), ..of_kind("IAMUser") };
        assert_eq!(caller_of(&nameless_user), Caller::Nameless(Nameless::OfType("IAMUser".to_owned())));
    }

    #[test]
    fn service_that_calls_in_the_name_of_the_account_is_not_the_root_user() {
        let by = |service: &str, key: Option<&str>| Identity {
            arn: some("arn:aws:iam::1:root"),
            user_name: some("the-alias"),
            invoked_by: some(service),
            access_key_id: key.map(SmolStr::from),
            ..of_kind("Root")
        };
        for service in ["autoscaling.amazonaws.com", "elasticloadbalancing.amazonaws.com", "rds.amazonaws.com"] {
            assert_eq!(caller_of(&by(service, None)), Caller::Service(AwsCaller::Service(service.to_owned())));
        }
        let key = Some("ASIAIOSFODNN7EXAMPLE");
        assert!(matches!(caller_of(&by("autoscaling.amazonaws.com", key)), Caller::Service(_)));
        for (service, key) in
            [("signin.amazonaws.com", None), ("AWS Internal", None), ("cloudformation.amazonaws.com", key), ("", None)]
        {
            assert!(matches!(caller_of(&by(service, key)), Caller::Named { name: "root", .. }), "{service}");
        }
    }

    #[test]
    fn permission_sets_lose_the_suffix_that_aws_adds() {
        let role = |role| Session { name: None, role: Some(role), role_arn: None, provider: None }.permission_set();
        assert_eq!(role("AWSReservedSSO_Power_Users_0123456789abcdef"), Some("Power_Users"));
        assert_eq!(role("AWSReservedSSO_Admin"), Some("Admin"));
        assert_eq!(role("Admin"), None);
    }
}
