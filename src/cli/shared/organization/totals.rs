//! The figures of a run across an organization, and its document where there is nothing to do.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{CommandError, Context};
use super::DisplayArgs;
use super::results::Results;
use crate::aws::Counts;
use crate::creator::MissingPerson;
use crate::model::TagKey;
use crate::plan::SkipKind;
use crate::store::journal::RunKind;
use crate::store::organization_runs::OrganizationRunId;

/// The figures of the summary.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) accounts: u64,
    pub(super) without_work: u64,
    pub(super) places: u64,
    pub(super) failed_places: u64,
    pub(super) failed_roles: u64,
    pub(super) planned: u64,
    pub(super) written: BTreeMap<&'static str, u64>,
    pub(super) left: BTreeMap<SkipKind, u64>,
    pub(super) missing_people: Vec<MissingPerson>,
    pub(super) has_item_failures: bool,
    /// Whether some rows of the plans were not printed.
    pub(super) has_more_rows: bool,
}

impl Totals {
    /// The `Summary` of the document.
    pub(super) fn document(
        &self,
        run: Option<OrganizationRunId>,
        kind: RunKind,
        key: Option<&TagKey>,
        calls: &Counts,
    ) -> Value {
        let mut summary = json!({
            "run_id": run,
            "kind": kind,
            "tag_key": key,
            "interrupted": false,
            "accounts": self.accounts,
            "accounts_without_records": self.without_work,
            "places": self.places,
            "exceptions": self.failed_places,
            "failed_assume_role": self.failed_roles,
            "tag": self.planned,
            "results": self.written,
            "skipped": self.left,
            "calls": {"reads": calls.total() - calls.writes(), "writes": calls.writes()},
        });
        if !self.missing_people.is_empty() {
            summary["missing_people"] = json!(self.missing_people);
        }
        summary
    }
}

/// The document and the file of results of plans that have nothing to write. `key`: the tag, if the plans have it.
///
/// # Errors
/// The file can't be written.
pub(in crate::cli) fn show_nothing(
    context: &Context,
    kind: RunKind,
    key: Option<&TagKey>,
    display: &DisplayArgs,
) -> Result<(), CommandError> {
    let results = Results::new(context, display.open_results(false)?);
    results.finish(&Totals::default().document(None, kind, key, &Counts::default()));
    Ok(())
}
