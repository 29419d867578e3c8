//! JMESPath, compiled once, with the top-level fields it reads: so that of a record only those are converted.
//!
//! `jmespath::Expression::search` serialises its input at every call; here a value is converted once and then
//! interpreted (seven times faster, measured in `reference/performance.md`).

use std::fmt;
use std::sync::{LazyLock, OnceLock};

use jmespath::ast::Ast;
use jmespath::functions::{ArgumentType, CustomFunction, Signature};
use jmespath::{Context, ErrorReason, Rcvar, Runtime, RuntimeError, Variable};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

mod gives;
mod growth;
mod lower_case;
mod negation;

pub use gives::Cardinality;

/// A JMESPath expression. One of a user's map is compiled when the map is read, for its errors; one of the built-in maps, which the
/// build has checked, when it is first used: a command uses few of them.
#[derive(Clone)]
pub struct Expression {
    source: Box<str>,
    compiled: OnceLock<Box<Compiled>>,
}

#[derive(Clone)]
struct Compiled {
    ast: Ast,
    fields: TopLevelFields,
}

/// Which top-level fields of its input an expression reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopLevelFields {
    /// These only, sorted, each once.
    Some(Box<[String]>),
    /// It looks at the input as a whole (`@`, `*`, `keys(@)`).
    All,
}

/// Why an expression can't be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{expression}` is not JMESPath: {reason} (at character {})", .offset + 1)]
pub struct InvalidExpression {
    /// The text.
    pub expression: String,
    /// What the parser says, in one line.
    pub reason: String,
    /// Characters before the place where the parser stopped.
    pub offset: usize,
}

/// Most brackets, dots and operators in an expression: the parser recurses at each (8 kB of stack in a debug build),
/// and a hostile map must not exhaust it. Five times what the longest built-in expression has.
const MAX_STEPS: usize = 160;

/// JMESPath's functions, cloud-custodian's `split(separator, text)` and our `lower(text)`: a queue's name is only found in its
/// URL, RDS keeps the name `Orders` as `orders`, and JMESPath itself can't change texts.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut runtime = Runtime::new();
    runtime.register_builtin_functions();
    let signature = Signature::new(vec![ArgumentType::String, ArgumentType::String], None);
    let split = CustomFunction::new(signature, Box::new(|args: &[Rcvar], _: &mut Context<'_>| Ok(split(args))));
    runtime.register_function("split", Box::new(split));
    let signature = Signature::new(vec![ArgumentType::String], None);
    let lower = CustomFunction::new(signature, Box::new(|args: &[Rcvar], _: &mut Context<'_>| Ok(lower(args))));
    runtime.register_function("lower", Box::new(lower));
    runtime.register_function("join", Box::new(growth::join()));
    runtime
});

/// The pieces of the second text between occurrences of the first; an empty separator cuts nothing.
fn split(args: &[Rcvar]) -> Rcvar {
    let [Some(separator), Some(text)] = [0, 1].map(|at| args.get(at).and_then(|arg| arg.as_string())) else {
        return Rcvar::new(Variable::Null);
    };
    let pieces: Vec<&str> = if separator.is_empty() { vec![text] } else { text.split(separator.as_str()).collect() };
    Rcvar::new(Variable::Array(pieces.into_iter().map(|piece| Rcvar::new(Variable::String(piece.into()))).collect()))
}

/// The text in lower case.
fn lower(args: &[Rcvar]) -> Rcvar {
    let text = args.first().and_then(|arg| arg.as_string());
    Rcvar::new(text.map_or(Variable::Null, |text| Variable::String(text.to_lowercase())))
}

impl Expression {
    /// Compiles `source`.
    ///
    /// # Errors
    /// When it isn't JMESPath, calls a function that JMESPath doesn't have or with the wrong number of arguments, is too
    /// long, or repeats its input too often.
    pub fn compile(source: &str) -> Result<Self, InvalidExpression> {
        Compiled::of(source).map(|compiled| Self::of_parts(source.into(), compiled))
    }

    fn of_parts(source: Box<str>, compiled: Compiled) -> Self {
        Self { source, compiled: OnceLock::from(Box::new(compiled)) }
    }

    fn compiled(&self) -> &Compiled {
        self.compiled.get_or_init(|| {
            debug_assert!(Compiled::of(&self.source).is_ok(), "`{}` is not from the index", self.source);
            Box::new(jmespath::parse(&self.source).expect("the build has checked it").into())
        })
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The top-level fields it reads.
    pub fn fields(&self) -> &TopLevelFields {
        &self.compiled().fields
    }

    /// Evaluates on a converted value. A type error inside (`join` over null, say) is null, as nothing was found; of
    /// `a || b` it leaves `b` to be tried.
    pub fn interpret(&self, input: &Rcvar) -> Rcvar {
        self.interpret_node(&self.compiled().ast, input)
    }

    fn interpret_node(&self, node: &Ast, input: &Rcvar) -> Rcvar {
        match node {
            Ast::Or { lhs, rhs, .. } => {
                let left = self.interpret_node(lhs, input);
                if left.is_truthy() { left } else { self.interpret_node(rhs, input) }
            }
            // Most IDs and names have these forms. They need no `RUNTIME`, which takes time to make.
            Ast::Identity { .. } => Rcvar::clone(input),
            Ast::Field { name, .. } => input.get_field(name),
            _ => {
                let mut context = Context::new(&self.source, &RUNTIME);
                jmespath::interpret(input, node, &mut context).unwrap_or_else(|_| Rcvar::new(Variable::Null))
            }
        }
    }

    /// The same expression with all field names in lower case; its texts stay as they are.
    #[must_use]
    pub fn in_lower_case(&self) -> Self {
        let ast = lower_case::fields(self.compiled().ast.clone());
        Self::of_parts(self.source.clone(), ast.into())
    }

    /// The same expression with `!a.b` as the negation of `a.b`.
    #[must_use]
    pub fn with_negated_paths(&self) -> Self {
        let ast = negation::around_paths(self.compiled().ast.clone());
        Self::of_parts(self.source.clone(), ast.into())
    }

    /// Converts `input`, evaluates, and converts back.
    pub fn search(&self, input: &Value) -> Value {
        to_value(&self.interpret(&to_variable(input)))
    }
}

/// As its text.
impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

/// Only for the packed index, because the build has checked its expressions. Texts of users go through [`Expression::compile`], which
/// refuses what is too long or repeats its input too often.
impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { source: Box::deserialize(deserializer)?, compiled: OnceLock::new() })
    }
}

