//! `parents.yml`: AWS's own tags that name a parent.

use serde::Deserialize;

use crate::model::ResourceType;
use crate::resource_map::{Expression, Names, TagRule};
use crate::text::source::{FileError, Source, Text};

/// `parents.yml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ParentsFile {
    parents: Vec<TagStanza>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TagStanza {
    tag: Text,
    value: Option<String>,
    r#type: Option<String>,
    id: Option<Text>,
    #[serde(default)]
    principal: bool,
}

/// Reads `parents.yml`.
pub(in crate::resource_map) fn tag_rules(source: Source<'_>) -> Result<Vec<TagRule>, FileError> {
    let file: ParentsFile = source.parse()?;
    file.parents.iter().map(|stanza| tag_rule(source, stanza)).collect()
}

fn tag_rule(source: Source<'_>, stanza: &TagStanza) -> Result<TagRule, FileError> {
    let at = stanza.tag.referenced;
    let names = match (&stanza.r#type, &stanza.id, stanza.principal) {
        (Some(name), id, false) => {
            let compile = |id: &Text| {
                Expression::compile(&id.value).map_err(|error| source.error(id.referenced, error.to_string()))
            };
            Names::Resource(ResourceType::new(name.as_str()), id.as_ref().map(compile).transpose()?)
        }
        (None, None, true) => Names::Principal,
        _ => return Err(source.error(at, "a tag names either a `type`, with or without `id`, or a `principal`")),
    };
    Ok(TagRule { tag: stanza.tag.value.clone(), value: stanza.value.clone(), names })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_names_nothing_is_refused_with_its_place() {
        let refused = |text: &str| tag_rules(Source { name: "p.yml", text }).unwrap_err().to_string();
        assert_eq!(
            refused("parents:\n  - {tag: a}\n"),
            "p.yml:2:11: a tag names either a `type`, with or without `id`, or a `principal`"
        );
        assert!(refused("parents:\n  - {tag: a, type: cfn, id: 'b c'}\n").starts_with("p.yml:2:"));
    }
}
