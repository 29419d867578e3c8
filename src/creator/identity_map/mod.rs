//! Identity maps: ordered rules of the user that map principals and resources to owners.
//!
//! The first rule with only matching patterns decides: it sets the owner, or that there is none. A rule with a template that can't be
//! filled in (a person without a row in the table of people) leaves the decision to the rules after it. An identity map applies before
//! all other rules, so it also covers AWS services and resources without a create event; its `default` applies after all other rules.
//!
//! A rule records that it matched. A rule that never matches is probably a mistake, and is reported at the end.

mod fit;
mod read;
#[cfg(test)]
mod tests;
mod verdict;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::facts::Field;
use super::owner::OwnerRules;
use super::people_table::{PeopleTable, Person, PersonMatch};
use super::person_names::PersonNames;
pub use super::resource_field::LiveFact;
use super::sought::{DATABASE_HAS_NONE, ResourceFacts};
use super::template_field::TemplateField;
use super::text_template::{Missing, TextTemplate};
use crate::model::event::Event;
use crate::text::pattern::Pattern;
use fit::{Fit, ResourcePatterns};
pub(super) use verdict::{Decision, Verdict};
pub use verdict::{NoMappedOwner, NoPerson, Undecided};

/// An identity map, compiled.
#[derive(Debug)]
pub struct IdentityMap {
    /// The file name, for messages.
    name: String,
    /// The text of the file.
    text: String,
    people: Option<PeopleTable>,
    /// The accounts file with the tags of accounts.
    accounts: Option<PathBuf>,
    rules: Vec<Rule>,
    /// The owner that no rule gives.
    default: Option<Rule>,
    /// Whether the map was applied to any event.
    asked: AtomicBool,
}

#[derive(Debug)]
struct Rule {
    /// "rule pipelines (map.yml:3)", "rule 2 (map.yml:7)".
    title: String,
    /// For the principal. All must match.
    principal: Vec<(Field, Pattern)>,
    /// For the person, by column. All must match.
    person: Vec<(usize, Pattern)>,
    resource: ResourcePatterns,
    action: Action,
    fitted: AtomicBool,
    /// Whether it could not be decided without AWS.
    undecided: AtomicBool,
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
    Field(TemplateField),
    /// A column of the table of people.
    Column(usize),
    /// A tag of the resource's account, by key.
    AccountTag(String),
}

/// What a map is applied to.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) event: Option<&'a Event>,
    pub(super) resource: Option<&'a ResourceFacts<'a>>,
    /// The names of the person behind the event.
    pub(super) names: &'a PersonNames,
    /// The rules that the map is part of: they have the tags of accounts and the names of Identity Center users.
    pub(super) rules: &'a OwnerRules,
    /// Whether a rule that can't be decided counts as one that does not match.
    pub(super) assumes_no_match: bool,
}

/// What the patterns of a rule matched.
#[derive(Default)]
struct Matched<'p> {
    groups: HashMap<&'p str, String>,
    because: Vec<String>,
}

impl<'p> Matched<'p> {
    fn add(&mut self, because: fmt::Arguments<'_>, groups: Vec<(&'p str, String)>) {
        self.because.push(because.to_string());
        self.groups.extend(groups);
    }
}

