//! The facts of an event by name: identity maps match them, and templates are filled in with them.

use std::borrow::Cow;

use super::identity::{Caller, caller_of, session_of, text};
use super::tool::tool_of;
use crate::model::event::Event;

/// A fact of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Type,
    Account,
    Arn,
    PrincipalId,
    Role,
    Session,
    User,
    SourceIdentity,
    Provider,
    InvokedBy,
    UserAgent,
    Tool,
    ToolVersion,
    SourceIp,
    EventId,
    EventName,
    EventSource,
    EventTime,
}

/// The facts that only patterns have under these names: in templates, these are fields of the resource.
const PATTERN_FIELDS: [(&str, Field); 3] = [("type", Field::Type), ("account", Field::Account), ("arn", Field::Arn)];

/// The facts that templates have, and their names.
pub(super) const FIELDS: [(&str, Field); 15] = [
    ("principal_id", Field::PrincipalId),
    ("role", Field::Role),
    ("session", Field::Session),
    ("user", Field::User),
    ("source_identity", Field::SourceIdentity),
    ("provider", Field::Provider),
    ("invoked_by", Field::InvokedBy),
    ("user_agent", Field::UserAgent),
    ("tool", Field::Tool),
    ("tool_version", Field::ToolVersion),
    ("source_ip", Field::SourceIp),
    ("event_id", Field::EventId),
    ("event_name", Field::EventName),
    ("event_source", Field::EventSource),
    ("event_time", Field::EventTime),
];

/// The paths of facts in the resource document (docs/json.md). Templates accept them too.
pub(super) const DOCUMENT_PATHS: [(&str, Field); 11] = [
    ("event.id", Field::EventId),
    ("event.name", Field::EventName),
    ("event.source", Field::EventSource),
    ("event.time", Field::EventTime),
    ("event.source_ip", Field::SourceIp),
    ("event.user_agent", Field::UserAgent),
    ("event.principal.type", Field::Type),
    ("event.principal.arn", Field::Arn),
    ("event.principal.account_id", Field::Account),
    ("event.principal.role", Field::Role),
    ("event.principal.session", Field::Session),
];

impl Field {
    /// Looks up the fact of a placeholder: by name, or by its path in the resource document.
    pub(super) fn of_placeholder(name: &str) -> Option<Self> {
        let path = || DOCUMENT_PATHS.iter().find(|(path, _)| *path == name).map(|(_, field)| *field);
        Self::parse(name).or_else(path)
    }

    fn parse(name: &str) -> Option<Self> {
        FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
    }

    /// The name in patterns.
    pub(super) fn name(self) -> &'static str {
        let mut all = PATTERN_FIELDS.iter().chain(&FIELDS);
        all.find(|(_, field)| *field == self).expect("all fields are in a list").0
    }

    /// The value of the fact. `None` if the event lacks it.
    pub(super) fn of(self, event: &Event) -> Option<Cow<'_, str>> {
        let identity = &event.identity;
        let found = match self {
            Self::Type => text(&identity.kind),
            // The caller's account. CloudTrail omits it if it is the account that received the event.
            Self::Account => text(&identity.account_id).or(some(event.account_id.as_str())),
            Self::Arn => text(&identity.arn),
            Self::PrincipalId => text(&identity.principal_id),
            Self::Role => role_of(event),
            Self::Session => session_of(identity).and_then(|session| session.name),
            Self::User => user_of(event),
            Self::SourceIdentity => text(&identity.source_identity),
            Self::Provider => text(&identity.federated_provider),
            Self::InvokedBy => text(&identity.invoked_by),
            Self::UserAgent => text(&event.user_agent),
            Self::Tool => return tool_of(event).map(|tool| tool.name.into()),
            Self::ToolVersion => return tool_of(event).and_then(|tool| tool.version).map(Cow::Owned),
            Self::SourceIp => text(&event.source_ip),
            Self::EventId => some(&event.event_id),
            Self::EventName => some(&event.name),
            Self::EventSource => some(&event.source),
            Self::EventTime => some(&event.time),
        };
        found.map(Cow::Borrowed)
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// The role of a session (or of a call as a role), and the name of the session.
pub fn role_and_session(event: &Event) -> (Option<&str>, Option<&str>) {
    (role_of(event), session_of(&event.identity).and_then(|session| session.name))
}

fn role_of(event: &Event) -> Option<&str> {
    match (session_of(&event.identity), caller_of(&event.identity)) {
        (Some(session), _) => session.role,
        (None, Caller::Named { name, .. }) if event.identity.kind.as_deref() == Some("Role") => Some(name),
        _ => None,
    }
}

/// The user name: of an IAM, SAML or federated user, or `root`; not the name of a session.
fn user_of(event: &Event) -> Option<&str> {
    match caller_of(&event.identity) {
        Caller::Named { name, .. } => Some(name),
        _ => text(&event.identity.user_name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::creator::test_data::{event_by, iam_user, of_kind, session};

    fn facts(event: &Event, names: &[&str]) -> Vec<Option<String>> {
        names.iter().map(|name| Field::of_placeholder(name).unwrap().of(event).map(Cow::into_owned)).collect()
    }

    #[test]
    fn facts_are_found_by_name() {
        let mut event = event_by(session("deploy", "anna"));
        event.user_agent = Some("aws-cli/2.31.0".into());
        let names = [
            "event.principal.type",
            "event.principal.account_id",
            "role",
            "session",
            "user",
            "tool",
            "tool_version",
            "event_name",
            "source_ip",
        ];
        let some = |text: &str| Some(text.to_owned());
        let expected = [
            some("AssumedRole"),
            some("111122223333"),
            some("deploy"),
            some("anna"),
            None,
            some("AWS CLI"),
            some("2.31.0"),
            some("CreateRole"),
            None,
        ];
        assert_eq!(facts(&event, &names), expected);
        let user = event_by(iam_user("arn:aws:iam::1:user/alice", Some("alice")));
        assert_eq!(facts(&user, &["user", "role", "session"]), [some("alice"), None, None]);
        assert_eq!(facts(&event_by(of_kind("Root")), &["user"]), [some("root")]);
    }

    #[test]
    fn a_service_linked_role_s_session_has_a_role_too() {
        let event = event_by(session("AWSServiceRoleForRDS", "rds"));
        assert_eq!(Field::Role.of(&event).as_deref(), Some("AWSServiceRoleForRDS"));
        assert_eq!(Field::Session.of(&event).as_deref(), Some("rds"));
    }

    #[test]
    fn every_field_has_one_name() {
        for (name, field) in FIELDS {
            assert_eq!((Field::parse(name), field.name()), (Some(field), name));
        }
        for (name, field) in PATTERN_FIELDS {
            assert_eq!((Field::of_placeholder(name), field.name()), (None, name));
        }
        assert_eq!(Field::parse("Role"), None);
    }
}
