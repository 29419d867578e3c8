//! What the map knows of each type, in words and for machines: `resource-map list`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Access, Expression, NativeWriting, ResourceMap, SideEffects, TagRequest, TypeDefinition, WriteMethod};
use crate::model::ResourceType;

/// A type in short.
#[derive(Debug, Serialize)]
pub struct TypeSummary<'m> {
    /// Custodian's name.
    #[serde(rename = "type")]
    pub resource_type: &'m ResourceType,
    /// CloudFormation's name.
    pub cloudformation: Option<&'m str>,
    /// Further names that it is known by.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub aliases: &'m [String],
    /// botocore's name of the service that lists it.
    pub service: Option<&'m str>,
    /// Once per account.
    pub global: bool,
    /// Its events, creations first.
    pub events: Vec<EventSummary<'m>>,
    /// The calls that list it, its parents' listings included; none where nothing says how.
    pub listed_by: Vec<&'m str>,
    /// The type it is listed below.
    pub parent: Option<&'m ResourceType>,
    /// Where its tags are read, in the order in which the sources are tried.
    pub tags_read_by: Vec<String>,
    /// How a tag is written, the first way first.
    pub tags_written_by: Vec<&'m str>,
    /// What writing a tag does beside that; such a type is written only with --allow-updates.
    pub updates: Option<&'m SideEffects>,
    /// What is not certain of it.
    pub doubts: Option<&'m str>,
}

/// An event of a type.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct EventSummary<'m> {
    /// create, upsert, delete or rename.
    pub action: &'static str,
    /// eventSource.
    pub service: &'m str,
    /// eventName.
    pub event: &'m str,
    /// JMESPath to the ids; of a rename, to the old name.
    pub ids: &'m str,
    /// JMESPath to the new name; of renames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<&'m str>,
    /// What is not certain of it.
    pub doubts: Option<&'m str>,
}

impl ResourceMap {
    /// All types by name, including those with events only.
    pub fn summaries(&self) -> Vec<TypeSummary<'_>> {
        let mut events = self.events_by_type();
        let summary = |definition| summary(definition, events.remove(&definition.resource_type).unwrap_or_default());
        self.definitions().map(summary).collect()
    }

    fn events_by_type(&self) -> BTreeMap<&ResourceType, Vec<EventSummary<'_>>> {
        const ORDER: [&str; 4] = ["create", "upsert", "delete", "rename"];
        let mut events: BTreeMap<&ResourceType, Vec<EventSummary<'_>>> = BTreeMap::new();
        for (service, event, rules) in self.events.iter() {
            for rule in rules {
                let (action, ids, doubts) = (rule.action.as_str(), rule.ids.source(), rule.doubts.as_deref());
                let to = rule.new_name.as_ref().map(Expression::source);
                let Some(resource_type) = rule.resource_type() else { continue };
                events.entry(resource_type).or_default().push(EventSummary { action, service, event, ids, to, doubts });
            }
        }
        let place = |event: &EventSummary<'_>| ORDER.iter().position(|action| *action == event.action);
        events.values_mut().for_each(|events| {
            events.sort_by(|one, other| (place(one), one).cmp(&(place(other), other)));
        });
        events
    }
}

fn summary<'m>(definition: &'m TypeDefinition, events: Vec<EventSummary<'m>>) -> TypeSummary<'m> {
    let access = definition.access.as_ref();
    TypeSummary {
        resource_type: &definition.resource_type,
        cloudformation: definition.cloudformation.as_deref(),
        aliases: &definition.aliases,
        service: definition.service_name(),
        global: definition.global,
        events,
        listed_by: access.map(listing_calls).unwrap_or_default(),
        parent: access.and_then(Access::parent_type),
        tags_read_by: access.map(tag_sources).unwrap_or_default(),
        tags_written_by: access.map(tag_writers).unwrap_or_default(),
        updates: access.and_then(|access| access.write.as_ref()?.updates.as_ref()),
        doubts: definition.doubts.as_deref(),
    }
}

fn listing_calls(access: &Access) -> Vec<&str> {
    let mut calls: Vec<&str> = Vec::new();
    for request in access.listing_requests() {
        if !calls.contains(&request.call()) {
            calls.push(request.call());
        }
    }
    calls
}

fn tag_sources(access: &Access) -> Vec<String> {
    let tags = &access.tags;
    let path = tags.path.iter().map(|path| format!("the listed item ({})", path.source()));
    let rgta = tags.rgta.iter().map(|filter| format!("tag:GetResources ({filter})"));
    let call = tags.request.iter().flat_map(TagRequest::ways).map(|tags| tags.request.call().to_owned());
    path.chain(rgta).chain(call).collect()
}

fn tag_writers(access: &Access) -> Vec<&str> {
    let Some(write) = &access.write else { return Vec::new() };
    let method = match write.method {
        WriteMethod::Rgta => Some("tag:TagResources"),
        WriteMethod::Ec2 => Some("CreateTags"),
        WriteMethod::StackUpdate => Some("UpdateStack"),
        WriteMethod::Native => None,
    };
    let native = write.native.iter().flat_map(NativeWriting::ways);
    method.into_iter().chain(native.map(|native| native.add.call())).collect()
}
