//! Reads the tags of EC2's resources of all types with DescribeTags: up to 200 resources a call, whatever the region has.
//!
//! The response has one entry for each tag. A resource has no entry if it has no tags, if it does not exist, or if the call does not cover
//! its type. So a missing entry alone proves nothing.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html>

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};

use super::pager::Progress;
use crate::aws::{CallError, Session};
use crate::model::Region;
use crate::resource_map::Service;

const OPERATION: &str = "DescribeTags";
/// Values that a filter takes.
///
/// Source: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>
const MOST_VALUES: usize = 200;
/// Tags on a page: AWS's maximum.
const PAGE_SIZE: usize = 1000;

/// Tags by the resource's ID.
type TagsById = HashMap<String, BTreeMap<String, String>>;

/// The present tags of these resources that have one of these keys, compared with case. Only resources that have one are in the map.
///
/// # Errors
/// A call failed, or an answer is not a whole list of tags.
pub async fn ec2_tags(
    session: &Session,
    service: &Service,
    region: &Region,
    ids: &[&str],
    keys: &[&str],
) -> Result<TagsById, CallError> {
    let mut found = TagsById::new();
    for ids in ids.chunks(MOST_VALUES) {
        let mut pages = Pages::new(ids);
        let mut input = json!({"Filter": filters(ids, keys), "MaxResults": PAGE_SIZE});
        loop {
            let answer = session.caller().call(service, region, OPERATION, &input).await?;
            let next = pages.take(&answer.body).map_err(|message| {
                let operation = format!("{}:{OPERATION}", service.signing);
                CallError { request_id: answer.request_id, ..CallError::bad_answer(&operation, region, message) }
            })?;
            let Some(token) = next else { break };
            input["NextToken"] = token.into();
        }
        found.extend(pages.found);
    }
    Ok(found)
}

/// The filters for these resources and keys. With few keys, the tags of 200 resources are one page. `*` and `?` in a key only match
/// more; a backslash would change what is matched, so then the answer has all keys.
fn filters(ids: &[&str], keys: &[&str]) -> Value {
    let ids = json!({"Name": "resource-id", "Value": ids});
    if keys.is_empty() || keys.len() > MOST_VALUES || keys.iter().any(|key| key.contains('\\')) {
        return json!([ids]);
    }
    json!([ids, {"Name": "key", "Value": keys}])
}

/// Collects the tags of the pages of an answer.
struct Pages<'a> {
    asked: HashSet<&'a str>,
    tokens: HashSet<String>,
    progress: Progress,
    found: TagsById,
}

impl<'a> Pages<'a> {
    fn new(ids: &[&'a str]) -> Self {
        let asked = ids.iter().copied().collect();
        Self { asked, tokens: HashSet::new(), progress: Progress::default(), found: TagsById::new() }
    }

    /// Takes a page. Returns the token of the next one.
    fn take(&mut self, page: &Value) -> Result<Option<String>, String> {
        let entries = match page.get("tagSet") {
            Some(Value::Array(entries)) => entries.as_slice(),
            Some(Value::Null) => &[],
            _ => return Err("the response has no tagSet".to_owned()),
        };
        self.progress.take(entries).map_err(|error| error.to_string())?;
        for entry in entries {
            let text = |name: &str| entry.get(name).and_then(Value::as_str);
            let (Some(id), Some(key)) = (text("resourceId"), text("key")) else {
                return Err("a tag in the response has no resourceId or no key".to_owned());
            };
            if self.asked.contains(id) {
                // An empty element is null: a tag without a value has an empty one.
                let value = text("value").unwrap_or_default().to_owned();
                self.found.entry(id.to_owned()).or_default().insert(key.to_owned(), value);
            }
        }
        match page.get("nextToken").and_then(Value::as_str).filter(|token| !token.is_empty()) {
            None => Ok(None),
            Some(next) if self.tokens.insert(next.to_owned()) => Ok(Some(next.to_owned())),
            Some(next) => Err(format!("the page token {next:?} was returned twice")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(id: &str, key: &str, value: &Value) -> Value {
        json!({"resourceId": id, "resourceType": "volume", "key": key, "value": value})
    }

    #[test]
    fn tags_of_all_pages_are_by_resource() {
        let mut pages = Pages::new(&["vol-1", "i-1", "i-2"]);
        let first = [tag("vol-1", "Owner", &json!("alice")), tag("i-1", "Owner", &Value::Null)];
        let next = pages.take(&json!({"tagSet": first, "nextToken": "2"}));
        assert_eq!(next, Ok(Some("2".to_owned())));
        let second = [tag("vol-1", "team", &json!("blue")), tag("vol-9", "Owner", &json!("bob"))];
        assert_eq!(pages.take(&json!({"tagSet": second})), Ok(None));
        let of =
            |pairs: &[(&str, &str)]| pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        let expected = TagsById::from([
            ("vol-1".to_owned(), of(&[("Owner", "alice"), ("team", "blue")])),
            ("i-1".to_owned(), of(&[("Owner", "")])),
        ]);
        assert_eq!(pages.found, expected);
    }

    #[test]
    fn only_a_list_of_tags_proves_anything() {
        let take = |page: Value| Pages::new(&["i-1"]).take(&page);
        assert_eq!(take(json!({"tagSet": null})), Ok(None));
        for page in [Value::Null, json!({}), json!({"requestId": "1"}), json!({"tagSet": "busy"})] {
            assert_eq!(take(page.clone()), Err("the response has no tagSet".to_owned()), "{page}");
        }
        let nameless = json!({"tagSet": [{"key": "Owner", "value": "alice"}]});
        assert_eq!(take(nameless), Err("a tag in the response has no resourceId or no key".to_owned()));
    }

    #[test]
    fn pages_end() {
        let mut pages = Pages::new(&["i-1"]);
        let page = json!({"tagSet": [tag("i-1", "Owner", &json!("alice"))], "nextToken": "1"});
        assert!(pages.take(&page).is_ok());
        assert_eq!(pages.take(&page), Err("the page token \"1\" was returned twice".to_owned()));

        let mut pages = Pages::new(&["i-1"]);
        let taken: Vec<_> =
            (0..200).map(|at| pages.take(&json!({"tagSet": null, "nextToken": at.to_string()}))).collect();
        assert!(taken.iter().any(Result::is_err), "empty pages with ever new tokens");
    }

    #[test]
    fn keys_are_a_filter_unless_it_would_miss_one() {
        let by_id = json!({"Name": "resource-id", "Value": ["i-1"]});
        assert_eq!(filters(&["i-1"], &["Owner"]), json!([by_id, {"Name": "key", "Value": ["Owner"]}]));
        let many: Vec<String> = (0..=MOST_VALUES).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for keys in [&[][..], &["Owner", r"cost\center"], &many] {
            assert_eq!(filters(&["i-1"], keys), json!([by_id]));
        }
    }
}
