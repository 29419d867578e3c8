//! A pattern for a text: a glob (`ci-*`), or a regular expression between slashes (`/ci-(?<team>[a-z]+)/`). Both must match
//! the whole text, so `admin` does not match `not-admin`.

use std::fmt;

use regex::{Regex, RegexBuilder};

/// The maximum size of a compiled expression, in bytes: far more than any rule needs, but a hostile one can't exceed it.
const MAX_COMPILED_BYTES: usize = 1024 * 1024;

/// A pattern that is not a valid regular expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pattern} is not a valid regular expression: {reason}")]
pub(crate) struct InvalidPattern {
    pattern: String,
    reason: String,
}

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    source: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// The pattern is not a valid regular expression.
    pub(crate) fn parse(source: &str) -> Result<Self, InvalidPattern> {
        Self::compile(source, false)
    }

    /// Compiles a pattern that ignores case.
    ///
    /// # Errors
    /// As [`Pattern::parse`].
    pub(crate) fn parse_ignoring_case(source: &str) -> Result<Self, InvalidPattern> {
        Self::compile(source, true)
    }

    fn compile(source: &str, ignores_case: bool) -> Result<Self, InvalidPattern> {
        let expression = match between_slashes(source) {
            Some(expression) => format!("^(?:{expression})$"),
            None => format!("(?s)^{}$", of_glob(source)),
        };
        let regex = RegexBuilder::new(&expression)
            .size_limit(MAX_COMPILED_BYTES)
            .case_insensitive(ignores_case)
            .build()
            .map_err(|error| InvalidPattern { pattern: source.to_owned(), reason: reason(&error) })?;
        Ok(Self { source: source.to_owned(), regex })
    }

    /// The names of its groups.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &str> {
        self.regex.capture_names().flatten()
    }

    /// The texts of the named groups, if the pattern matches.
    pub(crate) fn fit<'p>(&'p self, text: &str) -> Option<Vec<(&'p str, String)>> {
        let captures = self.regex.captures(text)?;
        let groups = self.groups().filter_map(|name| Some((name, captures.name(name)?.as_str().to_owned())));
        Some(groups.collect())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.source)
    }
}

/// Whether a pattern matches only itself.
pub(crate) fn is_literal(source: &str) -> bool {
    between_slashes(source).is_none() && !source.contains(['*', '?'])
}

fn between_slashes(source: &str) -> Option<&str> {
    source.strip_prefix('/')?.strip_suffix('/')
}

/// `*` matches any text, `?` any character. All other characters match themselves.
fn of_glob(glob: &str) -> String {
    let mut expression = String::new();
    for character in glob.chars() {
        match character {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            other => expression.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    expression
}

/// The last line of the parser's message has the reason. The lines before it show the position.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or(&text);
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern).unwrap().fit(text).is_some()
    }

    #[test]
    fn globs_match_whole_texts_and_only_star_and_question_mark_are_special() {
        for (glob, text) in
            [("ci-*", "ci-build"), ("*", ""), ("a?c", "abc"), ("a?c", "aüc"), ("a.c", "a.c"), ("a+(b)", "a+(b)")]
        {
            assert!(fits(glob, text), "{glob} {text}");
        }
        for (glob, text) in [("ci-*", "my-ci-build"), ("admin", "Admin"), ("a?c", "ac"), ("a.c", "abc"), ("", "x")] {
            assert!(!fits(glob, text), "{glob} {text}");
        }
        assert!(fits("*x", "a\nx"), "any text");
    }

    #[test]
    fn regular_expressions_match_whole_texts_and_return_groups() {
        assert!(fits("/ci-.+/", "ci-build") && !fits("/ci/", "ci-build") && fits("/(?i)ADMIN/", "admin"));
        assert!(fits(r"/\w+@\d+/", "ann@1"));
        assert!(!fits("/a|b/", "ab"), "the whole text, for each of the alternatives");
        let pattern = Pattern::parse("/ci-(?<team>[a-z]+)(-(?P<stage>.+))?/").unwrap();
        assert_eq!(pattern.groups().collect::<Vec<_>>(), ["team", "stage"]);
        let some = |text: &str| text.to_owned();
        assert_eq!(pattern.fit("ci-data-prod"), Some(vec![("team", some("data")), ("stage", some("prod"))]));
        assert_eq!(pattern.fit("ci-data"), Some(vec![("team", some("data"))]));
    }

    #[test]
    fn invalid_expression_is_an_error() {
        let error = Pattern::parse("/ci-(/").unwrap_err().to_string();
        assert_eq!(error, "/ci-(/ is not a valid regular expression: unclosed group");
        assert!(Pattern::parse("/(a{1000}){1000}/").unwrap_err().to_string().contains("size limit"));
    }
}