impl Compiled {
    fn of(source: &str) -> Result<Self, InvalidExpression> {
        let invalid = |reason: String, byte: usize| {
            let offset = source.get(..byte).map_or(byte, |before| before.chars().count());
            InvalidExpression { expression: source.to_owned(), reason, offset }
        };
        if source.bytes().filter(|byte| b"([{!&.|=<>".contains(byte)).count() > MAX_STEPS {
            return Err(invalid(format!("it has more than {MAX_STEPS} steps; split it"), 0));
        }
        let ast = jmespath::parse(source).map_err(|error| invalid(parser_words(&error.reason), error.offset))?;
        if let Some((reason, offset)) = wrong_call(&ast) {
            return Err(invalid(reason, offset));
        }
        let copies = growth::copies(&ast);
        if copies > growth::MAX_COPIES {
            let reason = format!("its result can hold the record {copies} times; at most {}", growth::MAX_COPIES);
            return Err(invalid(reason, 0));
        }
        Ok(ast.into())
    }
}

impl From<Ast> for Compiled {
    fn from(ast: Ast) -> Self {
        Self { fields: top_level_fields(&ast), ast }
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
        // `[?a == b]` is a projection with a condition on the element as its right side, as all right sides are.
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
        Ast::Field { name, .. } => TopLevelFields::Some([name.clone()].into()),
        _ => {
            let mut names = Vec::new();
            for child in children(ast).0 {
                match top_level_fields(child) {
                    TopLevelFields::All => return TopLevelFields::All,
                    TopLevelFields::Some(more) => names.extend(more),
                }
            }
            names.sort_unstable();
            names.dedup();
            TopLevelFields::Some(names.into())
        }
    }
}

/// The parser's complaint without its prefix and its names of tokens.
fn parser_words(reason: &ErrorReason) -> String {
    let words = reason.to_string();
    let words = words.strip_prefix("Parse error: ").unwrap_or(&words);
    words
        .replace("Unexpected nud token -- found Eof", "it ends too early")
        .replace(" -- found Eof", ", but it ends there")
}

