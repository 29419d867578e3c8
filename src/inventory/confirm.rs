//! Confirms that a tag is absent, with the type's own call for one resource or for a batch.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt};
use serde_json::Value;

use super::pager::{Progress, names_a_field_of, next_page};
use super::scope::Scope;
use super::tag_values::tags_of;
use super::{LiveResource, Tags};
use crate::aws::{Answer, CallError, ErrorClass};
use crate::model::{Item, Region};
use crate::resource_map::{Protocol, RenderedCall, TagRequest};

/// Concurrent tag reads.
const CONCURRENT_CALLS: usize = 16;

/// The parameters for reading tags, and the place for the result.
#[derive(Debug, Clone)]
struct Subject {
    position: usize,
    id: String,
    arn: String,
    item: Item,
    ancestors: Vec<Value>,
}

/// The result for one resource.
#[derive(Debug, Clone)]
struct Read {
    position: usize,
    tags: Tags,
    /// Whether the service does not have the resource.
    is_gone: bool,
}

/// Reads the tags of all resources with unknown tags. Returns the positions of those that the service does not have.
pub(super) async fn tags(scope: &Scope<'_>, resources: &mut [&mut LiveResource]) -> Vec<usize> {
    let unproven = |resource: &LiveResource| !matches!(resource.tags, Tags::Known(_));
    let Some(request) = &scope.access.tags.request else {
        let reason = format!("the resource map has no call to read the tags of {}", scope.definition.resource_type);
        for resource in resources.iter_mut().filter(|resource| unproven(resource)) {
            resource.tags = Tags::Unknown(reason.clone());
        }
        return Vec::new();
    };
    // A batch is for one region.
    let mut by_region: BTreeMap<Region, Vec<usize>> = BTreeMap::new();
    for (position, resource) in resources.iter().enumerate().filter(|(_, resource)| unproven(resource)) {
        by_region.entry(resource.region.clone()).or_default().push(position);
    }
    let batches = by_region.iter().flat_map(|(region, positions)| {
        positions.chunks(request.batch.max(1)).map(move |positions| (region, positions))
    });
    // Only the reads under way have copies of their resources.
    let subjects = |positions: &[usize]| positions.iter().map(|&at| Subject::of(at, resources[at])).collect();
    let reads = batches.map(|(region, positions)| read(scope, request, region.clone(), subjects(positions)));
    let mut answers = stream::iter(reads).buffer_unordered(CONCURRENT_CALLS);
    let mut read = Vec::new();
    while let Some(answers) = answers.next().await {
        read.extend(answers);
    }
    drop(answers);
    let mut gone = Vec::new();
    for Read { position, tags, is_gone } in read {
        resources[position].tags = tags;
        gone.extend(is_gone.then_some(position));
    }
    gone
}

impl Subject {
    fn of(position: usize, resource: &LiveResource) -> Self {
        Self {
            position,
            id: resource.id.to_string(),
            arn: resource.arn.to_string(),
            item: resource.item.clone(),
            ancestors: resource.ancestors.clone(),
        }
    }
}

/// Reads a batch. If the call fails because of one of its resources, reads them one by one.
fn read<'a>(
    scope: &'a Scope<'a>,
    request: &'a TagRequest,
    region: Region,
    batch: Vec<Subject>,
) -> BoxFuture<'a, Vec<Read>> {
    async move {
        let error = match call(scope, request, &region, &batch).await {
            Ok(tags) => {
                return tags.into_iter().map(|(position, tags)| Read { position, tags, is_gone: false }).collect();
            }
            Err(error) => error,
        };
        if batch.len() > 1 && matches!(error.class, ErrorClass::NotFound | ErrorClass::Refused | ErrorClass::Conflict) {
            let mut tags = Vec::new();
            for subject in batch {
                tags.extend(read(scope, request, region.clone(), vec![subject]).await);
            }
            return tags;
        }
        let is_absent = request.absent.contains(&error.code);
        let tags = if is_absent {
            Tags::Known(BTreeMap::new())
        } else {
            let other = request.otherwise.as_deref().filter(|_| error.leaves_other_ways());
            if let Some(other) = other {
                return of_other_call(&error, read(scope, other, region, batch).await);
            }
            Tags::Unknown(error.to_string())
        };
        let is_gone = !is_absent && error.class == ErrorClass::NotFound;
        batch.iter().map(|subject| Read { position: subject.position, tags: tags.clone(), is_gone }).collect()
    }
    .boxed()
}

