//! The built-in maps, as the binary holds them: checked and packed when the crate is built, and read as far as a command needs them.
//!
//! `build.rs` compiles this module too. It calls [`pack()`], which reads `resource-maps/*.yml` with the parser and the checks of users'
//! maps, so that what is wrong with a built-in map fails the build. What it writes is [`crate::embedded`]: postcard's format, in
//! sections, which [`index()`] borrows. A command that only asks which types there are reads only their names, a load reads the rules of
//! those events that occur, and expressions are parsed on first use.

pub(super) mod fields;
mod index;
#[cfg_attr(not(test), expect(dead_code, reason = "the build packs; the program only reads"))]
mod pack;
mod tag_rules;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::compile::{CompiledEvent, CompiledType};
use super::later::Later;
use super::naming::Naming;
use super::{Access, Definitions, EventIndex, Fingerprints, TagRule, TypeDefinition};
use crate::model::ResourceType;
use crate::text::source::Position;

use index::{Index, Part, elements, index, read, section};
pub(crate) use pack::MapFiles;
#[cfg_attr(not(test), expect(unused_imports, reason = "as pack"))]
pub(crate) use pack::pack;

/// The name of each type with its [`PackedType`], in the order of the files.
type PackedTypes<'p> = Vec<(&'p str, Part)>;

/// A type: its names, and how it is reached.
#[derive(Serialize, Deserialize)]
struct PackedType {
    resource_type: ResourceType,
    cloudformation: Option<String>,
    aliases: Vec<String>,
    doubts: Option<String>,
    global: bool,
    /// [`Access`].
    access: Part,
}

/// Where a type is described, and the type it is listed below with its place: for the errors of maps over this one.
type Origin = (Position, Option<(ResourceType, Position)>);

/// What names the resources: [`TypeNaming`](super::naming::TypeNaming) of each type, and the types by the service in their ARNs.
#[derive(Serialize, Deserialize)]
struct PackedNaming<'p> {
    /// The names of the types, sorted, each with the [`Part`] of its `TypeNaming`.
    types: &'p [u8],
    by_service: &'p [u8],
}

/// By botocore's name: a [`Service`](super::Service).
type PackedServices<'p> = Vec<(&'p str, Part)>;

/// What each event means: [`EventIndex`], with rules that are read on first use.
#[derive(Serialize, Deserialize)]
struct PackedEvents<'p> {
    #[serde(borrow)]
    by_source: PackedRules<'p>,
    #[serde(borrow)]
    versioned: PackedRules<'p>,
}

/// By eventSource, then by eventName: a list of [`EventRule`](super::EventRule)s.
type PackedRules<'p> = Vec<(&'p str, Vec<(&'p str, Part)>)>;

fn read_access(packed: &'static [u8]) -> Option<Access> {
    (!packed.is_empty()).then(|| read(packed))
}

fn read_definition(packed: &'static [u8]) -> TypeDefinition {
    let PackedType { resource_type, cloudformation, aliases, doubts, global, access } = read(packed);
    let access = Later::new(access.of(index().parts), read_access);
    TypeDefinition { resource_type, cloudformation, aliases, doubts, global, access }
}

/// A type's name, borrowed from the index.
fn named(name: &'static str) -> ResourceType {
    ResourceType::new(SmolStr::new_static(name))
}

/// The types by name.
pub(super) fn definitions() -> Later<Definitions> {
    Later::new(index().types, |packed| {
        let parts = index().parts;
        let definition =
            |(name, part): (&'static str, Part)| (named(name), Later::new(part.of(parts), read_definition));
        let mut types = BTreeMap::new();
        // To collect them would make a list first.
        types.extend(elements(packed).map(definition));
        types
    })
}

/// The types with everything that maps over them need, in the order of the files.
pub(super) fn compiled_types() -> Vec<CompiledType> {
    let Index { types, events, places, parts, .. } = index();
    let types: PackedTypes<'_> = read(types);
    let events: Vec<Vec<CompiledEvent>> = read(events);
    let places: Vec<Origin> = read(places);
    let compiled = |(((_, definition), events), (place, parent)): (((_, Part), _), Origin)| CompiledType {
        place,
        definition: read_definition(definition.of(parts)),
        events,
        parent,
        tells_actions: true,
    };
    types.into_iter().zip(events).zip(places).map(compiled).collect()
}

/// What each event means.
pub(super) fn events() -> Later<EventIndex> {
    Later::new(index().rules, |packed| {
        let PackedEvents { by_source, versioned } = read(packed);
        let parts = index().parts;
        let [by_source, versioned] = [by_source, versioned].map(|sources| {
            let of_source = |(source, names): (&'static str, Vec<(&'static str, Part)>)| {
                let names = names.into_iter().map(|(name, rules)| (name.into(), Later::new(rules.of(parts), read)));
                (source.into(), names.collect())
            };
            sources.into_iter().map(of_source).collect()
        });
        EventIndex::of_rules(by_source, versioned)
    })
}

/// What names the resources.
pub(super) fn naming() -> Naming {
    let Index { naming, parts, .. } = index();
    let PackedNaming { types, by_service } = read(naming);
    let of_type = |(name, naming): (&'static str, Part)| (named(name), Later::new(naming.of(parts), read));
    Naming { types: elements(types).map(of_type).collect(), by_service: Later::new(by_service, read) }
}

/// The calls that hand out credentials.
pub(super) fn sessions() -> Vec<CompiledEvent> {
    section(|index| index.sessions)
}

/// The tags that name a parent.
pub(super) fn tag_rules() -> Later<Vec<TagRule>> {
    Later::new(index().tag_rules, read)
}

/// cloud-custodian's types that the built-in map leaves out, each with the reason.
pub fn omitted_types() -> BTreeMap<ResourceType, String> {
    section(|index| index.omitted)
}

/// The digests of the built-in map.
pub(super) fn fingerprints() -> Fingerprints {
    index().fingerprints
}

#[cfg(test)]
mod tests;
