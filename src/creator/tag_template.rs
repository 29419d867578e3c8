//! Values of further tags beside the owner tag: `{event_time}`, `{owner} by {tool}`.

use super::NoOwner;
use super::owner::{Owner, OwnerRules};
use super::resource_field::LiveFact;
use super::sought::Sought;
use super::tag_value;
use super::template_field::TemplateField;
use super::text_template::{InvalidTemplate, Missing, TextTemplate};

/// The placeholder for the owner.
const OWNER: &str = "owner";

/// A compiled template.
#[derive(Debug, Clone)]
pub struct TagTemplate {
    source: String,
    compiled: TextTemplate<Placeholder>,
}

#[derive(Debug, Clone)]
enum Placeholder {
    Owner,
    Field(TemplateField),
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
    /// The resource lacks a field or tag of the template.
    #[error("the resource has no {{{0}}}")]
    NoResourceField(String),
    /// The template depends on a fact that is not known.
    #[error("the resource's {0} could not be read: {1}")]
    Unknown(LiveFact, String),
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
        let meaning = |name: &str| match TemplateField::parse(name) {
            Some(field) => Ok(Placeholder::Field(field)),
            None if name == OWNER => Ok(Placeholder::Owner),
            None => Err(InvalidTemplate::unknown(name, std::iter::once(OWNER).chain(TemplateField::names()))),
        };
        let compiled = TextTemplate::parse(source, meaning)?;
        Ok(Self { source: source.to_owned(), compiled })
    }

    /// The source text of the template.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The value for a resource with its create event, and with the owner `owner`. `rules` have the names of Identity Center users.
    ///
    /// # Errors
    /// The reason why there is no value: the event or the resource lacks a field of the template, or no valid character is left.
    pub fn value(
        &self,
        rules: &OwnerRules,
        sought: &Sought<'_>,
        owner: &Result<Owner, NoOwner>,
    ) -> Result<MoreValue, NoValue> {
        let fields = self.compiled.meanings().filter_map(|placeholder| match placeholder {
            Placeholder::Field(field) => Some(field),
            Placeholder::Owner => None,
        });
        let resource = sought.resource.as_ref();
        let unknown = resource.and_then(|resource| fields.into_iter().find_map(|field| field.unknown(resource)));
        if let Some((fact, why)) = unknown {
            return Err(NoValue::Unknown(fact, why));
        }
        let value = |placeholder: &Placeholder| match placeholder {
            Placeholder::Owner => owner.as_ref().ok().map(|owner| owner.value.as_str().into()),
            Placeholder::Field(field) => field.of(rules, sought.event, resource),
        };
        let text = self.compiled.render(value).map_err(|Missing { name, meaning }| match (meaning, owner) {
            (Placeholder::Owner, Err(no_owner)) => NoValue::NoOwner(no_owner.clone()),
            (Placeholder::Field(TemplateField::Resource(_)), _) => NoValue::NoResourceField(name.to_owned()),
            _ => NoValue::NoField(name.to_owned()),
        })?;
        let value = tag_value::legal(&text).ok_or_else(|| NoValue::NotLegal(text.clone()))?;
        let original = (value != text).then_some(text);
        Ok(MoreValue { value, original })
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::creator::sought::ResourceFacts;
    use crate::creator::test_data::{event_by, of_kind, session};
    use crate::model::Tags;
    use crate::model::event::Event;

    /// The value for a queue with these tags, created by the event.
    fn value_with(template: &str, event: &Event, tags: &Tags) -> Result<String, String> {
        let rules = OwnerRules::default();
        let owner = rules.owner_of(event);
        let (resource_type, account) = ("sqs".into(), "444455556666".into());
        let facts = ResourceFacts {
            resource_type: &resource_type,
            id: "orders",
            arn: Some("arn:aws:sqs:eu-west-1:444455556666:orders"),
            name: Some("orders".into()),
            account_id: &account,
            account_name: None,
            region: "eu-west-1",
            tags: Cow::Borrowed(tags),
        };
        let sought = Sought { event: Some(event), resource: Some(facts) };
        let value = TagTemplate::parse(template).unwrap().value(&rules, &sought, &owner);
        value.map(|more| more.value).map_err(|error| error.to_string())
    }

    fn stage() -> Tags {
        Tags::Known([("stage".to_owned(), "prod".to_owned())].into())
    }

    fn value(template: &str, event: &Event) -> Result<String, String> {
        value_with(template, event, &stage())
    }

    #[test]
    fn placeholders_are_the_owner_and_the_fields_of_the_resource_document() {
        let mut event = event_by(session("deploy", "anna"));
        event.user_agent = Some("aws-cli/2.31.0".into());
        event.source_ip = Some("203.0.113.7".into());
        for (template, expected) in [
            ("{owner}", "anna"),
            ("{event_time}", "2026-03-01T10:00:00Z"),
            ("{creator}/{role} by {tool}", "anna/deploy by AWS CLI"),
            ("{tool} {tool_version}", "AWS CLI 2.31.0"),
            ("{type} {id} {name}", "sqs orders orders"),
            ("{arn}", "arn:aws:sqs:eu-west-1:444455556666:orders"),
            ("{region}/{account_id}/{account}", "eu-west-1/444455556666/444455556666"),
            ("{source_ip}@{event.principal.account_id}:{event_name}", "203.0.113.7@111122223333:CreateRole"),
            ("{event.principal.arn}", "arn:aws:sts::111122223333:assumed-role/deploy/anna"),
            ("{owner} on {event.time} {tags.stage}", "anna on 2026-03-01T10:00:00Z prod"),
            ("{event.name} by {event.principal.role}", "CreateRole by deploy"),
        ] {
            let found = value(template, &event).unwrap();

            assert_eq!(found, expected, "{template}");
        }
    }

    #[test]
    fn what_is_not_known_leaves_no_value() {
        let service = event_by(of_kind("AWSService"));
        assert_eq!(value("{owner}", &service), Err("the resource has no owner: AWS itself".to_owned()));
        assert_eq!(value("{event_time}", &service).as_deref(), Ok("2026-03-01T10:00:00Z"));
        assert_eq!(value("{source_ip}", &service), Err("the event has no {source_ip}".to_owned()));
        assert_eq!(value("{account_name}", &service), Err("the resource has no {account_name}".to_owned()));
        assert_eq!(value("{tags.team}", &service), Err("the resource has no {tags.team}".to_owned()));
        assert!(value("???", &service).unwrap_err().contains("no letter or digit"));
    }

    #[test]
    fn unread_tags_leave_open_what_depends_on_them() {
        let event = event_by(session("deploy", "anna"));
        let unread = Tags::Unknown("access denied".to_owned());
        for template in ["{name}", "{tags.stage}"] {
            let error = value_with(template, &event, &unread).unwrap_err();

            assert!(error.ends_with("could not be read: access denied"), "{error}");
        }
        assert_eq!(value_with("{id}", &event, &unread).as_deref(), Ok("orders"));
    }

    #[test]
    fn a_misspelt_placeholder_is_an_error() {
        for (template, expected) in [
            ("{event_tim}", "unknown placeholder {event_tim}; did you mean `event_time`?"),
            ("{account_nam}", "unknown placeholder {account_nam}; did you mean `account_name`?"),
            ("{tags}", "unknown placeholder {tags}"),
        ] {
            let error = TagTemplate::parse(template).unwrap_err().to_string();

            assert!(error.starts_with(expected), "{error}");
        }
    }
}
