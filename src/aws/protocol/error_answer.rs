//! The code, message and request id of an error that AWS answered, whatever the protocol.

use aws_smithy_runtime_api::http::{Headers, Response};
use aws_smithy_types::error::ErrorMetadata;
use serde_json::Value;

use super::xml;
use crate::text::secrets;

/// Where AWS's SDKs keep the request id in an error's metadata.
pub(in crate::aws) const REQUEST_ID: &str = "aws_request_id";

/// Longest message kept, in characters: a proxy may answer with a whole page.
const MAX_MESSAGE: usize = 1000;

/// Longest code kept, in characters.
const MAX_CODE: usize = 200;

/// The request id by AWS's various headers.
pub(in crate::aws) fn request_id_of_headers(headers: &Headers) -> Option<String> {
    ["x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id", "x-amz-cf-id"]
        .iter()
        .find_map(|name| headers.get(name))
        .map(str::to_owned)
}

/// The request id in an XML body.
pub(in crate::aws) fn request_id_of_body(body: &Value) -> Option<String> {
    let of = |value: &Value| {
        ["RequestId", "requestId", "RequestID"].iter().find_map(|name| value.get(name)?.as_str().map(str::to_owned))
    };
    of(body).or_else(|| of(body.get("ResponseMetadata")?))
}

/// What AWS says is wrong.
pub(crate) fn read(response: &Response) -> ErrorMetadata {
    let body = parse_any(response.body().bytes().unwrap_or_default());
    let headers = response.headers();
    let status = response.status().as_u16();
    let code = code_of(headers, &body).unwrap_or_else(|| format!("HTTP {status}"));
    let mut error = ErrorMetadata::builder().code(code);
    if let Some(message) = message_of(&body) {
        // Before it is cut: what is left of a token would not look like one.
        error = error.message(secrets::redacted(message).chars().take(MAX_MESSAGE).collect::<String>());
    }
    if let Some(id) = request_id_of_headers(headers).or_else(|| request_id_of_body(&body)) {
        error = error.custom(REQUEST_ID, id);
    }
    error.build()
}

/// Services respond in JSON or XML, and proxies or gateways before them in any format.
fn parse_any(body: &[u8]) -> Value {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'{') => serde_json::from_slice(body).unwrap_or_default(),
        Some(b'<') => xml::parse(body).map(|document| document.content).unwrap_or_default(),
        _ => Value::Null,
    }
}

fn code_of(headers: &Headers, body: &Value) -> Option<String> {
    let from_headers = || {
        // What Query's callers knew before the service spoke JSON: `Code;Sender`.
        let query = headers.get("x-amzn-query-error").and_then(|text| text.split(';').next());
        query.or_else(|| headers.get("x-amzn-errortype"))
    };
    let from_body = || ["__type", "code", "Code"].iter().find_map(|name| error_of(body).get(name)?.as_str());
    let code = from_headers().or_else(from_body)?;
    // `com.amazon.coral.service#Code:http://internal.amazon.com/…`
    let code = code.rsplit('#').next().unwrap_or(code);
    let code = code.split(':').next().unwrap_or(code).trim();
    (!code.is_empty()).then(|| code.chars().take(MAX_CODE).collect())
}

fn message_of(body: &Value) -> Option<&str> {
    ["message", "Message", "errorMessage"].iter().find_map(|name| error_of(body).get(name)?.as_str())
}

/// The part with code and message: `Error` (Query), `Errors.Error` (EC2), or the whole (S3, JSON).
fn error_of(body: &Value) -> &Value {
    let nested = body.get("Error").or_else(|| body.get("Errors")?.get("Error"));
    match nested {
        Some(Value::Array(errors)) => errors.first().unwrap_or(body),
        Some(error @ Value::Object(_)) => error,
        _ => body,
    }
}
