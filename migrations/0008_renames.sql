-- A call can give a resource another name (ModifyDBInstance). To the old name that is a deletion, which knows the new one.
-- NULL also in rows of before this column: the trail is read again, for the resource map has changed with it.
ALTER TABLE resource_events ADD COLUMN renamed_to TEXT;

-- Few events rename: finding them must not read all the others. By type for `tag` and `report`, and by the last part of the
-- new name for `who`.
CREATE INDEX resource_events_renames ON resource_events (account_id, resource_type) WHERE renamed_to IS NOT NULL;
CREATE INDEX resource_events_by_new_name ON resource_events (
    substr(renamed_to, length(rtrim(renamed_to, replace(replace(renamed_to, '/', ''), ':', ''))) + 1)
) WHERE renamed_to IS NOT NULL;