/// The first call of a function that isn't there or doesn't take so many arguments, and its byte offset.
fn wrong_call(ast: &Ast) -> Option<(String, usize)> {
    if let Ast::Function { name, args, offset: bracket } = ast {
        let offset = bracket.saturating_sub(name.len());
        if RUNTIME.get_function(name).is_none() {
            return Some((format!("there is no function {name}()"), offset));
        }
        if let Some(expected) = wrong_arity(name, args.len()) {
            return Some((format!("{name}() takes {expected} arguments, not {}", args.len()), offset));
        }
    }
    let (same, other) = children(ast);
    same.into_iter().chain(other).find_map(wrong_call)
}

/// How many arguments function `name` takes, if `count` is wrong. The library checks the number only in a call, and
/// before the types: so the function is called on nulls.
fn wrong_arity(name: &str, count: usize) -> Option<usize> {
    let null = Rcvar::new(Variable::Null);
    let args = vec![Ast::Literal { offset: 0, value: null.clone() }; count];
    let call = Ast::Function { offset: 0, name: name.to_owned(), args };
    let error = jmespath::interpret(&null, &call, &mut Context::new("", &RUNTIME)).err()?;
    match error.reason {
        ErrorReason::Runtime(
            RuntimeError::TooManyArguments { expected, .. } | RuntimeError::NotEnoughArguments { expected, .. },
        ) => Some(expected),
        _ => None,
    }
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
        let message = |source: &str| Expression::compile(source).unwrap_err().to_string();
        assert_eq!(
            message("a.lenght(b)"),
            "`a.lenght(b)` is not JMESPath: there is no function lenght() (at character 3)"
        );
        assert_eq!(
            message("'é' || join(a)"),
            "`'é' || join(a)` is not JMESPath: join() takes 2 arguments, not 1 (at character 8)"
        );
        assert_eq!(message("a ||"), "`a ||` is not JMESPath: it ends too early (at character 5)");
        assert!(message("a b").ends_with("(at character 3)"), "{}", message("a b"));
        assert!(Expression::compile("map(&length(a, b), c)").is_err());
    }

    #[test]
    fn functions_with_the_right_arguments_are_taken() {
        for source in ["join('/', a)", "map(&b, c)", "merge(a, b, c)", "not_null(a)", "sort_by(a, &b)", "to_array(@)"] {
            Expression::compile(source).unwrap();
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        for opener in ["(", "[", "{a:", "!", "f(", "&"] {
            assert!(Expression::compile(&opener.repeat(MAX_STEPS)).is_err());
            assert!(Expression::compile(&opener.repeat(100_000)).is_err());
        }
        for link in [".a", "||a", "|a", "==a"] {
            assert!(Expression::compile(&format!("a{}", link.repeat(100_000))).is_err());
            let long = format!("a{}", link.repeat(MAX_STEPS / 2));
            Expression::compile(&long).unwrap().search(&json!({"a": null}));
        }
    }

    #[test]
    fn text_is_taken_apart() {
        let last = Expression::compile("split('/', url)[-1]").unwrap();
        assert_eq!(
            last.search(&json!({"url": "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs"})),
            json!("jobs")
        );
        assert_eq!(last.search(&json!({"url": null})), Value::Null);
        assert_eq!(last.fields(), &fields("url"));
        assert_eq!(Expression::compile("split('', a)").unwrap().search(&json!({"a": "b"})), json!(["b"]));
        assert!(Expression::compile("split(a)").unwrap_err().reason.contains("takes 2 arguments"));
    }

    #[test]
    fn text_is_made_lower_case() {
        let expression = Expression::compile("lower(a) || lower(b)").unwrap();
        assert_eq!(expression.search(&json!({"a": "Orders-DB"})), json!("orders-db"));
        assert_eq!(expression.search(&json!({"a": null, "b": "B"})), json!("b"));
        assert_eq!(expression.search(&json!({"a": 1})), Value::Null);
        assert!(Expression::compile("lower()").unwrap_err().reason.contains("takes 1 arguments"));
    }

    #[test]
    fn a_type_error_finds_nothing() {
        assert_eq!(Expression::compile("join('/', a)").unwrap().search(&json!({"a": null})), Value::Null);
    }

    #[test]
    fn a_type_error_leaves_the_alternative() {
        let expression = Expression::compile("join('/', a) || join('/', b) || c").unwrap();
        assert_eq!(expression.search(&json!({"a": null, "b": 1, "c": "d"})), json!("d"));
        assert_eq!(expression.search(&json!({"a": ["x", "y"], "c": "d"})), json!("x/y"));
    }
}
