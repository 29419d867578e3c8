//! Reading maps: those built in, and a user's files.
//!
//! Only this and [`crate::text::source`] open files.

use std::collections::BTreeMap;
use std::path::PathBuf;
#[cfg(test)]
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::ResourceMap;
use super::assemble::{Assembly, Events, TypeSet};
use super::c7n::C7nFile;
use super::compile::{self, CompiledType};
use super::definition::Service;
use super::session_type::{SESSION, is_session};
use super::yaml::ServiceFile;
use super::{TagRule, parents};
use crate::model::ResourceType;
use crate::text::source::{FileError, Source, looks_like_json, read_file};

// BUILT_IN: (name, content) of every service's file of resource-maps/; OMITTED: omitted.yml; PARENTS: parents.yml; SESSIONS:
// sessions.yml; by `build.rs`.
include!(concat!(env!("OUT_DIR"), "/resource_maps.rs"));

/// What a user's file is called in messages.
const RESOURCE_MAP: &str = "the resource map";

impl ResourceMap {
    /// The built-in map.
    pub fn built_in() -> Self {
        let mut assembly = Assembly::default();
        assembly.add(built_in_types(), Events::Used);
        let map = assembly.finish().expect(BUILT_IN_IS_CHECKED);
        Self { tag_rules: tag_rules(), ..map }
    }

    /// The built-in map, parsed once in a process of tests: parsing takes 0.4 s of CPU without optimization.
    #[cfg(test)]
    pub(crate) fn built_in_once() -> &'static Self {
        static MAP: LazyLock<ResourceMap> = LazyLock::new(ResourceMap::built_in);
        &MAP
    }

    /// The map for these files: `replacing` take the place of the built-in events, `extending` add to them. How a type is
    /// reached stays as built in, unless a file brings its own `list`.
    ///
    /// # Errors
    /// A file that can't be read or isn't a valid map; a type described twice in one of the sets; a parent that can't be
    /// listed or is its own child.
    pub fn load(replacing: &[PathBuf], extending: &[PathBuf]) -> Result<Self, FileError> {
        Self::load_over(built_in_types(), replacing, extending)
    }

    /// The map of one text alone, without the built-in types. `name` is the file name for messages.
    pub(crate) fn parse_alone(name: &str, text: &str) -> Result<Self, FileError> {
        let mut types = TypeSet::default();
        types.add(without_sessions(compile_file(Source { name, text })?)?)?;
        let mut assembly = Assembly::default();
        assembly.add(types, Events::Used);
        assembly.finish()
    }

    fn load_over(built_in: TypeSet, replacing: &[PathBuf], extending: &[PathBuf]) -> Result<Self, FileError> {
        let replacing_types = user_types(replacing, &built_in)?;
        let extending_types = user_types(extending, &built_in)?;
        let mut assembly = Assembly::default();
        assembly.add(built_in, if replacing.is_empty() { Events::Used } else { Events::Replaced });
        assembly.add(replacing_types, Events::Used);
        assembly.add(extending_types, Events::Used);
        Ok(Self { tag_rules: tag_rules(), ..assembly.finish()? })
    }
}

/// cloud-custodian's types that the built-in map leaves out, each with the reason.
pub fn omitted_types() -> BTreeMap<ResourceType, String> {
    omitted(Source { name: "resource-maps/omitted.yml", text: OMITTED }).expect(BUILT_IN_IS_CHECKED)
}

fn omitted(source: Source<'_>) -> Result<BTreeMap<ResourceType, String>, FileError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Omitted {
        omitted: BTreeMap<ResourceType, String>,
    }
    source.parse().map(|Omitted { omitted }| omitted)
}

fn tag_rules() -> Vec<TagRule> {
    parents::tag_rules(Source { name: "resource-maps/parents.yml", text: PARENTS }).expect(BUILT_IN_IS_CHECKED)
}

pub(super) const BUILT_IN_IS_CHECKED: &str = "the built-in maps are checked by a test";

