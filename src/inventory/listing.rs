//! All items of a type: below each of its parents, page by page, described where the list call gives ids only.

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

use super::pager::{Pager, items_of};
use super::scope::Scope;
use crate::aws::{CallError, ErrorClass};
use crate::resource_map::{Describe, Parent, ResourceMap};

/// Calls of one listing under way at once: below several parents, or describing several batches.
const CONCURRENT_CALLS: usize = 8;
/// Ancestors a type has at most. AWS's deepest has three; more is a map in which a type is its own ancestor.
const MAX_ANCESTORS: usize = 4;

/// An item as listed (or described), and what of its parent was sent.
#[derive(Debug, Clone)]
pub(super) struct ListedItem {
    pub(super) value: Value,
    pub(super) parent: Option<Value>,
}

/// Lists all items of the scope's type. `ancestors` counts the types below which this one is listed for another.
pub(super) fn items<'a>(
    scope: &'a Scope<'a>,
    map: &'a ResourceMap,
    ancestors: usize,
) -> BoxFuture<'a, Result<Vec<ListedItem>, CallError>> {
    async move {
        let Some(parent) = &scope.access.list.parent else { return items_below(scope, None).await };
        let mut listings = Vec::new();
        for value in parent_values(scope, map, parent, ancestors).await? {
            listings.push(items_below_living(scope, value).boxed());
        }
        let lists: Vec<Vec<ListedItem>> = stream::iter(listings).buffered(CONCURRENT_CALLS).try_collect().await?;
        Ok(lists.into_iter().flatten().collect())
    }
    .boxed()
}

async fn parent_values(
    scope: &Scope<'_>,
    map: &ResourceMap,
    parent: &Parent,
    ancestors: usize,
) -> Result<Vec<Value>, CallError> {
    let unusable = |message: String| {
        let operation = scope.definition.resource_type.as_str();
        let bare = CallError::bare(operation, &scope.region, ErrorClass::Refused, "not listable");
        CallError { message, ..bare }
    };
    let definition = map.types.get(&parent.resource_type);
    let definition = definition
        .ok_or_else(|| unusable(format!("its parent {} is not in the resource map", parent.resource_type)))?;
    if ancestors >= MAX_ANCESTORS {
        return Err(unusable(format!("it has more than {MAX_ANCESTORS} ancestors in the resource map")));
    }
    let above = scope.of(definition)?;
    let items = items(&above, map, ancestors + 1).await?;
    Ok(items.iter().map(|item| parent.value.search(&item.value)).filter(|value| !value.is_null()).collect())
}

/// As [`items_below`]; a parent that vanished since it was listed has no items.
async fn items_below_living(scope: &Scope<'_>, parent: Value) -> Result<Vec<ListedItem>, CallError> {
    match items_below(scope, Some(parent)).await {
        Err(error) if error.class == ErrorClass::NotFound => Ok(Vec::new()),
        items => items,
    }
}

async fn items_below(scope: &Scope<'_>, parent: Option<Value>) -> Result<Vec<ListedItem>, CallError> {
    let listed = listed_below(scope, parent.as_ref()).await?;
    let values = match &scope.access.list.describe {
        Some(describe) => described(scope, describe, parent.as_ref(), &listed).await?,
        None => listed,
    };
    let counts =
        |item: &Value| scope.access.list.filter.as_ref().is_none_or(|filter| filter.search(item) == Value::Bool(true));
    let values = values.into_iter().filter(counts);
    Ok(values.map(|value| ListedItem { value, parent: parent.clone() }).collect())
}

async fn listed_below(scope: &Scope<'_>, parent: Option<&Value>) -> Result<Vec<Value>, CallError> {
    let listing = &scope.access.list;
    let lookup = |name: &str| match name {
        "parent" => parent.cloned(),
        _ => scope.lookup(name, &scope.region),
    };
    let mut call = scope.render(&listing.request, &Value::Null, &lookup)?;
    let operation = format!("{}:{}", scope.access.service.signing, call.operation);
    let mut pager = Pager::new(listing);
    loop {
        let answer = scope.call(&scope.region, &call).await?;
        let next = pager.take(&answer.body);
        let next = next.map_err(|error| CallError {
            request_id: answer.request_id,
            ..CallError::bad_answer(&operation, &scope.region, error.to_string())
        })?;
        match (next, call.input.as_object_mut()) {
            (Some((name, token)), Some(input)) => drop(input.insert(name, token)),
            _ => return Ok(pager.into_items()),
        }
    }
}

async fn described(
    scope: &Scope<'_>,
    describe: &Describe,
    parent: Option<&Value>,
    listed: &[Value],
) -> Result<Vec<Value>, CallError> {
    let mut batches = Vec::new();
    for batch in listed.chunks(describe.batch.max(1)) {
        batches.push(described_batch(scope, describe, parent, batch).boxed());
    }
    let lists: Vec<Vec<Value>> = stream::iter(batches).buffered(CONCURRENT_CALLS).try_collect().await?;
    Ok(lists.into_iter().flatten().collect())
}

/// Describes a batch; where one of its items has vanished since, the others one by one.
async fn described_batch(
    scope: &Scope<'_>,
    describe: &Describe,
    parent: Option<&Value>,
    batch: &[Value],
) -> Result<Vec<Value>, CallError> {
    match describe_call(scope, describe, parent, batch).await {
        Err(error) if error.class == ErrorClass::NotFound => {}
        items => return items,
    }
    if batch.len() <= 1 {
        return Ok(Vec::new());
    }
    let mut items = Vec::new();
    for item in batch {
        match describe_call(scope, describe, parent, std::slice::from_ref(item)).await {
            Err(error) if error.class == ErrorClass::NotFound => {}
            described => items.extend(described?),
        }
    }
    Ok(items)
}

async fn describe_call(
    scope: &Scope<'_>,
    describe: &Describe,
    parent: Option<&Value>,
    batch: &[Value],
) -> Result<Vec<Value>, CallError> {
    let lookup = |name: &str| match name {
        "items" => Some(Value::Array(batch.to_vec())),
        "parent" => parent.cloned(),
        _ => scope.lookup(name, &scope.region),
    };
    // A call for one item may take its parameters from the item itself.
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
