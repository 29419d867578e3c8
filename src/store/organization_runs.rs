//! Organization runs: each groups the runs in its accounts and regions.
//!
//! An account-region is done when the run has nothing left to do there, with any outcome. The others are processed
//! again when the run is resumed. As in the journal, every method is one transaction and waits only for SQLite.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use rusqlite::{OptionalExtension, Row, named_params, params};
use serde::Serialize;

use super::journal::{Run, RunKind};
use super::{Store, StoreError, now};
use crate::model::{AccountId, InvalidName, Region, TagKey};

/// The prefix that distinguishes the numbers of organization runs from those of single runs.
const PREFIX: &str = "org-";

/// The number of an organization run, written `org-3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationRunId(i64);

impl fmt::Display for OrganizationRunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PREFIX}{}", self.0)
    }
}

impl FromStr for OrganizationRunId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let number = text.strip_prefix(PREFIX).and_then(|number| number.parse().ok());
        let expected = "the number of a run across an organization, such as org-3";
        number.map(Self).ok_or_else(|| InvalidName { value: text.to_owned(), expected })
    }
}

impl Serialize for OrganizationRunId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl rusqlite::types::FromSql for OrganizationRunId {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

impl rusqlite::ToSql for OrganizationRunId {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

/// An organization run before its start.
#[derive(Debug, Clone)]
pub struct NewOrganizationRun {
    /// Its kind.
    pub kind: RunKind,
    /// The organization run that it undoes.
    pub undoes: Option<OrganizationRunId>,
    /// The tag key.
    pub key: TagKey,
    /// The options that determine the writes, as JSON.
    pub question: String,
}

/// An organization run.
#[derive(Debug, Clone, Serialize)]
pub struct OrganizationRun {
    /// Its number.
    #[serde(rename = "organization_run")]
    pub id: OrganizationRunId,
    /// Its kind.
    pub kind: RunKind,
    /// The organization run that it undoes.
    pub undoes: Option<OrganizationRunId>,
    /// The tag key.
    pub tag_key: TagKey,
    /// The options that determine the writes, as JSON.
    #[serde(skip)]
    pub question: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC. `None` while it is in progress, or if it was interrupted.
    pub finished_at: Option<String>,
    /// Runs in its accounts and regions.
    pub runs: u32,
    /// Accounts among them.
    pub accounts: u32,
    /// Tags written.
    pub written: u32,
}

const SELECT: &str = "
    SELECT organization_run_id, kind, undoes, tag_key, question, started_at, finished_at,
           (SELECT COUNT(*) FROM runs WHERE runs.organization_run_id = organization.organization_run_id) AS runs,
           (SELECT COUNT(DISTINCT account_id) FROM runs
             WHERE runs.organization_run_id = organization.organization_run_id) AS accounts,
           (SELECT COUNT(*) FROM runs JOIN writes USING (run_id)
             WHERE runs.organization_run_id = organization.organization_run_id AND state = 'written') AS written
    FROM organization_runs AS organization";

impl Store {
    /// Stores an organization run.
    ///
    /// # Errors
    /// The database fails.
    pub fn begin_organization_run(&self, run: &NewOrganizationRun) -> Result<OrganizationRunId, StoreError> {
        self.connection.execute(
            "INSERT INTO organization_runs (kind, undoes, tag_key, question, started_at) VALUES (?, ?, ?, ?, ?)",
            params![run.kind, run.undoes, run.key.as_str(), run.question, now()],
        )?;
        Ok(OrganizationRunId(self.connection.last_insert_rowid()))
    }

    /// Marks an account-region as done.
    ///
    /// # Errors
    /// The database fails.
    pub fn end_place(&self, run: OrganizationRunId, account: &AccountId, region: &Region) -> Result<(), StoreError> {
        let mut insert =
            self.connection.prepare_cached("INSERT OR IGNORE INTO organization_places VALUES (?, ?, ?)")?;
        insert.execute(params![run, account.as_str(), region.as_str()])?;
        Ok(())
    }

    /// The regions of an account that are done.
    ///
    /// # Errors
    /// The database fails.
    pub fn places_done(&self, run: OrganizationRunId, account: &AccountId) -> Result<HashSet<Region>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT region FROM organization_places WHERE organization_run_id = ? AND account_id = ?",
        )?;
        let regions =
            query.query_map(params![run, account.as_str()], |row| row.get::<_, String>(0).map(Region::new))?;
        Ok(regions.collect::<Result<_, _>>()?)
    }

