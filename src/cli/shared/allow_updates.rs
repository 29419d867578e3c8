//! `--allow-updates`: the user's word for writes that do more than write a tag.

use super::{CommandError, Context, types};
use crate::model::ResourceType;
use crate::plan::updates::{Updates, side_effects};
use crate::resource_map::ResourceMap;
use crate::store::Store;

/// Which writes with side effects are allowed.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct AllowArgs {
    /// Also change the tags of resources of this type, even though this updates the resources themselves (cfn:
    /// CloudFormation stacks). Without this option they are skipped. `resource-map list` marks these types;
    /// repeatable
    #[arg(long, value_name = "TYPE", value_delimiter = ',', value_parser = str::parse::<ResourceType>, env = "TRAILCREATOR_ALLOW_UPDATES")]
    pub(in crate::cli) allow_updates: Vec<ResourceType>,
    /// With --allow-updates: retry updates that AWS rolled back
    #[arg(long)]
    pub(in crate::cli) retry_rolled_back: bool,
}

impl AllowArgs {
    /// Which writes with side effects may be made.
    ///
    /// # Errors
    /// A type that the map does not know; SQLite's.
    pub(in crate::cli) fn updates(
        &self,
        context: &Context,
        map: &ResourceMap,
        store: &Store,
    ) -> Result<Updates, CommandError> {
        let allowed = resolve(&self.allow_updates, context, map)?;
        let rolled_back = if self.retry_rolled_back {
            Vec::new()
        } else {
            store.rollbacks().map_err(|error| context.store_error(&error))?
        };
        Ok(Updates::of(allowed, rolled_back))
    }
}

/// The types that `names` mean. Warns of types that tagging does not update.
///
/// # Errors
/// A name means no type, or several.
pub(in crate::cli) fn resolve(
    names: &[ResourceType],
    context: &Context,
    map: &ResourceMap,
) -> Result<Vec<ResourceType>, CommandError> {
    let types = types::resolve(map, names).map_err(|error| {
        CommandError { message: format!("--allow-updates: {}", error.message), ..error }
            .hint(format!("types that tagging updates: {}", names_with_side_effects(map)))
    })?;
    for name in types.iter().filter(|name| side_effects(&map.types[*name]).is_none()) {
        let hint = format!("types that tagging updates: {}", names_with_side_effects(map));
        let message = format_args!("--allow-updates {name}: tagging it updates nothing, so it needs no permission");
        context.console.warning_with_hints(message, [hint]);
    }
    Ok(types)
}

fn names_with_side_effects(map: &ResourceMap) -> String {
    let names = map.definitions().filter(|definition| side_effects(definition).is_some());
    names.map(|definition| definition.resource_type.as_str()).collect::<Vec<_>>().join(", ")
}
