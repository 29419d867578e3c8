//! What `deny.toml` says about licenses, sources and banned crates, checked without cargo-deny: to build it takes longer than all our tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;
use serde_json::Value;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("it is in the repository")
}

/// The quoted texts that a pattern captures in a section of `deny.toml`.
fn in_policy(section: &str, pattern: &str) -> BTreeSet<String> {
    let policy = file("deny.toml");
    let text = policy.split(&format!("[{section}]")).nth(1).expect("the section");
    let text = text.split("\n[").next().expect("its end");
    let found = Regex::new(pattern).expect("valid").captures_iter(text).map(|found| found[1].to_owned()).collect();
    assert!(!BTreeSet::is_empty(&found), "nothing in [{section}]");
    found
}

/// Whether an SPDX expression can be satisfied by the allowed licenses. `/` is an old spelling of OR.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let words = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut rest = &words[..];
    let is_allowed = any(&mut rest, allowed);
    is_allowed && rest.is_empty()
}

fn any(words: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let mut is_allowed = all(words, allowed);
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        is_allowed |= all(words, allowed);
    }
    is_allowed
}

fn all(words: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let mut is_allowed = one(words, allowed);
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        is_allowed &= one(words, allowed);
    }
    is_allowed
}

fn one(words: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let is_allowed = any(words, allowed);
            let is_closed = words.first() == Some(&")");
            *words = words.get(1..).unwrap_or_default();
            is_allowed && is_closed
        }
        // An exception grants more.
        [license, "WITH", _, rest @ ..] | [license, rest @ ..] => {
            *words = rest;
            allowed.contains(*license)
        }
        [] => false,
    }
}

#[test]
fn expressions_of_licenses_are_understood() {
    let allowed: BTreeSet<String> = ["MIT", "ISC"].map(str::to_owned).into();
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("(GPL-3.0 OR MIT) AND ISC", true),
        ("MIT/GPL-3.0", true),
        ("ISC AND (MIT OR GPL-3.0) AND GPL-2.0", false),
        ("MIT WITH LLVM-exception", true),
        ("(MIT", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}

/// Of the crates that are built on this platform: of the others, only the lock file is here.
#[test]
fn licenses_of_dependencies_are_allowed() {
    let allowed = in_policy("licenses", "(?m)^\\s*\"([^\"]+)\",");
    let host = env!("CARGO_MANIFEST_DIR");
    let version = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let version = String::from_utf8(version.stdout).expect("UTF-8");
    let platform = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let arguments = ["metadata", "--locked", "--offline", "--format-version", "1", "--filter-platform", platform];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(host).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let licenses: BTreeMap<&str, &str> = packages
        .iter()
        .map(|package| (package["name"].as_str().expect("a name"), package["license"].as_str().unwrap_or_default()))
        .collect();
    assert!(licenses.len() > 100, "only {} packages", licenses.len());
    let wrong: Vec<_> = licenses.into_iter().filter(|(_, license)| !is_allowed(license, &allowed)).collect();
    assert!(wrong.is_empty(), "not allowed by deny.toml: {wrong:?}");
}

/// On all platforms.
#[test]
fn dependencies_are_from_crates_io_and_none_is_banned() {
    let banned = in_policy("bans", "crate = \"([^\"]+)\"");
    let lock = file("Cargo.lock");
    let packages: Vec<&str> = lock.split("[[package]]").skip(1).collect();
    assert!(packages.len() > 100, "only {} packages", packages.len());
    let value = |package: &str, key: &str| {
        let start = format!("{key} = \"");
        package.lines().find_map(|line| line.strip_prefix(&start)?.strip_suffix('"')).map(str::to_owned)
    };
    for package in packages {
        let name = value(package, "name").expect("a name");
        assert!(!banned.contains(&name), "{name} is banned by deny.toml");
        match value(package, "source") {
            Some(source) => assert_eq!(source, REGISTRY, "{name}"),
            None => assert_eq!(name, "trailcreator", "a dependency by path"),
        }
        assert!(name == "trailcreator" || value(package, "checksum").is_some(), "{name} has no checksum");
    }
}
