//! The built-in maps are whole, and a user's files do to them what `docs/resource-maps.md` says.

use std::fs;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::LazyLock;

use tempfile::TempDir;

use super::{TypeSet, built_in_types};
use crate::embedded::FILES;
use crate::model::ResourceType;
use crate::model::event::Action;
use crate::resource_map::{ResourceMap, omitted_types};
use crate::text::source::{FileError, MAX_MAP_BYTES};

/// A map in its own file.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

/// The rules of an event: type, action and ids.
fn rules<'map>(map: &'map ResourceMap, source: &str, name: &str) -> Vec<(&'map str, Action, &'map str)> {
    let found = map.rules(source, name);
    found.iter().map(|rule| (rule.resource_type().unwrap().as_str(), rule.action, rule.ids.source())).collect()
}

fn is_listed(map: &ResourceMap, name: &str) -> bool {
    map.definition(&ResourceType::from(name)).unwrap_or_else(|| panic!("{name} is known")).access.is_some()
}

/// A stanza that lists a type, below `parent` where one is given.
fn listed(name: &str, parent: Option<&str>) -> String {
    let parent = parent.map(|parent| format!(", parent: {{type: {parent}, value: Id}}")).unwrap_or_default();
    format!(
        "  - type: {name}
    events: [{{event: Create-{name}, ids: requestParameters.name}}]
    list: {{call: GET /x, items: Items{parent}}}
    id: Id
    arn: Arn\n"
    )
}

/// [`ResourceMap::load`] over the built-in types, which are read once for all tests.
fn load(replacing: &[PathBuf], extending: &[PathBuf]) -> Result<ResourceMap, FileError> {
    static BUILT_IN_TYPES: LazyLock<TypeSet> = LazyLock::new(built_in_types);
    ResourceMap::load_over(BUILT_IN_TYPES.clone(), replacing, extending)
}

const HEAD: &str = "service: x\nprotocol: rest-json\nresources:\n";

const MINE: &str = r#"{"resources":[{"resource":"aws.iam-role","events":[
    {"event":"CreateRole","service":"iam.amazonaws.com","ids":"requestParameters.roleName"}]}]}"#;

#[test]
fn every_file_of_the_folder_is_built_in() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("resource-maps");
    let on_disk = fs::read_dir(folder).unwrap().count();
    assert!(on_disk > 0);
    assert_eq!(FILES.services.len() + 3, on_disk, "resource-maps/ holds *.yml only, three of them no service's");
}

#[test]
fn an_omitted_type_has_a_reason_and_is_not_in_the_map() {
    let map = ResourceMap::built_in_once();
    for (name, reason) in omitted_types() {
        assert!(!map.types.contains_key(&name), "{name} is in the map");
        assert!(!reason.trim().is_empty(), "{name}");
    }
}

/// The policy of a command is made of them; an operation's name is only known where the protocol has it.
#[test]
fn every_built_in_rest_call_names_its_action() {
    let map = ResourceMap::built_in_once();
    let access = map.definitions().filter_map(|definition| Some((definition, definition.access.as_ref()?)));
    let calls = access.flat_map(|(definition, access)| {
        access.requests().into_iter().map(|request| (definition.resource_type.as_str(), request)).collect::<Vec<_>>()
    });
    let nameless: Vec<String> = calls
        .filter(|(_, request)| request.actions().is_empty())
        .map(|(name, request)| format!("{name}: {}", request.call()))
        .collect();
    assert!(nameless.is_empty(), "add `action` to {nameless:#?}");
}

/// A type that can't be listed or tagged says so in a comment that starts with `# No list` or `# No write`.
#[test]
fn every_built_in_type_is_described_to_the_end() {
    let map = ResourceMap::built_in_once();
    assert!(!map.types.is_empty());
    for (name, definition) in &*map.types {
        assert!(map.events.iter().any(|(_, _, rules)| rules.iter().any(|rule| rule.resource_type() == Some(name))));
        let head = format!("- type: {name}\n");
        let stanza =
            FILES.services.iter().find_map(|(_, text)| text.split_once(&head)).map(|(_, after)| after).unwrap();
        let stanza = stanza.split("\n  - type:").next().unwrap_or(stanza);
        let Some(access) = definition.access.as_ref() else {
            assert!(stanza.contains("# No list"), "{name} has no list, and no comment says why");
            continue;
        };
        if access.write.is_none() {
            assert!(stanza.contains("# No write"), "{name} has no write, and no comment says why");
            continue;
        }
        let tags = &access.tags;
        assert!(tags.path.is_some() || tags.rgta.is_some() || tags.request.is_some(), "{name} has no tags");
    }
}

