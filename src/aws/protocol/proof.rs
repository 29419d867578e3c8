//! What an answer must have to be believed: an empty body, a proxy's page or an error document with status 200 proves nothing.
//!
//! Reads must hold an answer of their own operation, in XML by the root element's name. Writes without output are proved by an
//! empty answer, all others by what their model says that they answer. `answers.txt` has what does not follow from the
//! operation's name; `tests/oracle/answers.py` derives it from botocore's models. Operations that it does not list (those of a
//! user's map) are checked by the protocol's rules alone.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::xml::Document;
use super::{UnreadableAnswer, query};
use crate::aws::counts::Effect;
use crate::resource_map::{Protocol, Service};

/// Most characters of an answer that a message quotes.
const MAX_QUOTE: usize = 80;

/// Roots of XML that is not an answer of an operation.
const FOREIGN_ROOTS: [&str; 6] = ["Error", "Errors", "ErrorResponse", "ServiceErrorResponse", "html", "HTML"];

/// What is known of an operation's answer.
#[derive(Debug)]
struct Facts {
    call: &'static str,
    /// The root element, or those that it may be; empty where the answer has no body.
    roots: Vec<&'static str>,
    /// One of these members must be there; empty if none must.
    members: Vec<&'static str>,
    /// Whether the body may be empty although there are roots.
    may_be_blank: bool,
}

/// The operations of `answers.txt`, by service.
static FACTS: LazyLock<HashMap<&str, Vec<Facts>>> = LazyLock::new(|| {
    let mut facts: HashMap<&str, Vec<Facts>> = HashMap::new();
    for line in include_str!("answers.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split(" | ").map(str::trim);
        let mut column = || columns.next().unwrap_or_default();
        let listed = |column: &'static str| column.split(' ').filter(|name| *name != "-" && !name.is_empty()).collect();
        let (service, call, roots, members, blank) = (column(), column(), column(), column(), column());
        facts.entry(service).or_default().push(Facts {
            call,
            roots: listed(roots),
            members: listed(members),
            may_be_blank: blank == "blank",
        });
    }
    facts
});

/// The facts of an operation, `Operation` or `METHOD /path`; a path's longest pattern is its own.
fn facts_of(service: &Service, operation: &str) -> Option<&'static Facts> {
    let known = FACTS.get(service.name.as_str())?;
    known.iter().filter(|facts| fits(facts.call, operation)).max_by_key(|facts| facts.call.len())
}

/// Whether `*` in the pattern can be filled so that it is the text.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(start) else { return false };
    (1..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| fits(rest, &text[at..]))
}

/// Why an answer proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unproven {
    #[error("the answer is empty")]
    Blank,
    #[error("the answer is not an object")]
    NotAnObject,
    #[error("the answer is an error: {0}")]
    ErrorDocument(String),
    #[error("the answer's root is <{found}>, not <{expected}>")]
    WrongRoot { expected: String, found: String },
    #[error("the answer has no {0}")]
    Missing(String),
    #[error("the answer has {0:?}, which this operation does not return")]
    Unexpected(String),
    #[error("the answer says that nothing was changed")]
    NotDone,
    #[error("the answer has no request ID of AWS")]
    NoRequestId,
}

/// The answer as JSON, if it proves that the operation answered it.
pub(super) fn checked(
    service: &Service,
    operation: &str,
    effect: Effect,
    body: &[u8],
) -> Result<Value, UnreadableAnswer> {
    let facts = facts_of(service, operation);
    match service.protocol {
        Protocol::Json | Protocol::RestJson => json(facts, effect, body),
        Protocol::Query => {
            let document = document_of(body)?.ok_or(Unproven::Blank)?;
            rooted(&document, &format!("{operation}Response"))?;
            let result = format!("{operation}Result");
            if effect == Effect::Read && document.content.get(&result).is_none() {
                return Err(Unproven::Missing(result).into());
            }
            let body = query::result_of(document.content);
            members(facts, &body)?;
            Ok(body)
        }
        Protocol::Ec2 => {
            let document = document_of(body)?.ok_or(Unproven::Blank)?;
            rooted(&document, &format!("{operation}Response"))?;
            if effect.changes() {
                done_in_ec2(&document.content)?;
            }
            Ok(document.content)
        }
        Protocol::RestXml => rest_xml(facts, effect, body),
    }
}

/// EC2 documents `<return>true</return>` for writes without output; other servers of its API only add the request's ID. What a
/// proxy sends has neither.
fn done_in_ec2(content: &Value) -> Result<(), Unproven> {
    let is_done = match content.get("return") {
        Some(answer) => answer == "true",
        None => content.get("requestId").is_some_and(Value::is_string),
    };
    if is_done { Ok(()) } else { Err(Unproven::NotDone) }
}

