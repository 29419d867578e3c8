//! The other names of a resource in the record of its event: an event with the ID often has the name and the ARN too.
//!
//! What a name's field is called, the type's stanza says of the listed resource: AWS calls it the same in records, apart from
//! the case of the first letter. Only objects that describe the resource count. So the ARN of its role is none of its names.

use std::collections::BTreeMap;

use jmespath::{Rcvar, Variable};
use serde_json::{Map, Value};

use super::HIDDEN;
use crate::model::ArnParts;
use crate::model::event::Event;
use crate::resource_map::naming::{ArnPlace, TypeNaming, ends_with_part};

/// How deep in a response a resource of a list can be.
const DEEPEST: usize = 8;

/// Longer texts are not names.
const LONGEST: usize = 1_024;

/// How many names of a resource are kept for an event.
const MOST_NAMES: usize = 8;

type Object = BTreeMap<String, Rcvar>;

/// The resource to find names for.
pub(super) struct Searched<'s> {
    pub(super) naming: &'s TypeNaming,
    pub(super) event: &'s Event,
    pub(super) id: &'s str,
    /// Whether the event has only this resource of the type: then all that the record says of the type is of it.
    pub(super) is_only: bool,
}

impl Searched<'_> {
    /// The names in a record, without the ID and without those that follow from it. `given` are those of the rule.
    pub(super) fn names(&self, given: Vec<String>, record: &Variable) -> Vec<String> {
        let mut found = given;
        if self.naming.is_searched {
            found.extend(self.search(record));
        }
        let of_arns: Vec<String> = std::iter::once(self.id)
            .chain(found.iter().map(String::as_str))
            .filter_map(|text| ArnParts::parse(text).map(|arn| self.naming.labels_in_arn(&arn, text)))
            .flatten()
            .collect();
        found.extend(of_arns);
        self.without_derived(found)
    }

    fn search(&self, record: &Variable) -> Vec<String> {
        // A record that is read a second time has its fields in lower case.
        let record = record.as_object();
        let member =
            |name: &str| record.and_then(|record| record.get(name).or_else(|| record.get(&name.to_lowercase())));
        let mut objects: Vec<&Object> = Vec::new();
        if let Some(response) = member("responseElements") {
            self.holders(response, 0, &mut objects);
            if self.is_only {
                wrappers(response, &mut objects);
            }
        }
        let in_response = objects.len();
        if let Some(request) =
            member("requestParameters").and_then(|request| request.as_object()).filter(|_| self.is_only)
        {
            objects.push(request);
        }
        let mut names = Vec::new();
        let mut item = Map::new();
        for object in &objects {
            for (key, value) in *object {
                let Some(text) = text_of(value) else { continue };
                if self.naming.has_name_field(key) {
                    names.push(text.clone());
                }
                add_member(&mut item, key, text);
            }
        }
        names.extend(self.naming.names_of(&Value::Object(item)));
        let arns = objects[..in_response].iter().flat_map(|object| object.iter());
        let arns = arns.filter_map(|(key, value)| Some((key, text_of(value)?)));
        let arns: Vec<String> =
            arns.filter(|(key, text)| self.is_own_arn(key, text, &names)).map(|(_, text)| text).collect();
        names.extend(arns);
        names
    }

    /// The objects that have the ID.
    fn holders<'v>(&self, value: &'v Variable, depth: usize, found: &mut Vec<&'v Object>) {
        match value {
            _ if depth > DEEPEST => {}
            Variable::Array(items) => items.iter().for_each(|item| self.holders(item, depth + 1, found)),
            Variable::Object(object) => {
                let is_id = |value: &Rcvar| value.as_string().is_some_and(|text| text.eq_ignore_ascii_case(self.id));
                if object.values().any(is_id) {
                    found.push(object);
                }
                object.values().for_each(|value| self.holders(value, depth + 1, found));
            }
            _ => {}
        }
    }

    /// Whether a text is the resource's ARN: by its field, or by its form and a name in it.
    fn is_own_arn(&self, key: &str, text: &str, names: &[String]) -> bool {
        let Some(arn) = ArnParts::parse(text) else { return false };
        if self.naming.knows_forms() && !self.naming.has_form_of(&arn) {
            return false;
        }
        let is_named = |name: &String| name == self.id || names.contains(name);
        self.naming.has_arn_field(key)
            || self.naming.knows_forms() && self.naming.labels_in_arn(&arn, text).iter().any(is_named)
    }

    /// Drops what is not a name, and what the store and the lookups derive from the ID or another name.
    fn without_derived(&self, found: Vec<String>) -> Vec<String> {
        let event = self.event;
        let partition = event.region.partition();
        let (region, account) = (event.region.as_str(), event.account_id.as_str());
        let place = ArnPlace { partition, region, account };
        let is_name = |text: &String| !text.is_empty() && text != HIDDEN && text.len() <= LONGEST && text != self.id;
        let mut arns: Vec<String> = Vec::new();
        let mut others: Vec<String> = Vec::new();
        for text in found.into_iter().filter(is_name) {
            let is_arn = text.starts_with("arn:");
            let of_kind = if is_arn { &mut arns } else { &mut others };
            let is_known = of_kind.contains(&text) || is_arn && self.naming.is_derived(&text, self.id, place);
            if !is_known {
                of_kind.push(text);
            }
        }
        let is_end = |text: &String| {
            let compound =
                std::iter::once(self.id).filter(|id| id.contains(':')).chain(arns.iter().map(String::as_str));
            compound.into_iter().any(|whole| ends_with_part(whole, text))
        };
        others.retain(|text| !is_end(text));
        arns.into_iter().chain(others).take(MOST_NAMES).collect()
    }
}

/// The names in an ID that is an ARN, without those at its end.
pub(crate) fn names_of_id(naming: &TypeNaming, id: &str) -> Vec<String> {
    let names = ArnParts::parse(id).map(|arn| naming.labels_in_arn(&arn, id)).unwrap_or_default();
    names.into_iter().filter(|name| name.len() <= LONGEST && !ends_with_part(id, name)).take(MOST_NAMES).collect()
}

/// The response, and the one object in it that it wraps: `{policy: {…}}`.
fn wrappers<'v>(response: &'v Variable, found: &mut Vec<&'v Object>) {
    let mut next = response.as_object();
    while let Some(object) = next {
        found.push(object);
        let mut inner = object.values().filter_map(|value| value.as_object());
        next = inner.next().filter(|_| inner.next().is_none());
    }
}

fn text_of(value: &Variable) -> Option<String> {
    match value {
        Variable::String(text) => Some(text.clone()),
        Variable::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Adds a member as records and as list calls spell it: `dBInstanceArn` is `DBInstanceArn`. The first object's counts.
fn add_member(item: &mut Map<String, Value>, key: &str, text: String) {
    let mut letters = key.chars();
    if let Some(first) = letters.next() {
        let listed = first.to_ascii_uppercase().to_string() + letters.as_str();
        item.entry(listed).or_insert_with(|| Value::String(text.clone()));
    }
    item.entry(key).or_insert(Value::String(text));
}
