//! Identity maps: ordered rules of the user that map principals to owners.
//!
//! The first rule with only matching patterns decides: it sets the owner, or that there is none. An identity map applies
//! before all other rules, so it also covers AWS services.
//!
//! A rule records that it matched. A rule that never matches is probably a mistake, and is reported at the end.

mod read;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::facts::Field;
use super::text_template::{Missing, TextTemplate};
use crate::model::event::Event;
use crate::text::pattern::Pattern;

/// An identity map, compiled.
#[derive(Debug)]
pub struct IdentityMap {
    /// The file name, for messages.
    name: String,
    /// The text of the file.
    text: String,
    rules: Vec<Rule>,
    /// Whether the map was applied to any event.
    asked: AtomicBool,
}

#[derive(Debug)]
struct Rule {
    /// "rule pipelines (map.yml:3)", "rule 2 (map.yml:7)".
    title: String,
    /// Never empty. All must match.
    conditions: Vec<(Field, Pattern)>,
    action: Action,
    fitted: AtomicBool,
}

#[derive(Debug)]
enum Action {
    Owner(TextTemplate<Placeholder>),
    Skip(String),
}

/// A placeholder in an owner template.
#[derive(Debug, Clone)]
enum Placeholder {
    /// A named group of one of the rule's patterns.
    Group(String),
    Field(Field),
}

/// The result of a rule for an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The rule, with its patterns and the values that they matched.
    pub(super) because: String,
    /// The rule alone.
    pub(super) rule: String,
    /// The owner, or the reason for having none.
    pub(super) owner: Result<String, NoMappedOwner>,
}

/// Why a matching rule gives no owner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoMappedOwner {
    /// The rule skips; its reason.
    #[error("{0}")]
    Skipped(String),
    /// The event lacks a field of the rule's template.
    #[error("its `owner` uses {{{0}}}, which this event does not have")]
    NoField(String),
}

impl IdentityMap {
    /// The text of the map. Maps with the same text decide the same.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The result of the first matching rule.
    pub(super) fn verdict(&self, event: &Event) -> Option<Verdict> {
        self.asked.store(true, Ordering::Relaxed);
        self.rules.iter().find_map(|rule| rule.verdict(event))
    }

    /// The message if no rule matches.
    pub(super) fn none_fits(&self) -> String {
        match self.rules.len() {
            1 => format!("the rule in {} does not match", self.name),
            count => format!("none of the {count} rules in {} match", self.name),
        }
    }

    /// The rules that matched no event. Empty if the map was applied to no event.
    pub fn unused(&self) -> impl Iterator<Item = &str> {
        let asked = self.asked.load(Ordering::Relaxed);
        let unused = self.rules.iter().filter(move |rule| asked && !rule.fitted.load(Ordering::Relaxed));
        unused.map(|rule| rule.title.as_str())
    }
}

impl Rule {
    fn verdict(&self, event: &Event) -> Option<Verdict> {
        let mut groups: HashMap<&str, String> = HashMap::new();
        let mut because = Vec::new();
        for (field, pattern) in &self.conditions {
            let value = field.of(event)?;
            groups.extend(pattern.fit(&value)?);
            because.push(format!("{} {value} matches {pattern}", field.name()));
        }
        self.fitted.store(true, Ordering::Relaxed);
        let owner = match &self.action {
            Action::Skip(reason) => Err(NoMappedOwner::Skipped(reason.clone())),
            Action::Owner(template) => self.owner(template, &groups, event),
        };
        let because = format!("{}: {}", self.title, because.join(", "));
        Some(Verdict { because, rule: self.title.clone(), owner })
    }

    fn owner(
        &self,
        template: &TextTemplate<Placeholder>,
        groups: &HashMap<&str, String>,
        event: &Event,
    ) -> Result<String, NoMappedOwner> {
        let value = |placeholder: &Placeholder| match placeholder {
            Placeholder::Group(name) => groups.get(name.as_str()).map(|text| text.clone().into()),
            Placeholder::Field(field) => field.of(event),
        };
        template.render(value).map_err(|Missing(name)| NoMappedOwner::NoField(name.to_owned()))
    }
}
