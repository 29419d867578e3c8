//! How a type is listed and what its items are called.

use std::num::NonZeroUsize;

use serde_saphyr::{Location, Spanned};

use super::Compiler;
use super::requests::{Scope, names_a_resource};
use crate::names::ResourceType;
use crate::resource_map::definition::{Describe, Listing, Page, Parent, Protocol, Service};
use crate::resource_map::source::{MapError, Text};
use crate::resource_map::yaml::{DescribeStanza, ListStanza, ParentStanza, TypeStanza};
use crate::resource_map::{Access, Template};

impl Compiler<'_> {
    /// How the type is reached; `None` for a stanza of events only.
    pub(super) fn access(&self, stanza: &TypeStanza) -> Result<Option<Access>, MapError> {
        let Some(list) = &stanza.list else { return self.no_access(stanza) };
        let Some(service) = &self.service else {
            let message = "to list a type, the file needs `service` and `protocol` at its top";
            return Err(self.source.error(list.call.referenced, message));
        };
        let at = list.call.referenced;
        let id = self.required(stanza.id.as_ref(), "id", at, "JMESPath to the id on the listed item")?;
        let arn = self.required(stanza.arn.as_ref(), "arn", at, "JMESPath on the listed item, or a template arn:…")?;
        Ok(Some(Access {
            service: service.clone(),
            list: self.listing(service, list)?,
            id: self.expression(id)?,
            names: stanza.names.iter().map(|name| self.expression(name)).collect::<Result<_, _>>()?,
            arn: self.arn(arn, list.parent.is_some())?,
            region: self.optional_expression(stanza.region.as_ref())?,
            tags: self.tag_reading(service, stanza.tags.as_ref())?,
            write: stanza.write.as_ref().map(|write| self.tag_writing(service, write)).transpose()?,
        }))
    }

    /// Without `list` the type is reached as the built-in map says, so nothing else about it may be said here.
    fn no_access(&self, stanza: &TypeStanza) -> Result<Option<Access>, MapError> {
        let text = |text: &Option<Text>| text.as_ref().map(|text| text.referenced);
        let useless: [(&str, Option<Location>); 6] = [
            ("id", text(&stanza.id)),
            ("names", stanza.names.first().map(|name| name.referenced)),
            ("arn", text(&stanza.arn)),
            ("region", text(&stanza.region)),
            ("tags", stanza.tags.as_ref().map(|tags| tags.referenced)),
            ("write", stanza.write.as_ref().map(|write| write.referenced)),
        ];
        match useless.into_iter().find_map(|(key, at)| at.map(|at| (key, at))) {
            Some((key, at)) => {
                let message = format!(
                    "`{key}` is of no use without `list`; add `list`, or leave the built-in ways by removing `{key}`"
                );
                Err(self.source.error(at, message))
            }
            None => Ok(None),
        }
    }

    fn listing(&self, service: &Service, list: &ListStanza) -> Result<Listing, MapError> {
        let scope = Scope { place: "`list`", names: parent_name(list), item: false };
        Ok(Listing {
            request: self.request(service, &list.call, list.params.as_ref(), &scope)?,
            items: self.expression(&list.items)?,
            page: list.page.as_ref().map(|page| self.page(service, page)).transpose()?,
            parent: list.parent.as_ref().map(|parent| self.parent(parent)).transpose()?,
            filter: self.optional_expression(list.r#where.as_ref())?,
            describe: list.describe.as_ref().map(|describe| self.describe(service, list, describe)).transpose()?,
        })
    }

    pub(super) fn page(&self, service: &Service, (send, receive): &(Text, Text)) -> Result<Page, MapError> {
        let is_rest = matches!(service.protocol, Protocol::RestJson | Protocol::RestXml);
        if send.value.is_empty() || (send.value.starts_with('?') && !is_rest) {
            let message = "the input parameter of the page token; a leading ? is for REST protocols only";
            return Err(self.source.error(send.referenced, message));
        }
        Ok(Page { send: send.value.clone(), receive: self.expression(receive)? })
    }

    fn parent(&self, stanza: &ParentStanza) -> Result<Parent, MapError> {
        let name = stanza.r#type.value.strip_prefix("aws.").unwrap_or(&stanza.r#type.value);
        Ok(Parent { resource_type: ResourceType::new(name), value: self.expression(&stanza.value)? })
    }

    fn describe(&self, service: &Service, list: &ListStanza, describe: &DescribeStanza) -> Result<Describe, MapError> {
        let batch = describe.batch.map_or(1, NonZeroUsize::get);
        let mut names = parent_name(list);
        names.push("items");
        let scope = Scope { place: "`describe`", names, item: batch == 1 };
        let request = self.request(service, &describe.call, describe.params.as_ref(), &scope)?;
        if !names_a_resource(&request) {
            let message = "`describe` takes nothing from the listed items; put '{items}' into its params";
            return Err(self.source.error(describe.call.referenced, message));
        }
        Ok(Describe { request, items: self.expression(&describe.items)?, batch })
    }

    /// An ARN is a template where it looks like one, else JMESPath.
    fn arn(&self, text: &Text, has_parent: bool) -> Result<Template, MapError> {
        let Spanned { value, referenced, .. } = text;
        if !value.starts_with("arn:") {
            return self.expression(text).map(Template::of_expression);
        }
        let mut names = vec!["id"];
        names.extend(has_parent.then_some("parent"));
        self.check_template(value, *referenced, &Scope { place: "`arn`", names, item: true })?;
        Template::compile(value).map_err(|error| self.source.error(*referenced, error.to_string()))
    }
}

fn parent_name(list: &ListStanza) -> Vec<&'static str> {
    list.parent.iter().map(|_| "parent").collect()
}