fn built_in_types() -> TypeSet {
    let mut types = TypeSet::default();
    for of_file in on_all_cores(BUILT_IN, |(name, text)| compile_ours(Source { name, text })) {
        types.add(of_file.expect(BUILT_IN_IS_CHECKED)).expect(BUILT_IN_IS_CHECKED);
    }
    types
}

/// What `work` makes of each item, in their order. Parsing YAML is most of what starting the program takes (0.1 ms a
/// type), and each file can be parsed without the others.
fn on_all_cores<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let take = || {
        let taken = std::iter::from_fn(|| {
            let at = next.fetch_add(1, Ordering::Relaxed);
            items.get(at).map(|item| (at, work(item)))
        });
        taken.collect::<Vec<_>>()
    };
    let others = thread::available_parallelism().map_or(0, |cores| cores.get() - 1).min(items.len());
    let mut results = thread::scope(|scope| {
        let workers: Vec<_> = (0..others).map(|_| scope.spawn(take)).collect();
        let mut results = take();
        results.extend(workers.into_iter().flat_map(|worker| worker.join().expect("a panic ends the program")));
        results
    });
    results.sort_unstable_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

fn user_types(paths: &[PathBuf], built_in: &TypeSet) -> Result<TypeSet, FileError> {
    let mut types = TypeSet::default();
    for path in paths {
        let (name, text) = read_file(path, RESOURCE_MAP)?;
        types.add(without_sessions(compile_file(Source { name: &name, text: &text })?)?)?;
    }
    types.learn_actions(built_in);
    Ok(types)
}

/// What the store keeps apart must not come out of a user's map.
fn without_sessions(types: Vec<CompiledType>) -> Result<Vec<CompiledType>, FileError> {
    match types.iter().find(|compiled| is_session(&compiled.definition.resource_type)) {
        None => Ok(types),
        Some(session) => Err(session
            .place
            .error(format!("{SESSION} is reserved for the sessions of --chains; give the type another name"))),
    }
}

/// Compiles one file of either format.
pub(super) fn compile_file(source: Source<'_>) -> Result<Vec<CompiledType>, FileError> {
    if is_c7n(source) {
        let file: C7nFile = source.parse()?;
        compile::c7n_file(source, &file)
    } else {
        compile_ours(source)
    }
}

pub(super) fn compile_ours(source: Source<'_>) -> Result<Vec<CompiledType>, FileError> {
    let file: ServiceFile = source.parse()?;
    compile::service_file(source, &file, built_in_service)
}

/// The service of a built-in file, by botocore's name.
fn built_in_service(name: &str) -> Option<Service> {
    let own = format!("resource-maps/{name}.yml");
    let (file, text) = BUILT_IN.iter().find(|(file, _)| *file == own)?;
    let source = Source { name: file, text };
    let file: ServiceFile = source.parse().expect(BUILT_IN_IS_CHECKED);
    compile::service_of(source, &file).expect(BUILT_IN_IS_CHECKED)
}

/// Detects the format from the content: our stanzas have `type`, c7n-trailcreator's have `resource`. Without either
/// (the file is broken or the key misspelt), JSON is taken for c7n-trailcreator's.
fn is_c7n(source: Source<'_>) -> bool {
    #[derive(Deserialize)]
    struct Probe {
        service: Option<IgnoredAny>,
        resources: Vec<ProbeStanza>,
    }
    #[derive(Deserialize)]
    struct ProbeStanza {
        r#type: Option<IgnoredAny>,
        resource: Option<IgnoredAny>,
    }

    let probe: Option<Probe> = source.parse().ok();
    let Probe { service, resources } = probe.unwrap_or(Probe { service: None, resources: Vec::new() });
    if service.is_some() || resources.iter().any(|stanza| stanza.r#type.is_some()) {
        return false;
    }
    looks_like_json(source.text) || resources.iter().any(|stanza| stanza.resource.is_some())
}

mod stanza;
#[cfg(test)]
mod tests;

pub use stanza::{Description, descriptions};
