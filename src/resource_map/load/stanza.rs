//! What the files say of a type, as they say it: for `resource-map show`.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{BUILT_IN, RESOURCE_MAP, Source, read_file};
use crate::model::ResourceType;
use crate::resource_map::FileError;

/// A file's words on a type.
#[derive(Debug, Serialize)]
pub struct Description {
    /// The file.
    pub file: String,
    /// A map of its own: the file's head and the one stanza, anchors resolved, without comments.
    pub map: Value,
}

impl Description {
    /// The map as YAML.
    pub fn yaml(&self) -> String {
        serde_saphyr::to_string(&self.map).expect("JSON's values are all YAML's")
    }
}

/// What the built-in maps say of the type, then what these files do.
///
/// # Errors
/// A file that can't be read or isn't YAML.
pub fn descriptions(name: &ResourceType, files: &[PathBuf]) -> Result<Vec<Description>, FileError> {
    let mut found = Vec::new();
    for (file, text) in BUILT_IN {
        found.extend(described(Source { name: file, text }, name)?);
    }
    for path in files {
        let (file, text) = read_file(path, RESOURCE_MAP)?;
        found.extend(described(Source { name: &file, text: &text }, name)?);
    }
    Ok(found)
}

fn described(source: Source<'_>, name: &ResourceType) -> Result<Option<Description>, FileError> {
    if !source.text.contains(name.as_str()) {
        return Ok(None);
    }
    let mut head: Map<String, Value> = source.parse()?;
    let Some(Value::Array(mut stanzas)) = head.shift_remove("resources") else { return Ok(None) };
    let is_it = |stanza: &Value| {
        let name_of = |key| stanza[key].as_str().map(|text| text.strip_prefix("aws.").unwrap_or(text));
        name_of("type").or_else(|| name_of("resource")) == Some(name.as_str())
    };
    stanzas.retain(is_it);
    if stanzas.is_empty() {
        return Ok(None);
    }
    head.insert("resources".to_owned(), Value::Array(stanzas));
    Ok(Some(Description { file: source.name.to_owned(), map: Value::Object(head) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource_map::ResourceMap;
    use crate::resource_map::load::compile_file;

    #[test]
    fn what_is_shown_is_a_map_that_says_the_same() {
        let map = ResourceMap::built_in();
        for name in map.types.keys() {
            let shown = descriptions(name, &[]).unwrap();
            let [description] = shown.as_slice() else { panic!("{name} is in {} files", shown.len()) };
            let yaml = description.yaml();
            let source = Source { name: "shown", text: &yaml };
            let again: Value = source.parse().unwrap_or_else(|error| panic!("{name}: {error}\n{yaml}"));
            assert_eq!(again, description.map, "{yaml}");
            let types = compile_file(source).unwrap_or_else(|error| panic!("{name}: {error}\n{yaml}"));
            assert_eq!(types.len(), 1);
        }
    }
}
