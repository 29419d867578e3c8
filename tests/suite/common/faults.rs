//! The proxy that plays a hostile AWS by a seeded script: `tests/servers/faults/proxy.py`.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::Moto;
use super::forks::{self, Fork};

/// What the proxy does.
#[derive(Debug, Clone)]
pub(crate) struct Script<'s> {
    /// The seed of all choices.
    pub(crate) seed: u64,
    /// Faults a request, from 0 to 1.
    pub(crate) rate: f64,
    /// The kinds of faults to choose from; empty for all.
    pub(crate) kinds: &'s [&'s str],
    /// A regular expression for the actions that meet faults.
    pub(crate) actions: &'s str,
    /// Faults at most.
    pub(crate) most: u32,
}

/// A running proxy. Stopped when dropped.
pub(crate) struct Faults {
    _process: Fork,
    port: u64,
    folder: TempDir,
}

impl Faults {
    /// Starts a proxy before the server.
    pub(crate) fn start(moto: &Moto, script: &Script<'_>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let Script { seed, rate, kinds, actions, most } = script;
        let mut process = forks::FAULTS.fork(&json!({
            "upstream": moto.port(), "log": folder.path().join("log"), "seed": seed, "rate": rate, "kinds": kinds,
            "actions": actions, "most": most,
        }));
        let port = process.answer().and_then(|answer| answer["port"].as_u64()).expect("the proxy starts");
        Self { _process: process, port, folder }
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The faults that were played, each with its action and kind.
    pub(crate) fn played(&self) -> Vec<Value> {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        log.lines().map(|line| serde_json::from_str(line).expect("the proxy writes a fault a line")).collect()
    }
}
