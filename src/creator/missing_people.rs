//! People that the table of people lacks: principals without a row, or with an empty cell that a template needs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::identity_map::NoPerson;
use super::no_owner::NoOwner;

/// A person that resources wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingPerson {
    /// The owner by the default rules.
    pub name: String,
    /// The resources that have no owner for this reason.
    pub resources: u64,
    /// What is missing: "people.csv has no row for dana".
    pub reason: String,
}

/// The people without a row in the table of people.
#[derive(Debug, Clone, Default)]
pub struct MissingPeople(BTreeMap<NoPerson, u64>);

impl MissingPeople {
    /// Counts a resource without an owner, if it waits for a person.
    pub fn add(&mut self, no_owner: &NoOwner) {
        if let Some(missing) = no_owner.missing_person() {
            *self.0.entry(missing.clone()).or_default() += 1;
        }
    }

    /// The people, those that most resources wait for first, then by name.
    pub fn list(&self) -> Vec<MissingPerson> {
        let person = |(missing, resources): (&NoPerson, &u64)| MissingPerson {
            name: missing.name().to_owned(),
            resources: *resources,
            reason: missing.to_string(),
        };
        let people = self.0.iter().map(person).collect();
        sorted(people)
    }

    /// One list of several. Resources that wait for the same person are added up.
    pub fn sum<'p>(lists: impl IntoIterator<Item = &'p MissingPerson>) -> Vec<MissingPerson> {
        let mut sums: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for MissingPerson { name, resources, reason } in lists {
            *sums.entry((name, reason)).or_default() += resources;
        }
        let person = |((name, reason), resources): ((&str, &str), u64)| MissingPerson {
            name: name.to_owned(),
            resources,
            reason: reason.to_owned(),
        };
        sorted(sums.into_iter().map(person).collect())
    }
}

fn sorted(mut people: Vec<MissingPerson>) -> Vec<MissingPerson> {
    people.sort_by(|one, other| (other.resources, &one.name).cmp(&(one.resources, &other.name)));
    people
}
