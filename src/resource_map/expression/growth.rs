//! How much larger than its input the result of an expression can be.
//!
//! `join('', [@, @])` doubles a text, and forty of them in a row take a trillion times its memory. So it is computed, before an expression is
//! used, how often a part of the input can be in the result: lists add, steps multiply. `join` repeats its separator besides, as often
//! as the list is long; it has a limit when it runs.

use jmespath::ast::Ast;
use jmespath::functions::{ArgumentType, CustomFunction, Signature};
use jmespath::{Context, Rcvar, Variable};

/// The most copies of its input in an expression's result. The built-in map needs a tenth.
pub(super) const MAX_COPIES: u64 = 256;

/// The longest text that `join` makes, in bytes: that of the longest record.
const MAX_JOINED: usize = 16 * 1024 * 1024;

/// How often a part of the input can be in the result; saturating.
pub(super) fn copies(ast: &Ast) -> u64 {
    match ast {
        Ast::Identity { .. } | Ast::Field { .. } | Ast::Index { .. } | Ast::Slice { .. } | Ast::Literal { .. } => 1,
        Ast::Comparison { .. } | Ast::Not { .. } => 1,
        Ast::And { lhs, rhs, .. } | Ast::Or { lhs, rhs, .. } => copies(lhs).max(copies(rhs)),
        Ast::Condition { then, .. } => copies(then),
        Ast::Subexpr { lhs, rhs, .. } | Ast::Projection { lhs, rhs, .. } => copies(lhs).saturating_mul(copies(rhs)),
        Ast::Flatten { node, .. } | Ast::ObjectValues { node, .. } => copies(node),
        Ast::MultiList { elements, .. } => sum(elements.iter().map(copies)),
        Ast::MultiHash { elements, .. } => sum(elements.iter().map(|pair| copies(&pair.value))),
        Ast::Expref { ast, .. } => copies(ast),
        Ast::Function { args, .. } => {
            let is_reference = |arg: &&Ast| matches!(arg, Ast::Expref { .. });
            let references = args.iter().filter(is_reference).map(copies);
            let values = sum(args.iter().filter(|arg| !is_reference(arg)).map(copies));
            references.fold(values.max(1), u64::saturating_mul)
        }
    }
}

fn sum(parts: impl Iterator<Item = u64>) -> u64 {
    parts.fold(0, u64::saturating_add)
}

/// JMESPath's `join(separator, texts)`; null where the result would be longer than [`MAX_JOINED`].
pub(super) fn join() -> CustomFunction {
    let texts = ArgumentType::TypedArray(Box::new(ArgumentType::String));
    let signature = Signature::new(vec![ArgumentType::String, texts], None);
    CustomFunction::new(signature, Box::new(|args: &[Rcvar], _: &mut Context<'_>| Ok(joined(args))))
}

fn joined(args: &[Rcvar]) -> Rcvar {
    let [separator, list] = args else { return Rcvar::new(Variable::Null) };
    let (Some(separator), Some(list)) = (separator.as_string(), list.as_array()) else {
        return Rcvar::new(Variable::Null);
    };
    let texts: Vec<&str> = list.iter().filter_map(|text| text.as_string()).map(String::as_str).collect();
    let length =
        texts.iter().fold(separator.len().saturating_mul(texts.len()), |sum, text| sum.saturating_add(text.len()));
    let result = if length > MAX_JOINED { Variable::Null } else { Variable::String(texts.join(separator)) };
    Rcvar::new(result)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Expression;

    #[test]
    fn expressions_that_explode_are_refused() {
        let forty = format!("a{}", " | join('', [@, @])".repeat(40));
        for hostile in
            [forty.as_str(), &format!("a{}", " | [@, @]".repeat(40)), &format!("a{}", " | {a: @, b: @}".repeat(30))]
        {
            let refused = Expression::compile(hostile).unwrap_err();
            assert!(refused.reason.starts_with("its result can hold the record"), "{}", refused.reason);
        }
        assert!(Expression::compile(&format!("a{}", " | map(&[@, @], [@, @])".repeat(10))).is_err());
        Expression::compile("a | join('', [@, @]) | join('', [@, @])").unwrap();
    }

    #[test]
    fn join_is_jmespaths_up_to_its_limit() {
        let join = |source: &str, input: &Value| Expression::compile(source).unwrap().search(input);
        assert_eq!(join("join('/', a)", &json!({"a": ["x", "y"]})), json!("x/y"));
        assert_eq!(join("join('/', a)", &json!({"a": []})), json!(""));
        assert_eq!(join("join('/', a)", &json!({"a": ["x", 1]})), Value::Null);
        let texts = vec!["x"; 20_000];
        let quadratic = json!({"separator": "s".repeat(20_000), "a": texts});
        assert_eq!(join("join(separator, a)", &quadratic), Value::Null);
    }
}
