//! AWS Query and EC2's Query: a form in the body, XML back.
//!
//! Source: <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>

use std::fmt::Write;

use serde_json::Value;

use super::{InvalidCall, WireRequest, encode, scalar};
use crate::resource_map::Service;

pub(super) fn request(service: &Service, operation: &str, input: &Value) -> Result<WireRequest, InvalidCall> {
    let version = service.version.as_deref();
    let version = version.ok_or_else(|| InvalidCall::MissingFact(service.name.clone(), "version"))?;
    let mut body = format!("Action={}&Version={}", encode(operation), encode(version));
    match input {
        Value::Null => {}
        Value::Object(fields) => fields.iter().for_each(|(key, value)| flatten(key, value, &mut body)),
        _ => return Err(InvalidCall::NotAnObject),
    }
    Ok(WireRequest {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        headers: vec![("content-type".into(), "application/x-www-form-urlencoded; charset=utf-8".to_owned())],
        body,
    })
}

/// `{a: {b: [{c: 1}]}}` → `a.b.1.c=1`. Null is left out. As deep as the map that wrote the input.
fn flatten(name: &str, value: &Value, body: &mut String) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| flatten(&format!("{name}.{key}"), value, body)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| flatten(&format!("{name}.{}", at + 1), item, body));
        }
        value => {
            if let Some(text) = scalar(value) {
                write!(body, "&{}={}", encode(name), encode(&text)).expect("a String takes all writes");
            }
        }
    }
}

/// What is in `*Result`; without one, what is beside `ResponseMetadata`.
pub(super) fn result_of(mut body: Value) -> Value {
    let Value::Object(fields) = &mut body else { return body };
    let has_metadata = fields.shift_remove("ResponseMetadata").is_some();
    let result = fields.keys().find(|key| key.ends_with("Result")).cloned();
    match result {
        Some(key) if fields.len() == 1 => fields.shift_remove(&key).unwrap_or_default(),
        None if has_metadata && fields.is_empty() => Value::Null,
        _ => body,
    }
}
