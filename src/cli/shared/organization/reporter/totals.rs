//! The figures of the summary, and their JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::RunDisplay;
use crate::creator::MissingPerson;
use crate::org::Organization;
use crate::plan::SkipKind;
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
    pub(super) fn document(
        &self,
        (organization, run): (&Organization<'_>, Option<OrganizationRunId>),
        display: &RunDisplay<'_>,
        interrupted: bool,
    ) -> Value {
        let calls = organization.base.counts();
        let mut summary = json!({
            "run_id": run,
            "kind": display.kind,
            "tag_key": organization.key,
            "interrupted": interrupted,
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
        if display.stats {
            summary["stats"] = json!(calls.by_operation());
        }
        summary
    }
}
