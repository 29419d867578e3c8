//! What commands share: options, the surroundings of a command, errors and their hints, and how runs are shown.
//!
//! * [`context`]: the console, the resource map, the database; [`options`]: groups of flags; [`error`]: errors with hints
//! * [`loading`], [`load_summary`]: what the `load-*` commands share
//! * [`tagging`], [`run_output`], [`groups_of_rows`], [`saved_plans`]: what `tag`, `apply` and `undo` share; [`organization`]: the same for many accounts

pub(in crate::cli) mod allow_updates;
pub(in crate::cli) mod archived;
pub(in crate::cli) mod bucket;
pub(in crate::cli) mod call_stats;
pub(in crate::cli) mod confirm;
pub(in crate::cli) mod context;
pub(in crate::cli) mod error;
pub(in crate::cli) mod groups_of_rows;
pub(in crate::cli) mod interrupt;
pub(in crate::cli) mod load_summary;
pub(in crate::cli) mod loading;
pub(in crate::cli) mod mfa;
pub(in crate::cli) mod nothing;
pub(in crate::cli) mod options;
pub(in crate::cli) mod organization;
pub(in crate::cli) mod other_files;
pub(in crate::cli) mod population;
pub(in crate::cli) mod private_file;
pub(in crate::cli) mod regions;
pub(in crate::cli) mod run_output;
pub(in crate::cli) mod saved_plans;
pub(in crate::cli) mod scope;
pub(in crate::cli) mod suggestion;
pub(in crate::cli) mod tagging;
pub(in crate::cli) mod types;

pub(in crate::cli) use context::Context;
pub(in crate::cli) use error::{CommandError, Outcome};
pub(in crate::cli) use options::{AwsAccessArgs, AwsArgs, GlobalArgs, WindowArgs};
pub(in crate::cli) use suggestion::Invocation;