#[test]
fn without_files_the_map_is_the_built_in_one() {
    let built_in = ResourceMap::built_in_once();
    let loaded = ResourceMap::load(&[], &[]).unwrap();
    assert_eq!(loaded.fingerprint(), built_in.fingerprint());
    assert!(loaded.types.keys().eq(built_in.types.keys()));
}

#[test]
fn a_replacing_map_has_the_only_events_and_the_built_in_access() {
    let files = Files::new();
    let map = load(&[files.write("mine.json", MINE)], &[]).unwrap();
    assert_eq!(map.event_names(), ["CreateRole"]);
    assert_eq!(map.sources(), ["iam.amazonaws.com"]);
    let ids = "requestParameters.roleName";
    assert_eq!(rules(&map, "iam.amazonaws.com", "CreateRole"), [("iam-role", Action::Create, ids)]);
    assert!(is_listed(&map, "iam-role") && is_listed(&map, "iam-user"));
    assert!(map.types[&ResourceType::from("iam-role")].global);
}

#[test]
fn an_extending_map_adds_events_and_knows_new_types() {
    let files = Files::new();
    let yaml = "resources:
  - type: iam-role
    events: [{event: ImportRole, service: iam.amazonaws.com, ids: requestParameters.name}]
  - type: my-thing
    events: [{event: CreateThing, service: my.example.com, ids: '@'}]\n";
    let map = load(&[], &[files.write("more.yml", yaml)]).unwrap();
    assert!(!map.rules("s3.amazonaws.com", "CreateBucket").is_empty());
    let role = [("iam-role", Action::Create, "requestParameters.name")];
    assert_eq!(rules(&map, "iam.amazonaws.com", "ImportRole"), role);
    assert!(is_listed(&map, "iam-role") && !is_listed(&map, "my-thing"));
    assert_eq!(rules(&map, "my.example.com", "CreateThing").len(), 1);
}

#[test]
fn both_kinds_of_files_go_together() {
    let files = Files::new();
    let more = MINE.replace("CreateRole", "ImportRole");
    let map = load(&[files.write("a.json", MINE)], &[files.write("b.json", &more)]).unwrap();
    assert_eq!(map.event_names(), ["CreateRole", "ImportRole"]);
}

#[test]
fn a_files_own_list_takes_the_place_of_the_built_in_one() {
    let files = Files::new();
    let map = load(&[], &[files.write("x.yml", &(HEAD.to_owned() + &listed("iam-role", None)))]).unwrap();
    let role = &map.types[&ResourceType::from("iam-role")];
    assert_eq!(role.access.as_ref().unwrap().service.name, "x");
    assert!(!role.global && role.cloudformation.is_none());
    assert!(!map.rules("iam.amazonaws.com", "CreateRole").is_empty());
}

#[test]
fn what_c7n_trailcreators_format_cannot_say_is_taken_from_the_built_in_map() {
    let files = Files::new();
    let json = r#"{"resources":[{"resource":"event-rule","events":[
        {"event":"PutRule","service":"events.amazonaws.com","ids":"requestParameters.name"}]}]}"#;
    let map = load(&[files.write("c7n.json", json)], &[]).unwrap();
    let put = [("event-rule", Action::Upsert, "requestParameters.name")];
    assert_eq!(rules(&map, "events.amazonaws.com", "PutRule"), put);
    assert_eq!(map.event_names(), ["DeleteRule", "PutRule"]);

    let json = r#"{"resources":[{"resource":"rds","events":[
        {"event":"CreateDBInstance","service":"rds.amazonaws.com","ids":"requestParameters.dBInstanceIdentifier"}]}]}"#;
    let map = load(&[files.write("c7n.json", json)], &[]).unwrap();
    assert_eq!(map.event_names(), ["CreateDBInstance", "ModifyDBInstance"]);
    assert_eq!(map.rules("rds.amazonaws.com", "ModifyDBInstance")[0].action, Action::Rename);

    let yaml = "resources:
  - type: event-rule
    events: [{event: PutRule, service: events.amazonaws.com, ids: requestParameters.name}]\n";
    let map = load(&[files.write("ours.yml", yaml)], &[]).unwrap();
    let put = [("event-rule", Action::Create, "requestParameters.name")];
    assert_eq!(rules(&map, "events.amazonaws.com", "PutRule"), put, "our format says what it means");
}

