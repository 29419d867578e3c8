//! Tags of a whole type by the Resource Groups Tagging API: few calls, but only proof of presence.
//!
//! Its index misses resources that were never tagged, and lags: what it tells becomes [`Tags::Partial`].

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::stream::{self, StreamExt};

use super::{LiveResource, Tags};
use crate::aws::{CallError, Session};
use crate::names::Region;

const OPERATION: &str = "tag:GetResources";
/// Resources a page, AWS's maximum.
const PAGE_SIZE: i32 = 100;
/// Regions swept at once: buckets lie in many.
const CONCURRENT_REGIONS: usize = 8;

/// Gives the resources the tags that the API tells. Where it fails they stay without, to be confirmed by the type's own call;
/// the failures come back as sentences.
pub(super) async fn fill(session: &Session, filter: &str, resources: &mut [LiveResource]) -> Vec<String> {
    let regions: BTreeSet<Region> = resources.iter().map(|resource| resource.region.clone()).collect();
    let mut sweeps = Vec::new();
    for region in regions {
        sweeps.push(sweep(session, filter, region));
    }
    let mut warnings = Vec::new();
    let mut found = HashMap::new();
    let mut answers = stream::iter(sweeps).buffered(CONCURRENT_REGIONS);
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(tags) => found.extend(tags),
            Err(error) => warnings.push(warning(&error)),
        }
    }
    for resource in resources {
        if let Some(tags) = found.remove(resource.arn.as_str()) {
            resource.tags = Tags::Partial(tags);
        }
    }
    warnings
}

fn warning(error: &CallError) -> String {
    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{error}{hint}; tags are read one resource after the other instead")
}

async fn sweep(
    session: &Session,
    filter: &str,
    region: Region,
) -> Result<HashMap<String, BTreeMap<String, String>>, CallError> {
    let client = session.tagging(&region);
    let mut found = HashMap::new();
    let mut tokens = BTreeSet::new();
    let mut token: Option<String> = None;
    loop {
        let request = client.get_resources().resource_type_filters(filter).resources_per_page(PAGE_SIZE);
        let page = request.set_pagination_token(token).send().await;
        let page = page.map_err(|error| CallError::of_sdk(OPERATION, &region, &error))?;
        for resource in page.resource_tag_mapping_list() {
            let tags = resource.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned()));
            found.insert(resource.resource_arn().unwrap_or_default().to_owned(), tags.collect());
        }
        match page.pagination_token().filter(|token| !token.is_empty()) {
            None => return Ok(found),
            Some(next) if tokens.insert(next.to_owned()) => token = Some(next.to_owned()),
            Some(next) => {
                return Err(CallError::bad_answer(OPERATION, &region, format!("the page token {next:?} came twice")));
            }
        }
    }
}