/// What the other call read; where it failed too, why both did.
fn of_other_call(first: &CallError, mut read: Vec<Read>) -> Vec<Read> {
    for Read { tags, .. } in &mut read {
        if let Tags::Unknown(why) = tags {
            *why = format!("{first}; the other call: {why}");
        }
    }
    read
}

async fn call(
    scope: &Scope<'_>,
    request: &TagRequest,
    region: &Region,
    batch: &[Subject],
) -> Result<Vec<(usize, Tags)>, CallError> {
    let first = batch.first();
    let ancestors = first.map_or(&[][..], |subject| &subject.ancestors);
    let list =
        |text: fn(&Subject) -> &String| Value::Array(batch.iter().map(|one| text(one).as_str().into()).collect());
    let lookup = |name: &str| match name {
        "ids" => Some(list(|subject| &subject.id)),
        "arns" => Some(list(|subject| &subject.arn)),
        "id" => first.map(|subject| subject.id.as_str().into()),
        "arn" => first.map(|subject| subject.arn.as_str().into()),
        _ => scope.lookup(name, region, ancestors),
    };
    let item = first.map_or(Value::Null, |subject| subject.item.value());
    let rendered = scope.render(&request.request, &item, &lookup)?;
    if request.batch <= 1 {
        let tags = of_pages(&pages(scope, request, region, rendered).await?);
        return Ok(batch.iter().map(|subject| (subject.position, tags.clone())).collect());
    }
    let answer = scope.call_of(&request.service, region, &rendered).await?;
    only_page(request, &answer.body).map_err(|message| unusable(request, region, &rendered, &answer, message))?;
    let found = by_key(request.path.search(&answer.body));
    Ok(batch.iter().map(|subject| (subject.position, of_subject(&found, subject))).collect())
}

/// Collects the values at the request's path on all pages.
async fn pages(
    scope: &Scope<'_>,
    request: &TagRequest,
    region: &Region,
    mut call: RenderedCall,
) -> Result<Vec<Value>, CallError> {
    let (mut tokens, mut progress) = (HashSet::new(), Progress::default());
    let mut found = Vec::new();
    loop {
        let answer = scope.call_of(&request.service, region, &call).await?;
        if !has_tags(request, &answer) {
            let message = format!("the response has no {}", request.path.source());
            return Err(unusable(request, region, &call, &answer, message));
        }
        only_page(request, &answer.body).map_err(|message| unusable(request, region, &call, &answer, message))?;
        let tags = request.path.search(&answer.body);
        let next = request.page.as_ref().map_or(Ok(None), |page| {
            progress.take([&tags])?;
            next_page(page, &answer.body, &mut tokens)
        });
        found.push(tags);
        let next = next.map_err(|error| unusable(request, region, &call, &answer, error.to_string()))?;
        match (next, call.input.as_object_mut()) {
            (Some((name, token)), Some(input)) => drop(input.insert(name, token)),
            _ => return Ok(found),
        }
    }
}

/// The error for an answer that can't be used.
fn unusable(request: &TagRequest, region: &Region, call: &RenderedCall, answer: &Answer, message: String) -> CallError {
    let operation = format!("{}:{}", request.service.signing, call.operation);
    let error = CallError::bad_answer(&operation, region, message);
    CallError { request_id: answer.request_id.clone(), ..error }
}

/// That an answer to a call without pages has no further page: services get pages in time, and then an answer has a part of the tags.
///
/// # Errors
/// It has a token for a next page.
fn only_page(request: &TagRequest, answer: &Value) -> Result<(), String> {
    const TOKENS: [&str; 4] = ["nexttoken", "nextmarker", "paginationtoken", "nextcontinuationtoken"];
    if request.page.is_some() {
        return Ok(());
    }
    let is_token = |(name, value): &(&String, &Value)| {
        TOKENS.contains(&name.to_ascii_lowercase().as_str()) && value.as_str().is_some_and(|token| !token.is_empty())
    };
    match answer.as_object().into_iter().flatten().find(is_token) {
        Some((name, _)) => Err(format!("the response has a {name}, and the resource map has no pages for this call")),
        None => Ok(()),
    }
}

