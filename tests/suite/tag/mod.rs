//! `tag`, `apply`, `undo` and `runs` on moto, with boto3 as the witness.

mod at_scale;
mod buckets;
mod calls;
mod conflicts;
mod inherit;
mod interrupted;
mod keys;
pub(crate) mod lab;
mod more_tags;
mod plans;
mod policy;
pub(crate) mod population;
mod refresh;
mod renames;
mod scope;
mod trial;
mod undo;
mod updates;
mod ways;