impl IdentityMap {
    /// The texts of the map and of its table of people, if it has one. Maps with the same texts decide the same.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.text.as_str()).chain(self.people.as_ref().map(PeopleTable::text))
    }

    /// The accounts file that the map names for the tags of accounts.
    pub fn accounts_file(&self) -> Option<&Path> {
        self.accounts.as_deref()
    }

    /// Whether the names of the person behind an event matter.
    pub(super) fn has_people(&self) -> bool {
        self.people.is_some()
    }

    /// Whether the tags of resources matter: rules match or use them, or the name that a tag can change.
    pub fn needs_tags(&self) -> bool {
        let uses_tags = |rule: &Rule| rule.fields().any(TemplateField::needs_tags);
        self.rules.iter().chain(&self.default).any(|rule| rule.resource.needs_tags() || uses_tags(rule))
    }

    /// Whether owners depend on the tags of accounts.
    pub fn needs_account_tags(&self) -> bool {
        let is_tag = |rule: &Rule| match &rule.action {
            Action::Owner(template) => template.meanings().any(|meaning| matches!(meaning, Placeholder::AccountTag(_))),
            Action::Skip(_) => false,
        };
        self.rules.iter().chain(&self.default).any(is_tag)
    }

    /// The result of the first matching rule with a value.
    pub(super) fn verdict(&self, subject: Subject<'_>) -> Verdict {
        self.asked.store(true, Ordering::Relaxed);
        let found = self.people.as_ref().map_or(PersonMatch::NoRow, |people| people.find(&subject.names.all));
        let mut waits = None;
        for rule in &self.rules {
            let mut matched = Matched::default();
            match rule.fit(subject, found, &mut matched) {
                Fit::No => {}
                Fit::Unknown(..) if subject.assumes_no_match => {}
                Fit::Unknown(fact, why) => {
                    return Verdict::Undecided(rule.undecided(fact, why));
                }
                Fit::Yes => {
                    rule.fitted.store(true, Ordering::Relaxed);
                    match self.decide(rule, subject, found, &matched) {
                        Ok(decision) if rule.has_patterns() => return Verdict::Decided(decision),
                        Ok(decision) if decision.person.is_some() => return Verdict::Decided(decision),
                        Ok(decision) => return Verdict::General(decision),
                        Err(decision) => waits = waits.or(decision),
                    }
                }
            }
        }
        waits.map_or(Verdict::NoMatch, |decision| Verdict::Waits(*decision))
    }

    /// The owner for what no rule gives one. `None` without a default, or if its template has no value.
    ///
    /// # Errors
    /// The default depends on a fact that is not known.
    pub(super) fn default_owner(&self, subject: Subject<'_>) -> Result<Option<Decision>, Undecided> {
        let Some(rule) = &self.default else { return Ok(None) };
        match rule.unknown_field(subject) {
            Some(_) if subject.assumes_no_match => return Ok(None),
            Some((fact, why)) => return Err(rule.undecided(fact, why)),
            None => {}
        }
        let found = self.people.as_ref().map_or(PersonMatch::NoRow, |people| people.find(&subject.names.all));
        Ok(self.decide(rule, subject, found, &Matched::default()).ok())
    }

    /// The message if no rule matches.
    pub(super) fn none_fits(&self) -> String {
        match self.rules.len() {
            1 => format!("the rule in {} does not match", self.name),
            count => format!("none of the {count} rules in {} match", self.name),
        }
    }

    /// The rules that matched nothing. Empty if the map was not applied.
    pub fn unused(&self) -> impl Iterator<Item = &str> {
        let asked = self.asked.load(Ordering::Relaxed);
        let is_unused = |rule: &&Rule| !rule.fitted.load(Ordering::Relaxed) && !rule.undecided.load(Ordering::Relaxed);
        self.rules.iter().filter(move |_| asked).filter(is_unused).map(|rule| rule.title.as_str())
    }

    /// The rules that could not be decided for some resource, because the database has no tags.
    pub fn undecided(&self) -> impl Iterator<Item = &str> {
        let undecided = self.rules.iter().filter(|rule| rule.undecided.load(Ordering::Relaxed));
        undecided.map(|rule| rule.title.as_str())
    }

    /// The result of a matching rule. The error: it has no value; `None` if that is no news, because the rule is about people and no
    /// person is known, or because there is no event.
    fn decide(
        &self,
        rule: &Rule,
        subject: Subject<'_>,
        found: PersonMatch<'_>,
        matched: &Matched<'_>,
    ) -> Result<Decision, Option<Box<Decision>>> {
        let decision = |owner, person: Option<Person<'_>>| {
            let mut because = matched.because.clone();
            let person = person.map(|person| format!("{} ({})", subject.names.shown, person.place()));
            because.extend(person.as_ref().map(|person| format!("person {person}")));
            let because = if because.is_empty() { "matches everything".to_owned() } else { because.join(", ") };
            Decision { because: format!("{}: {because}", rule.title), rule: rule.title.clone(), person, owner }
        };
        let template = match &rule.action {
            Action::Skip(reason) => return Ok(decision(Err(NoMappedOwner::Skipped(reason.clone())), None)),
            Action::Owner(template) => template,
        };
        let person = if let PersonMatch::Person(person) = found { Some(person) } else { None };
        let speaks =
            !rule.person.is_empty() || template.meanings().any(|meaning| matches!(meaning, Placeholder::Column(_)));
        let person = person.filter(|_| speaks);
        match template.render(|placeholder| placeholder.value(subject, person, matched)) {
            Ok(owner) => Ok(decision(Ok(owner), person)),
            Err(Missing { name, meaning }) => {
                let why = self.why_missing(subject, found, name, meaning);
                Err(why.map(|why| Box::new(decision(Err(why), person))))
            }
        }
    }

    fn why_missing(
        &self,
        subject: Subject<'_>,
        found: PersonMatch<'_>,
        placeholder: &str,
        meaning: &Placeholder,
    ) -> Option<NoMappedOwner> {
        subject.event?;
        Some(match meaning {
            Placeholder::Column(column) => {
                let name = Some(&subject.names.shown).filter(|name| !name.is_empty())?.clone();
                let table = self.people.as_ref()?;
                NoMappedOwner::NoPerson(match found {
                    PersonMatch::NoRow => NoPerson::NoRow { name, table: table.name().to_owned() },
                    PersonMatch::Ambiguous { name: found, rows: (first, second) } => NoPerson::Ambiguous {
                        name,
                        found: found.to_owned(),
                        first: table.place(first),
                        second: table.place(second),
                    },
                    PersonMatch::Person(person) => {
                        let column = table.columns().nth(*column).unwrap_or(placeholder).to_owned();
                        NoPerson::EmptyCell { name, column, place: person.place() }
                    }
                })
            }
            Placeholder::AccountTag(key) => {
                let account = subject.resource.map(|resource| resource.account_id.to_string());
                NoMappedOwner::NoAccountTag { key: key.clone(), account: account.unwrap_or_default() }
            }
            Placeholder::Field(TemplateField::Resource(_)) => NoMappedOwner::NoResourceField(placeholder.to_owned()),
            Placeholder::Group(_) | Placeholder::Field(_) => NoMappedOwner::NoField(placeholder.to_owned()),
        })
    }
}

