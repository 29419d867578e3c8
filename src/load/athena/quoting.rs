//! Names and texts as SQL writes them.

/// A quoted identifier.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A quoted path: `["useridentity", "type"]` → `"useridentity"."type"`.
pub(super) fn path(parts: &[&str]) -> String {
    parts.iter().map(|part| identifier(part)).collect::<Vec<_>>().join(".")
}

/// A quoted string literal. In Trino, the doubled quote is the only escape.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
