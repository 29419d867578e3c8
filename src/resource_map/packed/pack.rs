//! From the built-in YAML to the bytes of the index: what the build does.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::index::{Index, Part};
use super::{Origin, PackedEvents, PackedNaming, PackedRules, PackedServices, PackedType, PackedTypes, tag_rules};
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
    let mut parts = Parts::default();
    let events: Vec<&[CompiledEvent]> = types.iter().map(|compiled| compiled.events.as_slice()).collect();
    let places: Vec<Origin> = types.iter().map(|compiled| (compiled.place.clone(), compiled.parent.clone())).collect();
    let rules = EventIndex::of(types.iter().flat_map(|compiled| compiled.events.iter().cloned()));
    Ok(bytes(&Index {
        types: &packed_types(&types, &mut parts),
        services: &packed_services(&services, &mut parts),
        events: &bytes(&events),
        places: &bytes(&places),
        rules: &packed_events(&rules, &mut parts),
        naming: &packed_naming(&map, &mut parts),
        tag_rules: &bytes(&tag_rules),
        sessions: &bytes(&sessions),
        omitted: &bytes(&omitted(source(files.omitted))?),
        fingerprints: map.digests(&EventIndex::of(sessions)),
        parts: &parts.bytes,
    }))
}

/// [`Index::parts`] as they grow.
#[derive(Default)]
struct Parts {
    bytes: Vec<u8>,
}

impl Parts {
    fn add<T: Serialize>(&mut self, value: &T) -> Part {
        let packed = bytes(value);
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("the maps are less than 4 GiB");
        let part = Part { start: length(&self.bytes), length: length(&packed) };
        self.bytes.extend(packed);
        part
    }
}

fn packed_services(services: &BTreeMap<String, Service>, parts: &mut Parts) -> Vec<u8> {
    let packed: PackedServices<'_> =
        services.iter().map(|(name, service)| (name.as_str(), parts.add(service))).collect();
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

fn packed_types(types: &[CompiledType], parts: &mut Parts) -> Vec<u8> {
    let mut packed = PackedTypes::new();
    for compiled in types {
        let TypeDefinition { resource_type, cloudformation, aliases, doubts, global, access } =
            compiled.definition.clone();
        let access = access.as_ref().map(|access| parts.add(access)).unwrap_or_default();
        let definition = parts.add(&PackedType { resource_type, cloudformation, aliases, doubts, global, access });
        packed.push((compiled.definition.resource_type.as_str(), definition));
    }
    bytes(&packed)
}

fn packed_events(EventIndex { by_source, versioned, .. }: &EventIndex, parts: &mut Parts) -> Vec<u8> {
    let [by_source, versioned] = [by_source, versioned].map(|rules| packed_rules(rules, parts));
    bytes(&PackedEvents { by_source, versioned })
}

/// Sorted, as hash maps are not: the same files make the same bytes.
fn packed_rules<'r>(rules: &'r Rules, parts: &mut Parts) -> PackedRules<'r> {
    let sources: BTreeMap<&str, _> = rules.iter().map(|(source, names)| (&**source, names)).collect();
    let mut packed = PackedRules::new();
    for (source, names) in sources {
        let names: BTreeMap<&str, _> = names.iter().map(|(name, rules)| (&**name, rules)).collect();
        packed.push((source, names.into_iter().map(|(name, rules)| (name, parts.add(&**rules))).collect()));
    }
    packed
}

/// Sorted likewise.
fn packed_naming(map: &ResourceMap, parts: &mut Parts) -> Vec<u8> {
    let Naming { types, by_service } = map.naming();
    let types: Vec<(&str, Part)> = types.iter().map(|(name, naming)| (name.as_str(), parts.add(&**naming))).collect();
    let by_service: BTreeMap<_, _> = by_service.iter().collect();
    bytes(&PackedNaming { types: &bytes(&types), by_service: &bytes(&by_service) })
}

fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("no part of a map is without a length")
}
