//! The tests that run the real binary against real servers on loopback. One test binary, so that it links once and
//! tests share the Python environment; a module for each area.

#![allow(clippy::unwrap_used, reason = "a test that meets the unexpected is to fail, wherever its helpers stand")]

mod accounts;
mod catalog;
mod chains;
mod common;
mod conformance;
mod count;
mod crashes;
mod credentials;
mod demo;
#[cfg(unix)]
mod docs;
mod end_to_end;
mod envelopes;
mod errors;
mod faults;
mod harness;
mod help;
mod hostile;
mod import;
mod inventory;
#[cfg(unix)]
mod lambda;
mod layers;
mod list;
mod list_at_scale;
mod load_athena;
mod load_files;
mod load_history;
mod load_logs;
mod load_s3;
mod load_s3_found;
mod load_s3_hourly;
mod load_s3_select;
mod mistakes;
mod names;
mod names_at_scale;
mod org;
mod owners;
mod people;
mod prune;
mod questions;
mod readme;
mod recorded_events;
mod renames;
mod report;
mod report_html;
mod resource_map_command;
mod resource_maps;
mod schemas;
mod settings;
mod snapshots;
mod suggestions;
mod tag;
mod templates;
mod watch;
mod who;
mod who_names;
