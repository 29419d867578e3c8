//! The map for a command: that built in, under a user's files. They are read as YAML; the built-in maps are not (`packed`).
//!
//! Only this and [`crate::text::source`] open files.

use std::path::PathBuf;
use std::sync::Arc;
#[cfg(test)]
use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::ResourceMap;
use super::assemble::{Assembly, Events, TypeSet};
use super::c7n::C7nFile;
use super::compile::{self, CompiledType};
use super::packed;
use super::yaml::ServiceFile;
use crate::text::source::{FileError, Source, looks_like_json, read_file};

/// What a user's file is called in messages.
const RESOURCE_MAP: &str = "the resource map";

impl ResourceMap {
    /// The built-in map.
    pub fn built_in() -> Self {
        Self {
            types: packed::definitions(),
            events: packed::events(),
            tag_rules: packed::tag_rules(),
            is_built_in: true,
            fingerprints: packed::fingerprints().into(),
            ..Self::default()
        }
    }

    /// The built-in map, once in a process of tests.
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
        if replacing.is_empty() && extending.is_empty() {
            return Ok(Self::built_in());
        }
        Self::load_over(built_in_types(), replacing, extending)
    }

    /// The map of one text alone, without the built-in types. `name` is the file name for messages.
    pub(crate) fn parse_alone(name: &str, text: &str) -> Result<Self, FileError> {
        let mut types = TypeSet::default();
        types.add(compile_file(Source { name, text })?)?;
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
        Ok(Self { tag_rules: packed::tag_rules(), ..assembly.finish()? })
    }
}

fn built_in_types() -> TypeSet {
    let mut types = TypeSet::default();
    types.add(packed::compiled_types()).expect("the build has checked them");
    types
}

fn user_types(paths: &[PathBuf], built_in: &TypeSet) -> Result<TypeSet, FileError> {
    let mut types = TypeSet::default();
    for path in paths {
        let (name, text) = read_file(path, RESOURCE_MAP)?;
        types.add(compile_file(Source { name: &name, text: &text })?)?;
    }
    types.learn_actions(built_in);
    Ok(types)
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

fn compile_ours(source: Source<'_>) -> Result<Vec<CompiledType>, FileError> {
    let file: ServiceFile = source.parse()?;
    compile::service_file(source, &file, &|name| packed::fields::service(name).map(Arc::unwrap_or_clone))
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
