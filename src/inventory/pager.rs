//! Pagination up to the last token. Pure: makes no calls.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use serde_json::Value;

use crate::resource_map::expression::{Expression, TopLevelFields};
use crate::resource_map::{Listing, Page};

/// Pages in a row that may list nothing new. AWS returns some empty pages with a token, where it filters after paging.
const MAX_STALE_PAGES: usize = 100;

/// Notices pages that add nothing: a service that returns a new token with each of them would never end.
#[derive(Debug, Default)]
pub(super) struct Progress {
    seen: HashSet<u64>,
    hasher: RandomState,
    stale: usize,
}

impl Progress {
    /// Looks at a page's items.
    pub(super) fn take<'v>(&mut self, items: impl IntoIterator<Item = &'v Value>) -> Result<(), UnusablePage> {
        let mut is_new = false;
        for item in items {
            is_new |= self.seen.insert(self.hasher.hash_one(item.to_string()));
        }
        self.stale = if is_new { 0 } else { self.stale + 1 };
        if self.stale > MAX_STALE_PAGES { Err(UnusablePage::NothingNew) } else { Ok(()) }
    }
}

/// The parameter that asks for the next page, and its value.
type NextPage = (String, Value);

/// Takes a listing's pages one after the other.
#[derive(Debug)]
pub(super) struct Pager<'a> {
    listing: &'a Listing,
    tokens: HashSet<String>,
    progress: Progress,
}

/// Why a page can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum UnusablePage {
    /// A missing list is not an empty one: the map may be wrong, or the response unexpected.
    #[error("the response has no {0}")]
    NoItems(String),
    #[error("{0} in the response is not a list")]
    NotAList(String),
    /// Continuing would never end.
    #[error("the page token {0:?} was returned twice")]
    RepeatedToken(String),
    /// Continuing might never end.
    #[error("{MAX_STALE_PAGES} pages in a row have a page token and list nothing new")]
    NothingNew,
}

impl<'a> Pager<'a> {
    pub(super) fn new(listing: &'a Listing) -> Self {
        Self { listing, tokens: HashSet::new(), progress: Progress::default() }
    }

    /// The results of a response, and the parameter for the next page, if there is one.
    pub(super) fn take(&mut self, answer: &Value) -> Result<(Vec<Value>, Option<NextPage>), UnusablePage> {
        let items = items_of(&self.listing.items, answer)?;
        if self.listing.page.is_some() {
            self.progress.take(&items)?;
        }
        let page = self.listing.page.as_ref();
        let next = page.map_or(Ok(None), |page| next_page(page, answer, &mut self.tokens))?;
        Ok((items, next))
    }
}

/// The parameter for the page after `answer`, if there is one. `tokens` are those of earlier pages.
pub(super) fn next_page(
    page: &Page,
    answer: &Value,
    tokens: &mut HashSet<String>,
) -> Result<Option<NextPage>, UnusablePage> {
    let token = page.receive.search(answer);
    let text = match &token {
        Value::String(text) if !text.is_empty() => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Object(_) => token.to_string(),
        _ => return Ok(None),
    };
    if tokens.insert(text.clone()) {
        Ok(Some((page.send.clone(), token)))
    } else {
        Err(UnusablePage::RepeatedToken(text))
    }
}

/// The list at `expression`. A null or empty list is empty (XML's empty elements are null); a missing one
/// is an error.
pub(super) fn items_of(expression: &Expression, answer: &Value) -> Result<Vec<Value>, UnusablePage> {
    match expression.search(answer) {
        Value::Array(items) => Ok(items),
        Value::Null if names_a_field_of(expression, answer) => Ok(Vec::new()),
        Value::Null => Err(UnusablePage::NoItems(expression.source().to_owned())),
        _ => Err(UnusablePage::NotAList(expression.source().to_owned())),
    }
}

/// Whether the answer has a field that the expression reads.
pub(super) fn names_a_field_of(expression: &Expression, answer: &Value) -> bool {
    match (answer, expression.fields()) {
        // A response that is an empty element as a whole.
        (Value::Null, _) => true,
        (Value::Object(fields), TopLevelFields::Some(names)) => names.iter().any(|name| fields.contains_key(name)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resource_map::{ListCall, Request};

    fn listing(items: &str) -> Listing {
        let receive = Expression::compile("NextToken").unwrap();
        Listing {
            calls: vec![ListCall { request: Request::compile("ListThings", &json!({})).unwrap(), region: None }],
            items: Expression::compile(items).unwrap(),
            page: Some(Page { send: "Token".to_owned(), receive }),
            parent: None,
            recurse: None,
            filter: None,
            describe: None,
            absent: Vec::new(),
        }
    }

    #[test]
    fn pages_are_read_until_token_is_null_or_empty() {
        let listing = listing("Things[].Name");
        let mut pager = Pager::new(&listing);
        let next = pager.take(&json!({"Things": [{"Name": "a"}], "NextToken": "2"})).unwrap();
        assert_eq!(next, (vec![json!("a")], Some(("Token".to_owned(), json!("2")))));
        assert_eq!(pager.take(&json!({"Things": [], "NextToken": ""})), Ok((vec![], None)));
        assert_eq!(pager.take(&json!({"Things": [{"Name": "b"}], "NextToken": null})), Ok((vec![json!("b")], None)));
    }

    #[test]
    fn repeated_token_ends_the_listing() {
        let listing = listing("Things");
        let mut pager = Pager::new(&listing);
        let answer = |token: &str| json!({"Things": [], "NextToken": token});
        pager.take(&answer("1")).unwrap();
        pager.take(&answer("2")).unwrap();
        assert_eq!(pager.take(&answer("1")), Err(UnusablePage::RepeatedToken("1".to_owned())));
    }

    #[test]
    fn regression_ever_new_tokens_end_the_listing_when_pages_add_nothing() {
        let listing = listing("Things");
        for page in [json!([]), json!(["a"])] {
            let mut pager = Pager::new(&listing);
            let taken: Vec<_> = (0..=MAX_STALE_PAGES + 1)
                .map(|at| pager.take(&json!({"Things": page, "NextToken": format!("{at}")})))
                .collect();
            assert!(taken[..MAX_STALE_PAGES].iter().all(Result::is_ok));
            assert_eq!(taken.last(), Some(&Err(UnusablePage::NothingNew)));
        }
    }

    #[test]
    fn missing_list_is_an_error_and_empty_one_is_not() {
        let take = |items: &str, answer: Value| Pager::new(&listing(items)).take(&answer).map(drop);
        let absent = |items: &str| Err(UnusablePage::NoItems(items.to_owned()));
        assert_eq!(take("Things[]", json!({})), absent("Things[]"));
        assert_eq!(take("Things[]", json!({"Other": []})), absent("Things[]"));
        assert_eq!(take("Things[]", json!({"Things": null})), Ok(()));
        assert_eq!(take("Things[]", json!({"Things": []})), Ok(()));
        assert_eq!(take("Things[]", Value::Null), Ok(()));
        assert_eq!(take("Things || `[]`", json!({})), Ok(()));
        assert_eq!(take("to_array(Buckets.Bucket)[]", json!({"Buckets": null})), Ok(()));
        assert_eq!(take("Things", json!({"Things": {"a": 1}})), Err(UnusablePage::NotAList("Things".to_owned())));
    }
}
