//! The previous reports, and which one a report is compared with.

use std::fs;

use serde_json::{Value, json};

use super::{Args, Printed};
use crate::cli::Context;
use crate::model::{AccountId, Region};
use crate::report::trend::{self, Earlier};
use crate::store::Store;

/// The options that decide which resources are counted, and how. Reports with the same are compared.
#[derive(Debug, Clone)]
pub(super) struct ReportScope(Value);

impl ReportScope {
    pub(super) fn of(args: &Args) -> Self {
        let sorted = |mut texts: Vec<String>| {
            texts.sort();
            texts.dedup();
            texts
        };
        let texts = |texts: &mut dyn Iterator<Item = String>| sorted(texts.collect());
        let organization = &args.organization;
        // The same file by any path. Accounts that are added to it are part of the trend.
        let config = organization.config.as_ref().map(|path| fs::canonicalize(path).unwrap_or_else(|_| path.clone()));
        Self(json!({
            "offline": args.offline,
            "key": args.creator_tag,
            "owner_keys": texts(&mut args.owner_keys.owner_keys.iter().map(ToString::to_string)),
            "types": texts(&mut args.types.iter().map(ToString::to_string)),
            "all_types": args.all_types,
            "regions": texts(&mut args.region.iter().map(ToString::to_string)),
            "accounts": texts(&mut args.offline_accounts.iter().map(ToString::to_string)),
            "inherit": args.inherit,
            "where": args.condition.as_ref().map(ToString::to_string),
            "config": config,
            "chosen": sorted(organization.accounts.clone()),
            "not_chosen": sorted(organization.not_accounts.clone()),
            "tags": sorted(organization.tags.clone()),
        }))
    }

    /// With the account of the credentials and its regions.
    pub(super) fn with_account(mut self, account: &AccountId, regions: &[Region]) -> Self {
        let mut regions: Vec<&str> = regions.iter().map(Region::as_str).collect();
        regions.sort_unstable();
        self.0["accounts"] = json!([account.as_str()]);
        // All regions are all of the day of the report.
        if self.0["regions"] != json!(["all"]) {
            self.0["regions"] = json!(regions);
        }
        self
    }

    /// The previous reports, the latest first. None if the database can't be read, so that the report does not fail.
    pub(super) fn earlier(&self, context: &Context, store: &Store) -> Vec<Earlier> {
        trend::earlier(store, &self.0.to_string()).unwrap_or_else(|error| {
            context.console.warning(format_args!("could not read the previous reports: {error}"));
            Vec::new()
        })
    }

    /// Keeps a report for those to come. A report without resources is not part of a trend.
    pub(super) fn keep(&self, context: &Context, store: &Store, printed: &Printed<'_>) {
        let totals = printed.report.coverage.totals();
        if totals.resources() == 0 {
            return;
        }
        let is_complete = printed.report.is_complete() && printed.failed_accounts.is_empty();
        let report = Earlier { taken_at: printed.taken_at.clone(), is_complete, totals };
        match trend::keep(store, &self.0.to_string(), &report) {
            // A database that is read-only on purpose.
            Err(error) if error.is_of_permission() => {
                tracing::info!("the totals were not kept for the next report: {error}");
            }
            Err(error) => {
                context.console.warning(format_args!("could not keep the totals for the next report: {error}"));
            }
            Ok(()) => {}
        }
    }
}
