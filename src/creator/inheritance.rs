//! Decides which events have no person behind them, so that the parent of the resource can have a better owner.
//!
//! If a person is known, or a rule with patterns of the identity map matches, nothing is inherited.

use smol_str::SmolStr;

use super::identity::{Caller, caller_of, identity_center_user, text};
use super::sought::{ResourceFacts, Sought};
use super::{NoOwner, Owner, OwnerRules, machine_session};
use crate::model::ArnParts;
use crate::model::event::{Event, Identity};

impl OwnerRules {
    /// Whether an AWS service made the call: on its own, or in a session that it named itself, with a role that it was given
    /// for its work (CloudFormation, EMR…), or in any session with a generated name that it calls with (EKS). Calls of software that
    /// runs on an AWS service (on an instance) don't count.
    /// If chains are resolved, the last principal counts. A service that only issued the session does not: the caller is the
    /// software that runs with it (a Lambda function).
    ///
    /// A resource without a create event is left to its parents, unless a rule of the identity map decides.
    pub fn is_left_to_parents<'a>(&self, sought: impl Into<Sought<'a>>) -> bool {
        let sought = sought.into();
        let resource = sought.resource.as_ref();
        let Some(event) = sought.event else { return !self.is_mapped(None, resource) };
        let links = self.links(event);
        let callers: Vec<&Event> = std::iter::once(event).chain(links.iter().map(|link| &link.event)).collect();
        if callers.iter().any(|event| self.is_mapped(Some(event), resource)) {
            return false;
        }
        let is_service = |caller: &&&Event| matches!(caller_of(&caller.identity), Caller::Service(_));
        let Some(last) = callers.iter().rev().find(|caller| !is_service(caller)) else { return true };
        let identity = &last.identity;
        match caller_of(identity) {
            Caller::Session(session) => {
                let is_a_person = text(&identity.source_identity).is_some() || identity_center_user(identity).is_some();
                let invoked_by = text(&identity.invoked_by);
                let by_service = machine_session::is_of_a_service_at_work(&session, invoked_by);
                by_service && !is_a_person && session.permission_set().is_none()
            }
            _ => false,
        }
    }

    /// The owner for a principal that is named in a tag of a `resource` in `account`.
    ///
    /// # Errors
    /// The principal has no owner. The error has the reason.
    pub fn owner_of_principal(
        &self,
        arn: &str,
        account: &str,
        resource: Option<ResourceFacts<'_>>,
    ) -> Result<Owner, NoOwner> {
        let event = Event { account_id: account.into(), identity: identity_of(arn), ..Event::default() };
        let sought = Sought { event: Some(&event), resource };
        if self.is_left_to_parents(sought.clone()) {
            return Err(NoOwner::ServicePrincipal(arn.to_owned()));
        }
        self.owner_without_default(sought)
    }
}

/// The identity that an ARN describes.
fn identity_of(arn: &str) -> Identity {
    let (account, resource) = ArnParts::parse(arn).map(|parts| (parts.account, parts.resource)).unwrap_or_default();
    let kind = match resource.split('/').next() {
        Some("assumed-role") => Some("AssumedRole"),
        Some("user") => Some("IAMUser"),
        Some("federated-user") => Some("FederatedUser"),
        Some("root") => Some("Root"),
        _ => None,
    };
    Identity {
        kind: kind.map(SmolStr::from),
        arn: Some(arn.into()),
        account_id: Some(account.into()),
        ..Identity::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::creator::test_data::{event_by, iam_user, of_kind, session};

    fn is_left(identity: Identity) -> bool {
        OwnerRules::default().is_left_to_parents(&event_by(identity))
    }

    #[test]
    fn service_calls_are_left_to_parents() {
        assert!(is_left(of_kind("AWSService")));
        assert!(is_left(session("AWSServiceRoleForAutoScaling", "AutoScaling")));
        assert!(is_left(session("stacks", "AWSCloudFormation")));
        assert!(is_left(session("EMR_DefaultRole", "CCSSession")));
        assert!(is_left(session("aws-elasticbeanstalk-service-role", "elasticbeanstalk")));
        let by_eks: Option<SmolStr> = Some("eks.amazonaws.com".into());
        assert!(is_left(Identity { invoked_by: by_eks.clone(), ..session("cluster", "1692148309803252560") }));
        assert!(!is_left(Identity { invoked_by: by_eks, ..session("admins", "anna") }), "forwarded for a person");
        let in_console = Some("signin.amazonaws.com".into());
        assert!(!is_left(Identity { invoked_by: in_console, ..session("cluster", "1692148309803252560") }));
    }

    #[test]
    fn calls_by_people_and_software_are_not() {
        assert!(!is_left(iam_user("arn:aws:iam::1:user/alice", Some("alice"))));
        assert!(!is_left(session("deploy", "anna")));
        for name in ["i-05c30218156bcc246", "GitHubActions", "botocore-session-1688990565", "terraform"] {
            assert!(!is_left(session("deploy", name)), "{name}");
        }
        let some = |text: &str| Some(text.into());
        assert!(!is_left(Identity { source_identity: some("anna"), ..session("stacks", "AWSCloudFormation") }));
        assert!(!is_left(Identity { on_behalf_of_user_id: some("id"), ..session("stacks", "AWSCloudFormation") }));
        assert!(!is_left(session("AWSReservedSSO_Admin_0123456789abcdef", "AWSCloudFormation")));
        assert!(!is_left(of_kind("Unknown")));
    }

    #[test]
    fn principal_in_a_tag_gets_the_same_owner_as_a_caller() {
        let rules = OwnerRules::default();
        let owner =
            |arn: &str| rules.owner_of_principal(arn, "111122223333", None).map(|owner| (owner.value, owner.reason));
        let found = |value: &str, reason: &str| Ok((value.to_owned(), reason.to_owned()));
        let here = "111122223333";
        assert_eq!(
            owner(&format!("arn:aws:sts::{here}:assumed-role/Endusers/anna")),
            found("anna", "session name of role Endusers")
        );
        assert_eq!(owner(&format!("arn:aws:iam::{here}:user/team/bob")), found("bob", "IAM user name"));
        assert_eq!(owner(&format!("arn:aws:iam::{here}:root")), found("root", "the account's root user"));
        assert_eq!(
            owner("arn:aws:sts::444455556666:assumed-role/Endusers/anna"),
            found("anna", "session name of role Endusers, of account 444455556666")
        );
        assert!(owner(&format!("arn:aws:sts::{here}:assumed-role/AWSServiceRoleForX/x")).is_err());
    }
}
