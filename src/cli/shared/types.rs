//! Resource types as they are given on the command line.

use super::CommandError;
use crate::model::ResourceType;
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
