//! From the built-in YAML to the bytes of the index: what the build does.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::index::Index;
use super::{PackedType, Place, tag_rules};
use crate::model::ResourceType;
use crate::resource_map::assemble::{Assembly, Events, TypeSet};
use crate::resource_map::compile::{self, CompiledEvent, CompiledType, service};
use crate::resource_map::yaml::ServiceFile;
use crate::resource_map::{EventIndex, Service};
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
    let packed: Vec<Sections> = types.iter().map(Sections::of).collect();
    let packed: Vec<PackedType<'_>> = types.iter().zip(&packed).map(|(of, sections)| sections.packed(of)).collect();
    Ok(bytes(&Index {
        types: &bytes(&packed),
        services: &bytes(&services.values().collect::<Vec<_>>()),
        tag_rules: &bytes(&tag_rules),
        sessions: &bytes(&sessions),
        omitted: &bytes(&omitted(source(files.omitted))?),
        fingerprints: map.digests(&EventIndex::of(sessions)),
    }))
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
    Ok(BuiltIn { types, sessions: sessions.into_iter().flat_map(|compiled| compiled.events).collect(), services })
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

/// A type's sections.
struct Sections {
    access: Vec<u8>,
    events: Vec<u8>,
    place: Vec<u8>,
}

impl Sections {
    fn of(compiled: &CompiledType) -> Self {
        let place: Place = (compiled.place.clone(), compiled.parent.clone());
        let access = compiled.definition.access.as_ref().map(bytes).unwrap_or_default();
        Self { access, events: bytes(&compiled.events), place: bytes(&place) }
    }

    fn packed(&self, compiled: &CompiledType) -> PackedType<'_> {
        let definition = &compiled.definition;
        PackedType {
            resource_type: definition.resource_type.clone(),
            cloudformation: definition.cloudformation.clone(),
            aliases: definition.aliases.clone(),
            doubts: definition.doubts.clone(),
            global: definition.global,
            access: &self.access,
            events: &self.events,
            place: &self.place,
        }
    }
}

fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("no part of a map is without a length")
}
