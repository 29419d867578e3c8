//! What the files say of a type, as they say it: for `resource-map show`.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{RESOURCE_MAP, Source, read_file};
use crate::embedded::FILES;
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
    for (file, text) in FILES.services {
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
    Ok(description_in(source.name, &source.parse()?, name))
}

/// The type's description in the parsed file, if it has the type.
fn description_in(file: &str, content: &Map<String, Value>, name: &ResourceType) -> Option<Description> {
    let is_it = |stanza: &&Value| {
        let name_of = |key| stanza[key].as_str().map(|text| text.strip_prefix("aws.").unwrap_or(text));
        name_of("type").or_else(|| name_of("resource")) == Some(name.as_str())
    };
    let stanzas: Vec<Value> = content.get("resources")?.as_array()?.iter().filter(is_it).cloned().collect();
    if stanzas.is_empty() {
        return None;
    }
    let head = content.iter().filter(|(key, _)| *key != "resources");
    let mut map: Map<String, Value> = head.map(|(key, value)| (key.clone(), value.clone())).collect();
    map.insert("resources".to_owned(), Value::Array(stanzas));
    Some(Description { file: file.to_owned(), map: Value::Object(map) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource_map::ResourceMap;
    use crate::resource_map::load::compile_file;

    #[test]
    fn what_is_shown_is_a_map_that_says_the_same() {
        let map = ResourceMap::built_in_once();
        let parse = |&(file, text): &(&'static str, &str)| (file, Source { name: file, text }.parse().unwrap());
        let files: Vec<(&str, Map<String, Value>)> = FILES.services.iter().map(parse).collect();
        for name in map.types.keys() {
            let shown: Vec<_> =
                files.iter().filter_map(|(file, content)| description_in(file, content, name)).collect();
            let [description] = shown.as_slice() else { panic!("{name} is in {} files", shown.len()) };
            let yaml = description.yaml();
            let source = Source { name: "shown", text: &yaml };
            let again: Value = source.parse().unwrap_or_else(|error| panic!("{name}: {error}\n{yaml}"));
            assert_eq!(again, description.map, "{yaml}");
            let types = compile_file(source).unwrap_or_else(|error| panic!("{name}: {error}\n{yaml}"));
            assert_eq!(types.len(), 1);
        }
        let [volume] = descriptions(&"ebs".into(), &[]).unwrap().try_into().unwrap();
        let (file, content) = files.iter().find(|(file, _)| *file == volume.file).unwrap();
        assert_eq!(volume.map, description_in(file, content, &"ebs".into()).unwrap().map);
    }
}
