//! An expression for input with all field names in lower case.

use jmespath::ast::{Ast, KeyValuePair};

/// The expression with its field names in lower case.
pub(super) fn fields(mut ast: Ast) -> Ast {
    change(&mut ast);
    ast
}

fn change(ast: &mut Ast) {
    match ast {
        Ast::Field { name, .. } => *name = name.to_lowercase(),
        Ast::Comparison { lhs, rhs, .. }
        | Ast::And { lhs, rhs, .. }
        | Ast::Or { lhs, rhs, .. }
        | Ast::Subexpr { lhs, rhs, .. }
        | Ast::Projection { lhs, rhs, .. } => [lhs, rhs].into_iter().for_each(|side| change(side)),
        Ast::Condition { predicate, then, .. } => [predicate, then].into_iter().for_each(|part| change(part)),
        Ast::Flatten { node, .. } | Ast::Not { node, .. } | Ast::ObjectValues { node, .. } => change(node),
        Ast::Function { args, .. } => args.iter_mut().for_each(change),
        Ast::MultiList { elements, .. } => elements.iter_mut().for_each(change),
        Ast::MultiHash { elements, .. } => {
            for KeyValuePair { key, value } in elements {
                *key = key.to_lowercase();
                change(value);
            }
        }
        Ast::Expref { ast, .. } => change(ast),
        Ast::Identity { .. } | Ast::Index { .. } | Ast::Literal { .. } | Ast::Slice { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::resource_map::Expression;

    #[test]
    fn field_names_change_and_texts_and_functions_do_not() {
        for (source, found) in [
            ("B.List[?Kind == 'A'].Id | [0]", json!("1")),
            ("!(B.Not) && join('/', [B.Name, 'Z'])", json!("n/Z")),
            ("map(&Id, B.List)", json!(["1", "2"])),
            ("{Made: B.Name}.Made", json!("n")),
            ("B.*[].Id || B.None", json!(["1", "2"])),
        ] {
            let lower = Expression::compile(source).unwrap().in_lower_case();
            let input = json!({"b": {"list": [{"kind": "A", "id": "1"}, {"kind": "B", "id": "2"}], "name": "n"}});
            assert_eq!(lower.search(&input), found, "{source}");
        }
    }
}
