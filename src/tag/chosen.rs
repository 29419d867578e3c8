//! The types that a run looks at.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Types that can be listed, but have no create event in the database. They are not examined.
    pub unexamined: Vec<ResourceType>,
}

/// Which types a run looks at.
#[derive(Debug, Clone, Copy, Default)]
pub struct TypeChoice<'a> {
    /// Only these. Empty: those with create events in the database.
    pub named: &'a [ResourceType],
    /// Also those without create events.
    pub all: bool,
    /// Also those with items that name one of these as their parent: a volume's creation mostly leaves no record.
    pub inherit: bool,
}

impl TypeChoice<'_> {
    /// The types with create events `recorded`, and what the choice adds to them. `is_here`: the types that this region has.
    pub fn of<'m>(
        &self,
        map: &'m ResourceMap,
        recorded: Vec<ResourceType>,
        is_here: impl Fn(&TypeDefinition) -> bool,
    ) -> Chosen<'m> {
        let mut names = recorded;
        if self.inherit {
            names.extend(map.child_types(&names));
        }
        let listable = map.definitions().filter(|definition| definition.access.is_some() && is_here(definition));
        let mut unexamined: Vec<ResourceType> = listable.map(|definition| definition.resource_type.clone()).collect();
        if self.all {
            names.append(&mut unexamined);
        }
        if self.named.is_empty() {
            unexamined.retain(|name| !names.contains(name));
        } else {
            unexamined.clear();
        }
        Chosen { unexamined, ..Chosen::of(map, names) }
    }
}

/// The types with create events in an account, by region.
pub type RecordedTypes = BTreeMap<Region, Vec<ResourceType>>;

/// The types that [`choose_types`] selects from in the regions of an account. Reads all events of the account, unless types are named.
///
/// # Errors
/// SQLite's.
pub fn recorded_types(store: &Store, account: &AccountId, choice: TypeChoice<'_>) -> Result<RecordedTypes, StoreError> {
    if choice.named.is_empty() { store.types_by_region(account) } else { Ok(RecordedTypes::new()) }
}

/// The types of a choice. Create events of a regional type count in the region, those of a global type anywhere in the account.
pub fn choose_types<'m>(
    map: &'m ResourceMap,
    recorded: &RecordedTypes,
    region: &Region,
    choice: TypeChoice<'_>,
) -> Chosen<'m> {
    if !choice.named.is_empty() {
        return Chosen::of(map, choice.named.to_vec());
    }
    let recorded = recorded.iter().flat_map(|(of_region, names)| {
        names.iter().filter(move |name| of_region == region || map.is_global(name)).cloned()
    });
    choice.of(map, recorded.collect(), |_| true)
}

/// The types of a choice in any of these accounts.
///
/// # Errors
/// SQLite's.
pub fn types_in_accounts<'m>(
    store: &Store,
    map: &'m ResourceMap,
    accounts: &[AccountId],
    choice: TypeChoice<'_>,
) -> Result<Vec<&'m TypeDefinition>, StoreError> {
    if !choice.named.is_empty() {
        return Ok(Chosen::of(map, choice.named.to_vec()).types);
    }
    let mut recorded = BTreeSet::new();
    for account in accounts {
        recorded.extend(store.types_by_region(account)?.into_values().flatten());
    }
    Ok(choice.of(map, recorded.into_iter().collect(), |_| true).types)
}

impl<'m> Chosen<'m> {
    /// Whether nothing is left of them.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty() && self.skipped.is_empty()
    }

    /// Keeps only these types.
    pub fn keep(&mut self, names: &[ResourceType]) {
        self.types.retain(|definition| names.contains(&definition.resource_type));
        self.skipped.retain(|skipped| names.contains(&skipped.resource_type));
    }

    /// Leaves out these types.
    pub fn leave_out(&mut self, names: &[ResourceType]) {
        self.types.retain(|definition| !names.contains(&definition.resource_type));
        self.skipped.retain(|skipped| !names.contains(&skipped.resource_type));
        self.unexamined.retain(|name| !names.contains(name));
    }

    /// Those of these types that can be listed, and why not the others.
    pub fn of(map: &'m ResourceMap, mut names: Vec<ResourceType>) -> Self {
        names.sort();
        names.dedup();
        let mut chosen = Self::default();
        for name in names {
            match map.definition(&name) {
                Some(definition) if definition.access.is_some() => chosen.types.push(definition),
                Some(_) => chosen.skipped.push(skipped(name, "no resource map defines how to list it")),
                None => chosen.skipped.push(skipped(name, "in the database, but in no resource map")),
            }
        }
        chosen
    }
}

/// A type that is not examined.
pub(super) fn skipped(resource_type: ResourceType, reason: &str) -> SkippedType {
    SkippedType { resource_type, reason: reason.to_owned() }
}
