-- The schema of the latest version. New databases are created with it, because applying all migrations takes four times as long. A test checks
-- that all migrations lead to the same schema.

-- Events: one row for each resource that an event created or deleted.
-- The key is in the order in which trails are read (account, region, time): one that starts with the random event ID is twelve times slower to
-- insert into, and gets slower as the table grows.
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
    federated_provider     TEXT,
    renamed_to             TEXT,           -- the new name, if the event renamed the resource
    names                  TEXT,           -- other names in the record, one a line
    PRIMARY KEY (account_id, region, event_time, event_id, resource_type, resource_id)
) WITHOUT ROWID;

-- What was read. A unit of input (object, file, query, window) belongs to a prefix (a day's folder, a directory), so that a closed prefix can
-- become one row. Names and versions are the first 16 bytes of a SHA-256.
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

-- What was written to AWS, and how to undo it: see writes.
CREATE TABLE runs (
    run_id      INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT NOT NULL CHECK (kind IN ('tag', 'undo')),
    undoes      INTEGER REFERENCES runs (run_id),
    account_id  TEXT NOT NULL,
    region      TEXT NOT NULL,
    tag_key     TEXT NOT NULL,
    caller_arn  TEXT NOT NULL,       -- the user or role session that made the run's calls
    started_at  TEXT NOT NULL,       -- RFC 3339, UTC
    finished_at TEXT,                -- NULL: still running, or interrupted and can be resumed
    organization_run_id INTEGER REFERENCES organization_runs (organization_run_id)
);

-- Athena queries that were started and whose results are not loaded yet. Written before the start, so that the same command after an
-- interruption at any moment continues with its query and does not pay for a second one.
CREATE TABLE athena_queries (
    command    BLOB PRIMARY KEY,  -- what was asked for: first 16 bytes of a SHA-256
    sql        TEXT NOT NULL,
    database   TEXT NOT NULL,
    workgroup  TEXT NOT NULL,
    output     TEXT,              -- NULL: the workgroup's
    token      TEXT NOT NULL,     -- the start's idempotency token
    query_id   TEXT,              -- NULL: the start was sent, its answer was not seen
    started_at TEXT NOT NULL      -- RFC 3339, UTC
) WITHOUT ROWID;

-- Runs across an organization: the parent of the runs in its accounts and regions, and which of these places are done, so that an interrupted
-- one continues with the others.
CREATE TABLE organization_runs (
    organization_run_id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind                TEXT NOT NULL CHECK (kind IN ('tag', 'undo')),
    undoes              INTEGER REFERENCES organization_runs (organization_run_id),
    tag_key             TEXT NOT NULL,
    question            TEXT NOT NULL,  -- JSON: the options that decide what is written; resuming wants the same
    started_at          TEXT NOT NULL,  -- RFC 3339, UTC
    finished_at         TEXT            -- NULL: still running, or interrupted and can be resumed
);

CREATE TABLE organization_places (
    organization_run_id INTEGER NOT NULL REFERENCES organization_runs (organization_run_id) ON DELETE CASCADE,
    account_id          TEXT NOT NULL,
    region              TEXT NOT NULL,
    PRIMARY KEY (organization_run_id, account_id, region)
) WITHOUT ROWID;

CREATE INDEX runs_of_organization ON runs (organization_run_id) WHERE organization_run_id IS NOT NULL;

-- Names of Identity Center users. CloudTrail records only their IDs; the identity store's answers are kept so that it is asked once.
CREATE TABLE identity_center_users (
    store_arn TEXT NOT NULL,         -- onBehalfOf.identityStoreArn
    user_id   TEXT NOT NULL,         -- onBehalfOf.userId
    user_name TEXT NOT NULL,
    email     TEXT,                  -- the primary one
    read_at   TEXT NOT NULL,         -- RFC 3339, UTC
    PRIMARY KEY (store_arn, user_id)
) WITHOUT ROWID;

-- Few events are made on behalf of such a user: finding them must not read all the others.
CREATE INDEX resource_events_on_behalf ON resource_events (on_behalf_of_store_arn, on_behalf_of_user_id)
WHERE on_behalf_of_user_id IS NOT NULL;

-- The creators of sessions: what loads with --chains keep of the events that issue credentials. Not in resource_events, because a session is
-- no resource, and small, because there are many.
CREATE TABLE session_calls (
    call_id INTEGER PRIMARY KEY,
    digest  BLOB NOT NULL UNIQUE,    -- of the facts: first 16 bytes of a SHA-256
    facts   TEXT NOT NULL            -- JSON: the call's name, the account that recorded it, the caller but for its key
);

-- IDs that are UUIDs are kept as their 16 bytes. Copies of one event in two accounts are one row if both have the key: the copy with more facts
-- about the caller. A copy without the key is a row of its own, found by the shared ID.
CREATE TABLE sessions (
    session         BLOB PRIMARY KEY,  -- the access key id that was handed out; of a copy without it: sharedEventID
    called_at       INTEGER NOT NULL,  -- seconds since 1970
    call_id         INTEGER NOT NULL,  -- of session_calls
    caller_key      TEXT,              -- the access key id of a caller that may be a session itself
    event_id        BLOB NOT NULL,
    shared_event_id BLOB               -- where another account may have a copy
) WITHOUT ROWID;

-- The days of a region's folder that are closed: all their objects were read, and no more are delivered. One row for a folder and version;
-- closed days after a gap stay rows of ledger_prefixes.
CREATE TABLE ledger_spans (
    prefix    TEXT NOT NULL,         -- s3://bucket/AWSLogs/ACCOUNT/CloudTrail/REGION/
    version   BLOB NOT NULL,         -- of the resource map, with or without the events that issue credentials
    first_day TEXT,                  -- NULL: from the trail's beginning
    last_day  TEXT NOT NULL,         -- 2023/07/10, as in keys
    PRIMARY KEY (prefix, version)
) WITHOUT ROWID;

-- Few events rename: finding them must not read all the others. By type for `tag` and `report`, and by the last part of the new name for `who`.
CREATE INDEX resource_events_renames ON resource_events (account_id, resource_type) WHERE renamed_to IS NOT NULL;

CREATE INDEX resource_events_by_new_name ON resource_events (
    substr(renamed_to, length(rtrim(renamed_to, replace(replace(renamed_to, '/', ''), ':', ''))) + 1)
) WHERE renamed_to IS NOT NULL;

-- Resources with an update of ours that AWS rolled back last: they are not retried without --retry-rolled-back. A later successful write ends
-- that.
CREATE TABLE rollbacks (
    arn     TEXT PRIMARY KEY NOT NULL,
    run_id  INTEGER NOT NULL REFERENCES runs (run_id),
    reason  TEXT NOT NULL,  -- AWS's own words
    at      TEXT NOT NULL   -- RFC 3339, UTC
) WITHOUT ROWID;

-- `tag --refresh` asks which values earlier runs wrote on the resources of a type.
CREATE INDEX runs_of_account ON runs (account_id, region);

-- A write whose answer was not read is 'in-doubt': AWS may have made it.
CREATE TABLE writes (
    run_id        INTEGER NOT NULL REFERENCES runs (run_id),
    position      INTEGER NOT NULL,  -- of an undo's write: that of the write that it undoes
    resource_type TEXT NOT NULL,
    resource_id   TEXT NOT NULL,
    arn           TEXT NOT NULL,
    region        TEXT NOT NULL,     -- where the resource is; a bucket's own
    old_value     TEXT,              -- NULL: the tag was absent
    new_value     TEXT,              -- NULL: the tag is removed (undo)
    event_id      TEXT,              -- the event that determined the value
    state         TEXT NOT NULL
                  CHECK (state IN ('planned', 'started', 'written', 'failed', 'vanished', 'skipped', 'in-doubt')),
    error         TEXT,
    request_id    TEXT,
    written_at    TEXT,              -- RFC 3339, UTC
    tag_key       TEXT,              -- NULL: the run's key, in rows of early versions
    old_key       TEXT,              -- NULL: it was absent, or spelled as tag_key
    owner_keys    TEXT,              -- further keys that count as the tag, one a line; NULL: none
    skip_tags     TEXT,              -- tags that exclude a resource, as a JSON list; NULL: none
    PRIMARY KEY (run_id, position)
) WITHOUT ROWID;

CREATE INDEX writes_of_type ON writes (run_id, resource_type);

-- The totals of each report: the next report with the same options is compared with them.
CREATE TABLE reports (
    report_id   INTEGER PRIMARY KEY,
    -- The options that decide which resources are counted, and how: JSON.
    scope       TEXT    NOT NULL,
    taken_at    TEXT    NOT NULL,
    -- Whether everything in the scope could be read.
    is_complete INTEGER NOT NULL,
    -- The counts: JSON.
    totals      TEXT    NOT NULL
);

CREATE INDEX reports_of_scope ON reports (scope, report_id);

-- `prune --forget-creators` promises that no event before this time is stored again. One row at most.
CREATE TABLE forgotten (
    before TEXT PRIMARY KEY NOT NULL  -- as event_time: 2023-07-10T00:00:00Z
) WITHOUT ROWID;

-- What c7n-trailcreator wrote, for its own `tag` and for people's scripts. It needs a creator in each row.
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
WHERE action <> 'delete' AND identity_type IS NOT 'Pruned';

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
