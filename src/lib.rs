//! `trailcreator` answers *who created this resource?* for every resource of an AWS organization, from CloudTrail, and
//! writes the answer on the resource as a tag.
//!
//! # The way of the data
//! ```text
//! resource-maps/ ──► resource_map (compiled JMESPath, event index)
//!                        │
//! load::athena  ┐
//! load::history ┤
//! load::import ─┤
//! load::s3 ─────┤        ▼
//! load::files ──┴► trail (scan, extract) ──► store (SQLite) ──► creator ──┐
//!                                                                         ├─► tag::plan ─► tag::apply ─► journal
//!                         inventory (through aws::caller) ────────────────┘
//! ```
//!
//! # Layers, each using only those below it
//! | layer | modules | knows |
//! | --- | --- | --- |
//! | command line | [`cli`], [`console`] | arguments, exit codes, printing |
//! | work | [`load`], [`inventory`], [`tag`], [`org`], [`report`] | tokio, what to do in which order |
//! | domain | [`resource_map`], [`trail`], [`creator`], [`policy`], [`names`] | nothing but its input: no clock, no file, no AWS, no SQL |
//! | edges | [`store`], [`aws`] | SQLite; AWS |

pub mod aws;
pub mod cli;
pub mod console;
pub mod creator;
pub mod inventory;
pub mod load;
pub mod names;
pub mod org;
pub mod policy;
pub mod report;
pub mod resource_map;
pub mod store;
pub mod tag;
pub mod trail;