impl Rule {
    /// Whether it says something about the principal, the person or the resource.
    fn has_patterns(&self) -> bool {
        !self.principal.is_empty() || !self.person.is_empty() || !self.resource.is_empty()
    }

    fn fit<'p>(&'p self, subject: Subject<'_>, found: PersonMatch<'_>, matched: &mut Matched<'p>) -> Fit {
        for (field, pattern) in &self.principal {
            let fits = subject.event.and_then(|event| field.of(event)).and_then(|value| {
                let groups = pattern.fit(&value)?;
                Some((value, groups))
            });
            let Some((value, groups)) = fits else { return Fit::No };
            matched.add(format_args!("{} {value} matches {pattern}", field.name()), groups);
        }
        for (column, pattern) in &self.person {
            let PersonMatch::Person(person) = found else { return Fit::No };
            let fits = person.cell(*column).and_then(|value| Some((value, pattern.fit(value)?)));
            let Some((value, groups)) = fits else { return Fit::No };
            matched.add(format_args!("the person's {value} matches {pattern}"), groups);
        }
        let unknown = || self.unknown_field(subject).map_or(Fit::Yes, |(fact, why)| Fit::Unknown(fact, why));
        match self.resource.fit(subject.resource, matched) {
            Fit::Yes => unknown(),
            fit => fit,
        }
    }

    /// The fields in the rule's template.
    fn fields(&self) -> impl Iterator<Item = &TemplateField> {
        let template = if let Action::Owner(template) = &self.action { Some(template) } else { None };
        template.into_iter().flat_map(TextTemplate::meanings).filter_map(|meaning| match meaning {
            Placeholder::Field(field) => Some(field),
            _ => None,
        })
    }

    /// The first field in the rule's template that is not known, and why.
    fn unknown_field(&self, subject: Subject<'_>) -> Option<(LiveFact, String)> {
        let facts = subject.resource?;
        self.fields().find_map(|field| field.unknown(facts))
    }

    fn undecided(&self, fact: LiveFact, why: String) -> Undecided {
        self.undecided.fetch_or(why == DATABASE_HAS_NONE, Ordering::Relaxed);
        Undecided { rule: self.title.clone(), fact, why, otherwise: None }
    }
}

impl Placeholder {
    fn value<'v>(
        &self,
        subject: Subject<'v>,
        person: Option<Person<'v>>,
        matched: &'v Matched<'_>,
    ) -> Option<Cow<'v, str>> {
        match self {
            Self::Group(name) => matched.groups.get(name.as_str()).map(|text| text.as_str().into()),
            Self::Field(field) => field.of(subject.rules, subject.event, subject.resource),
            Self::Column(column) => person?.cell(*column).map(Cow::Borrowed),
            Self::AccountTag(key) => {
                subject.rules.account_tags.get(subject.resource?.account_id, key).map(Cow::Borrowed)
            }
        }
    }
}
