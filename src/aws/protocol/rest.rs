//! REST with JSON and XML bodies: method, path and query string tell the operation.
//!
//! Source: <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html>, `aws-restxml-protocol`

use std::fmt::Write;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{InvalidCall, WireRequest, encode, scalar, xml};
use crate::resource_map::Service;

/// The name space that S3 wants its bodies in.
const S3_NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

pub(super) fn json_request(operation: &str, input: &Value) -> Result<WireRequest, InvalidCall> {
    let (mut request, body) = split(operation, input)?;
    if !body.is_empty() {
        request.headers.push(("content-type", "application/json".to_owned()));
        request.body = Value::Object(body).to_string();
    }
    Ok(request)
}

pub(super) fn xml_request(service: &Service, operation: &str, input: &Value) -> Result<WireRequest, InvalidCall> {
    let (mut request, body) = split(operation, input)?;
    if body.is_empty() {
        return Ok(request);
    }
    let is_s3 = service.signing == "s3";
    request.body = xml::document(&body, is_s3.then_some(S3_NAMESPACE))?;
    request.headers.push(("content-type", "application/xml".to_owned()));
    if is_s3 {
        // S3 refuses bodies such as PutBucketTagging's without a checksum.
        let digest = Sha256::digest(&request.body);
        request.headers.push(("x-amz-checksum-sha256", aws_smithy_types::base64::encode(digest)));
    }
    Ok(request)
}

/// Method, path and query string; what of the input belongs into the body.
fn split(operation: &str, input: &Value) -> Result<(WireRequest, Map<String, Value>), InvalidCall> {
    let not_rest = || InvalidCall::NotRest(operation.to_owned());
    let (method, path) = operation.split_once(' ').ok_or_else(not_rest)?;
    if !path.starts_with('/') {
        return Err(not_rest());
    }
    let mut path = path.to_owned();
    let mut body = Map::new();
    match input {
        Value::Null => {}
        Value::Object(fields) => {
            for (key, value) in fields {
                match key.strip_prefix('?') {
                    Some(key) => append_query(&mut path, key, value),
                    None => drop(body.insert(key.clone(), value.clone())),
                }
            }
        }
        _ => return Err(InvalidCall::NotAnObject),
    }
    Ok((WireRequest { method: method.to_owned(), path, headers: Vec::new(), body: String::new() }, body))
}

/// Adds `key=value`, for a list once for each item; nothing for null.
fn append_query(path: &mut String, key: &str, value: &Value) {
    let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    for text in items.iter().filter_map(scalar) {
        let separator = if path.contains('?') { '&' } else { '?' };
        write!(path, "{separator}{}={}", encode(key), encode(&text)).expect("a String takes all writes");
    }
}
