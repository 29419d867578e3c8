//! REST with JSON and XML bodies: the operation is the method, the path and the query string.
//!
//! Source: <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html>, `aws-restxml-protocol`

use std::fmt::Write;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{InvalidCall, WireRequest, encode, scalar, xml};
use crate::resource_map::Service;

pub(super) fn json_request(operation: &str, input: &Value) -> Result<WireRequest, InvalidCall> {
    let (mut request, body) = split(operation, input)?;
    // API Gateway responds in HAL, with other fields, unless the request accepts only plain JSON.
    request.headers.push(("accept".into(), "application/json".to_owned()));
    if !body.is_empty() {
        request.headers.push(("content-type".into(), "application/json".to_owned()));
        request.body = Value::Object(body).to_string();
    }
    Ok(request)
}

pub(super) fn xml_request(service: &Service, operation: &str, input: &Value) -> Result<WireRequest, InvalidCall> {
    let (mut request, body) = split(operation, input)?;
    if body.is_empty() {
        return Ok(request);
    }
    request.body = xml::document(&body, service.namespace.as_deref())?;
    request.headers.push(("content-type".into(), "application/xml".to_owned()));
    if service.signing == "s3" {
        // S3 refuses bodies such as PutBucketTagging's without a checksum.
        let digest = Sha256::digest(&request.body);
        request.headers.push(("x-amz-checksum-sha256".into(), aws_smithy_types::base64::encode(digest)));
    }
    Ok(request)
}

/// Method, path, query string and headers; what of the input belongs into the body.
fn split(operation: &str, input: &Value) -> Result<(WireRequest, Map<String, Value>), InvalidCall> {
    let not_rest = || InvalidCall::NotRest(operation.to_owned());
    let (method, path) = operation.split_once(' ').ok_or_else(not_rest)?;
    if !path.starts_with('/') {
        return Err(not_rest());
    }
    let mut path = path.to_owned();
    let (mut headers, mut body) = (Vec::new(), Map::new());
    match input {
        Value::Null => {}
        Value::Object(fields) => {
            for (key, value) in fields {
                if let Some(key) = key.strip_prefix('?') {
                    append_query(&mut path, key, value);
                } else if let Some(name) = key.strip_prefix('^') {
                    headers.extend(scalar(value).map(|text| (name.to_owned().into(), text)));
                } else {
                    body.insert(key.clone(), value.clone());
                }
            }
        }
        _ => return Err(InvalidCall::NotAnObject),
    }
    Ok((WireRequest { method: method.to_owned(), path, headers, body: String::new() }, body))
}

/// Adds `key=value`, for a list once for each item; nothing for null.
fn append_query(path: &mut String, key: &str, value: &Value) {
    let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    for text in items.iter().filter_map(scalar) {
        let separator = if path.contains('?') { '&' } else { '?' };
        write!(path, "{separator}{}={}", encode(key), encode(&text)).expect("a String takes all writes");
    }
}
