-- The other names of a row's resource in its record (ARN, name, URL), one a line, without those that follow from the ID. NULL: none.
ALTER TABLE resource_events ADD COLUMN names TEXT;

-- The seconds that have rows with a name, by the part of the name after its last `/` or `:`. Names that end as their row's ID are
-- found by the index on the ID. A second can have lost its row: what counts is the row's column.
CREATE TABLE resource_names (
    last_part  TEXT NOT NULL,
    account_id TEXT NOT NULL,
    region     TEXT NOT NULL,
    event_time TEXT NOT NULL,
    PRIMARY KEY (last_part, account_id, region, event_time)
) WITHOUT ROWID;
