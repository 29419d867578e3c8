-- The seconds that have rows with an ID or another name that ends in a part: what comes after its last `/` or `:`. Entries are short, because
-- they are in no order: an index on the ID repeats the row's key, and takes seven times the room. A second can have lost its row, and parts can
-- share a digest: what counts is the row.
CREATE TABLE account_regions (
    account_region_id INTEGER PRIMARY KEY,
    account_id        TEXT NOT NULL,
    region            TEXT NOT NULL,
    UNIQUE (account_id, region)
);
CREATE TABLE resource_seconds (
    part              INTEGER NOT NULL,  -- first 4 bytes of a SHA-256
    account_region_id INTEGER NOT NULL,  -- of account_regions
    event_time        NOT NULL,          -- seconds since 1970; TEXT if the row's is not written as 2023-07-10T11:54:39Z
    PRIMARY KEY (part, account_region_id, event_time)
) WITHOUT ROWID;

DROP INDEX resource_events_by_last_part;
DROP TABLE resource_names;
