//! Text with placeholders: `arn:{partition}:ec2:{region}:{account}:instance/{instanceId}`.
//!
//! A placeholder is one of the names that the caller gives a value for (`{id}`, `{arn}`, `{key}`…), or else a JMESPath
//! on the listed item; braces and quoted text inside it belong to it. `{{` and `}}` stand for braces. Which names there
//! are, the callers know, not this file.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::expression::{Expression, InvalidExpression};

/// A compiled template.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Template {
    // The built-in map holds thousands of templates, mostly of one part: no room to spare in any.
    parts: Box<[Part]>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Part {
    Text(String),
    Placeholder(Box<Placeholder>),
}

/// What is between braces: an expression, and its text the name that callers give a value for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Placeholder {
    expression: Expression,
}

/// Why a template can't be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InvalidTemplate {
    /// A `{` without its `}`, or the reverse.
    #[error("{0:?} has an unmatched brace; write {{{{ or }}}} for a brace itself")]
    Unbalanced(String),
    /// The placeholder is neither a known name nor JMESPath.
    #[error(transparent)]
    Expression(#[from] InvalidExpression),
}

/// A placeholder that has no value on this item.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{{{0}}} has no value")]
pub struct MissingValue(pub String);

/// A template's source in pieces, escapes resolved.
pub(crate) enum RawPart<'source> {
    /// Text as it is.
    Text(String),
    /// The text between braces.
    Placeholder(&'source str),
}

/// Splits `source` at its placeholders.
pub(crate) fn split(source: &str) -> Result<Vec<RawPart<'_>>, InvalidTemplate> {
    let unbalanced = || InvalidTemplate::Unbalanced(source.to_owned());
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
        if brace == "}" {
            return Err(unbalanced());
        }
        let end = closing_brace(rest).ok_or_else(unbalanced)?;
        if !text.is_empty() {
            parts.push(RawPart::Text(std::mem::take(&mut text)));
        }
        parts.push(RawPart::Placeholder(&rest[..end]));
        rest = &rest[end + 1..];
    }
    text.push_str(rest);
    if !text.is_empty() {
        parts.push(RawPart::Text(text));
    }
    Ok(parts)
}

/// The position of the `}` that ends the placeholder at the start of `text`: JMESPath has braces of its own
/// (`{a: b}`) and quotes text with `'`, `"` and `` ` ``.
fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"' | b'`') => quote = Some(byte),
            (None, b'{') => depth += 1,
            (None, b'}') if depth == 0 => return Some(at),
            (None, b'}') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

impl Placeholder {
    /// Compiles the text between braces.
    pub(super) fn compile(name: &str) -> Result<Self, InvalidExpression> {
        Ok(Self { expression: Expression::compile(name)? })
    }

    /// The text between the braces.
    pub(super) fn name(&self) -> &str {
        self.expression.source()
    }

    /// Its value: `lookup` first, then JMESPath on `item`; never null.
    pub(super) fn value(&self, item: &Value, lookup: &dyn Fn(&str) -> Option<Value>) -> Result<Value, MissingValue> {
        let value = lookup(self.name()).unwrap_or_else(|| self.expression.search(item));
        if value.is_null() { Err(self.missing()) } else { Ok(value) }
    }

    /// [`Placeholder::value`] as text; a list or an object has none.
    pub(super) fn text(&self, item: &Value, lookup: &dyn Fn(&str) -> Option<Value>) -> Result<String, MissingValue> {
        match self.value(item, lookup)? {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => Err(self.missing()),
        }
    }

    /// The error that it has no value.
    pub(super) fn missing(&self) -> MissingValue {
        MissingValue(self.name().to_owned())
    }
}

impl Template {
    /// Compiles `source`.
    ///
    /// # Errors
    /// Unbalanced braces, or a placeholder that isn't JMESPath.
    pub fn compile(source: &str) -> Result<Self, InvalidTemplate> {
        let compile = |raw| match raw {
            RawPart::Text(text) => Ok(Part::Text(text)),
            RawPart::Placeholder(name) => Ok(Part::Placeholder(Box::new(Placeholder::compile(name)?))),
        };
        Ok(Self { parts: split(source)?.into_iter().map(compile).collect::<Result<_, InvalidTemplate>>()? })
    }

    /// The template that is `{expression}` alone.
    pub fn of_expression(expression: Expression) -> Self {
        Self { parts: Box::new([Part::Placeholder(Box::new(Placeholder { expression }))]) }
    }

    /// Its pieces, in order.
    pub(super) fn pieces(&self) -> impl Iterator<Item = RawPart<'_>> {
        self.parts.iter().map(|part| match part {
            Part::Text(text) => RawPart::Text(text.clone()),
            Part::Placeholder(placeholder) => RawPart::Placeholder(placeholder.name()),
        })
    }

    /// The names between braces, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Placeholder(placeholder) => Some(placeholder.name()),
        })
    }

    /// The placeholder, where the template is exactly one and nothing else.
    pub(super) fn as_placeholder(&self) -> Option<&Placeholder> {
        match &*self.parts {
            [Part::Placeholder(placeholder)] => Some(placeholder),
            _ => None,
        }
    }

    /// Fills the placeholders: `lookup` first, then JMESPath on `item`.
    ///
    /// # Errors
    /// A placeholder with null, a list or an object as its value.
    pub fn render(&self, item: &Value, lookup: impl Fn(&str) -> Option<String>) -> Result<String, MissingValue> {
        self.fill(item, &|name| lookup(name).map(Value::String))
    }

    /// [`Template::render`] with values of any type.
    pub(super) fn fill(&self, item: &Value, lookup: &dyn Fn(&str) -> Option<Value>) -> Result<String, MissingValue> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Placeholder(placeholder) => out.push_str(&placeholder.text(item, lookup)?),
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
        Template::compile(source)
            .unwrap()
            .render(&json!({"a": {"b": "c"}, "region": "no", "n": 7, "flag": true}), lookup)
    }

    #[test]
    fn names_come_before_the_item() {
        assert_eq!(render("x:{region}:{a.b}/{n}/{flag}").unwrap(), "x:eu-west-1:c/7/true");
        assert_eq!(render("{{{a.b}}}").unwrap(), "{c}");
        assert_eq!(render("{a}"), Err(MissingValue("a".to_owned())));
    }

    #[test]
    fn braces_without_a_partner_are_refused() {
        assert!(Template::compile("a{b").is_err());
        assert!(Template::compile("a}b").is_err());
        assert!(Template::compile("{join('}', a)").is_err());
    }

    #[test]
    fn braces_and_quotes_inside_a_placeholder_belong_to_it() {
        assert_eq!(render("{a.{x: b}.x}-{join('}', ['y', 'z'])}").unwrap(), "c-y}z");
        assert_eq!(render(r"{join('\'}', ['y', 'z'])}").unwrap(), "y'}z");
    }
}
