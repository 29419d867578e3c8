//! Events and identities for the tests in this folder.

use crate::model::event::{Action, Event, Identity, StoredEvent};

/// An event of one role.
pub(super) fn stored(action: Action, time: &str, event_id: &str) -> StoredEvent {
    StoredEvent {
        resource_type: "iam-role".into(),
        resource_id: "app".into(),
        action,
        names: Vec::new(),
        renamed_to: None,
        event: Event { event_id: event_id.into(), time: time.into(), ..Event::default() },
    }
}

/// An event by this identity.
pub(super) fn event_by(identity: Identity) -> Event {
    Event {
        event_id: "e-1".into(),
        account_id: "111122223333".into(),
        region: "eu-west-1".into(),
        time: "2026-03-01T10:00:00Z".into(),
        name: "CreateRole".into(),
        source: "iam.amazonaws.com".into(),
        identity,
        ..Event::default()
    }
}

/// An IAM user with an access key.
pub(super) fn iam_user(arn: &str, user_name: Option<&str>) -> Identity {
    Identity {
        kind: Some("IAMUser".into()),
        arn: Some(arn.into()),
        user_name: user_name.map(Into::into),
        principal_id: Some("AIDACKCEVSQ6C2EXAMPLE".into()),
        ..Identity::default()
    }
}

/// A role's session as CloudTrail records it.
pub(super) fn session(role: &str, name: &str) -> Identity {
    Identity {
        kind: Some("AssumedRole".into()),
        arn: Some(format!("arn:aws:sts::111122223333:assumed-role/{role}/{name}").into()),
        principal_id: Some(format!("AROAIDPPEZS35WEXAMPLE:{name}").into()),
        issuer_type: Some("Role".into()),
        issuer_arn: Some(format!("arn:aws:iam::111122223333:role/teams/{role}").into()),
        issuer_user_name: Some(role.into()),
        ..Identity::default()
    }
}

/// An identity of a type, with nothing else.
pub(super) fn of_kind(kind: &str) -> Identity {
    Identity { kind: Some(kind.into()), ..Identity::default() }
}
