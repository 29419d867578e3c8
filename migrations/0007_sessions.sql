-- Who made which session: what loads with --chains keep of the calls that hand out credentials. Apart from
-- resource_events, as a session is no resource, and kept small, as there are many.
CREATE TABLE session_calls (
    call_id INTEGER PRIMARY KEY,
    digest  BLOB NOT NULL UNIQUE,    -- of the facts: first 16 bytes of a SHA-256
    facts   TEXT NOT NULL            -- JSON: the call's name, the account that recorded it, the caller but for its key
);

-- Ids that are UUIDs are kept as their 16 bytes. Copies of one call in two accounts are one row if both have the key:
-- the copy with more facts about the caller. A copy without the key is a row of its own, found by the shared id.
CREATE TABLE sessions (
    session         BLOB PRIMARY KEY,  -- the access key id that was handed out; of a copy without it: sharedEventID
    called_at       INTEGER NOT NULL,  -- seconds since 1970
    call_id         INTEGER NOT NULL,  -- of session_calls
    caller_key      TEXT,              -- the access key id of a caller that may be a session itself
    event_id        BLOB NOT NULL,
    shared_event_id BLOB               -- where another account may have a copy
) WITHOUT ROWID;

-- A region's folder may have two spans now: days that were read with these calls, and days that were read without.
CREATE TABLE ledger_spans_by_version (
    prefix    TEXT NOT NULL,         -- s3://bucket/AWSLogs/ACCOUNT/CloudTrail/REGION/
    version   BLOB NOT NULL,         -- of the resource map, with or without these calls
    first_day TEXT,                  -- NULL: from the trail's beginning
    last_day  TEXT NOT NULL,         -- 2023/07/10, as in keys
    PRIMARY KEY (prefix, version)
) WITHOUT ROWID;
INSERT INTO ledger_spans_by_version SELECT prefix, version, first_day, last_day FROM ledger_spans;
DROP TABLE ledger_spans;
ALTER TABLE ledger_spans_by_version RENAME TO ledger_spans;
