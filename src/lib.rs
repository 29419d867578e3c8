//! `trailcreator` answers *who created this resource?* for every resource of an AWS organization, from CloudTrail, and
//! writes the answer on the resource as a tag.
//!
//! `docs/architecture.md` walks through the code. The layers, each using only those below it (`tests/suite/layers.rs` enforces
//! this):
//!
//! | layer | modules | knows |
//! | --- | --- | --- |
//! | tests | [`fuzzing`] | what reads bytes of others, for `fuzz/` |
//! | command line | [`cli`] | arguments, exit codes |
//! | work | [`report`], [`watch`], [`org`], [`tag`], [`load`], [`inventory`] | tokio, what to do in which order |
//! | edges | [`store`], [`aws`] | SQLite; AWS |
//! | domain | [`policy`], [`plan`], [`resource`], [`creator`], [`trail`], [`resource_map`] | nothing but its input: no clock, no AWS, no SQL |
//! | base | [`console`], [`text`], [`packed_list`], [`model`] | names, positions in files, long lists, the terminal |

pub mod aws;
pub mod cli;
pub mod console;
pub mod creator;
#[doc(hidden)]
pub mod fuzzing;
pub mod inventory;
pub mod load;
pub mod model;
pub mod org;
pub mod packed_list;
pub mod plan;
pub mod policy;
pub mod report;
pub mod resource;
pub mod resource_map;
pub mod store;
pub mod tag;
pub mod text;
pub mod trail;
pub mod watch;

/// The maps of `resource-maps/`, by `build.rs`: `PACKED`, the index that [`resource_map`] reads, and `FILES`, the texts that
/// `resource-map show` prints.
pub(crate) mod embedded {
    use crate::resource_map::packed::MapFiles;

    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}
