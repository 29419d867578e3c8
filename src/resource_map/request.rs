//! A call with its input. Both may hold placeholders.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::params::ParamTemplate;
use super::template::{InvalidTemplate, MissingValue, Placeholder, RawPart, split};

/// A call with parameters that may hold placeholders (`{id}`, `{arn}`, `{key}`, `{value}`, `{parent}`,
/// `{JMESPath on the item}`).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    call: CallTemplate,
    params: ParamTemplate,
    actions: Vec<String>,
}

/// A request with its placeholders filled.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedCall {
    /// `Operation`, or `METHOD /path/encoded%20id` for REST protocols.
    pub operation: String,
    /// The input. Nested lists and objects are flattened for Query protocols, keys that start with `?` go into the
    /// query string for REST protocols, the rest is the body.
    pub input: Value,
}

impl Request {
    /// Compiles `call` (`Operation`, or `METHOD /path/{id}` for REST protocols) and its input, a JSON object.
    ///
    /// # Errors
    /// Unbalanced braces, or a placeholder that isn't JMESPath.
    pub fn compile(call: &str, params: &Value) -> Result<Self, InvalidTemplate> {
        let (call, params) = (CallTemplate::compile(call)?, ParamTemplate::compile(params)?);
        Ok(Self { call, params, actions: Vec::new() })
    }

    /// Adds the IAM actions that the call needs, `iam:ListRoles`.
    #[must_use]
    pub fn with_actions(self, actions: Vec<String>) -> Self {
        Self { actions, ..self }
    }

    /// The IAM actions that the call needs; none if the map does not name them.
    pub fn actions(&self) -> &[String] {
        &self.actions
    }

    /// Whether it is a REST call, `METHOD /path`.
    pub fn is_rest(&self) -> bool {
        self.call.source.contains(' ')
    }

    /// The call as the map spells it, placeholders unfilled: for messages and policies.
    pub fn call(&self) -> &str {
        &self.call.source
    }

    /// The names between braces, in path and input.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.call.placeholders().chain(self.params.placeholders())
    }

    /// Whether `{name}` is one of its placeholders.
    pub fn uses(&self, name: &str) -> bool {
        self.placeholders().any(|placeholder| placeholder == name)
    }

    /// Fills the placeholders: `lookup` first, then JMESPath on `item`.
    ///
    /// # Errors
    /// A placeholder without a value; in a path also an empty one, for it would name another resource.
    pub fn render(&self, item: &Value, lookup: &dyn Fn(&str) -> Option<Value>) -> Result<RenderedCall, MissingValue> {
        Ok(RenderedCall { operation: self.call.render(item, lookup)?, input: self.params.render(item, lookup)? })
    }
}

/// RFC 3986's unreserved characters stay, all else is encoded.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// As [`UNRESERVED`], for `{name+}`.
const UNRESERVED_AND_SLASH: &AsciiSet = &UNRESERVED.remove(b'/');

/// An operation's name, or a REST method and path with placeholders.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct CallTemplate {
    source: String,
    parts: Vec<CallPart>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum CallPart {
    Text(String),
    Placeholder {
        placeholder: Placeholder,
        /// `{name+}`: slashes in the value stay.
        keeps_slashes: bool,
    },
}

impl CallTemplate {
    fn compile(source: &str) -> Result<Self, InvalidTemplate> {
        let parts = split(source)?.into_iter().map(CallPart::compile).collect::<Result<_, _>>()?;
        Ok(Self { source: source.to_owned(), parts })
    }

    fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            CallPart::Text(_) => None,
            CallPart::Placeholder { placeholder, .. } => Some(placeholder.name()),
        })
    }

    fn render(&self, item: &Value, lookup: &dyn Fn(&str) -> Option<Value>) -> Result<String, MissingValue> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                CallPart::Text(text) => out.push_str(text),
                CallPart::Placeholder { placeholder, keeps_slashes } => {
                    let text = placeholder.text(item, lookup)?;
                    if text.is_empty() {
                        return Err(placeholder.missing());
                    }
                    let encoded = if *keeps_slashes { UNRESERVED_AND_SLASH } else { UNRESERVED };
                    out.extend(utf8_percent_encode(&text, encoded));
                }
            }
        }
        Ok(out)
    }
}

impl CallPart {
    fn compile(raw: RawPart<'_>) -> Result<Self, InvalidTemplate> {
        Ok(match raw {
            RawPart::Text(text) => Self::Text(text),
            RawPart::Placeholder(name) => {
                let (name, keeps_slashes) = match name.strip_suffix('+') {
                    Some(name) => (name, true),
                    None => (name, false),
                };
                Self::Placeholder { placeholder: Placeholder::compile(name)?, keeps_slashes }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn render(call: &str, params: &Value) -> Result<RenderedCall, MissingValue> {
        let lookup = |name: &str| match name {
            "arn" => Some(json!("arn:aws:x::1:a/ü b~c")),
            "empty" => Some(json!("")),
            _ => None,
        };
        Request::compile(call, params).unwrap().render(&json!({"Name": "a/b"}), &lookup)
    }

    #[test]
    fn a_path_is_percent_encoded_and_the_input_is_not() {
        let call = render("DELETE /tags/{arn}?tagKeys={Name}", &json!({"?x": "{arn}"})).unwrap();
        assert_eq!(call.operation, "DELETE /tags/arn%3Aaws%3Ax%3A%3A1%3Aa%2F%C3%BC%20b~c?tagKeys=a%2Fb");
        assert_eq!(call.input, json!({"?x": "arn:aws:x::1:a/ü b~c"}));
    }

    #[test]
    fn a_plus_keeps_slashes() {
        assert_eq!(render("GET /{Name+}/x", &json!({})).unwrap().operation, "GET /a/b/x");
    }

    #[test]
    fn an_empty_value_in_a_path_is_missing() {
        assert_eq!(render("GET /{empty}/x", &json!({})), Err(MissingValue("empty".to_owned())));
    }

    #[test]
    fn an_operation_is_text() {
        let request = Request::compile("ListRoles", &json!({"Tags": "{tags}"})).unwrap();
        assert!(!request.is_rest() && request.uses("tags") && !request.uses("id"));
        assert_eq!(request.call(), "ListRoles");
    }
}