    /// Marks an organization run as finished if none of its runs is open. A run that wrote nothing is deleted.
    ///
    /// # Errors
    /// The database fails.
    pub fn finish_organization_run(&self, run: OrganizationRunId) -> Result<bool, StoreError> {
        let transaction = self.journal_transaction()?;
        let finished = transaction.execute(
            "UPDATE organization_runs SET finished_at = COALESCE(finished_at, :now)
             WHERE organization_run_id = :run AND NOT EXISTS (
                 SELECT 1 FROM runs WHERE runs.organization_run_id = :run AND runs.finished_at IS NULL)",
            named_params! {":now": now(), ":run": run},
        )?;
        if finished > 0 {
            transaction.execute(
                "DELETE FROM organization_runs WHERE organization_run_id = :run
                 AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.organization_run_id = :run)",
                named_params! {":run": run},
            )?;
            transaction.execute("DELETE FROM organization_places WHERE organization_run_id = ?", [run])?;
        }
        transaction.commit()?;
        Ok(finished > 0)
    }

    /// All organization runs, the latest first.
    ///
    /// # Errors
    /// The database fails.
    pub fn organization_runs(&self) -> Result<Vec<OrganizationRun>, StoreError> {
        let mut query = self.connection.prepare(&format!("{SELECT} ORDER BY organization_run_id DESC"))?;
        let runs = query.query_map([], run_of)?.collect::<Result<_, _>>()?;
        Ok(runs)
    }

    /// One organization run.
    ///
    /// # Errors
    /// The database fails.
    pub fn organization_run(&self, run: OrganizationRunId) -> Result<Option<OrganizationRun>, StoreError> {
        let query = format!("{SELECT} WHERE organization_run_id = ?");
        Ok(self.connection.query_row(&query, [run], run_of).optional()?)
    }

    /// Its runs, in the order of their numbers; with `account`, those in that account.
    ///
    /// # Errors
    /// The database fails.
    pub fn runs_of_organization(
        &self,
        run: OrganizationRunId,
        account: Option<&AccountId>,
    ) -> Result<Vec<Run>, StoreError> {
        self.runs_where(
            "runs.organization_run_id = ?1 AND (?2 IS NULL OR account_id = ?2)",
            params![run, account.map(AccountId::as_str)],
        )
    }
}

fn run_of(row: &Row<'_>) -> rusqlite::Result<OrganizationRun> {
    Ok(OrganizationRun {
        id: row.get("organization_run_id")?,
        kind: row.get("kind")?,
        undoes: row.get("undoes")?,
        tag_key: TagKey::new(row.get::<_, String>("tag_key")?),
        question: row.get("question")?,
        started_at: row.get("started_at")?,
        finished_at: row.get("finished_at")?,
        runs: row.get("runs")?,
        accounts: row.get("accounts")?,
        written: row.get("written")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Arn;
    use crate::model::RunId;
    use crate::store::journal::{NewRun, Write, WriteOutcome};

    const ACCOUNTS: [&str; 2] = ["111111111111", "222222222222"];

    fn begin(store: &Store) -> OrganizationRunId {
        let question = "{}".to_owned();
        let run = NewOrganizationRun { kind: RunKind::Tag, undoes: None, key: "Owner".into(), question };
        store.begin_organization_run(&run).unwrap()
    }

    fn child(store: &Store, parent: OrganizationRunId, account: &str) -> RunId {
        let run = NewRun {
            kind: RunKind::Tag,
            undoes: None,
            account: account.into(),
            region: "eu-west-1".into(),
            key: "Owner".into(),
            caller: Arn::from("arn:aws:sts::1:assumed-role/a/b"),
            organization: Some(parent),
        };
        let write = Write {
            position: 0,
            resource_type: "sqs".into(),
            id: "q".into(),
            arn: Arn::from("arn:aws:sqs:eu-west-1:1:q"),
            region: "eu-west-1".into(),
            key: "Owner".into(),
            old_key: None,
            owner_keys: Vec::new(),
            skip_tags: Vec::new(),
            old_value: None,
            new_value: Some("alice".into()),
            event_id: None,
        };
        store.begin_run(&run, &[write]).unwrap()
    }

    #[test]
    fn run_is_finished_when_its_runs_are_and_forgets_account_regions() {
        let store = Store::in_memory().unwrap();
        let parent = begin(&store);
        let runs = ACCOUNTS.map(|account| child(&store, parent, account));
        store.end_place(parent, &ACCOUNTS[0].into(), &"eu-west-1".into()).unwrap();
        assert_eq!(store.places_done(parent, &ACCOUNTS[0].into()).unwrap(), HashSet::from(["eu-west-1".into()]));
        assert_eq!(store.places_done(parent, &ACCOUNTS[1].into()).unwrap(), HashSet::new());
        assert!(!store.finish_organization_run(parent).unwrap());
        for run in runs {
            let written = WriteOutcome::Written { request_id: None };
            store.end_writes(run, &[(0, written)].into()).unwrap();
            assert!(store.finish_run(run).unwrap());
        }
        assert!(store.finish_organization_run(parent).unwrap());
        assert_eq!(store.places_done(parent, &ACCOUNTS[0].into()).unwrap(), HashSet::new());
        let actual = store.organization_run(parent).unwrap().unwrap();
        assert_eq!((actual.runs, actual.accounts, actual.written), (2, 2, 2));
        assert!(actual.finished_at.is_some());
        let of_one = store.runs_of_organization(parent, Some(&ACCOUNTS[1].into())).unwrap();
        assert_eq!(of_one.iter().map(|run| run.run_id).collect::<Vec<_>>(), [runs[1]]);
        assert_eq!(of_one[0].organization_run, Some(parent));
    }

    #[test]
    fn run_without_writes_is_deleted() {
        let store = Store::in_memory().unwrap();
        let parent = begin(&store);
        store.end_place(parent, &ACCOUNTS[0].into(), &"eu-west-1".into()).unwrap();
        assert!(store.finish_organization_run(parent).unwrap());
        assert!(store.organization_runs().unwrap().is_empty());
        assert_ne!(begin(&store), parent, "numbers are not used twice");
    }

    #[test]
    fn numbers_differ_from_those_of_single_runs() {
        assert_eq!("org-3".parse::<OrganizationRunId>().unwrap().to_string(), "org-3");
        assert!("3".parse::<OrganizationRunId>().is_err());
    }
}
