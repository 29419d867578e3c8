//! A digest of what decides which rows a record yields.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{EventIndex, EventRule, ResourceMap};
use crate::model::ResourceType;

/// To be raised when extraction gives other rows for the same map: the ledger then reads everything again.
const EXTRACTION_VERSION: u32 = 2;

/// What the digest has for sessions in place of a resource type. Ledgers of earlier versions depend on it.
const SESSION: &str = "sts-session";

/// Bytes of the digest kept: enough that no two maps meet.
pub const FINGERPRINT_BYTES: usize = 16;

impl ResourceMap {
    /// A digest of everything that decides what a record yields (source, event, type, action, ids and new name of each rule,
    /// in whatever order they were read): the ledger keeps it, so that a changed map reads again.
    pub fn fingerprint(&self) -> [u8; FINGERPRINT_BYTES] {
        if self.has_sessions() { self.fingerprints().with_sessions } else { self.fingerprints().without_sessions }
    }

    /// The digests of the map with and without the calls that hand out credentials, whether it has them or not: what was read
    /// with them need not be read again without.
    pub fn fingerprints(&self) -> Fingerprints {
        *self.fingerprints.get_or_init(|| self.digests(&super::sessions::index()))
    }

    /// [`ResourceMap::fingerprints`] of a map, with these calls that hand out credentials.
    pub(super) fn digests(&self, sessions: &EventIndex) -> Fingerprints {
        let own = || self.events.iter();
        Fingerprints {
            with_sessions: digest(own().chain(sessions.iter()), |_| true),
            without_sessions: digest(own(), |rule| !rule.is_of_sessions()),
        }
    }
}

/// Digests of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprints {
    /// With the calls that hand out credentials.
    pub with_sessions: [u8; FINGERPRINT_BYTES],
    /// Without them.
    pub without_sessions: [u8; FINGERPRINT_BYTES],
}

/// The digest of those rules that are `wanted`. A rule that occurs twice counts once.
fn digest<'m>(
    events: impl Iterator<Item = (&'m str, &'m str, &'m [EventRule])>,
    wanted: impl Fn(&EventRule) -> bool,
) -> [u8; FINGERPRINT_BYTES] {
    let mut rules: Vec<[&str; 7]> = Vec::new();
    for (source, name, of_event) in events {
        for rule in of_event.iter().filter(|rule| wanted(rule)) {
            let [ids, names, new_name] = rule.texts();
            let identified = rule.resource_type().map_or(SESSION, ResourceType::as_str);
            rules.push([source, name, identified, rule.action.as_str(), ids, names, new_name]);
        }
    }
    rules.sort_unstable();
    rules.dedup();
    let mut digest = Sha256::new();
    digest.update(EXTRACTION_VERSION.to_be_bytes());
    for text in rules.iter().flatten() {
        // The length keeps neighbours apart: ("ab", "c") is not ("a", "bc").
        digest.update(text.len().to_be_bytes());
        digest.update(text);
    }
    let mut fingerprint = [0; FINGERPRINT_BYTES];
    fingerprint.copy_from_slice(&digest.finalize()[..FINGERPRINT_BYTES]);
    fingerprint
}