/// Whether the answer has the tags, be they none. A member that is missing proves nothing; where a service leaves it out when there
/// are no tags, its map says so (`items: Tags || `[]``): then an empty object proves it if it has AWS's request ID. In XML an empty
/// list may be left out of an answer that proves its operation.
fn has_tags(request: &TagRequest, answer: &Answer) -> bool {
    const ALTERNATIVE: &str = "||";
    let Answer { body: answer, request_id } = answer;
    let path = request.path.source();
    let is_empty = answer.as_object().is_some_and(serde_json::Map::is_empty);
    if path.contains(ALTERNATIVE) && is_empty {
        return request_id.is_some();
    }
    let is_plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_');
    match request.service.protocol {
        Protocol::Json | Protocol::RestJson if is_plain => {
            path.split('.').try_fold(answer, |value, field| value.get(field)).is_some()
        }
        _ => names_a_field_of(&request.path, answer),
    }
}

fn of_pages(pages: &[Value]) -> Tags {
    let mut tags = BTreeMap::new();
    for page in pages {
        match known(page) {
            Tags::Known(more) => tags.extend(more),
            unreadable => return unreadable,
        }
    }
    Tags::Known(tags)
}

fn known(value: &Value) -> Tags {
    tags_of(value).map_or_else(|| Tags::Unknown("the response has no list of tags".to_owned()), Tags::Known)
}

/// `[{key, tags}]` by key.
fn by_key(found: Value) -> HashMap<String, Value> {
    let Value::Array(entries) = found else { return HashMap::new() };
    let entry = |mut entry: Value| {
        let key = entry.get("key")?.as_str()?.to_owned();
        Some((key, entry.get_mut("tags").map(Value::take).unwrap_or_default()))
    };
    entries.into_iter().filter_map(entry).collect()
}

fn of_subject(found: &HashMap<String, Value>, subject: &Subject) -> Tags {
    let tags = found.get(&subject.arn).or_else(|| found.get(&subject.id));
    tags.map_or_else(|| Tags::Unknown("the response does not include the resource".to_owned()), known)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::resource_map::expression::Expression;
    use crate::resource_map::{Request, Service};

    fn request(protocol: Protocol, path: &str) -> TagRequest {
        TagRequest {
            service: Arc::new(Service::named("x", "X", protocol)),
            request: Request::compile("ListTags", &json!({})).unwrap(),
            path: Expression::compile(path).unwrap(),
            batch: 1,
            page: None,
            absent: Vec::new(),
            otherwise: None,
        }
    }

    fn reads(protocol: Protocol, path: &str, answer: &Value) -> bool {
        let request = request(protocol, path);
        has_tags(&request, &Answer { body: answer.clone(), request_id: Some("id".to_owned()) })
    }

    #[test]
    fn regression_a_missing_member_is_not_taken_for_no_tags() {
        for protocol in [Protocol::Json, Protocol::RestJson] {
            assert!(reads(protocol, "Tags", &json!({"Tags": []})));
            assert!(reads(protocol, "Tags", &json!({"Tags": null})));
            assert!(reads(protocol, "Info.Tags", &json!({"Info": {"Tags": {}}})));
            assert!(reads(protocol, "Tags || `[]`", &json!({})), "the map says what a missing list means");
            assert!(!reads(protocol, "Tags || `[]`", &json!({"message": "busy"})));
            for answer in [json!({}), json!({"message": "busy"}), json!({"Info": {}}), json!({"Info": null})] {
                assert!(!reads(protocol, "Tags", &answer), "{answer}");
                assert!(!reads(protocol, "Info.Tags", &answer), "{answer}");
            }
        }
    }

    #[test]
    fn regression_a_page_token_that_the_map_does_not_know_leaves_the_tags_unknown() {
        let request = request(Protocol::Json, "Tags");
        let error = only_page(&request, &json!({"Tags": [], "nextToken": "more"})).unwrap_err();
        assert_eq!(error, "the response has a nextToken, and the resource map has no pages for this call");
        for complete in [json!({"Tags": []}), json!({"NextToken": null}), json!({"NextMarker": ""}), Value::Null] {
            assert_eq!(only_page(&request, &complete), Ok(()), "{complete}");
        }
    }

    #[test]
    fn xml_may_leave_out_an_empty_list_below_a_field_that_is_there() {
        let path = "to_array(TagList.Tag)[]";
        assert!(reads(Protocol::Query, path, &json!({"TagList": null})));
        assert!(reads(Protocol::Query, path, &Value::Null), "an empty element of the right name");
        assert!(!reads(Protocol::Query, path, &json!({"Other": "x"})));
    }
}
