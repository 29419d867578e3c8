//! The events of a type: which make it, which remove or rename it, and where the ids stand.

use serde_saphyr::{Location, Spanned};

use super::service::check_event_source;
use super::{CompiledEvent, Compiler};
use crate::model::ResourceType;
use crate::model::event::Action;
use crate::resource_map::c7n::C7nType;
use crate::resource_map::expression::TopLevelFields;
use crate::resource_map::yaml::{EventStanza, PlainEventStanza, RenameStanza, TypeStanza};
use crate::resource_map::{EventRule, Expression, Identified};
use crate::text::source::{FileError, Text};

/// The record's fields that hold ids. A slip in one of them (`responseElement`) is good JMESPath that finds nothing.
const ID_FIELDS: [&str; 4] = ["requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"];
/// Most edits (of letters, ignoring case) between two names that make the one a slip of the other.
const SLIP: usize = 3;

/// An event as any of the formats writes it.
struct RawEvent<'file> {
    stanza: Location,
    event: Option<&'file Text>,
    service: Option<&'file Text>,
    /// Under which key the ids stand.
    key: &'static str,
    ids: Option<&'file Text>,
    /// Where further names stand.
    names: Option<&'file Text>,
    /// The new name; of renames only.
    to: Option<&'file Text>,
    action: Action,
    doubts: Option<&'file String>,
}

impl<'file> RawEvent<'file> {
    fn creating(stanza: &'file Spanned<EventStanza>) -> Self {
        let EventStanza { event, service, ids, names, upsert, doubts } = &stanza.value;
        let action = if *upsert { Action::Upsert } else { Action::Create };
        let (event, service, ids) = (event.as_ref(), service.as_ref(), ids.as_ref());
        let (stanza, names, doubts) = (stanza.referenced, names.as_ref(), doubts.as_ref());
        Self { stanza, event, service, key: "ids", ids, names, to: None, action, doubts }
    }

    fn plain(stanza: &'file Spanned<PlainEventStanza>, action: Action) -> Self {
        let PlainEventStanza { event, service, ids, names } = &stanza.value;
        let (event, service, ids) = (event.as_ref(), service.as_ref(), ids.as_ref());
        let names = names.as_ref();
        Self { stanza: stanza.referenced, event, service, key: "ids", ids, names, to: None, action, doubts: None }
    }

    fn renaming(stanza: &'file Spanned<RenameStanza>) -> Self {
        let RenameStanza { event, service, from, to, doubts } = &stanza.value;
        let (event, service, ids, to) = (event.as_ref(), service.as_ref(), from.as_ref(), to.as_ref());
        let (stanza, doubts) = (stanza.referenced, doubts.as_ref());
        Self { stanza, event, service, key: "from", ids, names: None, to, action: Action::Rename, doubts }
    }
}

impl Compiler<'_> {
    /// The events of a type of ours.
    pub(super) fn events(
        &self,
        stanza: &TypeStanza,
        resource_type: &ResourceType,
        at: Location,
    ) -> Result<Vec<CompiledEvent>, FileError> {
        let creating = self.some_events(stanza.events.as_ref(), at)?.iter().map(RawEvent::creating);
        let removing = stanza.deletes.iter().map(|event| RawEvent::plain(event, Action::Delete));
        let renaming = stanza.renames.iter().map(RawEvent::renaming);
        creating.chain(removing).chain(renaming).map(|event| self.event(&event, resource_type)).collect()
    }

    /// The events of a type in c7n-trailcreator's format.
    pub(super) fn c7n_events(
        &self,
        stanza: &C7nType,
        resource_type: &ResourceType,
        at: Location,
    ) -> Result<Vec<CompiledEvent>, FileError> {
        let events = self.some_events(stanza.events.as_ref(), at)?;
        events.iter().map(|event| self.event(&RawEvent::plain(event, Action::Create), resource_type)).collect()
    }

    /// The list under `events`, or the error that there is none.
    fn some_events<'file, T>(
        &self,
        events: Option<&'file Spanned<Vec<T>>>,
        stanza: Location,
    ) -> Result<&'file [T], FileError> {
        const WANTED: &str = "the events that create a resource, each with `event` and `ids`";
        match events {
            Some(events) if !events.value.is_empty() => Ok(&events.value),
            Some(events) => Err(self.source.error(events.referenced, format!("`events` is empty: list {WANTED}"))),
            None => Err(self.source.error(stanza, format!("`events` is missing here: {WANTED}"))),
        }
    }

    fn event(&self, raw: &RawEvent<'_>, resource_type: &ResourceType) -> Result<CompiledEvent, FileError> {
        let name = self.required(raw.event, "event", raw.stanza, "the eventName, such as CreateRole")?;
        if name.value.is_empty() || name.value.contains(char::is_whitespace) {
            let message = format!("`{}` is not an eventName; write it as in the record, CreateRole", name.value);
            return Err(self.source.error(name.referenced, message));
        }
        let source = match (raw.service, &self.event_source) {
            (Some(service), _) => check_event_source(self.source, service)?.value.clone(),
            (None, Some(event_source)) => event_source.clone(),
            (None, None) => {
                let message = "`service` is missing here: the eventSource, such as iam.amazonaws.com";
                return Err(self.source.error(raw.stanza, message));
            }
        };
        let ids = self.required(
            raw.ids,
            raw.key,
            raw.stanza,
            "JMESPath to the ids in the record, such as requestParameters.roleName",
        )?;
        let rule = EventRule {
            identified: Identified::Resource(resource_type.clone()),
            action: raw.action,
            ids: self.ids(ids)?,
            names: raw.names.map(|names| self.ids(names)).transpose()?,
            new_name: self.new_name(raw)?,
            doubts: raw.doubts.cloned(),
        };
        Ok(CompiledEvent { source, name: name.value.clone(), rule })
    }

    fn new_name(&self, raw: &RawEvent<'_>) -> Result<Option<Expression>, FileError> {
        const WANTED: &str = "JMESPath to the new name in the record, such as requestParameters.newUserName";
        if raw.action != Action::Rename {
            return Ok(None);
        }
        self.ids(self.required(raw.to, "to", raw.stanza, WANTED)?).map(Some)
    }

    fn ids(&self, text: &Text) -> Result<Expression, FileError> {
        let ids = self.expression(text)?;
        let TopLevelFields::Some(fields) = ids.fields() else { return Ok(ids) };
        match fields.iter().find_map(|field| meant(field).map(|meant| (field, meant))) {
            Some((field, meant)) => {
                let message = format!("CloudTrail's records have no field `{field}`; did you mean `{meant}`?");
                Err(self.source.error(text.referenced, message))
            }
            None => Ok(ids),
        }
    }
}

/// The field of [`ID_FIELDS`] that `field` is a slip of.
fn meant(field: &str) -> Option<&'static str> {
    let distance = |known: &str| strsim::damerau_levenshtein(&field.to_lowercase(), &known.to_lowercase());
    if ID_FIELDS.contains(&field) { None } else { ID_FIELDS.into_iter().find(|known| distance(known) <= SLIP) }
}
