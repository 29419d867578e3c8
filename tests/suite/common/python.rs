//! Python's virtual environment with `tests/requirements.txt`, made once under Cargo's target directory.
//!
//! Its folder is named by the hash of the requirements and of the Python that makes it. A marker file, written last,
//! says that it is complete: an incomplete one is created again. A file lock keeps threads and processes that
//! want it at the same moment apart.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::forks;

/// What the pinned packages need.
const OLDEST_PYTHON: (u32, u32) = (3, 11);

/// Names under which a fitting Python may be found, best first.
const PYTHONS: [&str; 6] = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python"];

/// What installing needs.
const PYPI: &str = "PyPI, or a mirror set up for pip, must be reachable";

/// The Python of the virtual environment; makes that first where it is missing.
///
/// # Panics
/// There is no fitting Python, or pip fails: says what to install.
pub(crate) fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(make_environment)
}

/// A command that runs the environment's Python. Compiled modules are kept in the environment's folder: not in the repository, and also
/// where the shell sets PYTHONDONTWRITEBYTECODE, as many containers do. Otherwise each process would compile again what it imports.
pub(crate) fn python_command() -> Command {
    let environment = python().parent().and_then(Path::parent).expect("bin/python is in a folder");
    let mut command = Command::new(python());
    command.env_remove("PYTHONDONTWRITEBYTECODE").env("PYTHONPYCACHEPREFIX", environment.join("pycache"));
    command
}

/// Runs Python code in the environment, with `variables` and no inherited AWS settings; gives its stdout.
///
/// # Panics
/// The code fails: shows what Python said.
pub(crate) fn run_python(code: &str, variables: &[(&str, &str)]) -> String {
    run(code, variables, false)
}

/// As [`run_python`]; with `prelude`, the code has what `boto3_client.py` gives, and prints its `result`.
pub(super) fn run(code: &str, variables: &[(&str, &str)], prelude: bool) -> String {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    let mut process = forks::BOTO3.fork(&json!({"code": code, "prelude": prelude, "variables": variables}));
    let answer = process.answer().unwrap_or_else(|| panic!("Python ended without an answer\n--- code\n{code}"));
    if let Some(failed) = answer["failed"].as_str() {
        panic!("Python code failed:\n{failed}\n--- code\n{code}");
    }
    answer["printed"].as_str().expect("the answer has what was printed").to_owned()
}

fn make_environment() -> PathBuf {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requirements.txt");
    let (system_python, version) = system_python();
    let text = fs::read(&requirements).expect("tests/requirements.txt is readable");
    let hash = Sha256::new().chain_update(&text).chain_update(&version).finalize();
    let tag: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("target/tmp is in target");
    let folder = target.join(format!("test-venv-{tag}"));
    let lock = File::create(target.join("test-venv.lock")).expect("the target directory is writable");
    lock.lock().expect("the lock file can be locked");
    let complete = folder.join("complete");
    if !complete.exists() {
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("a half-made environment can be removed");
        }
        install(system_python, &folder, &requirements);
        fs::write(&complete, &version).expect("the marker can be written");
    }
    drop(lock);
    interpreter(&folder)
}

/// The folder of one package of PyPI without what it depends on: to read its files, not to run it. `requirement` is pinned,
/// `c7n_org==0.6.52`.
///
/// # Panics
/// pip fails: says what to do.
pub(crate) fn package_alone(requirement: &str) -> PathBuf {
    let folder =
        python().parent().and_then(Path::parent).expect("bin/python is in a folder").join("alone").join(requirement);
    fs::create_dir_all(&folder).expect("the environment is writable");
    let lock = File::create(folder.join("lock")).expect("the environment is writable");
    lock.lock().expect("the lock file can be locked");
    let complete = folder.join("complete");
    if !complete.exists() {
        let mut pip = Command::new(python());
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-compile",
            "--disable-pip-version-check",
            "--no-deps",
            "--upgrade",
        ]);
        pip.arg("--target").arg(&folder).arg(requirement);
        expect_success(&mut pip, &format!("installing {requirement}"), PYPI);
        fs::write(&complete, requirement).expect("the marker can be written");
    }
    drop(lock);
    folder
}

fn interpreter(folder: &Path) -> PathBuf {
    if cfg!(windows) { folder.join("Scripts/python.exe") } else { folder.join("bin/python") }
}

/// The first Python that is new enough, and what it says of its version.
fn system_python() -> (&'static str, String) {
    let mut seen = Vec::new();
    for name in PYTHONS {
        let Ok(output) = Command::new(name).arg("--version").output() else { continue };
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if parse_version(&version).is_some_and(|version| version >= OLDEST_PYTHON) {
            return (name, version);
        }
        seen.push(format!("{name}: {version}"));
    }
    let (major, minor) = OLDEST_PYTHON;
    panic!(
        "the tests need Python {major}.{minor} or newer (moto's server plays AWS); found: {seen:?}\n\
         install it, with its venv module: apt-get install python3 python3-venv, or brew install python"
    );
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix("Python ")?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn install(system_python: &str, folder: &Path, requirements: &Path) {
    let mut venv = Command::new(system_python);
    venv.args(["-m", "venv"]).arg(folder);
    expect_success(&mut venv, "making a virtual environment", "install the venv module: apt-get install python3-venv");
    let mut pip = Command::new(interpreter(folder));
    // Python compiles what it imports by itself; compiling all 270 MB up front takes longer than the tests save.
    pip.args(["-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check", "-r"]);
    pip.arg(requirements);
    expect_success(&mut pip, "installing tests/requirements.txt", PYPI);
}

fn expect_success(command: &mut Command, doing: &str, advice: &str) {
    let output = command.output().unwrap_or_else(|error| panic!("{doing}: {command:?}: {error}\n{advice}"));
    assert!(output.status.success(), "{doing} failed: {command:?}\n{}\n{advice}", said(&output));
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
