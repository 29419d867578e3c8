//! Text with placeholders: `arn:{partition}:ec2:{region}:{account}:instance/{instanceId}`.
//!
//! A placeholder is one of the names that the caller gives a value for (`{id}`, `{arn}`, `{key}`…), or else a JMESPath
//! on the listed item. `{{` and `}}` stand for braces.

use serde_json::Value;

use super::expression::{Expression, InvalidExpression};

/// A compiled template.
#[derive(Debug, Clone)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Placeholder { name: String, expression: Expression },
}

/// Why a template can't be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InvalidTemplate {
    /// A `{` without its `}`, or the reverse.
    #[error("{0:?} has a brace without its partner; write {{{{ or }}}} for a brace itself")]
    Unbalanced(String),
    /// The placeholder is neither a known name nor JMESPath.
    #[error(transparent)]
    Expression(#[from] InvalidExpression),
}

/// A placeholder that has no value on this item.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{{{0}}} has no value")]
pub struct MissingValue(pub String);

impl Template {
    /// Compiles `source`.
    ///
    /// # Errors
    /// Unbalanced braces, or a placeholder that isn't JMESPath.
    pub fn compile(source: &str) -> Result<Self, InvalidTemplate> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = source;
        while let Some(at) = rest.find(['{', '}']) {
            text.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                text.push_str(brace);
                rest = after;
                continue;
            }
            let end = rest.find('}').filter(|_| brace == "{");
            let Some(end) = end else { return Err(InvalidTemplate::Unbalanced(source.to_owned())) };
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            let name = rest[..end].to_owned();
            parts.push(Part::Placeholder { expression: Expression::compile(&name)?, name });
            rest = &rest[end + 1..];
        }
        text.push_str(rest);
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(Self { parts })
    }

    /// The template that is `{expression}` alone.
    pub fn of_expression(expression: Expression) -> Self {
        Self { parts: vec![Part::Placeholder { name: expression.source().to_owned(), expression }] }
    }

    /// The names between braces, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Placeholder { name, .. } => Some(name.as_str()),
        })
    }

    /// Fills the placeholders: `lookup` first, then JMESPath on `item`.
    ///
    /// # Errors
    /// A placeholder whose value is null, a list or an object.
    pub fn render(&self, item: &Value, lookup: impl Fn(&str) -> Option<String>) -> Result<String, MissingValue> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Placeholder { name, expression } => match lookup(name) {
                    Some(value) => out.push_str(&value),
                    None => match expression.search(item) {
                        Value::String(value) => out.push_str(&value),
                        Value::Number(value) => out.push_str(&value.to_string()),
                        _ => return Err(MissingValue(name.clone())),
                    },
                },
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn render(source: &str) -> Result<String, MissingValue> {
        let lookup = |name: &str| (name == "region").then(|| "eu-west-1".to_owned());
        Template::compile(source).unwrap().render(&json!({"a": {"b": "c"}, "region": "no", "n": 7}), lookup)
    }

    #[test]
    fn names_come_before_the_item() {
        assert_eq!(render("x:{region}:{a.b}/{n}").unwrap(), "x:eu-west-1:c/7");
        assert_eq!(render("{{{a.b}}}").unwrap(), "{c}");
        assert_eq!(render("{a}"), Err(MissingValue("a".to_owned())));
    }

    #[test]
    fn braces_without_a_partner_are_refused() {
        assert!(Template::compile("a{b").is_err());
        assert!(Template::compile("a}b").is_err());
    }
}
