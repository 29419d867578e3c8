//! The types that a run looks at.

use crate::model::{AccountId, Region, ResourceType};
use crate::plan::SkippedType;
use crate::resource_map::{ResourceMap, TypeDefinition};
use crate::store::{Store, StoreError};

/// The types to look at.
#[derive(Debug, Default)]
pub struct Chosen<'m> {
    /// Those that can be listed.
    pub types: Vec<&'m TypeDefinition>,
    /// The others, and why not.
    pub skipped: Vec<SkippedType>,
}

/// The types asked for; without any, the types with create events in the database: in the region, or for global types
/// anywhere in the account. If owners are inherited, also types with one of these as their parent: most volumes have no
/// create event.
///
/// # Errors
/// SQLite's.
pub fn choose_types<'m>(
    store: &Store,
    map: &'m ResourceMap,
    account: &AccountId,
    region: &Region,
    (asked, inherit): (&[ResourceType], bool),
) -> Result<Chosen<'m>, StoreError> {
    let mut names: Vec<ResourceType> = asked.to_vec();
    if asked.is_empty() {
        let here = store.creation_counts(account, Some(region))?;
        let anywhere = store.creation_counts(account, None)?;
        let is_global = |name: &ResourceType| map.types.get(name).is_some_and(|definition| definition.global);
        names.extend(anywhere.into_keys().filter(|name| here.contains_key(name) || is_global(name)));
        if inherit {
            names.extend(map.child_types(&names));
        }
    }
    Ok(Chosen::of(map, names))
}

impl<'m> Chosen<'m> {
    /// Whether nothing is left of them.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty() && self.skipped.is_empty()
    }

    /// Leaves out these types.
    pub fn leave_out(&mut self, names: &[ResourceType]) {
        self.types.retain(|definition| !names.contains(&definition.resource_type));
        self.skipped.retain(|skipped| !names.contains(&skipped.resource_type));
    }

    /// Those of these types that can be listed, and why not the others.
    pub fn of(map: &'m ResourceMap, mut names: Vec<ResourceType>) -> Self {
        names.sort();
        names.dedup();
        let mut chosen = Self::default();
        for name in names {
            match map.types.get(&name) {
                Some(definition) if definition.access.is_some() => chosen.types.push(definition),
                Some(_) => chosen.skipped.push(skipped(name, "no resource map defines how to list it")),
                None => chosen.skipped.push(skipped(name, "in the database, but in no resource map")),
            }
        }
        chosen
    }
}

/// A type that is not looked at.
pub(super) fn skipped(resource_type: ResourceType, reason: &str) -> SkippedType {
    SkippedType { resource_type, reason: reason.to_owned() }
}
