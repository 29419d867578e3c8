//! A digest of what decides which rows a record yields.

use sha2::{Digest, Sha256};

use super::ResourceMap;

/// To be raised when extraction gives other rows for the same map: the ledger then reads everything again.
const EXTRACTION_VERSION: u32 = 1;

/// Bytes of the digest kept: enough that no two maps meet.
pub const FINGERPRINT_BYTES: usize = 16;

impl ResourceMap {
    /// A digest of everything that decides what a record yields (source, event, type, action, ids and new name of each rule,
    /// in whatever order they were read): the ledger keeps it, so that a changed map reads again.
    pub fn fingerprint(&self) -> [u8; FINGERPRINT_BYTES] {
        let mut rules: Vec<[&str; 6]> = Vec::new();
        for (source, name, of_event) in self.events.iter() {
            for rule in of_event {
                let [ids, new_name] = rule.texts();
                rules.push([source, name, rule.resource_type.as_str(), rule.action.as_str(), ids, new_name]);
            }
        }
        rules.sort_unstable();
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
}
