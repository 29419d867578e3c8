//! One server for both tests, filled once and listed once: that takes longer than all else.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;

use trailcreator::resource_map::{Listing, ParentSource, Request, ResourceMap, TagRequest};

use super::listed::listed_by_us;
use super::world::{Made, Testimony, create, witness};
use crate::common::Moto;

/// Corrections to moto that the types need.
const REPAIRS: &str = include_str!("../../catalog/moto_patches.py");

/// The built-in map, parsed once.
pub(super) static MAP: LazyLock<ResourceMap> = LazyLock::new(ResourceMap::built_in);

/// The server, and what was created on it.
pub(super) struct Lab {
    pub(super) moto: Moto,
    pub(super) made: Vec<Made>,
    /// boto3's listing of each type that can be listed, in the first state.
    pub(super) reference: BTreeMap<String, Testimony>,
    /// Our listing of the types that boto3 could list, in the same state.
    pub(super) ours: Value,
    /// The requests of our listing that could change something.
    pub(super) written_by_listing: Vec<String>,
}

/// The lab, for one test at a time: each leaves it as it was.
pub(super) fn lab() -> MutexGuard<'static, Lab> {
    static LAB: OnceLock<Mutex<Lab>> = OnceLock::new();
    let fill = || {
        let moto = Moto::start_with(REPAIRS);
        let made = create(&moto, "");
        let reference = witness(&moto, None);
        let ours = listed_by_us(&moto, &reference);
        let written_by_listing = written(&moto);
        Mutex::new(Lab { moto, made, reference, ours, written_by_listing })
    };
    LAB.get_or_init(fill).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Our requests that could change something: REST services list by POST too, so what the maps list and read by is none.
pub(super) fn written(moto: &Moto) -> Vec<String> {
    let mut reads: Vec<&str> = Vec::new();
    for access in MAP.types.values().filter_map(|definition| definition.access.as_ref()) {
        note_reads(&access.list, &mut reads);
        reads.extend(access.tags.request.iter().flat_map(TagRequest::ways).map(|tags| tags.request.call()));
    }
    let reads: Vec<Vec<&str>> = reads.into_iter().filter(|call| call.starts_with("POST /")).map(fixed_parts).collect();
    let requests = moto.our_requests().into_iter().filter(crate::common::Request::is_write);
    requests
        .map(|request| request.action)
        .filter(|action| !reads.iter().any(|parts| is_made_of(action, parts)))
        .collect()
}

fn note_reads<'a>(list: &'a Listing, reads: &mut Vec<&'a str>) {
    let describe = list.describe.iter().map(|describe| &describe.request);
    reads.extend(list.calls.iter().map(|call| &call.request).chain(describe).map(Request::call));
    if let Some(ParentSource::Listing(above)) = list.parent.as_ref().map(|parent| &parent.source) {
        note_reads(above, reads);
    }
}

/// The text around the placeholders of a call, its query string left out.
fn fixed_parts(call: &str) -> Vec<&str> {
    let path = call.split('?').next().unwrap_or(call);
    path.split('{').map(|part| part.rsplit('}').next().unwrap_or(part)).collect()
}

/// Whether a request's action has these parts in this order, from its start to its end.
fn is_made_of(action: &str, parts: &[&str]) -> bool {
    let [first, rest @ ..] = parts else { return false };
    let path = action.split('?').next().unwrap_or(action);
    let Some(mut left) = path.strip_prefix(first) else { return false };
    for part in rest {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.is_empty() || parts.len() > 1 && parts.last() == Some(&"")
}
