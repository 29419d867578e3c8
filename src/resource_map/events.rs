//! What each event means. Looked up for each record that may match: only the first look-up of an event allocates, to read its rules.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};

use super::compile::CompiledEvent;
use super::{Expression, Later};
use crate::model::ResourceType;
use crate::model::event::Action;

/// What the identifiers of a rule identify.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Identified {
    /// Resources of this type.
    Resource(ResourceType),
    /// Sessions: the event issued their credentials.
    Session,
}

impl Identified {
    /// The type; `None` for sessions.
    pub fn resource_type(&self) -> Option<&ResourceType> {
        match self {
            Self::Resource(resource_type) => Some(resource_type),
            Self::Session => None,
        }
    }
}

/// One effect of an event: on resources of one type, or on sessions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventRule {
    /// What its identifiers identify.
    pub identified: Identified,
    /// What the event does to it.
    pub action: Action,
    /// Where its ids stand in the record.
    pub ids: Expression,
    /// Where further names stand that neither the type nor the ID leads to.
    pub names: Option<Expression>,
    /// The path to the new name; only of [`Action::Rename`]. A record without the new name is not a rename.
    pub new_name: Option<Expression>,
    /// What is not certain of it, and why; for people.
    pub doubts: Option<String>,
}

impl EventRule {
    /// The type of its resources; `None` for sessions.
    pub fn resource_type(&self) -> Option<&ResourceType> {
        self.identified.resource_type()
    }

    /// Whether it is about sessions.
    pub fn is_of_sessions(&self) -> bool {
        self.identified == Identified::Session
    }

    /// Its expressions.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        std::iter::once(&self.ids).chain(&self.names).chain(&self.new_name)
    }

    /// The rule for a record with all field names in lower case.
    pub fn in_lower_case(&self) -> Self {
        let new_name = self.new_name.as_ref().map(Expression::in_lower_case);
        let names = self.names.as_ref().map(Expression::in_lower_case);
        Self { ids: self.ids.in_lower_case(), names, new_name, ..self.clone() }
    }

    /// Its expressions as the map spells them: IDs, names, new name. Empty where there is none.
    pub(super) fn texts(&self) -> [&str; 3] {
        let [names, new_name] = [&self.names, &self.new_name].map(|text| text.as_ref().map_or("", Expression::source));
        [self.ids.source(), names, new_name]
    }
}

/// The rules by eventSource, then by eventName. Most events do not occur in a trail, so the rules of each are read on first use.
pub(super) type Rules = ByName<ByName<Later<Vec<EventRule>>>>;

/// Looked up for many records. The keys come from resource maps, so they need no hash that resists collisions that an attacker selects.
type ByName<T> = HashMap<Cow<'static, str>, T, RandomState>;

/// What each event means.
#[derive(Debug, Default)]
pub struct EventIndex {
    pub(super) by_source: Rules,
    /// For names that the map spells with an API version: their own rules, then those of the name without it.
    pub(super) versioned: Rules,
    has_sessions: bool,
}

impl EventIndex {
    /// The index of these events.
    pub(super) fn of(events: impl IntoIterator<Item = CompiledEvent>) -> Self {
        let mut index = Self::default();
        for CompiledEvent { source, name, rule } in events {
            index.add(&source, &name, rule);
        }
        index
    }

    /// The index of these rules. None of them may be about sessions: to check that would read all of them.
    pub(super) fn of_rules(by_source: Rules, versioned: Rules) -> Self {
        Self { by_source, versioned, has_sessions: false }
    }

    /// Adds a rule; a rule that is there already is not doubled.
    pub fn add(&mut self, source: &str, name: &str, rule: EventRule) {
        self.has_sessions |= rule.is_of_sessions();
        let owned = |text: &str| Cow::Owned(text.to_owned());
        let names = self.by_source.entry(owned(source)).or_default();
        let stem = without_version(name);
        if stem != name {
            let of_stem = || names.get(stem).cloned().unwrap_or_default();
            let versioned = self.versioned.entry(owned(source)).or_default();
            let rules = versioned.entry(owned(name)).or_insert_with(of_stem);
            push_new(rules.get_mut(), rule.clone());
        } else if let Some(versioned) = self.versioned.get_mut(source) {
            let of_stem = versioned.iter_mut().filter(|(name, _)| without_version(name) == stem);
            of_stem.for_each(|(_, rules)| push_new(rules.get_mut(), rule.clone()));
        }
        push_new(names.entry(owned(name)).or_default().get_mut(), rule);
    }

