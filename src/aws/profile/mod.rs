//! Profiles of AWS's shared configuration: the two files, what a profile's credentials come from, and how they are got.
//!
//! The SDK parses the files and knows most sources of credentials. What it does not know is here: names with spaces, MFA,
//! `duration_seconds`, and a profile that is the only source of credentials. [`chain`] decides and is pure; [`provider`] acts.

pub(super) mod ca_bundle;
pub(super) mod chain;
pub(super) mod files;
mod names;
pub(super) mod provider;
pub(super) mod role;
