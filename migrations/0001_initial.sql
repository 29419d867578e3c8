-- Events: one row for each resource that an event created or deleted.
-- The key is in the order in which trails are read (account, region, time): one that starts with the random event id
-- is twelve times slower to insert into, and keeps falling behind as the table grows.
CREATE TABLE resource_events (
    account_id             TEXT NOT NULL,
    region                 TEXT NOT NULL,
    event_time             TEXT NOT NULL,  -- as CloudTrail wrote it: 2023-07-10T11:54:39Z
    event_id               TEXT NOT NULL,
    resource_type          TEXT NOT NULL,  -- cloud-custodian's name
    resource_id            TEXT NOT NULL,
    -- SQLite would build a list of more than two values again for each row.
    action                 TEXT NOT NULL CHECK (action = 'create' OR action = 'upsert' OR action = 'delete'),
    event_name             TEXT NOT NULL,
    event_source           TEXT NOT NULL,
    user_agent             TEXT,
    source_ip              TEXT,
    shared_event_id        TEXT,
    identity_type          TEXT,
    identity_arn           TEXT,
    identity_user_name     TEXT,
    identity_principal_id  TEXT,
    identity_account_id    TEXT,
    identity_access_key_id TEXT,
    issuer_type            TEXT,
    issuer_arn             TEXT,
    issuer_user_name       TEXT,
    source_identity        TEXT,
    on_behalf_of_user_id   TEXT,
    on_behalf_of_store_arn TEXT,
    invoked_by             TEXT,
    PRIMARY KEY (account_id, region, event_time, event_id, resource_type, resource_id)
) WITHOUT ROWID;

-- `who` asks by an id or by its last part (of an ARN, a URL, a path). What comes after the last `/` or `:` is what
-- remains when all other characters are trimmed off from the right and the rest is cut away.
CREATE INDEX resource_events_by_last_part ON resource_events (
    substr(resource_id, length(rtrim(resource_id, replace(replace(resource_id, '/', ''), ':', ''))) + 1)
);

-- What c7n-trailcreator wrote, for its own `tag` and for people's scripts.
CREATE VIEW events AS
SELECT account_id,
       region,
       event_time AS event_date,
       event_name,
       event_source,
       COALESCE(user_agent, '') AS user_agent,
       source_ip AS client_ip,
       CASE
           WHEN identity_type = 'Root' THEN 'root'
           WHEN identity_type = 'SAMLUser' THEN identity_user_name
           WHEN identity_type IS NULL AND identity_arn IS NULL THEN invoked_by
           ELSE identity_arn
       END AS user_id,
       resource_type AS rtype,
       resource_id AS resource_ids
FROM resource_events
WHERE action <> 'delete';

-- What was read. A unit of input (object, file, query, window) belongs to a prefix (a day's folder, a directory), so
-- that a closed prefix can become one row. Names and versions are the first 16 bytes of a SHA-256.
CREATE TABLE ledger_prefixes (
    prefix_id INTEGER PRIMARY KEY,
    prefix    TEXT NOT NULL UNIQUE,
    closed    BLOB                   -- version with which every unit below was read; NULL while units are kept singly
);

CREATE TABLE ledger_units (
    prefix_id INTEGER NOT NULL REFERENCES ledger_prefixes (prefix_id) ON DELETE CASCADE,
    unit      BLOB NOT NULL,
    version   BLOB NOT NULL,         -- of the content (ETag, size and mtime), the resource map and the filters
    PRIMARY KEY (prefix_id, unit)
) WITHOUT ROWID;

-- What was written to AWS, and how to take it back.
CREATE TABLE runs (
    run_id      INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT NOT NULL CHECK (kind IN ('tag', 'undo')),
    undoes      INTEGER REFERENCES runs (run_id),
    account_id  TEXT NOT NULL,
    region      TEXT NOT NULL,
    tag_key     TEXT NOT NULL,
    caller_arn  TEXT NOT NULL,       -- the user or role session that made the run's calls
    started_at  TEXT NOT NULL,       -- RFC 3339, UTC
    finished_at TEXT                 -- NULL: still running, or interrupted and can be resumed
);

CREATE TABLE writes (
    run_id        INTEGER NOT NULL REFERENCES runs (run_id),
    position      INTEGER NOT NULL,  -- of an undo's write: that of the write it takes back
    resource_type TEXT NOT NULL,
    resource_id   TEXT NOT NULL,
    arn           TEXT NOT NULL,
    region        TEXT NOT NULL,     -- where the resource is; a bucket's own
    old_value     TEXT,              -- NULL: the tag was absent
    new_value     TEXT,              -- NULL: the tag is taken off (undo)
    event_id      TEXT,              -- the event that the value rests on
    state         TEXT NOT NULL
                  CHECK (state IN ('planned', 'started', 'written', 'failed', 'vanished', 'skipped')),
    error         TEXT,
    request_id    TEXT,
    written_at    TEXT,              -- RFC 3339, UTC
    PRIMARY KEY (run_id, position)
) WITHOUT ROWID;
