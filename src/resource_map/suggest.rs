//! "Did you mean" for resource types and services.

use super::{ResourceMap, TypeDefinition};
use crate::text::nearest;

/// A service without a listable type in the map.
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
    /// Checks that the map has types of every one of `services` (what a user gave with `--service`).
    ///
    /// # Errors
    /// The first service without types, with the nearest one.
    pub fn check_services(&self, services: &[String]) -> Result<(), UnknownService> {
        let known = || self.definitions().filter_map(TypeDefinition::service_name);
        match services.iter().find(|service| known().all(|known| known != *service)) {
            None => Ok(()),
            Some(name) => {
                let nearest = nearest(name, known()).map(str::to_owned);
                Err(UnknownService { name: name.clone(), nearest })
            }
        }
    }
}
