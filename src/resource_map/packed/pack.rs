//! From the built-in YAML to the bytes of the index: what the build does.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::index::Index;
use super::{Origin, PackedEvents, PackedNaming, PackedRules, PackedServices, PackedType, tag_rules};
use crate::model::ResourceType;
use crate::resource_map::assemble::{Assembly, Events, TypeSet};
use crate::resource_map::compile::{self, CompiledEvent, CompiledType, service};
use crate::resource_map::events::Rules;
use crate::resource_map::naming::Naming;
use crate::resource_map::yaml::ServiceFile;
use crate::resource_map::{EventIndex, EventRule, Identified, ResourceMap, Service, TypeDefinition};
use crate::text::source::{FileError, Source};

/// The texts of the files in `resource-maps/`, each with its name for messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MapFiles<'f> {
    /// Those of services.
    pub(crate) services: &'f [(&'f str, &'f str)],
    /// `omitted.yml`.
    pub(crate) omitted: (&'f str, &'f str),
    /// `parents.yml`.
    pub(crate) parents: (&'f str, &'f str),
    /// `sessions.yml`.
    pub(crate) sessions: (&'f str, &'f str),
}

/// The index of these files.
///
/// # Errors
/// What users' maps are refused for too, with its place.
pub(crate) fn pack(files: &MapFiles<'_>) -> Result<Vec<u8>, FileError> {
    let BuiltIn { types, sessions, services } = compile(files)?;
    let mut set = TypeSet::default();
    set.add(types.clone())?;
    let mut assembly = Assembly::default();
    assembly.add(set, Events::Used);
    let map = assembly.finish()?;
    let tag_rules = tag_rules::tag_rules(source(files.parents))?;
    let access = |compiled: &CompiledType| compiled.definition.access.as_ref().map(bytes).unwrap_or_default();
    let access: Vec<Vec<u8>> = types.iter().map(access).collect();
    let events: Vec<&[CompiledEvent]> = types.iter().map(|compiled| compiled.events.as_slice()).collect();
    let places: Vec<Origin> = types.iter().map(|compiled| (compiled.place.clone(), compiled.parent.clone())).collect();
    Ok(bytes(&Index {
        types: &bytes(&packed_types(&types, &access)),
        services: &packed_services(&services),
        events: &bytes(&events),
        places: &bytes(&places),
        rules: &packed_events(&EventIndex::of(types.iter().flat_map(|compiled| compiled.events.iter().cloned()))),
        naming: &packed_naming(&map),
        tag_rules: &bytes(&tag_rules),
        sessions: &bytes(&sessions),
        omitted: &bytes(&omitted(source(files.omitted))?),
        fingerprints: map.digests(&EventIndex::of(sessions)),
    }))
}

fn packed_services(services: &BTreeMap<String, Service>) -> Vec<u8> {
    let packed: Vec<(&str, Vec<u8>)> = services.iter().map(|(name, service)| (name.as_str(), bytes(service))).collect();
    let packed: PackedServices<'_> = packed.iter().map(|(name, service)| (*name, service.as_slice())).collect();
    bytes(&packed)
}

/// What the files describe.
struct BuiltIn {
    types: Vec<CompiledType>,
    sessions: Vec<CompiledEvent>,
    services: BTreeMap<String, Service>,
}

fn compile(files: &MapFiles<'_>) -> Result<BuiltIn, FileError> {
    let parsed: Vec<(Source<'_>, ServiceFile)> =
        files.services.iter().map(|file| Ok((source(*file), source(*file).parse()?))).collect::<Result<_, _>>()?;
    let mut services = BTreeMap::new();
    let mut heads: HashMap<String, &Source<'_>> = HashMap::new();
    for (source, file) in &parsed {
        let Some(service) = service::compile(*source, file)? else { continue };
        let name = service.name.clone();
        if let (Some(service), Some(text)) = (services.insert(name.clone(), service), &file.service) {
            let Service { name, .. } = service;
            return Err(source.error(text.referenced, format!("{} has the head of {name} too", heads[&name].name)));
        }
        heads.insert(name, source);
    }
    let find = |name: &str| services.get(name).cloned();
    let mut types = Vec::new();
    for (source, file) in &parsed {
        types.extend(compile::service_file(*source, file, &find)?);
    }
    let sessions = source(files.sessions);
    let sessions = compile::service_file(sessions, &sessions.parse()?, &find)?;
    let of_session = |event: CompiledEvent| {
        let rule = EventRule { identified: Identified::Session, ..event.rule };
        CompiledEvent { rule, ..event }
    };
    let sessions = sessions.into_iter().flat_map(|compiled| compiled.events).map(of_session).collect();
    Ok(BuiltIn { types, sessions, services })
}

fn omitted(source: Source<'_>) -> Result<BTreeMap<ResourceType, String>, FileError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Omitted {
        omitted: BTreeMap<ResourceType, String>,
    }
    source.parse().map(|Omitted { omitted }| omitted)
}

fn source<'f>((name, text): (&'f str, &'f str)) -> Source<'f> {
    Source { name, text }
}

/// The types with these ways to reach them.
fn packed_types<'p>(types: &'p [CompiledType], access: &'p [Vec<u8>]) -> Vec<PackedType<'p>> {
    let packed = |(compiled, access): (&'p CompiledType, &'p Vec<u8>)| {
        let TypeDefinition { resource_type, cloudformation, aliases, doubts, global, .. } = compiled.definition.clone();
        PackedType { resource_type, cloudformation, aliases, doubts, global, access }
    };
    types.iter().zip(access).map(packed).collect()
}

fn packed_events(EventIndex { by_source, versioned, .. }: &EventIndex) -> Vec<u8> {
    let [by_source, versioned] = [by_source, versioned].map(sorted);
    bytes(&PackedEvents { by_source: borrowed(&by_source), versioned: borrowed(&versioned) })
}

/// Packed rules by eventSource, then by eventName. Sorted, as hash maps are not: the same files make the same bytes.
type SortedRules<'r> = BTreeMap<&'r str, BTreeMap<&'r str, Vec<u8>>>;

fn sorted(rules: &Rules) -> SortedRules<'_> {
    let mut sorted = SortedRules::new();
    for (source, names) in rules {
        sorted.insert(source, names.iter().map(|(name, rules)| (&**name, bytes(&**rules))).collect());
    }
    sorted
}

fn borrowed<'b>(rules: &'b SortedRules<'_>) -> PackedRules<'b> {
    let mut borrowed = PackedRules::new();
    for (source, names) in rules {
        borrowed.push((source, names.iter().map(|(name, rules)| (*name, rules.as_slice())).collect()));
    }
    borrowed
}

fn packed_naming(map: &ResourceMap) -> Vec<u8> {
    let Naming { types, by_service } = map.naming();
    // Sorted, as hash maps are not: the same files make the same bytes.
    let types: BTreeMap<&ResourceType, Vec<u8>> = types.iter().map(|(name, naming)| (name, bytes(&**naming))).collect();
    let types = types.iter().map(|(name, packed)| ((*name).clone(), packed.as_slice())).collect();
    let by_service: BTreeMap<_, _> = by_service.iter().collect();
    bytes(&PackedNaming { types, by_service: &bytes(&by_service) })
}

fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("no part of a map is without a length")
}
