//! JMESPath, compiled once, with the top-level fields it reads: so that of a record only those are converted.
//!
//! `jmespath::Expression::search` serialises its input at every call; here a value is converted once and then
//! interpreted (seven times faster, measured in `reference/performance.md`).

use std::collections::BTreeSet;
use std::fmt;

use jmespath::ast::Ast;
use jmespath::{Context, Rcvar, Variable};
use serde_json::Value;

/// A compiled JMESPath expression.
#[derive(Clone)]
pub struct Expression {
    source: String,
    ast: Ast,
    fields: TopLevelFields,
}

/// Which top-level fields of its input an expression reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopLevelFields {
    /// These only.
    Some(BTreeSet<String>),
    /// It looks at the input as a whole (`@`, `*`, `keys(@)`).
    All,
}

/// Why an expression can't be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{expression:?} is not a JMESPath expression: {reason} (at character {offset})")]
pub struct InvalidExpression {
    /// The text.
    pub expression: String,
    /// What the parser says, in one line.
    pub reason: String,
    /// Characters before the place where the parser stopped.
    pub offset: usize,
}

impl Expression {
    /// Compiles `source`.
    ///
    /// # Errors
    /// When it isn't JMESPath, or calls a function that JMESPath doesn't have.
    pub fn compile(source: &str) -> Result<Self, InvalidExpression> {
        let invalid = |reason: String, offset| InvalidExpression { expression: source.to_owned(), reason, offset };
        let ast = jmespath::parse(source).map_err(|error| invalid(error.reason.to_string(), error.offset))?;
        if let Some((name, offset)) = unknown_function(&ast) {
            return Err(invalid(format!("there is no function {name}()"), offset));
        }
        let fields = top_level_fields(&ast);
        Ok(Self { source: source.to_owned(), ast, fields })
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The top-level fields it reads.
    pub fn fields(&self) -> &TopLevelFields {
        &self.fields
    }

    /// Evaluates on a converted value. A type error inside (`join` over null, say) is null, as nothing was found.
    pub fn interpret(&self, input: &Rcvar) -> Rcvar {
        let mut context = Context::new(&self.source, &jmespath::DEFAULT_RUNTIME);
        jmespath::interpret(input, &self.ast, &mut context).unwrap_or_else(|_| Rcvar::new(Variable::Null))
    }

    /// Converts `input`, evaluates, and converts back.
    pub fn search(&self, input: &Value) -> Value {
        to_value(&self.interpret(&to_variable(input)))
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Expression({})", self.source)
    }
}

/// JSON as JMESPath sees it.
pub fn to_variable(value: &Value) -> Rcvar {
    Rcvar::new(match value {
        Value::Null => Variable::Null,
        Value::Bool(flag) => Variable::Bool(*flag),
        Value::Number(number) => Variable::Number(number.clone()),
        Value::String(text) => Variable::String(text.clone()),
        Value::Array(items) => Variable::Array(items.iter().map(to_variable).collect()),
        Value::Object(fields) => {
            Variable::Object(fields.iter().map(|(key, value)| (key.clone(), to_variable(value))).collect())
        }
    })
}

/// The reverse of [`to_variable`].
pub fn to_value(variable: &Variable) -> Value {
    match variable {
        Variable::Null | Variable::Expref(_) => Value::Null,
        Variable::Bool(flag) => Value::Bool(*flag),
        Variable::Number(number) => Value::Number(number.clone()),
        Variable::String(text) => Value::String(text.clone()),
        Variable::Array(items) => Value::Array(items.iter().map(|item| to_value(item)).collect()),
        Variable::Object(fields) => {
            Value::Object(fields.iter().map(|(key, value)| (key.clone(), to_value(value))).collect())
        }
    }
}

/// The parts of `ast` that are evaluated on the same input as itself, and those evaluated on something else.
fn children(ast: &Ast) -> (Vec<&Ast>, Vec<&Ast>) {
    match ast {
        Ast::Comparison { lhs, rhs, .. } | Ast::And { lhs, rhs, .. } | Ast::Or { lhs, rhs, .. } => {
            (vec![lhs, rhs], vec![])
        }
        // `[?a == b]` is a projection whose right side is a condition on the element, as are all right sides.
        Ast::Condition { predicate, then, .. } => (vec![predicate, then], vec![]),
        Ast::Subexpr { lhs, rhs, .. } | Ast::Projection { lhs, rhs, .. } => (vec![lhs], vec![rhs]),
        Ast::Flatten { node, .. } | Ast::Not { node, .. } | Ast::ObjectValues { node, .. } => (vec![node], vec![]),
        Ast::Function { args, .. } => (args.iter().collect(), vec![]),
        Ast::MultiList { elements, .. } => (elements.iter().collect(), vec![]),
        Ast::MultiHash { elements, .. } => (elements.iter().map(|pair| &pair.value).collect(), vec![]),
        // An expression reference runs on the elements of another argument.
        Ast::Expref { ast, .. } => (vec![], vec![ast]),
        Ast::Identity { .. } | Ast::Field { .. } | Ast::Index { .. } | Ast::Literal { .. } | Ast::Slice { .. } => {
            (vec![], vec![])
        }
    }
}

fn top_level_fields(ast: &Ast) -> TopLevelFields {
    match ast {
        Ast::Identity { .. } => TopLevelFields::All,
        Ast::Field { name, .. } => TopLevelFields::Some(BTreeSet::from([name.clone()])),
        _ => {
            let mut names = BTreeSet::new();
            for child in children(ast).0 {
                match top_level_fields(child) {
                    TopLevelFields::All => return TopLevelFields::All,
                    TopLevelFields::Some(more) => names.extend(more),
                }
            }
            TopLevelFields::Some(names)
        }
    }
}

fn unknown_function(ast: &Ast) -> Option<(String, usize)> {
    if let Ast::Function { name, offset, .. } = ast
        && jmespath::DEFAULT_RUNTIME.get_function(name).is_none()
    {
        return Some((name.clone(), *offset));
    }
    let (same, other) = children(ast);
    same.into_iter().chain(other).find_map(unknown_function)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(source: &str) -> TopLevelFields {
        Expression::compile(source).unwrap().fields().clone()
    }

    #[test]
    fn fields_are_those_of_the_record_and_not_of_what_is_below() {
        let names = |names: &[&str]| TopLevelFields::Some(names.iter().map(|&name| name.to_owned()).collect());
        assert_eq!(
            fields("responseElements.role.roleName || requestParameters.roleName"),
            names(&["requestParameters", "responseElements"])
        );
        assert_eq!(fields("responseElements.items[?state == 'x'].[a, b][]"), names(&["responseElements"]));
        assert_eq!(fields("to_array(responseElements.x)[].y"), names(&["responseElements"]));
        assert_eq!(fields("join('/', [requestParameters.a, requestParameters.b])"), names(&["requestParameters"]));
        assert_eq!(fields("eventName"), names(&["eventName"]));
        assert_eq!(fields("keys(@)"), TopLevelFields::All);
        assert_eq!(fields("*.roleName"), TopLevelFields::All);
    }

    #[test]
    fn an_unknown_function_and_bad_syntax_are_refused() {
        assert!(Expression::compile("lenght(a)").unwrap_err().reason.contains("lenght"));
        assert!(Expression::compile("a[").is_err());
    }

    #[test]
    fn a_type_error_finds_nothing() {
        assert_eq!(Expression::compile("join('/', a)").unwrap().search(&json!({"a": null})), Value::Null);
    }
}
