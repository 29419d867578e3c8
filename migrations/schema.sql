-- The schema of the latest version, for new databases: what all migrations lead to. Applying them one after the other takes four times as long.
-- A test compares the two.

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

CREATE TABLE identity_center_users (
    store_arn TEXT NOT NULL,         -- onBehalfOf.identityStoreArn
    user_id   TEXT NOT NULL,         -- onBehalfOf.userId
    user_name TEXT NOT NULL,
    email     TEXT,                  -- the primary one
    read_at   TEXT NOT NULL,         -- RFC 3339, UTC
    PRIMARY KEY (store_arn, user_id)
) WITHOUT ROWID;

CREATE INDEX resource_events_on_behalf ON resource_events (on_behalf_of_store_arn, on_behalf_of_user_id)
WHERE on_behalf_of_user_id IS NOT NULL;

CREATE TABLE session_calls (
    call_id INTEGER PRIMARY KEY,
    digest  BLOB NOT NULL UNIQUE,    -- of the facts: first 16 bytes of a SHA-256
    facts   TEXT NOT NULL            -- JSON: the call's name, the account that recorded it, the caller but for its key
);

CREATE TABLE sessions (
    session         BLOB PRIMARY KEY,  -- the access key id that was handed out; of a copy without it: sharedEventID
    called_at       INTEGER NOT NULL,  -- seconds since 1970
    call_id         INTEGER NOT NULL,  -- of session_calls
    caller_key      TEXT,              -- the access key id of a caller that may be a session itself
    event_id        BLOB NOT NULL,
    shared_event_id BLOB               -- where another account may have a copy
) WITHOUT ROWID;

CREATE TABLE ledger_spans (
    prefix    TEXT NOT NULL,         -- s3://bucket/AWSLogs/ACCOUNT/CloudTrail/REGION/
    version   BLOB NOT NULL,         -- of the resource map, with or without these calls
    first_day TEXT,                  -- NULL: from the trail's beginning
    last_day  TEXT NOT NULL,         -- 2023/07/10, as in keys
    PRIMARY KEY (prefix, version)
) WITHOUT ROWID;

CREATE INDEX resource_events_renames ON resource_events (account_id, resource_type) WHERE renamed_to IS NOT NULL;

CREATE INDEX resource_events_by_new_name ON resource_events (
    substr(renamed_to, length(rtrim(renamed_to, replace(replace(renamed_to, '/', ''), ':', ''))) + 1)
) WHERE renamed_to IS NOT NULL;

CREATE TABLE rollbacks (
    arn     TEXT PRIMARY KEY NOT NULL,
    run_id  INTEGER NOT NULL REFERENCES runs (run_id),
    reason  TEXT NOT NULL,  -- AWS's own words
    at      TEXT NOT NULL   -- RFC 3339, UTC
) WITHOUT ROWID;

CREATE INDEX runs_of_account ON runs (account_id, region);

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

CREATE TABLE forgotten (
    before TEXT PRIMARY KEY NOT NULL  -- as event_time: 2023-07-10T00:00:00Z
) WITHOUT ROWID;

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

CREATE TABLE account_regions (
    account_region_id INTEGER PRIMARY KEY,
    account_id        TEXT NOT NULL,
    region            TEXT NOT NULL,
    UNIQUE (account_id, region)
);

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
