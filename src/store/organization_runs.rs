//! Runs across an organization: parents of the runs in its accounts and regions.
//!
//! A place (an account in a region) is done when all that the run had to do there is over, whatever came of it; one that is not is
//! looked at again when the run is resumed. As in the journal, every method is one transaction and waits for nothing but SQLite.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use rusqlite::{OptionalExtension, Row, named_params, params};
use serde::Serialize;

use super::journal::{Run, RunKind};
use super::{Store, StoreError, now};
use crate::names::{AccountId, InvalidName, Region, TagKey};

/// How the numbers of these runs begin where people see them, to tell them from single runs.
const PREFIX: &str = "org-";

/// The number of a run across an organization; written `org-3`.
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

/// A run across an organization, about to begin.
#[derive(Debug, Clone)]
pub struct NewOrganizationRun {
    /// What for.
    pub kind: RunKind,
    /// The one that it takes back.
    pub undoes: Option<OrganizationRunId>,
    /// The tag.
    pub key: TagKey,
    /// The options that decide what is written, as JSON.
    pub question: String,
}

/// A run across an organization.
#[derive(Debug, Clone, Serialize)]
pub struct OrganizationRun {
    /// Its number.
    #[serde(rename = "organization_run")]
    pub id: OrganizationRunId,
    /// What for.
    pub kind: RunKind,
    /// The one that it takes back.
    pub undoes: Option<OrganizationRunId>,
    /// The tag.
    pub tag_key: TagKey,
    /// The options that decide what is written, as JSON.
    #[serde(skip)]
    pub question: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC; none while it runs, or was interrupted.
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
    /// Stores a run across an organization.
    ///
    /// # Errors
    /// SQLite's.
    pub fn begin_organization_run(&self, run: &NewOrganizationRun) -> Result<OrganizationRunId, StoreError> {
        self.connection.execute(
            "INSERT INTO organization_runs (kind, undoes, tag_key, question, started_at) VALUES (?, ?, ?, ?, ?)",
            params![run.kind, run.undoes, run.key.as_str(), run.question, now()],
        )?;
        Ok(OrganizationRunId(self.connection.last_insert_rowid()))
    }

    /// Marks a place as done.
    ///
    /// # Errors
    /// SQLite's.
    pub fn end_place(&self, run: OrganizationRunId, account: &AccountId, region: &Region) -> Result<(), StoreError> {
        let mut insert =
            self.connection.prepare_cached("INSERT OR IGNORE INTO organization_places VALUES (?, ?, ?)")?;
        insert.execute(params![run, account.as_str(), region.as_str()])?;
        Ok(())
    }

    /// The regions of an account that are done.
    ///
    /// # Errors
    /// SQLite's.
    pub fn places_done(&self, run: OrganizationRunId, account: &AccountId) -> Result<HashSet<Region>, StoreError> {
        let mut query = self.connection.prepare_cached(
            "SELECT region FROM organization_places WHERE organization_run_id = ? AND account_id = ?",
        )?;
        let regions =
            query.query_map(params![run, account.as_str()], |row| row.get::<_, String>(0).map(Region::new))?;
        Ok(regions.collect::<Result<_, _>>()?)
    }

    /// Marks it as finished, if none of its runs is open. One that wrote nothing leaves no trace.
    ///
    /// # Errors
    /// SQLite's.
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

    /// All of them, the latest first.
    ///
    /// # Errors
    /// SQLite's.
    pub fn organization_runs(&self) -> Result<Vec<OrganizationRun>, StoreError> {
        let mut query = self.connection.prepare(&format!("{SELECT} ORDER BY organization_run_id DESC"))?;
        let runs = query.query_map([], run_of)?.collect::<Result<_, _>>()?;
        Ok(runs)
    }

    /// One of them.
    ///
    /// # Errors
    /// SQLite's.
    pub fn organization_run(&self, run: OrganizationRunId) -> Result<Option<OrganizationRun>, StoreError> {
        let query = format!("{SELECT} WHERE organization_run_id = ?");
        Ok(self.connection.query_row(&query, [run], run_of).optional()?)
    }

    /// Its runs, in the order of their numbers; with `account`, those in that account.
    ///
    /// # Errors
    /// SQLite's.
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
    use crate::names::Arn;
    use crate::store::journal::{NewRun, RunId, Write, WriteResult, WriteState};

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
            old_value: None,
            new_value: Some("alice".into()),
            event_id: None,
        };
        store.begin_run(&run, &[write]).unwrap()
    }

    #[test]
    fn it_is_finished_when_all_its_runs_are_and_its_places_are_forgotten_then() {
        let store = Store::in_memory().unwrap();
        let parent = begin(&store);
        let runs = ACCOUNTS.map(|account| child(&store, parent, account));
        store.end_place(parent, &ACCOUNTS[0].into(), &"eu-west-1".into()).unwrap();
        assert_eq!(store.places_done(parent, &ACCOUNTS[0].into()).unwrap(), HashSet::from(["eu-west-1".into()]));
        assert_eq!(store.places_done(parent, &ACCOUNTS[1].into()).unwrap(), HashSet::new());
        assert!(!store.finish_organization_run(parent).unwrap());
        for run in runs {
            let written = WriteResult { position: 0, state: WriteState::Written, error: None, request_id: None };
            store.end_writes(run, &[written]).unwrap();
            assert!(store.finish_run(run).unwrap());
        }
        assert!(store.finish_organization_run(parent).unwrap());
        assert_eq!(store.places_done(parent, &ACCOUNTS[0].into()).unwrap(), HashSet::new());
        let told = store.organization_run(parent).unwrap().unwrap();
        assert_eq!((told.runs, told.accounts, told.written), (2, 2, 2));
        assert!(told.finished_at.is_some());
        let of_one = store.runs_of_organization(parent, Some(&ACCOUNTS[1].into())).unwrap();
        assert_eq!(of_one.iter().map(|run| run.run_id).collect::<Vec<_>>(), [runs[1]]);
        assert_eq!(of_one[0].organization_run, Some(parent));
    }

    #[test]
    fn one_that_wrote_nothing_leaves_no_trace() {
        let store = Store::in_memory().unwrap();
        let parent = begin(&store);
        store.end_place(parent, &ACCOUNTS[0].into(), &"eu-west-1".into()).unwrap();
        assert!(store.finish_organization_run(parent).unwrap());
        assert!(store.organization_runs().unwrap().is_empty());
        assert_ne!(begin(&store), parent, "numbers are not used twice");
    }

    #[test]
    fn numbers_are_told_from_those_of_single_runs() {
        assert_eq!("org-3".parse::<OrganizationRunId>().unwrap().to_string(), "org-3");
        assert!("3".parse::<OrganizationRunId>().is_err());
    }
}
