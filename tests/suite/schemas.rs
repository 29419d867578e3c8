//! Every `--output json` is one document that its schema in `docs/schema` describes, and that has no field which the schema lacks.

use std::path::Path;

use serde_json::{Value, json};

use crate::common::{Bench, run_python};
use crate::tag::lab::Lab;
use crate::tag::population::record;

/// Validates documents. Objects with listed properties have no others: what is printed is documented.
const VALIDATE: &str = "
import json, os, pathlib
from jsonschema import Draft202012Validator
folder = pathlib.Path(os.environ['FOLDER'])

def closed(schema):
    if isinstance(schema, dict):
        schema = {key: closed(value) for key, value in schema.items()}
        if 'properties' in schema and isinstance(schema['properties'], dict) and 'additionalProperties' not in schema:
            schema['additionalProperties'] = False
        return schema
    return [closed(item) for item in schema] if isinstance(schema, list) else schema


wrong = []
for path in folder.glob('*.json'):
    Draft202012Validator.check_schema(json.loads(path.read_text()))
for name, document in json.loads(os.environ['DOCUMENTS']):
    schema = closed(json.loads((folder / (name + '.json')).read_text()))
    for error in Draft202012Validator(schema).iter_errors(document):
        wrong.append(f'{name}: {error.json_path}: {error.message[:300]}')
print(chr(10).join(wrong))
";

fn check(documents: &[(&str, Value)]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema");
    let folder = folder.to_str().expect("the folder's name is UTF-8");
    let documents = json!(documents).to_string();
    let wrong = run_python(VALIDATE, &[("FOLDER", folder), ("DOCUMENTS", &documents)]);
    assert!(wrong.trim().is_empty(), "not as the schemas say:\n{wrong}");
}

/// The one document on stdout.
fn document(lab: &Lab, args: &[&str]) -> Value {
    let args: Vec<&str> = args.iter().copied().chain(["--output", "json"]).collect();
    lab.run(&args).json()
}

fn lab() -> Lab {
    let mut lab = Lab::new();
    lab.volumes(&["alice", "bob"]);
    lab.queue("tagged", "alice", &json!({"Owner": "zoe"}));
    lab.role("deploy", "dan", &json!({}));
    lab.load();
    lab.bench.write("accounts.yml", "accounts:\n  - {account_id: '123456789012', name: main}\n");
    lab
}

#[test]
fn documents_of_a_run_are_as_their_schemas_say() {
    let lab = lab();
    let mut documents = vec![
        ("load", document(&lab, &["load-files", "trail.json.gz"])),
        ("list", document(&lab, &["list"])),
        ("list", document(&lab, &["list", "--live"])),
        ("list-counts", document(&lab, &["list", "--by", "creator"])),
        ("who", document(&lab, &["who", "deploy", "unknown"])),
        ("plan", document(&lab, &["tag", "--dry-run"])),
        ("report", document(&lab, &["report", "--offline"])),
        ("organization", document(&lab, &["tag-org", "accounts.yml", "--dry-run"])),
        ("run", document(&lab, &["tag", "--type", "ebs"])),
        ("organization", document(&lab, &["tag-org", "accounts.yml"])),
        ("report", document(&lab, &["report"])),
        ("report", document(&lab, &["report", "--config", "accounts.yml"])),
        ("runs", document(&lab, &["runs"])),
        ("runs", document(&lab, &["runs", "1"])),
        ("run", document(&lab, &["undo", "1"])),
        ("runs", document(&lab, &["runs", "org-1"])),
        ("count", document(&lab, &["count", "trail.json.gz"])),
    ];
    documents.push(("prune", document(&lab, &["prune", "--before", "1y", "--dry-run"])));
    documents.push(("prune", document(&lab, &["prune", "--before", "1y"])));
    lab.run(&["tag", "--save-plan", "plan.json"]).success();
    documents.push(("run", document(&lab, &["apply", "plan.json"])));
    check(&documents);
}

#[test]
fn documents_with_the_sources_of_the_population_are_as_their_schemas_say() {
    let lab = lab();
    // Without a recorder the services list all types of an organization.
    let without = document(&lab, &["tag-org", "accounts.yml", "--dry-run", "--population", "config"]);
    record(&lab, "dict(allSupported=True)");
    let documents = [
        ("organization", without),
        ("list", document(&lab, &["list", "--live", "--population", "config"])),
        ("list", document(&lab, &["list", "--live", "--unrecorded", "--type", "sns", "--population", "config"])),
        ("plan", document(&lab, &["tag", "--dry-run", "--population", "config"])),
        ("report", document(&lab, &["report", "--population", "config"])),
        ("organization", document(&lab, &["tag-org", "accounts.yml", "--population", "config"])),
        ("run", document(&lab, &["tag", "--population", "config"])),
    ];
    assert!(documents.iter().all(|(_, document)| document.to_string().contains("\"from\":\"")), "{documents:?}");
    check(&documents);
}

#[test]
fn documents_about_the_product_are_as_their_schemas_say() {
    let lab = Lab::new();
    lab.bench.write("map.yml", "service: sqs\nresources: []\n");
    check(&[
        ("resource-map-list", document(&lab, &["resource-map", "list"])),
        ("resource-map-list", document(&lab, &["resource-map", "list", "--omitted"])),
        ("resource-map-show", document(&lab, &["resource-map", "show", "sqs"])),
        ("policy", document(&lab, &["policy", "tag"])),
        ("policy", document(&lab, &["policy", "runs"])),
        ("config-show", document(&lab, &["config", "show"])),
    ]);
}

#[test]
fn nothing_to_do_is_one_document_too() {
    let lab = lab();
    lab.run(&["tag"]).success();
    check(&[
        ("run", document(&lab, &["tag"])),
        ("plan", document(&lab, &["tag", "--dry-run", "--where", "type == 'none'"])),
        ("list", document(&lab, &["list", "--creator", "nemo"])),
        ("list", document(&lab, &["list", "--live", "--where", "name == 'none'"])),
        ("list-counts", document(&lab, &["list", "--by", "month", "--creator", "nemo"])),
        ("report", document(&lab, &["report", "--offline", "--type", "rds"])),
        ("load", document(&lab, &["load-files", "trail.json.gz"])),
        ("organization", document(&lab, &["tag-org", "accounts.yml", "--type", "rds"])),
    ]);
    let empty = Bench::new();
    empty.write("none.json", "{\"Records\":[]}");
    let run = empty.trailcreator(["load-files", "none.json", "--output", "json"]).run();
    let runs = empty.trailcreator(["runs", "--output", "json"]).run();
    check(&[("load", run.success().json()), ("runs", runs.success().json())]);
}

/// The description of the resource document is the same wherever it is part of another.
#[test]
fn every_field_of_the_resource_document_is_in_the_documentation() {
    let page = include_str!("../../docs/json.md");
    let schema: Value = serde_json::from_str(include_str!("../../docs/schema/resource.json")).expect("JSON");
    for field in schema["properties"].as_object().expect("properties").keys() {
        assert!(page.contains(&format!("`{field}`")), "docs/json.md lacks {field}");
    }
    let list: Value = serde_json::from_str(include_str!("../../docs/schema/list.json")).expect("JSON");
    assert_eq!(list["$defs"]["resource"]["properties"], schema["properties"]);
}
