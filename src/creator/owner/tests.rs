//! The owner rules, for the identities that CloudTrail records.

use super::*;
use crate::creator::test_data::{event_by, iam_user, of_kind, session};

fn some(text: &str) -> Option<SmolStr> {
    Some(text.into())
}

fn rules(value: CreatorValue) -> OwnerRules {
    OwnerRules { value, ..OwnerRules::default() }
}

fn machines(machine_sessions: MachineSessions) -> OwnerRules {
    OwnerRules { machine_sessions, ..OwnerRules::default() }
}

/// The owner's value, or the reason for having none.
fn owner(rules: &OwnerRules, identity: Identity) -> Result<String, String> {
    rules.owner_of(&event_by(identity)).map(|owner| owner.value).map_err(|no_owner| no_owner.to_string())
}

fn default_owner(identity: Identity) -> Result<String, String> {
    owner(&OwnerRules::default(), identity)
}

fn saml_user(name: &str) -> Identity {
    Identity { user_name: some(name), principal_id: some("FlOc7wOG=:https://idp.example/saml"), ..of_kind("SAMLUser") }
}

fn identity_center_user() -> Identity {
    Identity {
        on_behalf_of_user_id: some("544894e8-80c1-707f-60e3-3ba6510dfac1"),
        on_behalf_of_store_arn: some("arn:aws:identitystore::111122223333:identitystore/d-9067642ac7"),
        ..of_kind("IdentityCenterUser")
    }
}

/// The owner that c7n-trailcreator writes, from its `format_record` and `get_creator_resource_map`: the stored `user_id` (`root`, a
/// SAML user name, else the ARN), after its last `/`.
#[test]
fn default_owners_are_those_of_c7n_trailcreator() {
    let root =
        Identity { arn: some("arn:aws:iam::111122223333:root"), principal_id: some("111122223333"), ..of_kind("Root") };
    let federated = Identity { arn: some("arn:aws:sts::111122223333:federated-user/bob"), ..of_kind("FederatedUser") };
    for (identity, user_id, tag) in [
        (root, "root", "root"),
        (saml_user("anna@example.com"), "anna@example.com", "anna@example.com"),
        (saml_user("CORP/anna"), "CORP/anna", "anna"),
        (
            iam_user("arn:aws:iam::111122223333:user/alice", Some("alice")),
            "arn:aws:iam::111122223333:user/alice",
            "alice",
        ),
        (
            iam_user("arn:aws:iam::111122223333:user/teams/data/alice", Some("alice")),
            "arn:aws:iam::111122223333:user/teams/data/alice",
            "alice",
        ),
        (iam_user("arn:aws:iam::111122223333:user/alice", None), "arn:aws:iam::111122223333:user/alice", "alice"),
        (
            session("deploy", "anna.schmidt"),
            "arn:aws:sts::111122223333:assumed-role/deploy/anna.schmidt",
            "anna.schmidt",
        ),
        (
            session("AWSReservedSSO_Admin_0123456789abcdef", "jdoe@example.com"),
            "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/jdoe@example.com",
            "jdoe@example.com",
        ),
        (
            session("resize-images", "resize-images"),
            "arn:aws:sts::111122223333:assumed-role/resize-images/resize-images",
            "resize-images",
        ),
        (federated, "arn:aws:sts::111122223333:federated-user/bob", "bob"),
    ] {
        assert_eq!(custodian_user_id(&identity), Some(user_id));
        assert_eq!(user_id.rsplit('/').next(), Some(tag), "the table itself");
        assert_eq!(default_owner(identity.clone()).as_deref(), Ok(tag));
        let suffix = OwnerRules { user_suffix: Some(user_id[1..].to_owned()), ..OwnerRules::default() };
        assert_eq!(owner(&suffix, identity).as_deref(), Ok(tag), "its --user-suffix compares with {user_id}");
    }
}

#[test]
fn source_identity_comes_first() {
    for role in ["deploy", "AWSReservedSSO_Admin_0123456789abcdef"] {
        for name in ["i-05c30218156bcc246", "ci-run"] {
            let identity = Identity { source_identity: some("anna@example.com"), ..session(role, name) };
            for machine_sessions in [MachineSessions::Role, MachineSessions::Keep, MachineSessions::Skip] {
                assert_eq!(owner(&machines(machine_sessions), identity.clone()).as_deref(), Ok("anna@example.com"));
            }
        }
    }
    let empty = Identity { source_identity: some(""), ..session("deploy", "anna") };
    assert_eq!(default_owner(empty).as_deref(), Ok("anna"));
}

