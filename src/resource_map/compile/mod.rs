//! From what a map file says to what the program uses: every expression and template compiled, every claim checked
//! that a file alone can prove wrong.
//!
//! One file at a time; what concerns several (duplicates, parents) is `assemble`'s.

mod access;
mod events;
mod requests;
pub(super) mod service;
mod tags;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_saphyr::{Location, Spanned};

use super::c7n::{C7nFile, C7nType};
use super::definition::Service;
use super::yaml::{ListStanza, ServiceFile, TypeStanza};
use super::{EventRule, Expression, Later, TypeDefinition};
use crate::model::ResourceType;
use crate::text::source::{FileError, Position, Source, Text};

/// A resource type as one file describes it.
#[derive(Debug, Clone)]
pub(super) struct CompiledType {
    /// The position of its name.
    pub(super) place: Position,
    /// The type; without access where the file gives events only.
    pub(super) definition: TypeDefinition,
    /// What its events mean.
    pub(super) events: Vec<CompiledEvent>,
    /// The type it is listed below, and where that is said.
    pub(super) parent: Option<(ResourceType, Position)>,
    /// Whether the format separates upserts and deletes from creations: c7n-trailcreator's does not.
    pub(super) tells_actions: bool,
}

/// An event of a type.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct CompiledEvent {
    pub(super) source: String,
    pub(super) name: String,
    pub(super) rule: EventRule,
}

/// What the parts of one file's stanzas are compiled with.
struct Compiler<'file> {
    source: Source<'file>,
    /// The service that the file is about; `None` where it gives events only.
    service: Option<Arc<Service>>,
    /// eventSource of events that don't name theirs.
    event_source: Option<String>,
    /// The services of other files, by botocore's name.
    others: FindService<'file>,
}

/// Finds a service of another file by botocore's name.
pub(super) type FindService<'f> = &'f dyn Fn(&str) -> Option<Service>;

/// Compiles a file of ours.
pub(super) fn service_file(
    source: Source<'_>,
    file: &ServiceFile,
    others: FindService<'_>,
) -> Result<Vec<CompiledType>, FileError> {
    let compiler = Compiler {
        source,
        others,
        service: service::compile(source, file)?.map(Arc::new),
        event_source: service::event_source(source, file)?,
    };
    file.resources.iter().map(|stanza| compiler.resource_type(stanza)).collect()
}

/// Compiles c7n-trailcreator's JSON.
pub(super) fn c7n_file(source: Source<'_>, file: &C7nFile) -> Result<Vec<CompiledType>, FileError> {
    let compiler = Compiler { source, service: None, event_source: None, others: &|_| None };
    file.resources.iter().map(|stanza| compiler.c7n_type(stanza)).collect()
}

impl Compiler<'_> {
    fn resource_type(&self, stanza: &Spanned<TypeStanza>) -> Result<CompiledType, FileError> {
        let at = stanza.referenced;
        let stanza = &stanza.value;
        let (resource_type, place) = self.type_name(stanza.r#type.as_ref(), "type", at)?;
        let events = self.events(stanza, &resource_type, at)?;
        let access = self.access(stanza)?;
        let parent = stanza.list.as_ref().and_then(parent_type);
        let parent = parent.map(|parent| self.type_name(Some(parent), "type", at)).transpose()?;
        Ok(CompiledType {
            place,
            definition: TypeDefinition {
                resource_type,
                cloudformation: stanza.cloudformation.clone(),
                aliases: self.aliases(stanza)?,
                doubts: stanza.doubts.clone(),
                global: stanza.global,
                access: access.into(),
            },
            events,
            parent,
            tells_actions: true,
        })
    }

    fn c7n_type(&self, stanza: &Spanned<C7nType>) -> Result<CompiledType, FileError> {
        let (resource_type, place) = self.type_name(stanza.value.resource.as_ref(), "resource", stanza.referenced)?;
        let events = self.c7n_events(&stanza.value, &resource_type, stanza.referenced)?;
        let definition = TypeDefinition {
            resource_type,
            cloudformation: None,
            aliases: Vec::new(),
            doubts: None,
            global: false,
            access: Later::default(),
        };
        Ok(CompiledType { place, definition, events, parent: None, tells_actions: false })
    }

    /// Plain like names of types, so that they can be given as `--type` without quotes.
    fn aliases(&self, stanza: &TypeStanza) -> Result<Vec<String>, FileError> {
        let alias =
            |text: &Text| self.type_name(Some(text), "aliases", text.referenced).map(|(name, _)| name.to_string());
        stanza.aliases.iter().map(alias).collect()
    }

    /// A type's name without custodian's prefix, and its position.
    fn type_name(
        &self,
        name: Option<&Text>,
        key: &str,
        stanza: Location,
    ) -> Result<(ResourceType, Position), FileError> {
        let text = self.required(name, key, stanza, "the resource type's name, such as iam-role")?;
        let name = text.value.strip_prefix("aws.").unwrap_or(&text.value);
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || !name.bytes().all(is_plain) {
            let message =
                format!("`{}` is not a resource type: lower-case letters, digits and `-`, as iam-role", text.value);
            return Err(self.source.error(text.referenced, message));
        }
        Ok((ResourceType::new(name), self.source.place(text.referenced)))
    }

    /// `text`, or the error that the stanza at `stanza` lacks `key`.
    fn required<'text>(
        &self,
        text: Option<&'text Text>,
        key: &str,
        stanza: Location,
        what: &str,
    ) -> Result<&'text Text, FileError> {
        text.ok_or_else(|| self.source.error(stanza, format!("`{key}` is missing here: {what}")))
    }

    fn expression(&self, text: &Text) -> Result<Expression, FileError> {
        Expression::compile(&text.value).map_err(|error| self.source.error(text.referenced, error.to_string()))
    }

    fn optional_expression(&self, text: Option<&Text>) -> Result<Option<Expression>, FileError> {
        text.map(|text| self.expression(text)).transpose()
    }
}

/// The type that a listing is below; listings in between are not types.
fn parent_type(list: &ListStanza) -> Option<&Text> {
    let mut list = Some(list);
    while let Some(parent) = list.and_then(|list| list.parent.as_ref()) {
        if parent.value.r#type.is_some() {
            return parent.value.r#type.as_ref();
        }
        list = parent.value.list.as_deref();
    }
    None
}