#[test]
fn a_type_is_described_once() {
    let files = Files::new();
    let (one, two) = (files.write("one.json", MINE), files.write("two.json", &format!("\n{MINE}")));
    let error = load(&[one.clone(), two.clone()], &[]).unwrap_err();
    assert_eq!((error.file.as_str(), error.line, error.column), (two.to_str().unwrap(), 2, 27));
    let first = one.display();
    let message = format!("iam-role is described twice (first at {first}:1); put all of it in one place");
    assert_eq!(error.message, message);

    let twice = files.write("twice.yml", &format!("{HEAD}{0}{0}", listed("thing", None)));
    let error = load(&[], &[twice]).unwrap_err();
    assert_eq!((error.line, error.column), (9, 11));
}

#[test]
fn ancestors_of_ancestors_have_values() {
    let files = Files::new();
    let load = |arn: &str, above: &str| {
        let below = listed("c", Some("b")).replace("arn: Arn", &format!("arn: 'arn:{{{arn}}}'"));
        let text = [HEAD, &below, &listed("b", Some("a")).replace("value: Id", above), &listed("a", None)].concat();
        load(slice::from_ref(&files.write("m.yml", &text)), &[]).map(drop)
    };
    load("parent.parent", "value: Id").unwrap();
    load("parent.parent.x", "value: {x: Id}").unwrap();
    let message = |arn: &str, above: &str| {
        let error = load(arn, above).unwrap_err();
        assert_eq!(error.line, 4, "where the type c begins");
        error.message
    };
    assert_eq!(
        message("parent.parent.x", "value: Id"),
        "{parent.parent.x} has no value: that ancestor gives one value without a name"
    );
    assert_eq!(message("parent.parent", "value: {x: Id}"), "{parent.parent} has no value: that ancestor gives x");
    assert_eq!(
        message("parent.parent.parent", "value: Id"),
        "{parent.parent.parent} has no value: the type has 2 ancestors"
    );
}

#[test]
fn a_parent_is_a_listed_type_and_no_descendant() {
    let files = Files::new();
    let load = |stanzas: &[String]| load(&[], &[files.write("p.yml", &(HEAD.to_owned() + &stanzas.concat()))]);
    load(&[listed("a", Some("aws.ecs")), listed("b", Some("a"))]).unwrap();

    let error = load(&[listed("a", Some("ecz"))]).unwrap_err();
    assert_eq!((error.line, error.column), (6, 55));
    assert_eq!(error.message, "the parent ecz can't be listed; did you mean ecs?");

    let error = load(&[listed("a", Some("b")), listed("b", Some("c")), listed("c", Some("a"))]).unwrap_err();
    assert_eq!((error.line, error.column), (6, 55));
    assert_eq!(error.message, "a is its own ancestor: a → b → c → a");
    assert_eq!(load(&[listed("a", Some("a"))]).unwrap_err().message, "a is its own ancestor: a → a");
    // Seen from `a`, the circle is above; it is still found.
    let error = load(&[listed("a", Some("b")), listed("b", Some("c")), listed("c", Some("b"))]).unwrap_err();
    assert_eq!(error.message, "b is its own ancestor: b → c → b");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let files = Files::new();
    let missing = files.0.path().join("none.yml");
    let error = load(slice::from_ref(&missing), &[]).unwrap_err();
    assert!(error.to_string().starts_with(&format!("{}: the resource map can't be read: ", missing.display())));

    let endless = files.0.path().join("endless.yml");
    fs::File::create(&endless).unwrap().set_len(MAX_MAP_BYTES + 1).unwrap();
    assert!(load(&[endless], &[]).unwrap_err().message.ends_with("it is larger than 16 MiB"));

    let latin = files.0.path().join("latin.yml");
    fs::write(&latin, b"resources: \xe9").unwrap();
    assert!(load(&[latin], &[]).unwrap_err().message.contains("UTF-8"));
}