    /// Whether there are rules for events that issue credentials.
    pub fn has_sessions(&self) -> bool {
        self.has_sessions
    }

    /// What an event means; empty where it means nothing. A name with an API version also has the rules of the name without
    /// it: `CreateFunction20150331v2` and `CreateDistribution2014_01_31` those of `CreateFunction` and `CreateDistribution`.
    pub fn rules(&self, source: &str, name: &str) -> &[EventRule] {
        let stem = without_version(name);
        let versioned = || self.versioned.get(source)?.get(name);
        let plain = || self.by_source.get(source)?.get(stem);
        let rules = if stem == name { plain() } else { versioned().or_else(plain) };
        rules.map_or(&[], |rules| rules.as_slice())
    }

    /// Every rule: eventSource, eventName and what it means, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &[EventRule])> {
        self.by_source
            .iter()
            .flat_map(|(source, names)| names.iter().map(|(name, rules)| (&**source, &**name, rules.as_slice())))
    }

    /// Every eventName, sorted and without repeats. A record's name may be one of these followed by an API version.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.each_name().collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Every eventName, in no order. A name occurs once for each source that has it.
    pub fn each_name(&self) -> impl Iterator<Item = &str> {
        self.by_source.values().flat_map(HashMap::keys).map(|name| &**name)
    }

    /// Every eventSource, sorted.
    pub fn sources(&self) -> Vec<&str> {
        let mut sources: Vec<&str> = self.by_source.keys().map(|source| &**source).collect();
        sources.sort_unstable();
        sources
    }
}

/// Adds a rule that is not there yet.
fn push_new(rules: &mut Vec<EventRule>, rule: EventRule) {
    let is_same = |other: &EventRule| {
        (&other.identified, other.action, other.texts()) == (&rule.identified, rule.action, rule.texts())
    };
    if !rules.iter().any(is_same) {
        rules.push(rule);
    }
}

/// The API version at the end of an eventName, as a regular expression for query engines. It matches every version that
/// [`without_version`] cuts off.
pub(crate) const VERSION_PATTERN: &str = "_*20[0-9]{2}_?[0-9]{2}_?[0-9]{2}(v[0-9]+)?$";

/// `name` without the API version that some services put behind it: Lambda writes `YYYYMMDD` and sometimes `vN`, CloudFront
/// `YYYY_MM_DD`. No other operation's name in the API models of any version ends in a date.
pub(crate) fn without_version(name: &str) -> &str {
    let digits_off = |text: &'_ str| text.trim_end_matches(|character: char| character.is_ascii_digit()).len();
    // Nearly every name ends here.
    if digits_off(name) == name.len() {
        return name;
    }
    let dated = name[..digits_off(name)].strip_suffix('v').unwrap_or(name);
    let stem = date_start(dated).map_or("", |start| dated[..start].trim_end_matches('_'));
    if stem.is_empty() { name } else { stem }
}

