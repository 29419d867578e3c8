//! How a type is listed and what its items are called.

use std::num::NonZeroUsize;

use serde_saphyr::{Location, Spanned};

use super::Compiler;
use super::requests::{PARENT, ParentNames, Scope, names_a_resource};
use crate::model::{Arn, Region, ResourceType};
use crate::resource_map::definition::{
    Describe, ItemText, ListCall, Listing, Page, Parent, ParentSource, ParentValue, Service,
};
use crate::resource_map::naming::ArnForm;
use crate::resource_map::yaml::{
    DescribeStanza, ItemTextStanza, ListStanza, Param, ParentRuleStanza, ParentStanza, ParentValueStanza, ScopeStanza,
    TypeStanza,
};
use crate::resource_map::{Access, ParentRule, Template};
use crate::text::source::{FileError, Text};

impl Compiler<'_> {
    /// How the type is reached; `None` for a stanza of events only.
    pub(super) fn access(&self, stanza: &TypeStanza) -> Result<Option<Access>, FileError> {
        let Some(list) = &stanza.list else { return self.no_access(stanza) };
        let Some(service) = &self.service else {
            let message = "to list a type, the file needs `service` and `protocol` at its top";
            return Err(self.source.error(list.call.referenced, message));
        };
        let at = list.call.referenced;
        let parent = ParentNames::of(list);
        let id = stanza
            .id
            .as_ref()
            .ok_or_else(|| self.source.error(at, "`id` is missing here: JMESPath to the id on the listed item"))?;
        if let (Some(write), None) = (&stanza.write, &stanza.arn) {
            let message = "a type that can be tagged needs `arn`: JMESPath on the listed item, or a template arn:…";
            return Err(self.source.error(write.referenced, message));
        }
        let scope = |place, names| Scope { place, names, item: true, parent: &parent };
        let name = |name| self.item_text(name, &scope("`names`", vec!["id"]));
        let whole = |text| self.item_text(text, &scope("`made_with`", vec!["id"]));
        Ok(Some(Access {
            service: service.clone(),
            list: self.listing(service, list)?,
            id: self.item_text(id, &scope("`id`", vec![]))?,
            names: stanza.names.iter().map(name).collect::<Result<_, _>>()?,
            made_with: stanza.made_with.iter().map(whole).collect::<Result<_, _>>()?,
            parents: stanza.parents.iter().map(|rule| self.parent_rule(rule)).collect::<Result<_, _>>()?,
            arn: stanza.arn.as_ref().map(|arn| self.arn(arn, &scope("`arn`", vec!["id"]))).transpose()?,
            arn_forms: stanza.arn_forms.iter().map(|form| self.arn_form(form)).collect::<Result<_, _>>()?,
            ignores_case: stanza.ignore_case,
            region: self.optional_expression(stanza.region.as_ref())?,
            tags: self.tag_reading(service, stanza.tags.as_ref(), &parent)?,
            tag_keys: stanza.tag_keys.as_ref().map(|keys| keys.value).unwrap_or_default(),
            write: stanza.write.as_ref().map(|write| self.tag_writing(service, write, &parent)).transpose()?,
        }))
    }

    fn arn_form(&self, text: &Text) -> Result<ArnForm, FileError> {
        ArnForm::of_template(&text.value).map_err(|error| self.source.error(text.referenced, error.to_string()))
    }

    /// Without `list` the type is reached as the built-in map says, so nothing else about it may be said here.
    fn no_access(&self, stanza: &TypeStanza) -> Result<Option<Access>, FileError> {
        let text = |text: &Option<Spanned<ItemTextStanza>>| text.as_ref().map(|text| text.referenced);
        let useless: [(&str, Option<Location>); 10] = [
            ("id", text(&stanza.id)),
            ("names", stanza.names.first().map(|name| name.referenced)),
            ("made_with", stanza.made_with.first().map(|text| text.referenced)),
            ("parents", stanza.parents.first().map(|rule| rule.referenced)),
            ("arn", text(&stanza.arn)),
            ("arn_forms", stanza.arn_forms.first().map(|form| form.referenced)),
            ("region", stanza.region.as_ref().map(|region| region.referenced)),
            ("tags", stanza.tags.as_ref().map(|tags| tags.referenced)),
            ("tag_keys", stanza.tag_keys.as_ref().map(|keys| keys.referenced)),
            ("write", stanza.write.as_ref().map(|write| write.referenced)),
        ];
        match useless.into_iter().find_map(|(key, at)| at.map(|at| (key, at))) {
            Some((key, at)) => {
                let message =
                    format!("`{key}` needs `list`; add `list`, or keep the built-in definition by removing `{key}`");
                Err(self.source.error(at, message))
            }
            None => Ok(None),
        }
    }

    fn parent_rule(&self, stanza: &Spanned<ParentRuleStanza>) -> Result<ParentRule, FileError> {
        let at = stanza.referenced;
        let stanza = &stanza.value;
        let (resource_type, place) = self.type_name(stanza.r#type.as_ref(), "type", at)?;
        let id = self.required(stanza.id.as_ref(), "id", at, "JMESPath on the listed item to the parent's id")?;
        Ok(ParentRule { resource_type, id: self.expression(id)?, unrecorded: stanza.unrecorded, place })
    }

    fn listing(&self, service: &Service, list: &ListStanza) -> Result<Listing, FileError> {
        if let (Some(recurse), None) = (&list.recurse, &list.parent) {
            let message = "`recurse` needs `parent`: where the first items are listed";
            return Err(self.source.error(recurse.referenced, message));
        }
        let parent = ParentNames::of(list);
        Ok(Listing {
            calls: self.list_calls(service, list, &parent)?,
            items: self.expression(&list.items)?,
            page: list.page.as_ref().map(|page| self.page(service, page)).transpose()?,
            parent: list.parent.as_ref().map(|parent| self.parent(service, parent)).transpose()?,
            recurse: list.recurse.as_ref().map(|recurse| self.recursion(recurse, &parent)).transpose()?,
            filter: self.optional_expression(list.r#where.as_ref())?,
            describe: list.describe.as_ref().map(|describe| self.describe(service, describe, &parent)).transpose()?,
            absent: list.absent.clone(),
        })
    }

    /// The list call, once for each scope.
    fn list_calls(
        &self,
        service: &Service,
        list: &ListStanza,
        parent: &ParentNames,
    ) -> Result<Vec<ListCall>, FileError> {
        let place = Scope { place: "`list`", names: vec![], item: false, parent };
        let call = |params: Option<&Spanned<Param>>, region| {
            let params = [list.params.as_ref(), params];
            let request = self.request(service, (&list.call, list.action.as_ref()), &params, &place)?;
            Ok(ListCall { request, region })
        };
        let Some(scopes) = &list.scopes else { return Ok(vec![call(None, None)?]) };
        if scopes.value.is_empty() {
            let message = "`scopes` is empty: give the parameters of each call, as in {params: {Scope: REGIONAL}}";
            return Err(self.source.error(scopes.referenced, message));
        }
        let scope = |scope: &Spanned<ScopeStanza>| {
            let region = scope.value.region.as_ref().map(|region| self.region(region)).transpose()?;
            call(scope.value.params.as_ref(), region)
        };
        scopes.value.iter().map(scope).collect()
    }

    fn region(&self, text: &Text) -> Result<Region, FileError> {
        text.value.parse().map_err(|error| self.source.error(text.referenced, format!("{error}")))
    }

    pub(super) fn page(&self, service: &Service, (send, receive): &(Text, Text)) -> Result<Page, FileError> {
        if send.value.is_empty() || (send.value.starts_with('?') && !service.protocol.is_rest()) {
            let message = "the input parameter of the page token; a leading ? is for REST protocols only";
            return Err(self.source.error(send.referenced, message));
        }
        Ok(Page { send: send.value.clone(), receive: self.expression(receive)? })
    }

    fn parent(&self, service: &Service, stanza: &Spanned<ParentStanza>) -> Result<Parent, FileError> {
        let at = stanza.referenced;
        let stanza = &stanza.value;
        let source = match (&stanza.r#type, &stanza.list) {
            (Some(name), None) => {
                let name = name.value.strip_prefix("aws.").unwrap_or(&name.value);
                ParentSource::Type(ResourceType::new(name))
            }
            (None, Some(list)) => ParentSource::Listing(Box::new(self.listing(service, list)?)),
            _ => {
                let message = "a parent is either a `type` of the map, or a `list` of its own";
                return Err(self.source.error(at, message));
            }
        };
        Ok(Parent { source, value: self.parent_value(&stanza.value)? })
    }

    fn parent_value(&self, stanza: &Spanned<ParentValueStanza>) -> Result<ParentValue, FileError> {
        let at = stanza.referenced;
        let values = match &stanza.value {
            ParentValueStanza::One(text) => {
                return self.expression(&Spanned::new(text.clone(), at, at)).map(ParentValue::One);
            }
            ParentValueStanza::Several(values) if values.is_empty() => {
                return Err(self.source.error(at, "`value` is empty: give JMESPath on the parent's item"));
            }
            ParentValueStanza::Several(values) => values,
        };
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let value = |(name, text): &(Text, Text)| {
            if name.value == PARENT || name.value.is_empty() || !name.value.bytes().all(is_plain) {
                let message =
                    format!("`{}` can't be the name of a value: use letters and digits, but not `parent`", name.value);
                return Err(self.source.error(name.referenced, message));
            }
            Ok((name.value.clone(), self.expression(text)?))
        };
        values.iter().map(value).collect::<Result<_, _>>().map(ParentValue::Several)
    }

    /// What an item gives as a parent is called as what its parent gave.
    fn recursion(&self, stanza: &Spanned<ParentValueStanza>, parent: &ParentNames) -> Result<ParentValue, FileError> {
        let value = self.parent_value(stanza)?;
        let is_alike = match (&value, parent) {
            (ParentValue::One(_), ParentNames::One) => true,
            (ParentValue::Several(own), ParentNames::Several(names)) => {
                own.len() == names.len() && names.iter().all(|name| own.contains_key(name))
            }
            _ => false,
        };
        if is_alike {
            return Ok(value);
        }
        Err(self.source.error(stanza.referenced, "`recurse` must give the same names as `parent.value`"))
    }

    fn describe(
        &self,
        service: &Service,
        describe: &DescribeStanza,
        parent: &ParentNames,
    ) -> Result<Describe, FileError> {
        let batch = describe.batch.map_or(1, NonZeroUsize::get);
        let scope = Scope { place: "`describe`", names: vec!["items"], item: batch == 1, parent };
        let call = (&describe.call, describe.action.as_ref());
        let request = self.request(service, call, &[describe.params.as_ref()], &scope)?;
        if !names_a_resource(&request) {
            let message = "`describe` takes nothing from the listed items; put '{items}' into its params";
            return Err(self.source.error(describe.call.referenced, message));
        }
        Ok(Describe { request, items: self.expression(&describe.items)?, batch })
    }

    /// An ARN is a template where it looks like one.
    fn arn(&self, stanza: &Spanned<ItemTextStanza>, scope: &Scope<'_>) -> Result<ItemText, FileError> {
        match &stanza.value {
            ItemTextStanza::Expression(text) if Arn::is_arn(text) => {
                self.template(text, stanza.referenced, scope).map(ItemText::Template)
            }
            _ => self.item_text(stanza, scope),
        }
    }

    fn item_text(&self, stanza: &Spanned<ItemTextStanza>, scope: &Scope<'_>) -> Result<ItemText, FileError> {
        let at = stanza.referenced;
        match &stanza.value {
            ItemTextStanza::Expression(text) => {
                self.expression(&Spanned::new(text.clone(), at, at)).map(ItemText::Expression)
            }
            ItemTextStanza::Template(stanza) => {
                let Spanned { value, referenced, .. } = &stanza.template;
                self.template(value, *referenced, scope).map(ItemText::Template)
            }
        }
    }

    fn template(&self, text: &str, at: Location, scope: &Scope<'_>) -> Result<Template, FileError> {
        self.check_template(text, at, scope)?;
        Template::compile(text).map_err(|error| self.source.error(at, error.to_string()))
    }
}
