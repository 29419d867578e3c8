//! Athena queries that were started and not loaded yet. They make sure that a query is charged once.

use rusqlite::{OptionalExtension, params};

use super::Fingerprint;
use super::{Store, StoreError};

/// A query that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingQuery {
    /// The SQL.
    pub sql: String,
    /// The database to run it in.
    pub database: String,
    /// The workgroup to run it in.
    pub workgroup: String,
    /// The result location in the request.
    pub output: Option<String>,
    /// The client request token. A second start with it returns the same query.
    pub token: String,
    /// Athena's query ID. `None` if the response to the start was not received.
    pub query_id: Option<String>,
    /// When it was started, RFC 3339, UTC.
    pub started_at: String,
}

impl Store {
    /// Returns the unfinished query of the command with this `key`.
    ///
    /// # Errors
    /// The database fails.
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

    /// Records a query before it starts, in place of an earlier one of the same command.
    ///
    /// # Errors
    /// The database fails.
    pub fn keep_athena_query(&mut self, key: Fingerprint, query: &PendingQuery) -> Result<(), StoreError> {
        const INSERT: &str = "INSERT OR REPLACE INTO athena_queries \
             (command, sql, database, workgroup, output, token, query_id, started_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let PendingQuery { sql, database, workgroup, output, token, query_id, started_at } = query;
        let values = params![key.as_bytes(), sql, database, workgroup, output, token, query_id, started_at];
        self.connection.prepare_cached(INSERT)?.execute(values)?;
        Ok(())
    }

    /// Records the query ID.
    ///
    /// # Errors
    /// The database fails.
    pub fn note_athena_query_id(&mut self, key: Fingerprint, query_id: &str) -> Result<(), StoreError> {
        const UPDATE: &str = "UPDATE athena_queries SET query_id = ?2 WHERE command = ?1";
        self.connection.prepare_cached(UPDATE)?.execute(params![key.as_bytes(), query_id])?;
        Ok(())
    }

    /// Removes the query of a command, because it can't be resumed.
    ///
    /// # Errors
    /// The database fails.
    pub fn forget_athena_command(&mut self, key: Fingerprint) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("DELETE FROM athena_queries WHERE command = ?1")?
            .execute(params![key.as_bytes()])?;
        Ok(())
    }

    /// Removes a query, of any command, because it is loaded.
    ///
    /// # Errors
    /// The database fails.
    pub fn forget_athena_query(&mut self, query_id: &str) -> Result<(), StoreError> {
        self.connection.prepare_cached("DELETE FROM athena_queries WHERE query_id = ?1")?.execute(params![query_id])?;
        Ok(())
    }
}
