//! `!a.b` as people mean it: not (`a.b`).
//!
//! JMESPath's parsers bind `!` to `a` alone, so that `!a.b` is the field `b` of a boolean: null, whatever the input is. Nothing is lost when it
//! is read as the negation of the whole path.

use jmespath::ast::Ast;

/// The expression with each negation around the path that follows it.
pub(super) fn around_paths(mut ast: Ast) -> Ast {
    change(&mut ast);
    ast
}

fn change(ast: &mut Ast) {
    match ast {
        Ast::Subexpr { lhs, rhs, .. } | Ast::Projection { lhs, rhs, .. } => {
            change(lhs);
            change(rhs);
            if let Ast::Not { node, offset } = lhs.as_ref() {
                let (node, offset) = (node.clone(), *offset);
                *lhs = node;
                let path = std::mem::replace(ast, Ast::Identity { offset });
                *ast = Ast::Not { offset, node: Box::new(path) };
                change(ast);
            }
        }
        Ast::Comparison { lhs, rhs, .. } | Ast::And { lhs, rhs, .. } | Ast::Or { lhs, rhs, .. } => {
            change(lhs);
            change(rhs);
        }
        Ast::Condition { predicate, then, .. } => {
            change(predicate);
            change(then);
        }
        Ast::Flatten { node, .. } | Ast::Not { node, .. } | Ast::ObjectValues { node, .. } => change(node),
        Ast::Function { args, .. } => args.iter_mut().for_each(change),
        Ast::MultiList { elements, .. } => elements.iter_mut().for_each(change),
        Ast::MultiHash { elements, .. } => elements.iter_mut().for_each(|pair| change(&mut pair.value)),
        Ast::Expref { ast, .. } => change(ast),
        Ast::Field { .. } | Ast::Identity { .. } | Ast::Index { .. } | Ast::Literal { .. } | Ast::Slice { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::resource_map::Expression;

    #[test]
    fn a_negation_is_of_the_whole_path() {
        let input = json!({"a": {"b": "x", "c": {"d": [1]}}, "t": "u"});
        for (source, found) in [
            ("!a.b", false),
            ("!a.x", true),
            ("!a.c.d", false),
            ("!a.c.x", true),
            ("t == 'u' && !a.x", true),
            ("!a.x && !a.b", false),
            ("!(a.b)", false),
            ("!!a.b", true),
            ("!t", false),
            ("!a.c.d[0]", false),
        ] {
            let expression = Expression::compile(source).unwrap().with_negated_paths();
            assert_eq!(expression.search(&input), json!(found), "{source}");
        }
    }
}