#[test]
fn aws_services_own_nothing_for_any_value() {
    let service = Identity { invoked_by: some("rds.amazonaws.com"), ..of_kind("AWSService") };
    let linked = Identity { source_identity: some("anna"), ..session("AWSServiceRoleForAutoScaling", "AutoScaling") };
    let internal = Identity { invoked_by: some("AWS Internal"), account_id: some("1"), ..Identity::default() };
    use CreatorValue::{Arn, Email, Name, PrincipalId, Role};
    for value in [Name, Arn, PrincipalId, Role, Email] {
        let reason = |identity: &Identity| owner(&rules(value), identity.clone()).unwrap_err();
        assert_eq!(reason(&service), "AWS service rds.amazonaws.com");
        assert_eq!(reason(&linked), "service-linked role AWSServiceRoleForAutoScaling");
        assert_eq!(reason(&internal), "AWS itself");
        assert!(reason(&Identity::default()).starts_with("CloudTrail recorded no "), "{value:?}");
    }
}

#[test]
fn machine_named_sessions_use_role_or_are_kept_or_skipped() {
    let machine = session("deploy", "botocore-session-1688990565");
    assert_eq!(owner(&machines(MachineSessions::Role), machine.clone()).as_deref(), Ok("deploy"));
    assert_eq!(owner(&machines(MachineSessions::Keep), machine.clone()).as_deref(), Ok("botocore-session-1688990565"));
    let reason = owner(&machines(MachineSessions::Skip), machine.clone()).unwrap_err();
    assert_eq!(reason, "session name botocore-session-1688990565 was generated by botocore");
    let without_issuer = Identity { issuer_arn: None, issuer_user_name: None, issuer_type: None, ..machine };
    assert_eq!(default_owner(without_issuer).as_deref(), Ok("deploy"), "the session's ARN names the role too");
    let without_role = Identity {
        account_id: some("444455556666"),
        principal_id: some("AROAIDPPEZS35WEXAMPLE:i-05c30218156bcc246"),
        ..of_kind("AWSAccount")
    };
    assert!(default_owner(without_role).unwrap_err().contains("i-05c30218156bcc246"));
}

#[test]
fn person_named_sessions_are_the_same_for_every_machine_option() {
    for name in ["anna.schmidt", "12345", "dev-42", "i-love-aws"] {
        for machine_sessions in [MachineSessions::Role, MachineSessions::Keep, MachineSessions::Skip] {
            assert_eq!(owner(&machines(machine_sessions), session("deploy", name)).as_deref(), Ok(name));
        }
    }
}

#[test]
fn identity_center_names_sessions_after_users() {
    let by_number = session("AWSReservedSSO_Admin_0123456789abcdef", "1234567890");
    assert_eq!(owner(&machines(MachineSessions::Skip), by_number.clone()).as_deref(), Ok("1234567890"));
    let reason = OwnerRules::default().owner_of(&event_by(by_number)).unwrap().reason;
    assert_eq!(reason, "Identity Center user of permission set Admin");
}

#[test]
fn identity_center_user_is_an_id_with_a_reason() {
    let owner = OwnerRules::default().owner_of(&event_by(identity_center_user())).unwrap();
    assert_eq!(owner.value, "544894e8-80c1-707f-60e3-3ba6510dfac1");
    assert!(owner.reason.contains("user ID") && owner.reason.contains("July 2025"), "{}", owner.reason);
    let propagated = Identity { on_behalf_of_user_id: some("user-1"), ..session("app", "1688990565286187801") };
    assert_eq!(default_owner(propagated.clone()).as_deref(), Ok("user-1"));
    let named = Identity { arn: session("app", "anna").arn, ..propagated };
    assert_eq!(default_owner(named).as_deref(), Ok("anna"), "a name is better than an id");
}

#[test]
fn reasons_name_the_fact() {
    for (identity, reason) in [
        (iam_user("arn:aws:iam::1:user/alice", Some("alice")), "IAM user name"),
        (session("deploy", "anna"), "session name of role deploy"),
        (
            session("deploy", "i-05c30218156bcc246"),
            "role; session name i-05c30218156bcc246 was generated by an EC2 instance",
        ),
        (of_kind("Root"), "the account's root user"),
        (saml_user("anna"), "SAML user name"),
        (Identity { source_identity: some("anna"), ..session("deploy", "x") }, "source identity"),
    ] {
        assert_eq!(OwnerRules::default().owner_of(&event_by(identity)).unwrap().reason, reason);
    }
}

#[test]
fn other_types_use_the_facts_they_have() {
    let web = Identity { principal_id: some("accounts.google.com:app-1:user-7"), ..of_kind("WebIdentityUser") };
    assert_eq!(default_owner(web).as_deref(), Ok("user-7"));
    let role = Identity { arn: some("arn:aws:iam::1:role/teams/deploy"), ..of_kind("Role") };
    assert_eq!(default_owner(role).as_deref(), Ok("deploy"));
    let directory = Identity { user_name: some("anna"), ..of_kind("Directory") };
    assert_eq!(default_owner(directory).as_deref(), Ok("anna"));
    let root_task = Identity { arn: some("arn:aws:sts::1:assumed-root/anna"), ..of_kind("AssumedRoot") };
    assert_eq!(default_owner(root_task).as_deref(), Ok("anna"));
}

