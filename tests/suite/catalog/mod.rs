//! Every resource type of the built-in maps against moto: listed as boto3 lists it, and tagged with its creator.
//!
//! `tests/catalog/lab.py` makes resources of each type that the server lets one make and the records of their calls;
//! `tests/catalog/boto3_reference.py` lists with botocore what exists. The outcome of each type is in `tests/catalog/coverage.json`: a
//! type that the server can't play is named there with the reason, and none falls into a worse group unseen.

mod coverage;
mod listed;
mod shared;
mod tagged;
pub(crate) mod world;
