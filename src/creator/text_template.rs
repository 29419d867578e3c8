//! Text with named placeholders: `{session}@example.com`. `{{` and `}}` are literal braces.

use std::borrow::Cow;

use crate::resource_map::template::{self, RawPart, split};
use crate::text::source::instead;

/// A template with placeholders of type `P`.
#[derive(Debug, Clone)]
pub(super) struct TextTemplate<P> {
    parts: Vec<Part<P>>,
}

#[derive(Debug, Clone)]
enum Part<P> {
    Text(String),
    Placeholder { name: String, meaning: P },
}

/// Why a template can't be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTemplate {
    /// A brace without its partner.
    #[error(transparent)]
    Braces(#[from] template::InvalidTemplate),
    /// A placeholder that this template does not have.
    #[error("unknown placeholder {{{name}}}; {}", instead(name, &.allowed.iter().map(String::as_str).collect::<Vec<_>>()))]
    UnknownPlaceholder {
        /// As written.
        name: String,
        /// The placeholders that it has.
        allowed: Vec<String>,
    },
}

impl InvalidTemplate {
    /// The error for a placeholder that is none of these.
    pub(super) fn unknown<'n>(name: &str, allowed: impl IntoIterator<Item = &'n str>) -> Self {
        Self::UnknownPlaceholder { name: name.to_owned(), allowed: allowed.into_iter().map(str::to_owned).collect() }
    }
}

/// A placeholder that has no value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Missing<'t, P> {
    /// Its name.
    pub(super) name: &'t str,
    pub(super) meaning: &'t P,
}

impl<P> TextTemplate<P> {
    /// Parses a template. `meaning` resolves the name of a placeholder.
    ///
    /// # Errors
    /// An unbalanced brace, or the error of `meaning`.
    pub(super) fn parse(
        source: &str,
        meaning: impl Fn(&str) -> Result<P, InvalidTemplate>,
    ) -> Result<Self, InvalidTemplate> {
        let parts = split(source)?;
        let parts = parts.into_iter().map(|part| match part {
            RawPart::Text(text) => Ok(Part::Text(text)),
            RawPart::Placeholder(name) => {
                let name = name.trim();
                Ok(Part::Placeholder { name: name.to_owned(), meaning: meaning(name)? })
            }
        });
        Ok(Self { parts: parts.collect::<Result<_, InvalidTemplate>>()? })
    }

    /// The placeholders.
    pub(super) fn meanings(&self) -> impl Iterator<Item = &P> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Placeholder { meaning, .. } => Some(meaning),
        })
    }

    /// The text with all placeholders filled in.
    ///
    /// # Errors
    /// A placeholder has no value.
    pub(super) fn render<'v>(&self, value: impl Fn(&P) -> Option<Cow<'v, str>>) -> Result<String, Missing<'_, P>> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Placeholder { name, meaning } => text.push_str(&value(meaning).ok_or(Missing { name, meaning })?),
            }
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(source: &str) -> Result<TextTemplate<usize>, InvalidTemplate> {
        const KNOWN: [&str; 2] = ["a", "b"];
        let meaning = |name: &str| KNOWN.iter().position(|known| *known == name);
        TextTemplate::parse(source, |name| meaning(name).ok_or_else(|| InvalidTemplate::unknown(name, KNOWN)))
    }

    #[test]
    fn placeholders_are_filled_in() {
        let template = parse("{a}-{{x}}-{ b }").unwrap();
        let render = |values: [Option<&'static str>; 2]| {
            template.render(|at: &usize| values[*at].map(Cow::Borrowed)).map_err(|missing| missing.name.to_owned())
        };
        assert_eq!(render([Some("1"), Some("2")]).as_deref(), Ok("1-{x}-2"));
        assert_eq!(render([Some("1"), None]), Err("b".to_owned()));
    }

    #[test]
    fn invalid_templates_are_refused() {
        let error = |source| parse(source).unwrap_err().to_string();
        assert!(error("{c}").starts_with("unknown placeholder {c}; "), "{}", error("{c}"));
        assert!(error("{a").contains("brace"), "{}", error("{a"));
    }
}
