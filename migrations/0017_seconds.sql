-- The seconds that have rows with an ID or another name that ends in a part: what comes after its last `/` or `:`. Entries are short, because
-- they come in no order: an index on the ID repeats the row's key, and takes seven times the room. A second can have lost its row, and parts can
-- share a digest: what counts is the row.
CREATE TABLE account_regions (
    account_region_id INTEGER PRIMARY KEY,
    account_id        TEXT NOT NULL,
    region            TEXT NOT NULL,
    UNIQUE (account_id, region)
);

-- New entries are in the first table. When it is full, it is emptied into the next one, in the order of the key. So a load does not write to a
-- page of a large table for each row.
CREATE TABLE seconds_1 (
    part              INTEGER NOT NULL,  -- first 4 bytes of a SHA-256
    account_region_id INTEGER NOT NULL,  -- of account_regions
    event_time        NOT NULL,          -- seconds since 1970; TEXT if the row's is not written as 2023-07-10T11:54:39Z
    PRIMARY KEY (part, account_region_id, event_time)
) WITHOUT ROWID;
CREATE TABLE seconds_2 (
    part              INTEGER NOT NULL,
    account_region_id INTEGER NOT NULL,
    event_time        NOT NULL,
    PRIMARY KEY (part, account_region_id, event_time)
) WITHOUT ROWID;
CREATE TABLE seconds_3 (
    part              INTEGER NOT NULL,
    account_region_id INTEGER NOT NULL,
    event_time        NOT NULL,
    PRIMARY KEY (part, account_region_id, event_time)
) WITHOUT ROWID;
CREATE TABLE seconds_4 (
    part              INTEGER NOT NULL,
    account_region_id INTEGER NOT NULL,
    event_time        NOT NULL,
    PRIMARY KEY (part, account_region_id, event_time)
) WITHOUT ROWID;
CREATE VIEW resource_seconds AS
    SELECT * FROM seconds_1 UNION ALL SELECT * FROM seconds_2 UNION ALL SELECT * FROM seconds_3 UNION ALL SELECT * FROM seconds_4;

DROP INDEX resource_events_by_last_part;
DROP TABLE resource_names;
