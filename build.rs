//! Build script: lists `resource-maps/*.yml` for `src/resource_map/load`, so that a new file is built in without a change in Rust.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const FOLDER: &str = "resource-maps";
/// The files there that are no service's, and the constants of their texts.
const OTHERS: [(&str, &str); 3] =
    [("omitted.yml", "OMITTED"), ("parents.yml", "PARENTS"), ("sessions.yml", "SESSIONS")];

fn main() {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let list = list(&root.join(FOLDER));
    let out = Path::new(&variable("OUT_DIR")).join("resource_maps.rs");
    fs::write(&out, list).unwrap_or_else(|error| panic!("writing {}: {error}", out.display()));
    println!("cargo::rerun-if-changed={FOLDER}");
    println!("cargo::rerun-if-changed=build.rs");
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|error| panic!("{name}, which Cargo sets for build scripts: {error}"))
}

/// A Rust constant with name and content of each file, sorted by name.
fn list(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("listing {}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap_or_else(|error| panic!("listing {}: {error}", folder.display())).path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .collect();
    paths.sort();
    paths.retain(|path| path.file_name().is_none_or(|name| OTHERS.iter().all(|(other, _)| name != *other)));
    let mut list = "const BUILT_IN: &[(&str, &str)] = &[\n".to_owned();
    for path in paths {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{FOLDER}/{file}");
        writeln!(list, "    ({name:?}, include_str!({:?})),", path.display().to_string()).expect("a String takes all");
    }
    list.push_str("];\n");
    for (name, constant) in OTHERS {
        let path = folder.join(name).display().to_string();
        writeln!(list, "pub(super) const {constant}: &str = include_str!({path:?});").expect("a String takes all");
    }
    list
}
