//! What earlier runs did to the tags of a type's resources, in the order in which it happened.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, named_params};

use super::WriteState;
use crate::model::RunId;
use crate::model::{AccountId, Arn, Region, ResourceId, ResourceType, TagKey, TagValue};
use crate::plan::earlier::{Direction, EarlierWrite};
use crate::store::creations::region_condition;
use crate::store::{Store, StoreError};

impl Store {
    /// The writes that runs in an account made to resources of a type, by time; with `region`, those of runs in that
    /// region. Streamed to `each`.
    ///
    /// # Errors
    /// SQLite's.
    pub fn earlier_writes(
        &self,
        resource_type: &ResourceType,
        account: &AccountId,
        region: Option<&Region>,
        each: &mut dyn FnMut(EarlierWrite),
    ) -> Result<(), StoreError> {
        let query = format!(
            "SELECT run_id, resource_id, arn, COALESCE(writes.tag_key, runs.tag_key) AS tag_key, old_value, new_value, \
                    event_id, state, COALESCE(written_at, started_at) AS at
             FROM (SELECT run_id, tag_key, started_at FROM runs WHERE account_id = :account AND {}) AS runs
             CROSS JOIN writes INDEXED BY writes_of_type USING (run_id)
             WHERE resource_type = :type AND state IN ('written', 'started', 'in-doubt')
             ORDER BY at, run_id, position",
            region_condition(region)
        );
        let mut query = self.connection.prepare_cached(&query)?;
        let region = region.map(Region::as_str);
        let mut rows = query
            .query(named_params! {":account": account.as_str(), ":region": region, ":type": resource_type.as_str()})?;
        let mut directions = HashMap::new();
        while let Some(row) = rows.next()? {
            let run = RunId(row.get("run_id")?);
            let direction = match directions.get(&run) {
                Some(direction) => *direction,
                None => *directions.entry(run).or_insert(self.direction_of(run)?),
            };
            each(EarlierWrite {
                id: ResourceId::new(row.get::<_, String>("resource_id")?),
                arn: Arn::new(row.get::<_, String>("arn")?),
                key: TagKey::new(row.get::<_, String>("tag_key")?),
                old_value: row.get::<_, Option<String>>("old_value")?.map(TagValue::new),
                new_value: row.get::<_, Option<String>>("new_value")?.map(TagValue::new),
                event_id: row.get("event_id")?,
                direction,
                is_certain: row.get::<_, WriteState>("state")? == WriteState::Written,
                at: row.get("at")?,
            });
        }
        Ok(())
    }

    /// An undo of an undo sets again what the first run set.
    fn direction_of(&self, run: RunId) -> Result<Direction, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT undoes FROM runs WHERE run_id = ?")?;
        let (mut run, mut direction) = (run, Direction::Sets);
        while let Some(undone) = query.query_row([run.0], |row| row.get::<_, Option<i64>>(0)).optional()?.flatten() {
            // A run undoes one with a lower number: the chain ends.
            run = RunId(undone);
            direction = if direction == Direction::Sets { Direction::Reverts } else { Direction::Sets };
        }
        Ok(direction)
    }
}
