//! Which event means what: looked up once for every record of a trail, so without allocating.

use std::collections::HashMap;

use super::Expression;
use crate::model::ResourceType;
use crate::model::event::Action;

/// One way in which an event touches resources of one type.
#[derive(Debug, Clone)]
pub struct EventRule {
    /// The type.
    pub resource_type: ResourceType,
    /// What the event does to it.
    pub action: Action,
    /// Where its ids stand in the record.
    pub ids: Expression,
    /// Where further names stand that neither the type nor the ID leads to.
    pub names: Option<Expression>,
    /// Where the new name stands; of [`Action::Rename`], and only of that. A record in which it isn't is no rename.
    pub new_name: Option<Expression>,
    /// What is not certain of it, and why; for people.
    pub doubts: Option<String>,
}

impl EventRule {
    /// Its expressions.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        std::iter::once(&self.ids).chain(&self.names).chain(&self.new_name)
    }

    /// Its expressions as the map spells them: IDs, names, new name. Empty where there is none.
    pub(super) fn texts(&self) -> [&str; 3] {
        let [names, new_name] = [&self.names, &self.new_name].map(|text| text.as_ref().map_or("", Expression::source));
        [self.ids.source(), names, new_name]
    }
}

/// The rules by eventSource, then by eventName.
#[derive(Debug, Default)]
pub struct EventIndex {
    by_source: HashMap<String, HashMap<String, Vec<EventRule>>>,
}

/// The only source with API versions in its event names.
pub(crate) const LAMBDA: &str = "lambda.amazonaws.com";

impl EventIndex {
    /// Adds a rule; a rule that is there already is not doubled.
    pub fn add(&mut self, source: &str, name: &str, rule: EventRule) {
        let rules = self.by_source.entry(source.to_owned()).or_default().entry(name.to_owned()).or_default();
        let is_same = |other: &EventRule| {
            (&other.resource_type, other.action, other.texts()) == (&rule.resource_type, rule.action, rule.texts())
        };
        if !rules.iter().any(is_same) {
            rules.push(rule);
        }
    }

    /// What an event means; empty where it means nothing. Lambda's names are found as the map spells them, else without
    /// their version: `CreateFunction20150331v2` by the rules of `CreateFunction`.
    pub fn rules(&self, source: &str, name: &str) -> &[EventRule] {
        let Some(names) = self.by_source.get(source) else { return &[] };
        let rules = names.get(name).or_else(|| (source == LAMBDA).then(|| names.get(without_version(name))).flatten());
        rules.map_or(&[], Vec::as_slice)
    }

    /// Every rule: eventSource, eventName and what it means, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &[EventRule])> {
        self.by_source.iter().flat_map(|(source, names)| {
            names.iter().map(|(name, rules)| (source.as_str(), name.as_str(), rules.as_slice()))
        })
    }

    /// Every eventName, sorted and without repeats. A record's name may be one of these followed by Lambda's version.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.iter().map(|(_, name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Every eventSource, sorted.
    pub fn sources(&self) -> Vec<&str> {
        let mut sources: Vec<&str> = self.by_source.keys().map(String::as_str).collect();
        sources.sort_unstable();
        sources
    }
}

/// `name` without the API version that Lambda puts behind it: `YYYYMMDD`, and sometimes `vN`.
pub(crate) fn without_version(name: &str) -> &str {
    /// Digits of `YYYYMMDD`.
    const DATE: usize = 8;
    let digits_off = |text: &'_ str| text.trim_end_matches(|character: char| character.is_ascii_digit()).len();
    let dated = match name[..digits_off(name)].strip_suffix('v') {
        Some(before) if digits_off(name) < name.len() => before,
        _ => name,
    };
    let stem = digits_off(dated);
    if stem > 0 && dated.len() - stem == DATE { &dated[..stem] } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(rules: &[(&str, &str, &str)]) -> EventIndex {
        let mut index = EventIndex::default();
        for (source, name, ids) in rules {
            let ids = Expression::compile(ids).unwrap();
            let (resource_type, action) = ("t".into(), Action::Create);
            index.add(
                source,
                name,
                EventRule { resource_type, action, ids, names: None, new_name: None, doubts: None },
            );
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
    fn lambda_names_match_with_any_version_and_the_exact_spelling_comes_first() {
        let index = index(&[
            (LAMBDA, "CreateFunction", "any"),
            (LAMBDA, "CreateFunction20141111", "old"),
            ("x.amazonaws.com", "CreateFunction", "other"),
        ]);
        assert_eq!(found(&index, LAMBDA, "CreateFunction20150331v2"), ["any"]);
        assert_eq!(found(&index, LAMBDA, "CreateFunction20150331"), ["any"]);
        assert_eq!(found(&index, LAMBDA, "CreateFunction"), ["any"]);
        assert_eq!(found(&index, LAMBDA, "CreateFunction20141111"), ["old"]);
        assert!(found(&index, "x.amazonaws.com", "CreateFunction20150331").is_empty());
    }

    #[test]
    fn only_a_version_is_cut_off() {
        for name in ["Create", "Create2015", "Create201503311", "v2", "20150331", "20150331v2", "Createv2", "", "é"] {
            assert_eq!(without_version(name), name);
        }
        assert_eq!(without_version("Invoke20150331v12"), "Invoke");
    }
}
