//! Whether an expression gives one value or a list of them, decided by its form alone.
//!
//! For databases of c7n-trailcreator, in which a list is joined into one text: an id that merely holds the same characters must not be
//! taken apart.

use jmespath::ast::Ast;

use super::Expression;

/// What an expression gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// A single value: `requestParameters.roleName`.
    One,
    /// A list: `responseElements.instancesSet.items[].instanceId`, `requestParameters.alarmNames`.
    List,
    /// Its form does not decide it.
    Either,
}

/// Functions of JMESPath (and custodian's `split`, our `lower`) that give lists…
const LISTS: [&str; 8] = ["keys", "map", "reverse", "sort", "sort_by", "split", "to_array", "values"];
/// …and those that give texts or numbers.
const SCALARS: [&str; 13] = [
    "abs",
    "avg",
    "ceil",
    "contains",
    "ends_with",
    "floor",
    "join",
    "length",
    "lower",
    "starts_with",
    "sum",
    "to_number",
    "to_string",
];

impl Expression {
    /// Whether it gives one value or a list.
    pub fn gives(&self) -> Cardinality {
        gives(&self.compiled().ast)
    }
}

fn gives(ast: &Ast) -> Cardinality {
    match ast {
        Ast::Field { name, .. } => field(name),
        Ast::Projection { .. }
        | Ast::Flatten { .. }
        | Ast::ObjectValues { .. }
        | Ast::MultiList { .. }
        | Ast::Slice { .. } => Cardinality::List,
        Ast::Index { .. } | Ast::Comparison { .. } | Ast::Not { .. } => Cardinality::One,
        Ast::Subexpr { rhs, .. } | Ast::And { rhs, .. } => gives(rhs),
        Ast::Condition { then, .. } => gives(then),
        Ast::Or { lhs, rhs, .. } => match (gives(lhs), gives(rhs)) {
            (left, right) if left == right => left,
            _ => Cardinality::Either,
        },
        Ast::Function { name, .. } if LISTS.contains(&name.as_str()) => Cardinality::List,
        Ast::Function { name, .. } if SCALARS.contains(&name.as_str()) => Cardinality::One,
        Ast::Function { .. }
        | Ast::Identity { .. }
        | Ast::Literal { .. }
        | Ast::MultiHash { .. }
        | Ast::Expref { .. } => Cardinality::Either,
    }
}

/// CloudTrail's own names: lists are in the plural (`alarmNames`), or called lists and sets.
fn field(name: &str) -> Cardinality {
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    match name.ends_with('s') {
        true if ends(&["ss", "us", "is", "as", "dns"]) => Cardinality::Either,
        true => Cardinality::List,
        false if ends(&["List", "Set", "list", "set", "items", "item", "member"]) => Cardinality::Either,
        false => Cardinality::One,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_decides_between_one_and_many() {
        for (gives, expressions) in [
            (
                Cardinality::One,
                &[
                    "requestParameters.roleName",
                    "responseElements.a.b || requestParameters.c",
                    "a.b == 'x' && a.name",
                    "split('/', a.url)[-1]",
                    "a.items[0]",
                    "join('/', [a.b, a.c])",
                ][..],
            ),
            (
                Cardinality::List,
                &[
                    "a.items[].id",
                    "a.items[*].b.id",
                    "[a.url, a.name]",
                    "to_array(a.b)[].id",
                    "a.names",
                    "a.items[].id || to_array(a.item)[].id",
                    "a.*",
                    "a.items[?b].id",
                    "to_array(a.item)",
                ],
            ),
            (Cardinality::Either, &["a.itemList", "a.address", "a.names || a.name", "@", "not_null(a, b)", "a.item"]),
        ] {
            for expression in expressions {
                assert_eq!(Expression::compile(expression).unwrap().gives(), gives, "{expression}");
            }
        }
    }
}
