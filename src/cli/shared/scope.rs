//! The options that limit what `tag` and `tag-org` write to and replace, and what is reported of them.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::{Value, json};

use super::{CommandError, Context, types};
use crate::model::ResourceType;
use crate::packed_list::PackedList;
use crate::plan::{Ids, PlannedWrite, Scope, SkipTag};
use crate::resource::Condition;
use crate::resource_map::ResourceMap;

/// Maximum number of types named in a message.
const MOST_TYPES_NAMED: usize = 10;

/// Which resources to write to, and which values to replace.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ScopeArgs {
    /// Replace values that earlier runs wrote, if they are unchanged and the owner is now different
    #[arg(long, conflicts_with = "overwrite")]
    refresh: bool,
    /// Skip these resource types; repeatable
    #[arg(long = "not-type", value_name = "TYPE", value_delimiter = ',', value_parser = str::parse::<ResourceType>)]
    pub(in crate::cli) not_types: Vec<ResourceType>,
    /// Skip resources with this tag key, or with this key and value; repeatable
    #[arg(long = "skip-tag", value_name = "KEY[=VALUE]", value_delimiter = ',', value_parser = str::parse::<SkipTag>)]
    skip_tags: Vec<SkipTag>,
    // Without a delimiter: an id may hold a comma.
    /// Tag only resources with this ID, name or ARN; repeatable
    #[arg(long = "id", value_name = "ID")]
    ids: Vec<String>,
    /// Tag only resources for which this JMESPath expression is true: "tool != 'Terraform'" (on the fields of list --output json)
    #[arg(long = "where", value_name = "EXPR", value_parser = str::parse::<Condition>)]
    condition: Option<Condition>,
    #[command(flatten)]
    pub(in crate::cli) limit: LimitArgs,
    /// Replace values without confirmation (--overwrite asks on a terminal)
    #[arg(short = 'y', long)]
    pub(in crate::cli) yes: bool,
}

/// The limit on writes.
#[derive(Debug, Clone, Copy, Args)]
pub(in crate::cli) struct LimitArgs {
    /// Write nothing if the plan has more writes than this
    #[arg(long, value_name = "N", env = "TRAILCREATOR_MAX_CHANGES")]
    pub(in crate::cli) max_changes: Option<u64>,
}

impl LimitArgs {
    /// Checks the number of planned writes. `what` has them.
    ///
    /// # Errors
    /// There are too many.
    pub(in crate::cli) fn check(self, writes: u64, what: &str) -> Result<(), CommandError> {
        match self.max_changes {
            Some(most) if writes > most => Err(too_many(writes, most, what)),
            _ => Ok(()),
        }
    }

    /// Warns that a plan that is only printed or saved exceeds the limit.
    pub(in crate::cli) fn note(self, context: &Context, writes: u64) {
        if let Some(most) = self.max_changes.filter(|most| writes > *most) {
            context.console.warning(format_args!("{writes} writes are more than --max-changes {most} allows"));
        }
    }
}

fn too_many(writes: u64, most: u64, what: &str) -> CommandError {
    CommandError::failed(format_args!("{what} {writes} writes, and --max-changes allows {most}: nothing was written"))
        .hint("see them with --dry-run")
        .hint(format!(
            "allow them with --max-changes {writes}, or write to fewer resources with --type, --not-type or --id"
        ))
}

impl ScopeArgs {
    /// What the options say.
    pub(in crate::cli) fn scope(&self) -> Scope {
        Scope {
            refresh: self.refresh,
            skip_tags: self.skip_tags.clone(),
            ids: self.ids(),
            condition: self.condition.clone(),
            account_name: None,
            created_by: None,
        }
    }

    /// The ids that resources are limited to.
    pub(in crate::cli) fn ids(&self) -> Ids {
        Ids(self.ids.iter().map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect())
    }

    /// Resolves the names of the types that are left out, and checks the ids. `asked`: the types of `--type`.
    ///
    /// # Errors
    /// A name means no type, or several; no type remains; an id without text.
    pub(in crate::cli) fn resolve(&mut self, map: &ResourceMap, asked: &[ResourceType]) -> Result<(), CommandError> {
        if self.ids.iter().any(|id| id.split(',').all(|part| part.trim().is_empty())) {
            return Err(CommandError::usage("--id: an id, a name or an ARN is expected"));
        }
        self.not_types = types::resolve(map, &self.not_types).map_err(|error| {
            let message = format!("--not-type: {}", error.message);
            CommandError { message, ..error }
        })?;
        if !asked.is_empty() && asked.iter().all(|name| self.not_types.contains(name)) {
            return Err(CommandError::usage("--not-type excludes every type given with --type"));
        }
        Ok(())
    }

    /// Those of the options that decide what is written, for a run that is resumed.
    pub(in crate::cli) fn question(&self) -> [(&'static str, Value); 5] {
        [
            ("--refresh", json!(self.refresh)),
            ("--not-type", json!(self.not_types)),
            ("--skip-tag", json!(self.skip_tags.iter().map(ToString::to_string).collect::<Vec<_>>())),
            ("--id", json!(self.ids)),
            ("--where", json!(self.condition.as_ref().map(ToString::to_string))),
        ]
    }
}

/// Warns about ids without a live resource. Returns whether there are any. `looked_at`: the types and region, as a phrase.
pub(in crate::cli) fn report_missing(context: &Context, ids: &Ids, found: &BTreeSet<String>, looked_at: &str) -> bool {
    let missing = ids.missing(found);
    for id in &missing {
        let message = format_args!(
            "--id {id}: no live resource has this id, name or ARN, or several have this name; checked {looked_at}"
        );
        let hint = format!("to see where it was created, run: {}", context.suggest("who").arg(*id));
        context.console.warning_with_hints(message, [hint]);
    }
    !missing.is_empty()
}

/// "ebs, sqs and 12 more types in us-east-1"
pub(in crate::cli) fn types_phrase<'t>(types: impl Iterator<Item = &'t ResourceType>, place: &str) -> String {
    let names: Vec<&str> = types.map(ResourceType::as_str).collect();
    let more = names.len().saturating_sub(MOST_TYPES_NAMED);
    let named = names[..names.len() - more].join(", ");
    match (names.len(), more) {
        (0, _) => format!("no type in {place}: none can have this ID"),
        (_, 0) => format!("{named} in {place}"),
        _ => format!("{named} and {more} more types in {place}"),
    }
}

/// How many of these writes replace a value.
pub(in crate::cli) fn replaced(writes: &PackedList<PlannedWrite>) -> impl Iterator<Item = PlannedWrite> {
    writes.iter().filter(|write| write.old_value.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_writes_as_allowed_are_not_too_many() {
        let check = |writes, max_changes| LimitArgs { max_changes }.check(writes, "the plan has");
        assert!(check(5, Some(5)).is_ok() && check(5, None).is_ok() && check(0, Some(0)).is_ok());
        let error = check(6, Some(5)).unwrap_err();
        assert!(error.message.contains("6 writes") && error.hints[1].contains("--max-changes 6"), "{error:?}");
    }

    #[test]
    fn only_some_types_are_named() {
        let types: Vec<ResourceType> = (0..12).map(|number| format!("t{number}").into()).collect();
        assert_eq!(types_phrase(types[..2].iter(), "eu-west-1"), "t0, t1 in eu-west-1");
        assert!(types_phrase(types.iter(), "eu-west-1").ends_with("t9 and 2 more types in eu-west-1"));
    }
}
