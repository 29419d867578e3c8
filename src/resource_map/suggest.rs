//! "Did you mean": the known name most like a wrong one.

use std::fmt;

use super::{ResourceMap, TypeDefinition};
use crate::names::ResourceType;

/// How alike two names must be for one to be suggested for the other, of 1: finds a slip or two in short names
/// (`rdz`, `ec-2`) and a missing word in long ones, without suggesting `sqs` for `lambda`.
const ALIKE: f64 = 0.78;

/// The name in `known` most like `name`; `None` where nothing resembles it.
pub(crate) fn nearest<'known>(name: &str, known: impl IntoIterator<Item = &'known str>) -> Option<&'known str> {
    let wanted = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

/// Type names that the map doesn't know, each with the nearest one it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownTypes(pub Vec<(ResourceType, Option<ResourceType>)>);

impl fmt::Display for UnknownTypes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (unknown, nearest)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(formatter, "{separator}there is no resource type {unknown}")?;
            if let Some(nearest) = nearest {
                write!(formatter, ", did you mean {nearest}?")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for UnknownTypes {}

/// A service of which the map has no type that can be listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the resource map has no type of a service {name}{}", did_you_mean(.nearest.as_deref()))]
pub struct UnknownService {
    name: String,
    nearest: Option<String>,
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!(", did you mean {nearest}?")).unwrap_or_default()
}

impl ResourceMap {
    /// The known type most like `name`, for "did you mean". CloudFormation's names (`AWS::IAM::Role`) and custodian's
    /// prefix (`aws.iam-role`) are understood.
    pub fn nearest_type(&self, name: &str) -> Option<&ResourceType> {
        let is_named = |cloudformation: &String| cloudformation.eq_ignore_ascii_case(name);
        let by_cloudformation =
            self.types.values().find(|definition| definition.cloudformation.as_ref().is_some_and(is_named));
        if let Some(definition) = by_cloudformation {
            return Some(&definition.resource_type);
        }
        let name = name.strip_prefix("aws.").unwrap_or(name).replace(['_', ' '], "-");
        let nearest = nearest(&name, self.types.keys().map(ResourceType::as_str))?;
        self.types.get_key_value(nearest).map(|(resource_type, _)| resource_type)
    }

    /// Checks that the map knows every one of `types` (what a user gave with `--type`).
    ///
    /// # Errors
    /// Those it doesn't know, each with the nearest one.
    pub fn check_types<'given>(
        &self,
        types: impl IntoIterator<Item = &'given ResourceType>,
    ) -> Result<(), UnknownTypes> {
        let unknown: Vec<_> = types
            .into_iter()
            .filter(|name| !self.types.contains_key(*name))
            .map(|name| (name.clone(), self.nearest_type(name.as_str()).cloned()))
            .collect();
        if unknown.is_empty() { Ok(()) } else { Err(UnknownTypes(unknown)) }
    }

    /// Checks that the map has types of every one of `services` (what a user gave with `--service`).
    ///
    /// # Errors
    /// The first of which it has none, with the nearest one.
    pub fn check_services(&self, services: &[String]) -> Result<(), UnknownService> {
        let known = || self.types.values().filter_map(TypeDefinition::service_name);
        match services.iter().find(|service| known().all(|known| known != *service)) {
            None => Ok(()),
            Some(name) => {
                let nearest = nearest(name, known()).map(str::to_owned);
                Err(UnknownService { name: name.clone(), nearest })
            }
        }
    }
}
