//! Athena queries that were started and whose results are not loaded yet: a query is paid for once.

use rusqlite::{OptionalExtension, params};

use super::ledger::Fingerprint;
use super::{Store, StoreError};

/// A query that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingQuery {
    /// Its text.
    pub sql: String,
    /// The database that it runs in.
    pub database: String,
    /// The workgroup that it runs in.
    pub workgroup: String,
    /// Where it was told to put its result.
    pub output: Option<String>,
    /// The token that makes a second start give the same query.
    pub token: String,
    /// Athena's id of it; `None` where the answer to the start was not seen.
    pub query_id: Option<String>,
    /// When, RFC 3339, UTC.
    pub started_at: String,
}

impl Store {
    /// The query that the command `key` stands for began and didn't finish.
    ///
    /// # Errors
    /// SQLite's.
    pub fn pending_athena_query(&self, key: Fingerprint) -> Result<Option<PendingQuery>, StoreError> {
        const SELECT: &str = "SELECT sql, database, workgroup, output, token, query_id, started_at \
                              FROM athena_queries WHERE command = ?1";
        let mut statement = self.connection.prepare_cached(SELECT)?;
        let pending = statement.query_row(params![key.as_bytes()], |row| {
            Ok(PendingQuery {
                sql: row.get(0)?,
                database: row.get(1)?,
                workgroup: row.get(2)?,
                output: row.get(3)?,
                token: row.get(4)?,
                query_id: row.get(5)?,
                started_at: row.get(6)?,
            })
        });
        Ok(pending.optional()?)
    }

    /// Keeps a query that is about to start, in place of an earlier one of the same command.
    ///
    /// # Errors
    /// SQLite's.
    pub fn keep_athena_query(&mut self, key: Fingerprint, query: &PendingQuery) -> Result<(), StoreError> {
        const INSERT: &str = "INSERT OR REPLACE INTO athena_queries \
             (command, sql, database, workgroup, output, token, query_id, started_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let PendingQuery { sql, database, workgroup, output, token, query_id, started_at } = query;
        let values = params![key.as_bytes(), sql, database, workgroup, output, token, query_id, started_at];
        self.connection.prepare_cached(INSERT)?.execute(values)?;
        Ok(())
    }

    /// Keeps the id that Athena gave.
    ///
    /// # Errors
    /// SQLite's.
    pub fn note_athena_query_id(&mut self, key: Fingerprint, query_id: &str) -> Result<(), StoreError> {
        const UPDATE: &str = "UPDATE athena_queries SET query_id = ?2 WHERE command = ?1";
        self.connection.prepare_cached(UPDATE)?.execute(params![key.as_bytes(), query_id])?;
        Ok(())
    }

    /// Forgets what a command began: there is nothing to go on with.
    ///
    /// # Errors
    /// SQLite's.
    pub fn forget_athena_command(&mut self, key: Fingerprint) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("DELETE FROM athena_queries WHERE command = ?1")?
            .execute(params![key.as_bytes()])?;
        Ok(())
    }

    /// Forgets a query, whichever command began it: it is loaded.
    ///
    /// # Errors
    /// SQLite's.
    pub fn forget_athena_query(&mut self, query_id: &str) -> Result<(), StoreError> {
        self.connection.prepare_cached("DELETE FROM athena_queries WHERE query_id = ?1")?.execute(params![query_id])?;
        Ok(())
    }
}
