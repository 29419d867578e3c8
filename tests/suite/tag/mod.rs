//! `tag`, `apply`, `undo` and `runs` on moto, with boto3 as the witness.

mod inherit;
mod interrupted;
pub(crate) mod lab;
mod more_tags;
mod plans;
mod policy;
mod refresh;
mod renames;
mod scope;
mod undo;
mod ways;
