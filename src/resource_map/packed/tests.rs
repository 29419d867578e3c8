//! The index holds what the files say.

use std::collections::BTreeMap;

use super::*;
use crate::embedded::{self, FILES};
use crate::resource_map::assemble::{Assembly, Events, TypeSet};
use crate::resource_map::load::compile_file;
use crate::resource_map::{EventRule, ResourceMap};
use crate::text::source::{FileError, Source};

/// The map of the YAML, read now.
fn parsed() -> ResourceMap {
    let mut types = TypeSet::default();
    for (name, text) in FILES.services {
        let of_file = compile_file(Source { name, text }).unwrap_or_else(|error| panic!("{error}"));
        types.add(of_file).unwrap_or_else(|error| panic!("{error}"));
    }
    let mut assembly = Assembly::default();
    assembly.add(types, Events::Used);
    let (name, text) = FILES.parents;
    let tag_rules = tag_rules::tag_rules(Source { name, text }).unwrap();
    ResourceMap { tag_rules: tag_rules.into(), ..assembly.finish().unwrap_or_else(|error| panic!("{error}")) }
}

/// What each event means, in the order of its rules.
fn events(index: &EventIndex) -> BTreeMap<(&str, &str), String> {
    index.iter().map(|(source, name, rules)| ((source, name), format!("{rules:#?}"))).collect()
}

#[test]
fn the_index_defines_every_type_and_event_as_the_yaml_does() {
    let (parsed, packed) = (parsed(), ResourceMap::built_in());
    assert!(parsed.types.len() > 600);
    assert!(parsed.types.keys().eq(packed.types.keys()));
    for (name, definition) in &*parsed.types {
        assert_eq!(format!("{definition:#?}"), format!("{:#?}", packed.types[name]));
    }
    assert_eq!(events(&parsed.events), events(&packed.events));
    assert_eq!(format!("{:#?}", parsed.tag_rules), format!("{:#?}", packed.tag_rules));
    assert_eq!(parsed.fingerprints(), packed.fingerprints());
    assert_eq!(parsed.with_sessions().fingerprint(), packed.with_sessions().fingerprint());
}

/// Versions of eventNames have rules of their own beside those of the name without it.
#[test]
fn versions_of_events_mean_the_same_in_the_index() {
    let (parsed, packed) = (parsed(), ResourceMap::built_in());
    for (source, name, _) in parsed.events.iter() {
        let rules = |map: &ResourceMap| format!("{:?}", map.rules(source, name));
        assert_eq!(rules(&parsed), rules(&packed), "{source} {name}");
    }
}

#[test]
fn the_index_names_resources_as_the_yaml_does() {
    let (parsed, packed) = (parsed(), ResourceMap::built_in());
    let (parsed, packed) = (parsed.naming(), packed.naming());
    assert_eq!(parsed.types.len(), packed.types.len());
    assert!(parsed.types.is_sorted_by_key(|(name, _)| name));
    for ((name, naming), (packed_name, packed)) in parsed.types.iter().zip(&packed.types) {
        assert_eq!((name, format!("{naming:#?}")), (packed_name, format!("{packed:#?}")));
    }
    assert_eq!(*parsed.by_service, *packed.by_service);
}

#[test]
fn every_expression_of_the_index_compiles() {
    let map = ResourceMap::built_in();
    let mut count = 0;
    for expression in map.events.iter().flat_map(|(_, _, rules)| rules).flat_map(EventRule::expressions) {
        expression.fields();
        count += 1;
    }
    assert!(count > 1_000);
}

#[test]
fn packing_again_gives_the_same_bytes() {
    assert!(pack(&FILES).unwrap() == embedded::PACKED, "the index is not of these files");
}

#[test]
fn an_invalid_built_in_map_fails_the_build_with_its_place() {
    let refused = |services: &[(&str, &str)]| -> FileError { pack(&MapFiles { services, ..FILES }).unwrap_err() };
    let typo = "service: x\nprotocol: rest-json\nresources:\n  - type: y\n    evnts: []\n";
    let error = refused(&[("resource-maps/x.yml", typo)]);
    assert!(error.to_string().starts_with("resource-maps/x.yml:5:5: unknown key `evnts`"), "{error}");
    let head = "service: x\nprotocol: rest-json\nresources: []\n";
    let error = refused(&[("resource-maps/x.yml", head), ("resource-maps/z.yml", head)]);
    assert_eq!(error.to_string(), "resource-maps/z.yml:1:10: resource-maps/x.yml has the head of x too");
    let bad = ("resource-maps/omitted.yml", "omitted: [x]\n");
    let error = pack(&MapFiles { omitted: bad, ..FILES }).unwrap_err();
    assert!(error.to_string().starts_with("resource-maps/omitted.yml:1:10: "), "{error}");
}
