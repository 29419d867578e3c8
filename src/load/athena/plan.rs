//! What to ask of Athena: the table, and the query by it. Starts nothing.

use std::collections::BTreeSet;

use super::client::Athena;
use super::error::LoadError;
use super::partition;
use super::row;
use super::sql::{self, NameFilter};
use super::table::Table;
use crate::names::Region;
use crate::resource_map::ResourceMap;
use crate::store::ledger::Fingerprint;
use crate::trail::filter::RecordFilter;
use crate::trail::window::TimeWindow;

/// What a person asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The database with the table.
    pub database: String,
    /// The table; found by its columns where not given.
    pub table: Option<String>,
    /// The workgroup that the query runs in.
    pub workgroup: String,
    /// Where the result goes, `s3://bucket/path/`; the workgroup's place or the console's default bucket where not given.
    pub output: Option<String>,
    /// Which records are wanted.
    pub filter: RecordFilter,
    /// The window as it was written (`--since 90d`), by which the same command is known again later.
    pub window: String,
}

/// What will be asked of Athena.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The table.
    pub table: Table,
    /// The query.
    pub sql: String,
    /// How exactly the query filters names.
    pub names: NameFilter,
    /// Whether the window spares the reading of other days.
    pub reads_all_days: bool,
    /// Fields of records that the map's expressions read and the table can't give.
    pub missing: BTreeSet<String>,
    /// The query without its window: what stays the same when the command runs again.
    timeless: String,
}

impl Plan {
    /// What stands for the command, today and tomorrow: ages in its window are kept as they were written.
    pub(super) fn key(&self, request: &Request, region: &Region) -> Fingerprint {
        let Request { workgroup, window, .. } = request;
        Fingerprint::of(&[&self.timeless, window, workgroup, region.as_str()].map(str::as_bytes))
    }
}

/// Finds the table and builds the query. Starts nothing.
///
/// # Errors
/// There is no such table, or not exactly one; or it wants values that there are none of.
pub async fn make(athena: &Athena, map: &ResourceMap, request: &Request) -> Result<Plan, LoadError> {
    let table = find_table(athena, request).await?;
    let injected = partition::unfilled(&table, &request.filter.accounts);
    if !injected.is_empty() {
        return Err(LoadError::Injected {
            table: table.name.clone(),
            keys: injected.into_iter().map(str::to_owned).collect(),
        });
    }
    let wanted = row::wanted_fields(map, &table);
    let query = sql::query(map, &request.filter, &table, &wanted.fields);
    let timeless = RecordFilter { window: TimeWindow::default(), ..request.filter.clone() };
    let timeless = sql::query(map, &timeless, &table, &wanted.fields).sql;
    let days = request.filter.window.delivery_days();
    let reads_all_days = days != (None, None) && partition::conditions(&table, days, &BTreeSet::new()).is_empty();
    Ok(Plan { table, sql: query.sql, names: query.names, reads_all_days, missing: wanted.missing, timeless })
}

async fn find_table(athena: &Athena, request: &Request) -> Result<Table, LoadError> {
    let Request { database, workgroup, .. } = request;
    if let Some(name) = &request.table {
        let metadata = athena.table(database, name, workgroup).await?;
        return Ok(Table::read(database, &metadata)?);
    }
    let tables = athena.tables(database, workgroup).await?;
    Ok(Table::discover(database, &tables)?)
}
