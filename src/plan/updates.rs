//! Writes with side effects: where tagging a resource also updates it, the user must allow that for its type.
//!
//! The resource map says which types these are (`write: {updates: …}`). What AWS rolled back once is not tried again unasked.
//! Pure.

use std::collections::{BTreeSet, HashMap};

pub use super::skip::Rollback;
use super::skip::Skip;
use crate::model::{Arn, ResourceType};
use crate::resource_map::{SideEffects, TypeDefinition};

/// Which writes with side effects may be made. The default allows none.
#[derive(Debug, Clone, Default)]
pub struct Updates {
    allowed: Allowed,
    rolled_back: HashMap<Arn, Rollback>,
}

#[derive(Debug, Clone)]
enum Allowed {
    These(BTreeSet<ResourceType>),
    All,
}

impl Default for Allowed {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

impl Updates {
    /// Allowed for these types, except for resources with a rolled-back last update.
    pub fn of(types: impl IntoIterator<Item = ResourceType>, rolled_back: impl IntoIterator<Item = Rollback>) -> Self {
        let rolled_back = rolled_back.into_iter().map(|rollback| (rollback.arn.clone(), rollback)).collect();
        Self { allowed: Allowed::These(types.into_iter().collect()), rolled_back }
    }

    /// All of them: for reports, which show what could be tagged and write nothing.
    pub fn all() -> Self {
        Self { allowed: Allowed::All, rolled_back: HashMap::new() }
    }

    /// Whether resources of a type may be written.
    pub fn allow(&self, definition: &TypeDefinition) -> bool {
        side_effects(definition).is_none() || self.name(&definition.resource_type)
    }

    /// Why a resource may not be written, if so.
    pub fn refusal(&self, definition: &TypeDefinition, arn: &Arn) -> Option<Skip> {
        let effects = side_effects(definition)?;
        let name = &definition.resource_type;
        if !self.name(name) {
            return Some(Skip::SideEffects { what: effects.what.clone(), resource_type: name.clone() });
        }
        self.rolled_back.get(arn).cloned().map(Skip::RolledBack)
    }

    /// The option that allows the same, for a command to resume with: ` --allow-updates cfn`, or nothing.
    pub fn option(&self) -> String {
        match &self.allowed {
            Allowed::These(types) if !types.is_empty() => {
                let names: Vec<&str> = types.iter().map(ResourceType::as_str).collect();
                format!(" --allow-updates {}", names.join(","))
            }
            Allowed::These(_) | Allowed::All => String::new(),
        }
    }

    fn name(&self, resource_type: &ResourceType) -> bool {
        match &self.allowed {
            Allowed::These(types) => types.contains(resource_type),
            Allowed::All => true,
        }
    }
}

/// What writing a tag of this type does beside that.
pub fn side_effects(definition: &TypeDefinition) -> Option<&SideEffects> {
    definition.access.as_ref()?.write.as_ref()?.updates.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RunId;
    use crate::plan::SkipKind;
    use crate::resource_map::ResourceMap;

    #[test]
    fn a_type_with_side_effects_must_be_named_and_no_other() {
        let map = ResourceMap::built_in_once();
        let arn = Arn::from("arn:aws:cloudformation:eu-west-1:123456789012:stack/web/1");
        let (stack, queue) = (&map.types["cfn"], &map.types["sqs"]);
        let none = Updates::default();
        assert!(none.allow(queue) && none.refusal(queue, &arn).is_none());
        let skip = none.refusal(stack, &arn).unwrap();
        let why = skip.to_string();
        assert_eq!(skip.kind(), SkipKind::SideEffects);
        assert!(why.contains("--allow-updates cfn"), "{why}");
        assert!(Updates::of(["sqs".into()], []).refusal(stack, &arn).is_some());
        let rollback = Rollback { arn: arn.clone(), run: RunId(7), reason: "no such role".to_owned() };
        let some = Updates::of(["cfn".into()], [rollback]);
        assert!(some.allow(stack));
        let skip = some.refusal(stack, &arn).unwrap();
        let why = skip.to_string();
        assert_eq!(skip.kind(), SkipKind::RolledBack);
        assert!(why.contains("by run 7, was rolled back: no such role"), "{why}");
        assert!(some.refusal(stack, &"arn:aws:cloudformation:eu-west-1:123456789012:stack/web/2".into()).is_none());
        assert!(Updates::all().refusal(stack, &arn).is_none());
        assert_eq!([none.option(), some.option()], ["", " --allow-updates cfn"]);
    }

    #[test]
    fn the_types_with_side_effects_are_those_of_the_documentation() {
        let map = ResourceMap::built_in_once();
        let marked: Vec<&str> = map
            .types
            .values()
            .filter(|definition| side_effects(definition).is_some())
            .map(|definition| definition.resource_type.as_str())
            .collect();
        assert_eq!(marked, ["catalog-portfolio", "catalog-product", "cfn", "elasticbeanstalk-environment"]);
        let page = include_str!("../../docs/side-effects.md");
        for name in marked {
            let effects = side_effects(&map.types[name]).unwrap();
            assert!(page.contains(&format!("`{name}`")) && page.contains(&effects.page), "{name} {}", effects.page);
        }
    }
}
