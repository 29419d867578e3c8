//! Lists all resources of a type: in each of its scopes, below each of its parents, page by page. Describes them if the list call
//! returns only IDs.

use std::collections::HashSet;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pager::{Pager, items_of};
use super::scope::Scope;
use crate::aws::{CallError, ErrorClass};
use crate::model::Item;
use crate::packed_list::PackedList;
use crate::resource_map::{Describe, ListCall, Listing, Parent, ParentSource, ParentValue, ResourceMap};

/// Concurrent calls of one listing: below several parents, or describing several batches.
const CONCURRENT_CALLS: usize = 8;
/// The maximum number of ancestors of a type. AWS has at most three; more means a cycle in the map.
const MAX_ANCESTORS: usize = 4;
/// The maximum number of levels of a tree. AWS has at most five; more means a cycle.
const MAX_LEVELS: usize = 32;

/// A listed (or described) resource, and the parameters of its parent, its parent's parent and so on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ListedItem {
    pub(super) value: Item,
    pub(super) ancestors: Vec<Value>,
}

/// A listing of the scope's service.
#[derive(Debug, Clone, Copy)]
struct Work<'a> {
    scope: &'a Scope<'a>,
    map: &'a ResourceMap,
    listing: &'a Listing,
}

/// Lists all resources of the scope's type.
pub(super) async fn items(scope: &Scope<'_>, map: &ResourceMap) -> Result<PackedList<ListedItem>, CallError> {
    items_of_type(scope, map, 0).await
}

/// `depth` is the number of listings that this one is nested in.
async fn items_of_type(
    scope: &Scope<'_>,
    map: &ResourceMap,
    depth: usize,
) -> Result<PackedList<ListedItem>, CallError> {
    Work { scope, map, listing: &scope.access.list }.items(depth).await
}

impl<'a> Work<'a> {
    /// All resources of the listing.
    fn items(self, depth: usize) -> BoxFuture<'a, Result<PackedList<ListedItem>, CallError>> {
        async move {
            let Some(parent) = &self.listing.parent else { return self.items_below(Vec::new()).await };
            let mut found = PackedList::new();
            let mut above = self.parents(parent, depth).await?;
            let mut seen: HashSet<String> = above.iter().map(|ancestors| key_of(ancestors)).collect();
            for _ in 0..MAX_LEVELS {
                let level = self.items_of_level(above).await?;
                above = self.listing.recurse.iter().flat_map(|recurse| next_level(recurse, &level)).collect();
                above.retain(|ancestors| seen.insert(key_of(ancestors)));
                found.append(level);
                if above.is_empty() {
                    return Ok(found);
                }
            }
            Err(self.unusable(format!("its `recurse` in the resource map has more than {MAX_LEVELS} levels")))
        }
        .boxed()
    }

    /// The resources below each of these.
    async fn items_of_level(self, above: Vec<Vec<Value>>) -> Result<PackedList<ListedItem>, CallError> {
        let listings: Vec<_> = above.into_iter().map(|ancestors| self.items_below_living(ancestors).boxed()).collect();
        let mut lists = stream::iter(listings).buffered(CONCURRENT_CALLS);
        let mut found = PackedList::new();
        while let Some(list) = lists.try_next().await? {
            found.append(list);
        }
        Ok(found)
    }

    /// The parameters for each parent, each followed by those of its ancestors.
    async fn parents(self, parent: &'a Parent, depth: usize) -> Result<Vec<Vec<Value>>, CallError> {
        if depth >= MAX_ANCESTORS {
            let message = format!("its parents in the resource map are nested more than {MAX_ANCESTORS} levels deep");
            return Err(self.unusable(message));
        }
        let items = match &parent.source {
            ParentSource::Listing(listing) => Work { listing, ..self }.items(depth + 1).await?,
            ParentSource::Type(name) => {
                let definition = self.map.definition(name);
                let definition =
                    definition.ok_or_else(|| self.unusable(format!("its parent {name} is not in the resource map")))?;
                let above = self.scope.of(definition)?;
                items_of_type(&above, self.map, depth + 1).boxed().await?
            }
        };
        Ok(below(&parent.value, &items))
    }

    /// Like [`Work::items_below`]. A parent that was deleted since it was listed has no resources.
    async fn items_below_living(self, ancestors: Vec<Value>) -> Result<PackedList<ListedItem>, CallError> {
        match self.items_below(ancestors).await {
            Err(error) if error.class == ErrorClass::NotFound => Ok(PackedList::new()),
            items => items,
        }
    }

    /// The resources of all scopes that belong to the region.
    async fn items_below(self, ancestors: Vec<Value>) -> Result<PackedList<ListedItem>, CallError> {
        let is_here = |call: &&ListCall| call.region.as_ref().is_none_or(|region| *region == self.scope.region);
        let mut items = PackedList::new();
        for call in self.listing.calls.iter().filter(is_here) {
            match self.items_by(call, &ancestors).await {
                Err(error) if self.listing.absent.contains(&error.code) => {}
                found => items.append(found?),
            }
        }
        Ok(items)
    }

    async fn items_by(self, call: &ListCall, ancestors: &[Value]) -> Result<PackedList<ListedItem>, CallError> {
        let wanted = |value: &Value| {
            let filter = self.listing.filter.as_ref();
            filter.is_none_or(|filter| filter.search(value) == Value::Bool(true))
        };
        let packed = |value: Value| ListedItem { value: Item::from(value), ancestors: ancestors.to_vec() };
        let mut items = PackedList::new();
        match &self.listing.describe {
            None => {
                let mut take = |page: Vec<Value>| items.extend(page.into_iter().filter(wanted).map(packed));
                self.listed(call, ancestors, &mut take).await?;
            }
            Some(describe) => {
                let mut listed: PackedList<Value> = PackedList::new();
                self.listed(call, ancestors, &mut |page| listed.extend(page)).await?;
                let describe_one = |batch| described_batch(self.scope, describe, ancestors, batch).boxed();
                let batches = stream::iter(listed.into_chunks(describe.batch.max(1)));
                let mut answers = batches.map(describe_one).buffered(CONCURRENT_CALLS);
                while let Some(described) = answers.try_next().await? {
                    items.extend(described.into_iter().filter(wanted).map(packed));
                }
            }
        }
        Ok(items)
    }

    /// Gives the listed items to `take`, page by page.
    async fn listed(
        self,
        list: &ListCall,
        ancestors: &[Value],
        take: &mut (dyn FnMut(Vec<Value>) + Send),
    ) -> Result<(), CallError> {
        let Self { scope, listing, .. } = self;
        let lookup = |name: &str| scope.lookup(name, &scope.region, ancestors);
        let mut call = scope.render(&list.request, &Value::Null, &lookup)?;
        let operation = format!("{}:{}", scope.access.service.signing, call.operation);
        let mut pager = Pager::new(listing);
        loop {
            let answer = scope.call(&scope.region, &call).await?;
            let page = pager.take(&answer.body);
            let (items, next) = page.map_err(|error| CallError {
                request_id: answer.request_id,
                ..CallError::bad_answer(&operation, &scope.region, error.to_string())
            })?;
            take(items);
            match (next, call.input.as_object_mut()) {
                (Some((name, token)), Some(input)) => drop(input.insert(name, token)),
                _ => return Ok(()),
            }
        }
    }

    /// The error for a map that can't be followed.
    fn unusable(self, message: String) -> CallError {
        let operation = self.scope.definition.resource_type.as_str();
        let bare = CallError::bare(operation, &self.scope.region, ErrorClass::Refused, "not listable");
        CallError { message, ..bare }
    }
}