#[test]
fn arn_and_principal_id_are_the_roles_for_machine_named_sessions() {
    let person = session("deploy", "anna");
    let machine = session("deploy", "i-05c30218156bcc246");
    let (arn, id) = (rules(CreatorValue::Arn), rules(CreatorValue::PrincipalId));
    assert_eq!(owner(&arn, person.clone()).unwrap(), "arn:aws:sts::111122223333:assumed-role/deploy/anna");
    assert_eq!(owner(&arn, machine.clone()).unwrap(), "arn:aws:iam::111122223333:role/teams/deploy");
    assert_eq!(owner(&id, person).unwrap(), "AROAIDPPEZS35WEXAMPLE:anna");
    assert_eq!(owner(&id, machine.clone()).unwrap(), "AROAIDPPEZS35WEXAMPLE");
    let keep = OwnerRules { machine_sessions: MachineSessions::Keep, ..arn.clone() };
    assert!(owner(&keep, machine.clone()).unwrap().ends_with("/i-05c30218156bcc246"));
    let skip = OwnerRules { machine_sessions: MachineSessions::Skip, ..arn.clone() };
    assert!(owner(&skip, machine).is_err());
    assert_eq!(owner(&arn, identity_center_user()).unwrap_err(), "CloudTrail recorded no ARN of the principal");
    assert_eq!(owner(&id, identity_center_user()).unwrap(), "544894e8-80c1-707f-60e3-3ba6510dfac1");
}

#[test]
fn role_value_is_the_role_for_sessions_and_the_name_for_others() {
    let role = rules(CreatorValue::Role);
    assert_eq!(owner(&role, session("deploy", "anna")).unwrap(), "deploy");
    assert_eq!(owner(&role, Identity { source_identity: some("anna"), ..session("deploy", "x") }).unwrap(), "deploy");
    assert_eq!(owner(&role, iam_user("arn:aws:iam::1:user/alice", Some("alice"))).unwrap(), "alice");
    assert_eq!(owner(&role, of_kind("Root")).unwrap(), "root");
}

#[test]
fn email_addresses_are_found() {
    let email = rules(CreatorValue::Email);
    assert_eq!(owner(&email, session("deploy", "anna@example.com")).unwrap(), "anna@example.com");
    let behind = Identity { source_identity: some("anna@example.com"), ..session("deploy", "i-05c30218156bcc246") };
    assert_eq!(owner(&email, behind).unwrap(), "anna@example.com");
    let session_carries = Identity { source_identity: some("anna"), ..session("deploy", "anna@example.com") };
    assert_eq!(owner(&email, session_carries).unwrap(), "anna@example.com");
    assert_eq!(owner(&email, saml_user("anna@example.com")).unwrap(), "anna@example.com");
    let alice = iam_user("arn:aws:iam::1:user/alice", Some("alice"));
    assert_eq!(owner(&email, alice).unwrap_err(), "alice is not an email address");
    for no_address in ["anna@", "@example.com", "anna@host", "anna@example..com", "a@b@c.d", "anna"] {
        assert!(owner(&email, session("deploy", no_address)).is_err(), "{no_address}");
    }
}

#[test]
fn suffix_applies_to_principal_and_owner() {
    let suffix = |suffix: &str| OwnerRules { user_suffix: Some(suffix.to_owned()), ..OwnerRules::default() };
    let anna = session("deploy", "anna@example.com");
    assert_eq!(owner(&suffix("@example.com"), anna.clone()).unwrap(), "anna@example.com");
    assert_eq!(
        owner(&suffix("@other.com"), anna.clone()).unwrap_err(),
        "anna@example.com does not end with @other.com"
    );
    let by_role = OwnerRules { value: CreatorValue::Role, ..suffix("@example.com") };
    assert_eq!(owner(&by_role, anna).unwrap(), "deploy", "the principal is the person's");
    let behind = Identity { source_identity: some("anna@example.com"), ..session("deploy", "x") };
    assert_eq!(owner(&suffix("@example.com"), behind).unwrap(), "anna@example.com", "the result is the person's");
    assert!(owner(&suffix("@example.com"), session("deploy", "i-05c30218156bcc246")).is_err());
    assert_eq!(owner(&suffix("root"), of_kind("Root")).unwrap(), "root");
    assert_eq!(owner(&suffix(""), session("deploy", "anna")).unwrap(), "anna");
}

#[test]
fn values_become_valid_and_keep_the_original() {
    let owner = OwnerRules::default().owner_of(&event_by(session("deploy", "doe,jane"))).unwrap();
    assert_eq!((owner.value.as_str(), owner.original.as_deref()), ("doe_jane", Some("doe,jane")));
    let unchanged = OwnerRules::default().owner_of(&event_by(session("deploy", "jane"))).unwrap();
    assert_eq!(unchanged.original, None);
    assert!(default_owner(session("deploy", ",,,")).unwrap_err().contains(",,,"));
}
