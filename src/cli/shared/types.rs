//! Resource types as they are given on the command line.

use super::{CommandError, Context};
use crate::model::{AccountId, Region, ResourceType};
use crate::resource_map::{ResourceMap, omitted_types};

/// The types that `names` mean, each once.
///
/// # Errors
/// One means no type, or several: with the nearest name, or the reason why the map leaves it out.
pub(in crate::cli) fn resolve(map: &ResourceMap, names: &[ResourceType]) -> Result<Vec<ResourceType>, CommandError> {
    map.resolve_types(names).map_err(|unknown| {
        let error = CommandError::usage(&unknown);
        match (omitted_types().get(unknown.name.as_str()), unknown.hint()) {
            (Some(reason), _) => error.hint(format!("it is not in the resource map: {reason}")),
            (None, Some(hint)) => error.hint(hint),
            (None, None) => error.hint(
                "types have cloud-custodian's names (ec2, iam-role) or CloudFormation's (AWS::EC2::Instance); resource-map list \
                 lists them",
            ),
        }
    })
}

/// Prints how many types were not examined, by account-region: resources of types without create events have no owner, but exist.
pub(in crate::cli) fn show_unexamined(context: &Context, counts: impl IntoIterator<Item = usize>) {
    let counts: Vec<usize> = counts.into_iter().filter(|count| *count > 0).collect();
    let (Some(fewest), Some(most)) = (counts.iter().min(), counts.iter().max()) else { return };
    let count = if fewest == most { most.to_string() } else { format!("{fewest} to {most}") };
    let types = if *most == 1 { "type" } else { "types" };
    let places =
        if counts.len() == 1 { String::new() } else { format!(" in each of {} account-regions", counts.len()) };
    context.console.message(format_args!(
        "{count} {types} not examined{places}: no create events in the database; examine them with --all-types"
    ));
}

/// Logs the names of types that were not examined.
pub(in crate::cli) fn log_unexamined(account: &AccountId, region: &Region, types: &[ResourceType]) {
    if !types.is_empty() {
        let names = types.iter().map(ResourceType::as_str).collect::<Vec<_>>().join(" ");
        tracing::info!("account {account} region {region}: types not examined: {names}");
    }
}
