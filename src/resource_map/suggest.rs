//! "Did you mean": the known name most like a wrong one.

use super::{ResourceMap, TypeDefinition};

/// How alike two names must be for one to be suggested for the other, of 1: finds a slip or two in short names
/// (`rdz`, `ec-2`) and a missing word in long ones, without suggesting `sqs` for `lambda`.
const ALIKE: f64 = 0.78;

/// How alike two names are, of 1, whatever their letters' case; `None` where they don't resemble each other.
pub(super) fn likeness(name: &str, known: &str) -> Option<f64> {
    Some(strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase())).filter(|likeness| *likeness >= ALIKE)
}

/// The name in `known` most like `name`; `None` where nothing resembles it.
pub(crate) fn nearest<'known>(name: &str, known: impl IntoIterator<Item = &'known str>) -> Option<&'known str> {
    known
        .into_iter()
        .filter_map(|candidate| Some((likeness(name, candidate)?, candidate)))
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

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
