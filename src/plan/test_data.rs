//! Live resources and events for tests, in one line each.

use std::collections::BTreeMap;

use serde_json::json;

use crate::model::event::{Action, Event, Identity, StoredEvent};
use crate::model::{LiveResource, Tags};

/// A queue without tags.
pub(crate) fn live(id: &str, arn: &str) -> LiveResource {
    LiveResource {
        resource_type: "sqs".into(),
        id: id.into(),
        identifiers: vec![id.to_owned(), arn.to_owned()],
        made_with: Vec::new(),
        arn: arn.into(),
        region: "eu-west-1".into(),
        tags: Tags::Known(BTreeMap::new()),
        item: json!({}).into(),
        ancestors: Vec::new(),
    }
}

/// Tags from pairs.
pub(crate) fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

impl LiveResource {
    pub(crate) fn named(mut self, name: &str) -> Self {
        self.identifiers.push(name.to_owned());
        self
    }

    pub(crate) fn with(mut self, tags: Tags) -> Self {
        self.tags = tags;
        self
    }
}

/// What IAM user `user` did to the resource `id` at `time`.
pub(crate) fn stored(action: &str, id: &str, user: &str, time: &str) -> StoredEvent {
    let identity = Identity {
        kind: Some("IAMUser".into()),
        user_name: Some(user.into()),
        arn: Some(format!("arn:aws:iam::123456789012:user/{user}").into()),
        ..Identity::default()
    };
    StoredEvent {
        resource_type: "sqs".into(),
        resource_id: id.into(),
        action: Action::parse(action).unwrap(),
        names: Vec::new(),
        renamed_to: None,
        event: Event {
            event_id: format!("{id}-{time}").into(),
            account_id: "123456789012".into(),
            region: "eu-west-1".into(),
            time: time.into(),
            name: "CreateQueue".into(),
            source: "sqs.amazonaws.com".into(),
            identity,
            ..Event::default()
        },
    }
}
