//! From the types of several files to one map: what replaces what, and the checks that need all files.

use std::collections::BTreeMap;

use super::ancestors;
use super::compile::{CompiledEvent, CompiledType};
use super::events::EventIndex;
use super::resolve::comparable;
use super::{Definitions, ParentRule, ResourceMap, TypeDefinition};
use crate::model::ResourceType;
use crate::model::event::Action;
use crate::text::nearest;
use crate::text::source::{FileError, Position};

/// The types of a set of files, in their order, none twice.
#[derive(Debug, Default, Clone)]
pub(super) struct TypeSet {
    types: Vec<CompiledType>,
    index: BTreeMap<ResourceType, usize>,
}

impl TypeSet {
    /// Adds a file's types.
    pub(super) fn add(&mut self, types: Vec<CompiledType>) -> Result<(), FileError> {
        for compiled in types {
            let name = compiled.definition.resource_type.clone();
            if let Some(other) = self.get(&name) {
                let elsewhere = other.place.file_and_line();
                let message = format!("{name} is described twice (first at {elsewhere}); put all of it in one place");
                return Err(compiled.place.error(message));
            }
            self.index.insert(name, self.types.len());
            self.types.push(compiled);
        }
        Ok(())
    }

    fn get(&self, name: &ResourceType) -> Option<&CompiledType> {
        self.index.get(name).map(|index| &self.types[*index])
    }

    /// c7n-trailcreator's format can't say that a call also succeeds on what exists (PutRule), nor what ends a resource's
    /// life or renames it; where the built-in map knows better of the same event, its word is taken. Otherwise the last editor
    /// of a rule would be its creator, and a renamed database would have none.
    pub(super) fn learn_actions(&mut self, built_in: &Self) {
        for compiled in self.types.iter_mut().filter(|compiled| !compiled.tells_actions) {
            let Some(known) = built_in.get(&compiled.definition.resource_type) else { continue };
            let (mut shares, mut upserts) = (false, false);
            for event in &mut compiled.events {
                let same = |other: &&CompiledEvent| (&other.source, &other.name) == (&event.source, &event.name);
                let actions: Vec<Action> = known.events.iter().filter(same).map(|other| other.rule.action).collect();
                shares |= actions.iter().any(|action| matches!(action, Action::Create | Action::Upsert));
                if actions.contains(&Action::Upsert) {
                    event.rule.action = Action::Upsert;
                    upserts = true;
                }
            }
            let counts = |event: &&CompiledEvent| match event.rule.action {
                Action::Delete => upserts,
                Action::Rename => shares,
                Action::Create | Action::Upsert => false,
            };
            compiled.events.extend(known.events.iter().filter(counts).cloned());
        }
    }
}

/// Whether a set's events count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Events {
    /// They do.
    Used,
    /// Another set's take their place: only how the types are reached is taken.
    Replaced,
}

/// A map under construction.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    types: BTreeMap<ResourceType, TypeDefinition>,
    parents: BTreeMap<ResourceType, (ResourceType, Position)>,
    places: BTreeMap<ResourceType, Position>,
    /// The number of the set that each type is from.
    sets: BTreeMap<ResourceType, usize>,
    added: usize,
    events: EventIndex,
}

impl Assembly {
    /// Adds a set over what is there: its types' own access takes the place of what was known of them.
    pub(super) fn add(&mut self, set: TypeSet, events: Events) {
        self.added += 1;
        for CompiledType { definition, events: of_type, parent, place, .. } in set.types {
            if events == Events::Used {
                for event in of_type {
                    self.events.add(&event.source, &event.name, event.rule);
                }
            }
            let name = definition.resource_type.clone();
            if definition.access.is_none() && self.types.contains_key(&name) {
                continue;
            }
            self.parents.remove(&name);
            self.parents.extend(parent.map(|parent| (name.clone(), parent)));
            self.places.insert(name.clone(), place);
            self.sets.insert(name.clone(), self.added);
            self.types.insert(name, definition);
        }
    }

    /// The finished map.
    pub(super) fn finish(self) -> Result<ResourceMap, FileError> {
        for (name, (parent, place)) in &self.parents {
            self.check_parent(name, parent, place)?;
        }
        for (name, place) in &self.places {
            let access = self.types.get(name).and_then(|definition| definition.access.as_ref());
            if let Some(complaint) = access.and_then(|access| ancestors::complaint(&self.types, access)) {
                return Err(place.error(complaint));
            }
            for rule in access.into_iter().flat_map(|access| &access.parents) {
                self.check_parent_rule(rule)?;
            }
            self.check_aliases(name, place)?;
        }
        let types: Definitions = self.types.into_iter().map(|(name, definition)| (name, definition.into())).collect();
        Ok(ResourceMap { types: types.into(), events: self.events.into(), ..ResourceMap::default() })
    }

    /// An alias that another type also goes by would mean neither. A type of a later set may have an earlier one's alias as its name:
    /// a new built-in alias must not break anyone's map.
    fn check_aliases(&self, name: &ResourceType, place: &Position) -> Result<(), FileError> {
        let Some(definition) = self.types.get(name) else { return Ok(()) };
        for alias in &definition.aliases {
            let wanted = comparable(alias);
            let is_taken = |other: &&TypeDefinition| {
                let known = std::iter::once(other.resource_type.as_str()).chain(other.cloudformation.as_deref());
                let mut names = known.chain(other.aliases.iter().map(String::as_str));
                let is_later = self.sets.get(&other.resource_type) > self.sets.get(name);
                other.resource_type != *name && !is_later && names.any(|known| comparable(known) == wanted)
            };
            if let Some(other) = self.types.values().find(is_taken) {
                let message = format!("the alias `{alias}` of {name} is a name of {} too", other.resource_type);
                return Err(place.error(message));
            }
        }
        Ok(())
    }

    fn check_parent_rule(&self, rule: &ParentRule) -> Result<(), FileError> {
        let name = &rule.resource_type;
        if self.types.contains_key(name) {
            return Ok(());
        }
        let near = nearest(name.as_str(), self.types.keys().map(ResourceType::as_str));
        let advice = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
        Err(rule.place.error(format!("the parent {name} is not in the map{advice}")))
    }

    fn check_parent(&self, name: &ResourceType, parent: &ResourceType, place: &Position) -> Result<(), FileError> {
        let is_listed = |parent| self.types.get(parent).is_some_and(|definition| definition.access.is_some());
        if !is_listed(parent) {
            let listed = self.types.iter().filter(|(_, definition)| definition.access.is_some());
            let advice = match nearest(parent.as_str(), listed.map(|(name, _)| name.as_str())) {
                Some(name) => format!("did you mean {name}?"),
                None => "describe it with `list`".to_owned(),
            };
            return Err(place.error(format!("the parent {parent} can't be listed; {advice}")));
        }
        self.check_ancestors(name, parent, place)
    }

    fn check_ancestors(&self, name: &ResourceType, parent: &ResourceType, place: &Position) -> Result<(), FileError> {
        let mut chain = vec![name.as_str()];
        let mut ancestor = Some(parent);
        while let Some(next) = ancestor {
            if next == name {
                return Err(place.error(format!("{name} is its own ancestor: {} → {name}", chain.join(" → "))));
            }
            if chain.contains(&next.as_str()) {
                return Ok(()); // A circle further up is reported by one of its own members.
            }
            chain.push(next.as_str());
            ancestor = self.parents.get(next).map(|(parent, _)| parent);
        }
        Ok(())
    }
}