/// Where the date at the end of a text begins: `YYYYMMDD` or `YYYY_MM_DD`.
fn date_start(text: &str) -> Option<usize> {
    ["dddddddd", "dddd_dd_dd"].into_iter().find_map(|form| {
        let start = text.len().checked_sub(form.len())?;
        let date = text.get(start..)?;
        let fits = form
            .bytes()
            .zip(date.bytes())
            .all(|(form, byte)| if form == b'_' { byte == b'_' } else { byte.is_ascii_digit() });
        let is_alone = !text[..start].ends_with(|character: char| character.is_ascii_digit());
        (fits && date.starts_with("20") && is_alone).then_some(start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(rules: &[(&str, &str, &str)]) -> EventIndex {
        let mut index = EventIndex::default();
        for (source, name, ids) in rules {
            let ids = Expression::compile(ids).unwrap();
            let (identified, action) = (Identified::Resource("t".into()), Action::Create);
            index.add(source, name, EventRule { identified, action, ids, names: None, new_name: None, doubts: None });
        }
        index
    }

    fn found<'index>(index: &'index EventIndex, source: &str, name: &str) -> Vec<&'index str> {
        index.rules(source, name).iter().map(|rule| rule.ids.source()).collect()
    }

    #[test]
    fn an_event_is_found_by_source_and_name() {
        let index = index(&[("a.x", "Create", "one"), ("b.x", "Create", "two"), ("a.x", "Create", "three")]);
        assert_eq!(found(&index, "a.x", "Create"), ["one", "three"]);
        assert_eq!(found(&index, "b.x", "Create"), ["two"]);
        assert!(found(&index, "c.x", "Create").is_empty() && found(&index, "a.x", "create").is_empty());
        assert_eq!(index.names(), ["Create"]);
        assert_eq!(index.sources(), ["a.x", "b.x"]);
    }

    #[test]
    fn the_same_rule_twice_is_one() {
        assert_eq!(found(&index(&[("a.x", "C", "i"), ("a.x", "C", "i")]), "a.x", "C"), ["i"]);
    }

    #[test]
    fn a_name_with_a_version_has_the_rules_of_the_name_without_it_in_every_service() {
        let index = index(&[
            ("cloudfront.amazonaws.com", "CreateDistribution", "any"),
            ("lambda.amazonaws.com", "CreateFunction", "any"),
            ("x.amazonaws.com", "CreateFunction", "other"),
        ]);
        assert_eq!(found(&index, "lambda.amazonaws.com", "CreateFunction20150331v2"), ["any"]);
        assert_eq!(found(&index, "lambda.amazonaws.com", "CreateFunction20150331"), ["any"]);
        assert_eq!(found(&index, "lambda.amazonaws.com", "CreateFunction"), ["any"]);
        assert_eq!(found(&index, "x.amazonaws.com", "CreateFunction20150331"), ["other"]);
        assert_eq!(found(&index, "cloudfront.amazonaws.com", "CreateDistribution2014_01_31"), ["any"]);
        assert!(found(&index, "cloudfront.amazonaws.com", "CreateDistributionWithTags2018_11_05").is_empty());
    }

    #[test]
    fn a_spelled_version_adds_to_the_rules_of_the_plain_name_in_either_order() {
        let (plain, dated) = (("s.x", "Create", "any"), ("s.x", "Create2014_11_11", "old"));
        for (order, all) in [([plain, dated], ["any", "old"]), ([dated, plain], ["old", "any"])] {
            let index = index(&order);
            assert_eq!(found(&index, "s.x", "Create2014_11_11"), all);
            assert_eq!(found(&index, "s.x", "Create2015_01_01"), ["any"]);
            assert_eq!(found(&index, "s.x", "Create"), ["any"]);
            assert_eq!(index.iter().count(), 2, "the index lists what the map spells");
        }
    }

    #[test]
    fn only_a_version_is_cut_off() {
        for name in [
            "Create",
            "Create2015",
            "Create201503311",
            "v2",
            "20150331",
            "20150331v2",
            "2014_01_31",
            "Createv2",
            "",
            "é",
            "CreateV2",
            "Create19991231",
            "Create2014_0131",
            "Create2014_01_3",
            "Create12014_01_31",
            "é2014",
        ] {
            assert_eq!(without_version(name), name);
        }
        for (name, stem) in [
            ("Invoke20150331v12", "Invoke"),
            ("CreateDistribution2014_01_31", "CreateDistribution"),
            ("CreateDistributionWithTags2018_11_05", "CreateDistributionWithTags"),
            ("Create_20150331", "Create"),
            ("é20150331", "é"),
        ] {
            assert_eq!(without_version(name), stem);
        }
    }
}
