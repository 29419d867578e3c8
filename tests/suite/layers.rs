//! The architecture of docs/architecture.md, enforced: each file uses only layers below its own, pure code uses no I/O, and no two
//! files use each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// The modules from top to bottom. Each may use those after it.
const LAYERS: [&str; 20] = [
    "fuzzing",
    "cli",
    "report",
    "watch",
    "org",
    "tag",
    "load",
    "inventory",
    "store",
    "aws",
    "policy",
    "plan",
    "resource",
    "creator",
    "trail",
    "resource_map",
    "console",
    "text",
    "packed_list",
    "model",
];

/// The modules that see nothing but their input.
const PURE: [&str; 8] = ["policy", "plan", "resource", "creator", "trail", "resource_map", "packed_list", "model"];

/// What pure code does not use: files, sockets, the environment, the clock, the async runtime, AWS, SQL.
const IMPURE: &str = r"\bstd::(fs|env|time::SystemTime|time::Instant|net::Tcp|net::Udp|process)\b|\b(tokio|futures|rusqlite|aws_\w+)::|Timestamp::now";

/// Pure modules' files that read what the user names.
const READERS: [&str; 1] = ["resource_map/load/mod.rs"];

/// A module by its path from the root: `["tag", "apply", "batch"]`.
type Module = Vec<String>;

/// One file of `src`, without its tests.
struct SourceFile {
    path: PathBuf,
    module: Module,
    text: String,
}

fn source_files() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("src is readable") {
            let path = entry.expect("src is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(&root).expect("it is below src").to_owned();
                let text = without_tests_and_comments(&fs::read_to_string(&path).expect("sources are UTF-8"));
                files.push(SourceFile { module: module_of(&relative), path: relative, text });
            }
        }
    }
    assert!(files.len() > 100, "only {} files were found", files.len());
    files.retain(|file| !file.module.iter().any(|part| part == "tests" || part.starts_with("test_")));
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

fn module_of(path: &Path) -> Module {
    let mut parts: Module = path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    parts.pop_if(|last| matches!(last.as_str(), "mod" | "lib" | "main"));
    parts
}

fn without_tests_and_comments(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_module_has_a_layer() {
    let modules: BTreeSet<String> = source_files().iter().filter_map(|file| file.module.first().cloned()).collect();
    assert_eq!(modules, LAYERS.map(str::to_owned).into());
}

#[test]
fn no_file_uses_a_layer_above_its_own() {
    let uses = Regex::new(r"\bcrate::(\w+)").expect("valid");
    let rank = |module: &str| LAYERS.iter().position(|layer| *layer == module);
    let mut upward = Vec::new();
    for file in source_files() {
        let Some(own) = file.module.first().and_then(|module| rank(module)) else { continue };
        for used in uses.captures_iter(&file.text) {
            if rank(&used[1]).is_some_and(|used| used < own) {
                upward.push(format!("{} uses {}", file.path.display(), &used[0]));
            }
        }
    }
    assert!(upward.is_empty(), "these use a layer above their own:\n{}", upward.join("\n"));
}

#[test]
fn pure_modules_use_no_files_clock_network_or_database() {
    let impure = Regex::new(IMPURE).expect("valid");
    let mut found = Vec::new();
    for file in source_files() {
        let is_pure = file.module.first().is_some_and(|module| PURE.contains(&module.as_str()));
        if !is_pure || READERS.iter().any(|reader| file.path == Path::new(reader)) {
            continue;
        }
        found.extend(impure.find_iter(&file.text).map(|used| format!("{}: {}", file.path.display(), used.as_str())));
    }
    assert!(found.is_empty(), "pure code uses:\n{}", found.join("\n"));
}

#[test]
fn no_two_files_use_each_other_in_a_circle() {
    let files = source_files();
    let modules: BTreeSet<&Module> = files.iter().map(|file| &file.module).collect();
    let graph: BTreeMap<&Module, BTreeSet<Module>> =
        files.iter().map(|file| (&file.module, used_modules(file, &modules))).collect();
    let circles: Vec<String> = graph
        .keys()
        .filter(|module| reaches(&graph, module, module))
        .map(|module| format!("{} uses {:?}", module.join("::"), on_circle(&graph, module)))
        .collect();
    assert!(circles.is_empty(), "these files are on circles of `use`:\n{}", circles.join("\n"));
}

/// The modules with files of their own that a file's `use` lines name, but for its own and those around it: a module and what it is
/// made of may know each other.
fn used_modules(file: &SourceFile, modules: &BTreeSet<&Module>) -> BTreeSet<Module> {
    let statement = Regex::new(r"(?s)\buse\s+((?:crate|super|self)::[^;]+);").expect("valid");
    let mut used = BTreeSet::new();
    for found in statement.captures_iter(&file.text) {
        for path in expand(&found[1]) {
            let mut module = absolute(&file.module, &path);
            while !module.is_empty() && !modules.contains(&module) {
                module.pop();
            }
            let is_around = file.module.starts_with(&module) || module.starts_with(&file.module);
            if !is_around {
                used.insert(module);
            }
        }
    }
    used
}

/// `a::{b, c::d}` as `a::b` and `a::c::d`.
fn expand(tree: &str) -> Vec<String> {
    let Some((before, rest)) = tree.split_once('{') else {
        return vec![tree.split_whitespace().next().unwrap_or_default().to_owned()];
    };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, letter) in inner.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    let parts = parts.into_iter().map(str::trim).filter(|part| !part.is_empty());
    parts.flat_map(|part| expand(&format!("{}{part}", before.trim()))).collect()
}