/// The parameters for each resource, followed by its ancestors. A resource without them has nothing below.
fn below(value: &ParentValue, items: &PackedList<ListedItem>) -> Vec<Vec<Value>> {
    let sent = |item: ListedItem| {
        let value = Some(value.of(&item.value.value())).filter(|value| !value.is_null())?;
        Some(std::iter::once(value).chain(item.ancestors).collect())
    };
    items.iter().filter_map(sent).collect()
}

/// Like [`below`], in a tree: a resource takes the place of its parent, so that all levels have the same ancestors above.
fn next_level(value: &ParentValue, items: &PackedList<ListedItem>) -> Vec<Vec<Value>> {
    let mut above = below(value, items);
    above.iter_mut().for_each(|ancestors| drop(ancestors.drain(1..2)));
    above
}

fn key_of(ancestors: &[Value]) -> String {
    Value::from(ancestors).to_string()
}

/// Describes a batch. If one of its resources was deleted since, describes the others one by one.
async fn described_batch(
    scope: &Scope<'_>,
    describe: &Describe,
    ancestors: &[Value],
    batch: Vec<Value>,
) -> Result<Vec<Value>, CallError> {
    match describe_call(scope, describe, ancestors, &batch).await {
        Err(error) if error.class == ErrorClass::NotFound => {}
        items => return items,
    }
    if batch.len() <= 1 {
        return Ok(Vec::new());
    }
    let mut items = Vec::new();
    for item in &batch {
        match describe_call(scope, describe, ancestors, std::slice::from_ref(item)).await {
            Err(error) if error.class == ErrorClass::NotFound => {}
            described => items.extend(described?),
        }
    }
    Ok(items)
}

async fn describe_call(
    scope: &Scope<'_>,
    describe: &Describe,
    ancestors: &[Value],
    batch: &[Value],
) -> Result<Vec<Value>, CallError> {
    let lookup = |name: &str| match name {
        "items" => Some(Value::Array(batch.to_vec())),
        _ => scope.lookup(name, &scope.region, ancestors),
    };
    // A call for one resource can take its parameters from the listed resource.
    let item = if let [item] = batch { item } else { &Value::Null };
    let call = scope.render(&describe.request, item, &lookup)?;
    let answer = scope.call(&scope.region, &call).await?;
    items_of(&describe.items, &answer.body).map_err(|error| CallError {
        request_id: answer.request_id,
        ..CallError::bad_answer(
            &format!("{}:{}", scope.access.service.signing, call.operation),
            &scope.region,
            error.to_string(),
        )
    })
}
