//! AWS's five wire protocols, without schemas: JSON in, an HTTP request out; an HTTP answer in, JSON out.
//!
//! Pure: sends nothing, signs nothing. The rules are in `docs/resource-maps.md`. XML and JSON answers are bounded in
//! depth, their size is bounded by the caller.

pub(crate) mod error_answer;
pub(super) mod proof;
mod query;
mod rest;
mod xml;

use std::borrow::Cow;

use serde_json::{Value, json};

use super::counts::Effect;
use crate::resource_map::{Protocol, Service};
use crate::trail::mend;

/// A request before endpoint and signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WireRequest {
    pub(super) method: String,
    /// Path and query string, percent-encoded.
    pub(super) path: String,
    pub(super) headers: Vec<(Cow<'static, str>, String)>,
    pub(super) body: String,
}

/// Why a map's call can't be made into a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidCall {
    #[error("{0:?} is not METHOD /path, as REST protocols require")]
    NotRest(String),
    #[error("the resource map has no {1} for service {0}, and its protocol needs it")]
    MissingFact(String, &'static str),
    #[error("an XML body has one root element, not {0}")]
    NotOneRoot(usize),
    #[error("{0:?} is not the name of an XML element")]
    NotAnElement(String),
    #[error("the input must be an object")]
    NotAnObject,
}

/// Makes the request of `operation` with `input`.
pub(super) fn request(service: &Service, operation: &str, input: &Value) -> Result<WireRequest, InvalidCall> {
    match service.protocol {
        Protocol::Json => json_request(service, operation, input),
        Protocol::Query | Protocol::Ec2 => query::request(service, operation, input),
        Protocol::RestJson => rest::json_request(operation, input),
        Protocol::RestXml => rest::xml_request(service, operation, input),
    }
}

/// Source: <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>
fn json_request(service: &Service, operation: &str, input: &Value) -> Result<WireRequest, InvalidCall> {
    let missing = |fact| InvalidCall::MissingFact(service.name.clone(), fact);
    let target = service.target.as_deref().ok_or_else(|| missing("target"))?;
    let version = service.json_version.as_deref().ok_or_else(|| missing("json"))?;
    let input = if input.is_null() { &json!({}) } else { input };
    Ok(WireRequest {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        headers: vec![
            ("content-type".into(), format!("application/x-amz-json-{version}")),
            ("x-amz-target".into(), format!("{target}.{operation}")),
        ],
        body: input.to_string(),
    })
}

/// Reads a successful answer's body: `operation`'s own, and one that proves what it is read for ([`proof`]).
pub(crate) fn answer(
    service: &Service,
    operation: &str,
    effect: Effect,
    body: &[u8],
) -> Result<Value, UnreadableAnswer> {
    proof::checked(service, operation, effect, body)
}

/// Parses an answer's JSON. An answer can repeat texts of a record, such as half of an emoji in a resource's name. serde_json itself
/// refuses more than 128 levels.
fn parse_json(body: &[u8]) -> Result<Value, serde_json::Error> {
    let mended = |error: serde_json::Error| {
        let is_deep = error.to_string().starts_with("recursion limit");
        let value = if is_deep { None } else { serde_json::from_str(&mend::mended_for_display(body)).ok() };
        value.ok_or(error)
    };
    serde_json::from_slice(body).or_else(mended)
}

/// Why an answer can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnreadableAnswer {
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Xml(#[from] xml::UnreadableXml),
    #[error(transparent)]
    Unproven(#[from] proof::Unproven),
}

/// A number, text or flag as AWS writes it in query strings; `None` for null, lists and objects.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Percent-encodes all but RFC 3986's unreserved characters.
fn encode(text: &str) -> impl std::fmt::Display + '_ {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    percent_encoding::utf8_percent_encode(text, RESERVED)
}

#[cfg(test)]
mod tests;