fn absolute(own: &Module, path: &str) -> Module {
    let mut parts = path.split("::").peekable();
    let mut module = if parts.next_if_eq(&"crate").is_some() { Vec::new() } else { own.clone() };
    while let Some(part) = parts.next_if(|part| matches!(*part, "super" | "self")) {
        if part == "super" {
            module.pop();
        }
    }
    module.extend(parts.map(str::to_owned));
    module
}

fn reaches(graph: &BTreeMap<&Module, BTreeSet<Module>>, from: &Module, to: &Module) -> bool {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&Module> = graph.get(from).into_iter().flatten().collect();
    while let Some(module) = open.pop() {
        if module == to {
            return true;
        }
        if seen.insert(module) {
            open.extend(graph.get(module).into_iter().flatten());
        }
    }
    false
}

/// What a module uses that leads back to it.
fn on_circle(graph: &BTreeMap<&Module, BTreeSet<Module>>, module: &Module) -> Vec<String> {
    let used = graph.get(module).into_iter().flatten();
    used.filter(|used| *used == module || reaches(graph, used, module)).map(|used| used.join("::")).collect()
}

#[test]
fn nested_imports_are_expanded() {
    assert_eq!(expand("crate::a::{b, c::{d, self}}"), ["crate::a::b", "crate::a::c::d", "crate::a::c::self"]);
    let own = ["tag", "apply", "batch"].map(str::to_owned).to_vec();
    assert_eq!(absolute(&own, "super::super::plan::Plan").join("::"), "tag::plan::Plan");
    assert_eq!(absolute(&own, "crate::model::Arn").join("::"), "model::Arn");
}

/// The lint denies it elsewhere; this sees that no further module allows it.
#[test]
fn unsafe_code_is_in_two_modules() {
    let allows = Regex::new(r"(allow|expect)\(.*\bunsafe_code\b").expect("valid");
    let with = source_files().into_iter().filter(|file| allows.is_match(&file.text));
    let mut paths: Vec<String> = with.map(|file| file.path.display().to_string()).collect();
    paths.sort();
    assert_eq!(paths, ["trail/scan/blocks/mod.rs", "trail/scan/inflate/libdeflate.rs"]);
}