#[test]
fn the_fingerprint_follows_the_rules_and_not_their_order() {
    let files = Files::new();
    let stanza = |name: &str, ids: &str| {
        format!(r#"{{"resource":"{name}","events":[{{"event":"E","service":"a.b","ids":"{ids}"}}]}}"#)
    };
    let fingerprint = |stanzas: &[String]| {
        let text = format!(r#"{{"resources":[{}]}}"#, stanzas.join(","));
        load(&[files.write("f.json", &text)], &[]).unwrap().fingerprint()
    };
    let (one, two) = (stanza("one", "requestParameters.a"), stanza("two", "requestParameters.b"));
    let both = fingerprint(&[one.clone(), two.clone()]);
    assert_eq!(both, fingerprint(&[two, one.clone()]));
    assert_ne!(both, fingerprint(slice::from_ref(&one)));
    assert_ne!(both, fingerprint(&[one, stanza("two", "requestParameters.c")]));
    assert_ne!(both, fingerprint(&[stanza("one", "requestParameters.b"), stanza("two", "requestParameters.a")]));

    let action = |upsert: bool| {
        let event = format!("{{event: E, service: a.b, ids: '@', upsert: {upsert}}}");
        let text = format!("resources:\n- type: t\n  events: [{event}]\n");
        load(&[files.write("f.yml", &text)], &[]).unwrap().fingerprint()
    };
    assert_ne!(action(true), action(false));
    let renaming = |to: &str| {
        let renames = format!("{{event: R, service: a.b, from: requestParameters.old, to: requestParameters.{to}}}");
        let text =
            format!("resources:\n- type: t\n  events: [{{event: E, service: a.b, ids: '@'}}]\n  renames: [{renames}]");
        load(&[files.write("f.yml", &text)], &[]).unwrap().fingerprint()
    };
    assert_ne!(renaming("new"), action(false));
    assert_ne!(renaming("new"), renaming("newName"));
}

#[test]
fn an_alias_of_one_s_own_is_a_name_of_one_type() {
    let files = Files::new();
    let with = |name: &str, aliases: &str| {
        let stanza =
            listed("thing", None).replace("- type: thing\n", &format!("- type: thing\n    aliases: {aliases}\n"));
        files.write(name, &format!("{HEAD}{stanza}"))
    };
    let map = load(&[], &[with("good.yml", "[gadget, my-thing]")]).unwrap();
    assert_eq!(map.resolve_type("My_Thing"), Ok("thing".into()));
    let named_like_an_alias = files.write("later.yml", &format!("{HEAD}{}", listed("secret", None)));
    let map = load(&[], &[named_like_an_alias]).unwrap();
    assert_eq!(map.resolve_type("secret"), Ok("secret".into()), "a type's own name comes first");
    for (name, alias) in [("type.yml", "ebs"), ("alias.yml", "rds-instance"), ("cfn.yml", "ec2-volume")] {
        let refused = load(&[], &[with(name, &format!("[{alias}]"))]).unwrap_err().to_string();
        assert!(refused.contains(&format!("the alias `{alias}` of thing is a name of ")), "{refused}");
    }
    let refused = load(&[], &[with("form.yml", "['My Thing']")]).unwrap_err().to_string();
    assert!(refused.contains("`My Thing` is not a resource type"), "{refused}");
}

#[test]
fn a_map_of_one_s_own_may_name_parents() {
    let files = Files::new();
    let with = |name: &str, parents: &str| {
        let stanza = listed("thing", None).replace("    id: Id\n", &format!("    id: Id\n    parents: {parents}\n"));
        files.write(name, &format!("{HEAD}{stanza}"))
    };
    let map = load(&[], &[with("good.yml", "[{type: asg, id: 'Groups[]'}]")]).unwrap();
    assert!(map.child_types(&["asg".into()]).contains(&ResourceType::from("thing")));
    let refused = |name: &str, parents: &str| load(&[], &[with(name, parents)]).unwrap_err().to_string();
    let unknown = refused("unknown.yml", "[{type: asgg, id: Group}]");
    assert!(unknown.ends_with("unknown.yml:8:22: the parent asgg is not in the map; did you mean asg?"), "{unknown}");
    let no_id = refused("no-id.yml", "[{type: asg}]");
    assert!(no_id.contains("`id` is missing here: JMESPath on the listed item to the parent's id"), "{no_id}");
}
