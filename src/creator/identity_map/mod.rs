//! Identity maps: a user's own rules, in order, for which callers stand for whom.
//!
//! The first rule all of whose patterns fit decides: its owner, or that there is none. An identity map is asked before all
//! other rules, so that it can also speak for services.
//!
//! A rule notes that it fitted: what never does is likely a mistake, and the user is told at the end.

mod pattern;
mod read;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::facts::Field;
use super::text_template::{Missing, TextTemplate};
use crate::trail::record::Event;
use pattern::Pattern;

/// An identity map, compiled.
#[derive(Debug)]
pub struct IdentityMap {
    /// Its file, for messages.
    name: String,
    /// What it was read from.
    text: String,
    rules: Vec<Rule>,
    /// Whether it was asked about any event.
    asked: AtomicBool,
}

#[derive(Debug)]
struct Rule {
    /// "rule pipelines (map.yml:3)", "rule 2 (map.yml:7)".
    title: String,
    /// Never empty; all must fit.
    conditions: Vec<(Field, Pattern)>,
    action: Action,
    fitted: AtomicBool,
}

#[derive(Debug)]
enum Action {
    Owner(TextTemplate<Placeholder>),
    Skip(String),
}

/// What stands in an owner's template.
#[derive(Debug, Clone)]
enum Placeholder {
    /// A named group of one of the rule's patterns.
    Group(String),
    Field(Field),
}

/// What a rule said of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The rule, and which of its patterns fitted what.
    pub(super) because: String,
    /// The rule alone.
    pub(super) rule: String,
    /// The owner; or why there is none.
    pub(super) owner: Result<String, String>,
}

impl IdentityMap {
    /// The text that it was read from: two of the same text decide the same.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the first rule that fits says.
    pub(super) fn verdict(&self, event: &Event) -> Option<Verdict> {
        self.asked.store(true, Ordering::Relaxed);
        self.rules.iter().find_map(|rule| rule.verdict(event))
    }

    /// For the case that no rule fits.
    pub(super) fn none_fits(&self) -> String {
        match self.rules.len() {
            1 => format!("the rule in {} does not match", self.name),
            count => format!("none of the {count} rules in {} match", self.name),
        }
    }

    /// The rules that fitted none of the events. None where there was no event at all.
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
            Action::Skip(reason) => Err(reason.clone()),
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
    ) -> Result<String, String> {
        let value = |placeholder: &Placeholder| match placeholder {
            Placeholder::Group(name) => groups.get(name.as_str()).map(|text| text.clone().into()),
            Placeholder::Field(field) => field.of(event),
        };
        template
            .render(value)
            .map_err(|Missing(name)| format!("its `owner` uses {{{name}}}, which this event does not have"))
    }
}
