//! Plans a query: finds the table and builds the SQL. Starts nothing.

use std::collections::BTreeSet;

use super::client::Athena;
use super::error::LoadError;
use super::partition;
use super::row;
use super::sql::{self, NameFilter};
use super::table::Table;
use crate::model::Region;
use crate::resource_map::ResourceMap;
use crate::store::Fingerprint;
use crate::trail::filter::RecordFilter;
use crate::trail::window::TimeWindow;

/// What the user requests.
#[derive(Debug, Clone)]
pub struct Request {
    /// The database that holds the table.
    pub database: String,
    /// The table. `None`: found by its columns.
    pub table: Option<String>,
    /// The workgroup to run the query in.
    pub workgroup: String,
    /// The result location, `s3://bucket/path/`. `None`: that of the workgroup, or else the console's default bucket.
    pub output: Option<String>,
    /// The records to load.
    pub filter: RecordFilter,
    /// The time range as the user wrote it (`--since 90d`). It identifies the command when it runs again.
    pub window: String,
}

/// A query that is ready to start.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The table.
    pub table: Table,
    /// The SQL.
    pub sql: String,
    /// How precisely the query filters event names.
    pub names: NameFilter,
    /// Whether Athena scans all days, regardless of the time range.
    pub reads_all_days: bool,
    /// The partition keys that have no condition, because what their values are is not certain, if the request limits days or accounts.
    pub unused_keys: Vec<String>,
    /// Record fields that the resource map uses and the table lacks.
    pub missing: BTreeSet<String>,
    /// The SQL without the time range. It stays the same when the command runs again.
    timeless: String,
}

impl Plan {
    /// A key that identifies the command, also on later days: ages in its time range are kept as written.
    pub(super) fn key(&self, request: &Request, region: &Region) -> Fingerprint {
        let Request { workgroup, window, .. } = request;
        Fingerprint::of(&[&self.timeless, window, workgroup, region.as_str()].map(str::as_bytes))
    }
}

/// Finds the table and builds the query. Starts nothing.
///
/// # Errors
/// There is no CloudTrail table, or more than one; or it needs values that the request does not have.
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
    let reads_all_days = !days.is_unlimited() && partition::conditions(&table, days, &BTreeSet::new()).is_empty();
    let unused_keys = partition::unused(&table, days, &request.filter.accounts);
    let unused_keys = unused_keys.into_iter().filter(|_| !days.is_unlimited()).map(str::to_owned).collect();
    let missing = wanted.missing;
    Ok(Plan { table, sql: query.sql, names: query.names, reads_all_days, unused_keys, missing, timeless })
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
