//! The input of a call with placeholders in it: nested JSON with templates as strings and keys.
//!
//! A string that is exactly one placeholder takes the value's own type: a list stays a list, a number a number.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::packed::fields::json_text;
use super::template::{InvalidTemplate, MissingValue, Template};

/// A compiled input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ParamTemplate {
    node: Node,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Node {
    /// Anything without placeholders.
    Constant(#[serde(with = "json_text")] Value),
    Text(Template),
    List(Box<[Node]>),
    Object(Box<[(Template, Node)]>),
}

impl ParamTemplate {
    /// Compiles `params`.
    ///
    /// # Errors
    /// A string or key in it that isn't a template.
    pub fn compile(params: &Value) -> Result<Self, InvalidTemplate> {
        Ok(Self { node: Node::compile(params)? })
    }

    /// The names between braces, wherever they stand.
    pub fn placeholders(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.node.collect_placeholders(&mut names);
        names
    }

    /// Fills the placeholders: `lookup` first, then JMESPath on `item`.
    ///
    /// # Errors
    /// A placeholder without a value; in a key or within a longer text also one with a list or an object as its value.
    pub fn render(&self, item: &Value, lookup: &dyn Fn(&str) -> Option<Value>) -> Result<Value, MissingValue> {
        self.node.render(item, lookup)
    }
}

impl Node {
    fn compile(params: &Value) -> Result<Self, InvalidTemplate> {
        match params {
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(Self::Constant(params.clone())),
            Value::String(text) => Ok(Self::Text(Template::compile(text)?)),
            Value::Array(items) => items.iter().map(Self::compile).collect::<Result<_, _>>().map(Self::List),
            Value::Object(fields) => {
                let field = |(key, value): (&String, &Value)| Ok((Template::compile(key)?, Self::compile(value)?));
                fields.iter().map(field).collect::<Result<_, _>>().map(Self::Object)
            }
        }
    }

    fn collect_placeholders<'node>(&'node self, names: &mut Vec<&'node str>) {
        match self {
            Self::Constant(_) => {}
            Self::Text(template) => names.extend(template.placeholders()),
            Self::List(nodes) => nodes.iter().for_each(|node| node.collect_placeholders(names)),
            Self::Object(fields) => {
                for (key, node) in fields {
                    names.extend(key.placeholders());
                    node.collect_placeholders(names);
                }
            }
        }
    }

    fn render(&self, item: &Value, lookup: &dyn Fn(&str) -> Option<Value>) -> Result<Value, MissingValue> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::Text(template) => match template.as_placeholder() {
                Some(placeholder) => placeholder.value(item, lookup),
                None => template.fill(item, lookup).map(Value::String),
            },
            Self::List(nodes) => {
                nodes.iter().map(|node| node.render(item, lookup)).collect::<Result<_, _>>().map(Value::Array)
            }
            Self::Object(fields) => {
                let field = |(key, node): &(Template, Self)| Ok((key.fill(item, lookup)?, node.render(item, lookup)?));
                fields.iter().map(field).collect::<Result<Map<_, _>, _>>().map(Value::Object)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn render(params: &Value) -> Result<Value, MissingValue> {
        let lookup = |name: &str| match name {
            "ids" => Some(json!(["a", "b"])),
            "key" => Some(json!("Owner")),
            "value" => Some(json!("me")),
            "none" => Some(Value::Null),
            _ => None,
        };
        ParamTemplate::compile(params).unwrap().render(&json!({"n": 7, "name": "x"}), &lookup)
    }

    #[test]
    fn a_placeholder_alone_keeps_its_type() {
        assert_eq!(
            render(&json!({"Ids": "{ids}", "N": "{n}", "Text": "n={n}", "All": true, "Max": 5})).unwrap(),
            json!({"Ids": ["a", "b"], "N": 7, "Text": "n=7", "All": true, "Max": 5})
        );
    }

    #[test]
    fn keys_are_templates_and_lists_are_searched() {
        assert_eq!(
            render(&json!({"Tags": {"{key}": "{value}"}, "List": [{"Key": "{key}"}, "{{x}}"]})).unwrap(),
            json!({"Tags": {"Owner": "me"}, "List": [{"Key": "Owner"}, "{x}"]})
        );
    }

    #[test]
    fn a_missing_value_is_named() {
        assert_eq!(render(&json!({"A": ["{absent}"]})), Err(MissingValue("absent".to_owned())));
        assert_eq!(render(&json!({"A": "{none}"})), Err(MissingValue("none".to_owned())));
        assert_eq!(render(&json!({"A": "x{ids}"})), Err(MissingValue("ids".to_owned())));
    }

    #[test]
    fn placeholders_are_found_in_keys_and_lists() {
        let params = ParamTemplate::compile(&json!({"{key}": ["{a}-{b}", {"c": "{tags}"}]})).unwrap();
        assert_eq!(params.placeholders(), ["key", "a", "b", "tags"]);
    }
}