fn json(facts: Option<&Facts>, effect: Effect, body: &[u8]) -> Result<Value, UnreadableAnswer> {
    let needs_members = facts.is_some_and(|facts| !facts.members.is_empty());
    if is_blank(body) {
        return if effect == Effect::Read || needs_members {
            Err(Unproven::Blank.into())
        } else {
            Ok(Value::Object(Map::new()))
        };
    }
    let value = super::parse_json(body)?;
    let fields = value.as_object().ok_or(Unproven::NotAnObject)?;
    if let Some(kind) = fields.get("__type") {
        return Err(Unproven::ErrorDocument(quoted(kind.as_str().unwrap_or_default())).into());
    }
    members(facts, &value)?;
    match fields.keys().next() {
        Some(field) if effect.changes() && !needs_members => Err(Unproven::Unexpected(quoted(field)).into()),
        _ => Ok(value),
    }
}

fn rest_xml(facts: Option<&Facts>, effect: Effect, body: &[u8]) -> Result<Value, UnreadableAnswer> {
    let Some(document) = document_of(body)? else {
        let may_be_blank = facts.is_none_or(|facts| facts.roots.is_empty() || facts.may_be_blank);
        return if effect.changes() && may_be_blank { Ok(Value::Null) } else { Err(Unproven::Blank.into()) };
    };
    match facts.map(|facts| facts.roots.as_slice()) {
        None => foreign(&document).map_or(Ok(()), Err)?,
        Some([]) => return Err(foreign(&document).unwrap_or(Unproven::Unexpected(quoted(&document.root))).into()),
        // AWS's documentation says Result where other servers of the protocol say Response.
        Some(roots) if roots.iter().any(|root| stem(root) == stem(&document.root)) => {}
        Some([root, ..]) => rooted(&document, root)?,
    }
    members(facts, &document.content)?;
    Ok(document.content)
}

/// `ListTags` of `ListTagsResult` and `ListTagsResponse`.
fn stem(root: &str) -> &str {
    root.strip_suffix("Result").or_else(|| root.strip_suffix("Response")).unwrap_or(root)
}

fn document_of(body: &[u8]) -> Result<Option<Document>, UnreadableAnswer> {
    if is_blank(body) { Ok(None) } else { Ok(Some(super::xml::parse(body)?)) }
}

fn is_blank(body: &[u8]) -> bool {
    body.iter().all(u8::is_ascii_whitespace)
}

fn rooted(document: &Document, expected: &str) -> Result<(), Unproven> {
    if document.root == expected {
        return Ok(());
    }
    let wrong = || Unproven::WrongRoot { expected: expected.to_owned(), found: quoted(&document.root) };
    Err(foreign(document).unwrap_or_else(wrong))
}

/// What an error document says; `None` for other documents.
fn foreign(document: &Document) -> Option<Unproven> {
    if !FOREIGN_ROOTS.contains(&document.root.as_str()) {
        return None;
    }
    let error = document.content.get("Error").unwrap_or(&document.content);
    let code = error.get("Code").and_then(Value::as_str).unwrap_or(&document.root);
    Some(Unproven::ErrorDocument(quoted(code)))
}

fn members(facts: Option<&Facts>, body: &Value) -> Result<(), Unproven> {
    let Some(facts) = facts.filter(|facts| !facts.members.is_empty()) else { return Ok(()) };
    if facts.members.iter().any(|member| body.get(member).is_some()) {
        return Ok(());
    }
    Err(Unproven::Missing(facts.members.join(" or ")))
}

fn quoted(text: &str) -> String {
    text.chars().take(MAX_QUOTE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_paths_take_texts_with_slashes() {
        assert!(fits("GET /{*}?x".replace(['{', '}'], "").as_str(), "GET /a/b?x"));
        assert!(fits("GET /", "GET /"));
        assert!(!fits("GET /", "GET /bucket"));
        assert!(!fits("GET /*?tagging", "GET /?tagging"));
        assert!(fits("GET /v/tags/*", "GET /v/tags/arn%3Aaws"));
    }

    #[test]
    fn a_bucket_s_tags_are_known_by_their_root_and_their_set() {
        let s3 = Service::named("s3", "S3", Protocol::RestXml);
        let facts = facts_of(&s3, "GET /bucket?tagging").unwrap();
        assert_eq!((facts.roots.as_slice(), facts.members.as_slice()), (&["Tagging"][..], &["TagSet"][..]));
        assert_eq!(facts_of(&s3, "GET /").unwrap().roots, ["ListAllMyBucketsResult"]);
        assert!(facts_of(&s3, "GET /bucket?acl").is_none());
    }
}
