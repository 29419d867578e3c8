//! Reads an identity map from YAML and reports errors in it. `docs/owners.md` documents the format.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::{Action, IdentityMap, Placeholder, Rule};
use crate::creator::facts::{FIELDS, Field};
use crate::creator::text_template::{InvalidTemplate, TextTemplate};
use crate::resource_map::FileError;
use crate::text::pattern::Pattern;
use crate::text::source::{Source, Text, read_file};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rules: Spanned<Vec<Spanned<Stanza>>>,
}

/// A rule. That `owner` and `skip` exclude each other is checked later, for a better message.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stanza {
    name: Option<String>,
    r#type: Option<Text>,
    account: Option<Text>,
    arn: Option<Text>,
    role: Option<Text>,
    session: Option<Text>,
    user: Option<Text>,
    source_identity: Option<Text>,
    provider: Option<Text>,
    invoked_by: Option<Text>,
    user_agent: Option<Text>,
    owner: Option<Text>,
    skip: Option<Text>,
}

impl Stanza {
    fn patterns(&self) -> impl Iterator<Item = (Field, &Text)> {
        let all = [
            (Field::Type, &self.r#type),
            (Field::Account, &self.account),
            (Field::Arn, &self.arn),
            (Field::Role, &self.role),
            (Field::Session, &self.session),
            (Field::User, &self.user),
            (Field::SourceIdentity, &self.source_identity),
            (Field::Provider, &self.provider),
            (Field::InvokedBy, &self.invoked_by),
            (Field::UserAgent, &self.user_agent),
        ];
        all.into_iter().filter_map(|(field, text)| Some((field, text.as_ref()?)))
    }
}

impl IdentityMap {
    /// Reads a file.
    ///
    /// # Errors
    /// The file can't be read or is not a valid identity map. The message has file, line, column and a correction.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        let (name, text) = read_file(path, "the identity map")?;
        Self::parse(&name, &text)
    }

    /// Reads a text. `name` is the file name for messages.
    ///
    /// # Errors
    /// As [`IdentityMap::load`].
    pub fn parse(name: &str, text: &str) -> Result<Self, FileError> {
        let source = Source { name, text };
        let File { rules } = source.parse()?;
        if rules.value.is_empty() {
            return Err(source.error(rules.referenced, "an identity map needs at least one rule here"));
        }
        let rules = (1..).zip(&rules.value).map(|(number, stanza)| compile(source, number, stanza));
        let rules = rules.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { name: name.to_owned(), text: text.to_owned(), rules, asked: AtomicBool::new(false) })
    }
}

fn compile(
    source: Source<'_>,
    number: usize,
    Spanned { value: stanza, referenced, .. }: &Spanned<Stanza>,
) -> Result<Rule, FileError> {
    let mut conditions = Vec::new();
    for (field, text) in stanza.patterns() {
        let pattern = Pattern::parse(&text.value).map_err(|why| source.error(text.referenced, why.to_string()))?;
        conditions.push((field, pattern));
    }
    if conditions.is_empty() {
        let message = "the rule has no pattern; to match every caller, write `arn: \"*\"`";
        return Err(source.error(*referenced, message));
    }
    let action = action(source, *referenced, stanza, &conditions)?;
    let called = stanza.name.clone().unwrap_or_else(|| number.to_string());
    let title = format!("rule {called} ({})", source.place(*referenced).file_and_line());
    Ok(Rule { title, conditions, action, fitted: AtomicBool::new(false) })
}

fn action(
    source: Source<'_>,
    at: Location,
    stanza: &Stanza,
    conditions: &[(Field, Pattern)],
) -> Result<Action, FileError> {
    match (&stanza.owner, &stanza.skip) {
        (Some(owner), None) => {
            let template = TextTemplate::parse(&owner.value, |name| placeholder(name, conditions));
            Ok(Action::Owner(template.map_err(|why| source.error(owner.referenced, why.to_string()))?))
        }
        (None, Some(reason)) if reason.value.trim().is_empty() => {
            Err(source.error(reason.referenced, "`skip` needs a reason, such as skip: \"created by a pipeline\""))
        }
        (None, Some(reason)) => Ok(Action::Skip(reason.value.clone())),
        (Some(_), Some(skip)) => {
            Err(source.error(skip.referenced, "a rule can't have both `owner` and `skip`: remove one of them"))
        }
        (None, None) => Err(source.error(at, "the rule has no result: add `owner` (a template) or `skip` (a reason)")),
    }
}

fn placeholder(name: &str, conditions: &[(Field, Pattern)]) -> Result<Placeholder, InvalidTemplate> {
    let groups = || conditions.iter().flat_map(|(_, pattern)| pattern.groups());
    if groups().any(|group| group == name) {
        return Ok(Placeholder::Group(name.to_owned()));
    }
    Field::parse(name)
        .map(Placeholder::Field)
        .ok_or_else(|| InvalidTemplate::unknown(name, groups().chain(FIELDS.iter().map(|(name, _)| *name))))
}
