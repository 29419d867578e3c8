//! Build script: checks and packs `resource-maps/*.yml`, so that no start of the program parses them.
//!
//! It compiles the modules that read users' maps, and so refuses what they refuse, with file, line and column.
//!
//! It also finds the commit and the date for `--version` (`cli::version`), and has the linker pack relocations.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use resource_map::packed::{MapFiles, pack};

/// The modules use each other by `crate::`, so they are modules of this crate too. Most of what is in them is for the program.
#[allow(dead_code, unused_imports, unreachable_pub)]
#[path = "src/model/mod.rs"]
mod model;
#[allow(dead_code, unused_imports, unreachable_pub, unfulfilled_lint_expectations)]
#[path = "src/resource_map/mod.rs"]
mod resource_map;
#[allow(dead_code, unused_imports, unreachable_pub)]
#[path = "src/text/mod.rs"]
mod text;

#[path = "src/cli/version.rs"]
mod version;

/// What this script makes, and so does not have.
mod embedded {
    use crate::resource_map::packed::MapFiles;

    pub(crate) const PACKED: &[u8] = &[];
    const NONE: (&str, &str) = ("", "");
    pub(crate) const FILES: MapFiles<'static> =
        MapFiles { services: &[], omitted: NONE, parents: NONE, sessions: NONE };
}

const FOLDER: &str = "resource-maps";
/// The files there that belong to no service, by the fields of [`MapFiles`].
const OTHERS: [&str; 3] = ["omitted", "parents", "sessions"];

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed={FOLDER}");
    if let Err(error) = find_version() {
        println!("cargo::error={error}");
        return ExitCode::FAILURE;
    }
    pack_relocations();
    let files = files(&PathBuf::from(variable("CARGO_MANIFEST_DIR")).join(FOLDER));
    let (others, services): (Vec<_>, Vec<_>) = files
        .iter()
        .map(|(path, name, text)| (path, (name.as_str(), text.as_str())))
        .partition(|(path, _)| is_other(path));
    let texts = |files: &[(_, (_, _))]| files.iter().map(|(_, file)| *file).collect::<Vec<_>>();
    let [omitted, parents, sessions] = texts(&others)[..] else { panic!("{FOLDER} holds {OTHERS:?}, each .yml") };
    match pack(&MapFiles { services: &texts(&services), omitted, parents, sessions }) {
        Ok(packed) => {
            write("resource_maps.postcard", &packed);
            write("embedded.rs", embedding(&files).as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

/// Sets what `--version` prints. A debug build has no commit: every commit would compile the crate again.
fn find_version() -> Result<(), String> {
    const DATE: &str = "SOURCE_DATE_EPOCH";
    const COMMIT: &str = "SOURCE_COMMIT";
    let is_release = variable("PROFILE") == "release";
    let build = if is_release {
        println!("cargo::rerun-if-env-changed={DATE}");
        println!("cargo::rerun-if-env-changed={COMMIT}");
        let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
        let given = env::var(COMMIT).ok().filter(|commit| !commit.is_empty());
        let commit = given.or_else(|| commit_of_archive(&root)).or_else(|| commit_of_git(&root));
        let date = match env::var(DATE).ok().filter(|date| !date.is_empty()) {
            Some(epoch) => version::date_of_epoch(&epoch).ok_or_else(|| format!("{DATE} is no number: {epoch}"))?,
            None => version::date_of(SystemTime::now()),
        };
        version::Build::Release { commit, date }
    } else {
        version::Build::Debug
    };
    println!("cargo::rustc-env=TRAILCREATOR_LONG_VERSION={}", build.describe(&variable("CARGO_PKG_VERSION")));
    Ok(())
}

/// Tells the linker to store relocations as bitmaps (`DT_RELR`): 0.9 MB less of the file and of memory, because each start reads them all.
///
/// Such a program needs glibc 2.36 (`pack-relative-relocs` in <https://sourceware.org/binutils/docs/ld/Options.html>). So only a build for
/// this system's own target is packed, if this system has that glibc. Other linkers may not know the option, or build for an older
/// system (`cargo zigbuild`): none must be configured.
fn pack_relocations() {
    const SINCE: (u32, u32) = (2, 36);
    let is_release = variable("PROFILE") == "release";
    let target = variable("TARGET");
    println!("cargo::rerun-if-env-changed=CARGO_TARGET_{}_LINKER", target.to_uppercase().replace('-', "_"));
    let is_for_here = target == variable("HOST") && env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu");
    let concerns_linking = |flags: String| flags.contains("link");
    let is_default_linker =
        env::var_os("RUSTC_LINKER").is_none() && !env::var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(concerns_linking);
    if is_release && is_for_here && is_default_linker && glibc().is_some_and(|here| here >= SINCE) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The version of this system's glibc; `None` without glibc.
fn glibc() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The commit that `cargo package` noted in the archive of a crate.
fn commit_of_archive(root: &Path) -> Option<String> {
    version::commit_in_vcs_info(&fs::read_to_string(root.join(".cargo_vcs_info.json")).ok()?)
}

/// The commit that is checked out, if the package's folder is a repository itself. Another commit builds again.
fn commit_of_git(root: &Path) -> Option<String> {
    if !root.join(".git").exists() {
        return None;
    }
    let git = |args: &[&str]| {
        let output = Command::new("git").arg("-C").arg(root).args(args).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        // Cargo runs the script each time if a file that it watches does not exist.
        let path = git(&["rev-parse", "--git-path", name]).map(|path| root.join(path)).filter(|path| path.exists());
        if let Some(path) = path {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    git(&["rev-parse", "HEAD"])
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|error| panic!("{name}, which Cargo sets for build scripts: {error}"))
}

fn write(name: &str, content: &[u8]) {
    let path = Path::new(&variable("OUT_DIR")).join(name);
    fs::write(&path, content).unwrap_or_else(|error| panic!("writing {}: {error}", path.display()));
}

fn is_other(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| OTHERS.iter().any(|other| stem == *other))
}

/// Path, name for messages and text of each file, sorted by name.
fn files(folder: &Path) -> Vec<(PathBuf, String, String)> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("listing {}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap_or_else(|error| panic!("listing {}: {error}", folder.display())).path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .collect();
    paths.sort();
    let file = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()));
        let name = format!("{FOLDER}/{}", path.file_name().unwrap_or_default().to_string_lossy());
        (path, name, text)
    };
    paths.into_iter().map(file).collect()
}

/// The constants of `embedded` in `src/lib.rs`.
fn embedding(files: &[(PathBuf, String, String)]) -> String {
    let file = |(path, name, _): &(PathBuf, String, String)| format!("({name:?}, include_str!({path:?}))");
    let (others, services): (Vec<_>, Vec<_>) = files.iter().partition(|(path, ..)| is_other(path));
    let mut code = "pub(crate) const PACKED: &[u8] = include_bytes!(\"resource_maps.postcard\");\n".to_owned();
    code.push_str("pub(crate) const FILES: MapFiles<'static> = MapFiles {\n    services: &[\n");
    for service in services {
        writeln!(code, "        {},", file(service)).expect("a String takes all");
    }
    code.push_str("    ],\n");
    for (name, other) in OTHERS.iter().zip(others) {
        writeln!(code, "    {name}: {},", file(other)).expect("a String takes all");
    }
    code.push_str("};\n");
    code
}
