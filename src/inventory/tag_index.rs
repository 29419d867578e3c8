//! Reads the tags of whole types with the Resource Groups Tagging API: few calls, but it can't confirm that tags are absent.
//!
//! Its index lags and misses resources that were never tagged, so its tags become [`Tags::Partial`]. Types that are processed
//! together share one sweep of a region, made by the first type that needs it. If the API rejects it (because it does not know
//! one of the types), each type has its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use futures::stream::{self, StreamExt};
use tokio::sync::OnceCell;

use super::{LiveResource, Tags};
use crate::aws::{CallError, ErrorClass, Session};
use crate::model::{Region, TextHash};
use crate::packed_list::PackedList;
use crate::resource_map::TypeDefinition;

const OPERATION: &str = "tag:GetResources";
/// Resources per page: AWS's maximum.
const PAGE_SIZE: i32 = 100;
/// The maximum number of types in one sweep.
///
/// Source: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html>
const MOST_FILTERS: usize = 100;
/// Empty pages in a row that may have a token.
const MOST_EMPTY_PAGES: usize = 100;
/// Concurrent sweeps of regions: buckets can be in many.
const CONCURRENT_REGIONS: usize = 8;

/// Tags by ARN, as JSON: there can be hundreds of thousands.
type TagsByArn = HashMap<TextHash, Box<str>>;

/// A sweep that is made once.
type Once = Arc<OnceCell<Result<TagsByArn, CallError>>>;

/// The sweeps of types that are processed together.
#[derive(Debug, Default)]
pub struct TagIndexes {
    /// The API's names for these types, up to the maximum for a sweep.
    groups: Vec<Vec<String>>,
    made: Mutex<HashMap<(usize, Region), Once>>,
}

impl TagIndexes {
    /// The sweeps for these types. Types with tags in their listing need none.
    pub fn of<'m>(types: impl IntoIterator<Item = &'m TypeDefinition>) -> Self {
        let filters: BTreeSet<&str> = types.into_iter().filter_map(filter_of).collect();
        let filters: Vec<String> = filters.into_iter().map(str::to_owned).collect();
        Self { groups: filters.chunks(MOST_FILTERS).map(<[_]>::to_vec).collect(), made: Mutex::default() }
    }

    /// Adds the tags from the API to the resources. If it fails, their tags are read with the type's own call;
    /// the failures are returned as sentences.
    pub(super) async fn fill(
        &self,
        session: &Session,
        filter: &str,
        resources: PackedList<LiveResource>,
    ) -> (PackedList<LiveResource>, Vec<String>) {
        let mut regions = BTreeSet::new();
        for LiveResource { region, .. } in &resources {
            if !regions.contains(&region) {
                regions.insert(region);
            }
        }
        let mut sweeps = Vec::new();
        for region in regions {
            sweeps.push(self.of_region(session, filter, region));
        }
        let mut warnings = Vec::new();
        let mut found = Vec::new();
        let mut answers = stream::iter(sweeps).buffered(CONCURRENT_REGIONS);
        while let Some(answer) = answers.next().await {
            match answer.get() {
                Some(Err(error)) => warnings.push(warning(error)),
                _ => found.push(answer),
            }
        }
        let filled = resources.into_iter().map(|mut resource| {
            let arn = TextHash::of([resource.arn.as_str()]);
            let tags = found.iter().find_map(|sweep| sweep.get()?.as_ref().ok()?.get(&arn));
            if let Some(tags) = tags {
                resource.tags = Tags::Partial(serde_json::from_str(tags).expect("it was written by the same library"));
            }
            resource
        });
        (filled.collect(), warnings)
    }

    /// The sweep of a region that has this type.
    async fn of_region(&self, session: &Session, filter: &str, region: Region) -> Once {
        let own = std::slice::from_ref(&filter);
        let group = self.groups.iter().position(|group| group.iter().any(|one| one == filter));
        let Some((at, filters)) = group.and_then(|at| Some((at, self.groups.get(at)?))) else {
            return once(session, own, &region).await;
        };
        let shared = {
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(made.entry((at, region.clone())).or_default())
        };
        let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
        let answer = shared.get_or_init(|| sweep(session, &filters, &region)).await;
        match answer {
            Err(error) if error.class == ErrorClass::Refused && filters.len() > 1 => once(session, own, &region).await,
            _ => shared,
        }
    }
}

/// The API's name for a type, if its listing does not have tags.
pub(super) fn filter_of(definition: &TypeDefinition) -> Option<&str> {
    let tags = &definition.access.as_ref()?.tags;
    tags.rgta.as_deref().filter(|_| tags.path.is_none())
}

/// A sweep for only one type.
async fn once(session: &Session, filters: &[&str], region: &Region) -> Once {
    Arc::new(OnceCell::new_with(Some(sweep(session, filters, region).await)))
}

fn warning(error: &CallError) -> String {
    format!("{}; reading tags one resource at a time instead", error.with_hint())
}

async fn sweep(session: &Session, filters: &[&str], region: &Region) -> Result<TagsByArn, CallError> {
    let client = session.tagging(region);
    let filters: Vec<String> = filters.iter().map(|&filter| filter.to_owned()).collect();
    let mut found = HashMap::new();
    let mut tokens = BTreeSet::new();
    let mut token: Option<String> = None;
    let mut stale = 0;
    loop {
        let request = client.get_resources().set_resource_type_filters(Some(filters.clone()));
        let request = request.resources_per_page(PAGE_SIZE).set_pagination_token(token);
        let turn = session.tagging_turn("GetResources", region).await;
        let page = request.customize().interceptor(turn).send().await;
        let page = page.map_err(|error| CallError::of_sdk(OPERATION, region, &error))?;
        let Some(listed) = &page.resource_tag_mapping_list else {
            return Err(CallError::bad_answer(OPERATION, region, "the response has no ResourceTagMappingList"));
        };
        stale = if listed.is_empty() { stale + 1 } else { 0 };
        for resource in listed {
            let tags: BTreeMap<&str, &str> = resource.tags().iter().map(|tag| (tag.key(), tag.value())).collect();
            let tags = serde_json::to_string(&tags).expect("it holds text keys only");
            found.insert(TextHash::of([resource.resource_arn().unwrap_or_default()]), tags.into_boxed_str());
        }
        match page.pagination_token().filter(|token| !token.is_empty()) {
            None => return Ok(found),
            Some(_) if stale > MOST_EMPTY_PAGES => {
                let message = format!("{MOST_EMPTY_PAGES} pages in a row are empty and have a page token");
                return Err(CallError::bad_answer(OPERATION, region, message));
            }
            Some(next) if tokens.insert(next.to_owned()) => token = Some(next.to_owned()),
            Some(next) => {
                return Err(CallError::bad_answer(
                    OPERATION,
                    region,
                    format!("the page token {next:?} was returned twice"),
                ));
            }
        }
    }
}
