//! Values of further tags beside the owner tag: `{event_time}`, `{owner} by {tool}`.

use super::NoOwner;
use super::facts::{DOCUMENT_PATHS, FIELDS, Field};
use super::owner::Owner;
use super::tag_value;
use super::text_template::{InvalidTemplate, Missing, TextTemplate};
use crate::model::event::Event;

/// The placeholders for the owner.
const OWNER: [&str; 2] = ["owner", "creator"];

/// A compiled template.
#[derive(Debug, Clone)]
pub struct TagTemplate {
    source: String,
    compiled: TextTemplate<Placeholder>,
}

#[derive(Debug, Clone)]
enum Placeholder {
    Owner,
    Field(Field),
}

/// The value of a further tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoreValue {
    /// A valid tag value.
    pub value: String,
    /// The original text, if it was changed to a valid tag value.
    pub original: Option<String>,
}

/// Why a further tag has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoValue {
    /// The template names the owner, and the resource has no owner.
    #[error("the resource has no owner: {0}")]
    NoOwner(NoOwner),
    /// The event lacks a field of the template.
    #[error("the event has no {{{0}}}")]
    NoField(String),
    /// The text has no character that a tag value allows.
    #[error("{0:?} has no letter or digit that a tag value allows")]
    NotLegal(String),
}

impl TagTemplate {
    /// Parses a template.
    ///
    /// # Errors
    /// An unknown placeholder, with the nearest known one; or an unbalanced brace.
    pub fn parse(source: &str) -> Result<Self, InvalidTemplate> {
        let meaning = |name: &str| match Field::of_placeholder(name) {
            Some(field) => Ok(Placeholder::Field(field)),
            None if OWNER.contains(&name) => Ok(Placeholder::Owner),
            None => {
                let allowed = OWNER.into_iter().chain(FIELDS.iter().chain(&DOCUMENT_PATHS).map(|(name, _)| *name));
                Err(InvalidTemplate::unknown(name, allowed))
            }
        };
        let compiled = TextTemplate::parse(source, meaning)?;
        Ok(Self { source: source.to_owned(), compiled })
    }

    /// The source text of the template.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The value for a resource that this event created, with the owner `owner`.
    ///
    /// # Errors
    /// The reason why there is no value: the event lacks a field of the template, or no valid character is left.
    pub fn value(&self, event: &Event, owner: &Result<Owner, NoOwner>) -> Result<MoreValue, NoValue> {
        let value = |placeholder: &Placeholder| match placeholder {
            Placeholder::Owner => owner.as_ref().ok().map(|owner| owner.value.as_str().into()),
            Placeholder::Field(field) => field.of(event),
        };
        let text = self.compiled.render(value).map_err(|Missing { name, meaning }| match (meaning, owner) {
            (Placeholder::Owner, Err(no_owner)) => NoValue::NoOwner(no_owner.clone()),
            _ => NoValue::NoField(name.to_owned()),
        })?;
        let value = tag_value::legal(&text).ok_or_else(|| NoValue::NotLegal(text.clone()))?;
        let original = (value != text).then_some(text);
        Ok(MoreValue { value, original })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::creator::OwnerRules;
    use crate::creator::test_data::{event_by, of_kind, session};

    fn value(template: &str, event: &Event) -> Result<String, String> {
        let owner = OwnerRules::default().owner_of(event);
        TagTemplate::parse(template)
            .unwrap()
            .value(event, &owner)
            .map(|more| more.value)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn placeholders_are_the_owner_and_the_event_s_facts() {
        let mut event = event_by(session("deploy", "anna"));
        event.user_agent = Some("aws-cli/2.31.0".to_owned());
        event.source_ip = Some("203.0.113.7".to_owned());
        for (template, expected) in [
            ("{creator}", "anna"),
            ("{event_time}", "2026-03-01T10:00:00Z"),
            ("{creator}/{role} by {tool}", "anna/deploy by AWS CLI 2.31.0"),
            ("{source_ip}@{account}:{event_name}", "203.0.113.7@111122223333:CreateRole"),
            ("{arn}", "arn:aws:sts::111122223333:assumed-role/deploy/anna"),
            ("{owner} on {event.time}", "anna on 2026-03-01T10:00:00Z"),
            (
                "{event.name} by {event.principal.role} in {event.principal.account_id}",
                "CreateRole by deploy in 111122223333",
            ),
        ] {
            let found = value(template, &event).unwrap();

            assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_is_not_known_leaves_no_value() {
        let service = event_by(of_kind("AWSService"));
        for owner in ["{creator}", "{owner}"] {
            assert_eq!(value(owner, &service), Err("the resource has no owner: AWS itself".to_owned()));
        }
        assert_eq!(value("{event_time}", &service).as_deref(), Ok("2026-03-01T10:00:00Z"));
        assert_eq!(value("{source_ip}", &service), Err("the event has no {source_ip}".to_owned()));
        assert!(value("???", &service).unwrap_err().contains("no letter or digit"));
    }

    #[test]
    fn a_misspelt_placeholder_is_an_error() {
        let error = TagTemplate::parse("{event_tim}").unwrap_err().to_string();
        assert!(error.starts_with("unknown placeholder {event_tim}; did you mean `event_time`?"), "{error}");
    }
}
