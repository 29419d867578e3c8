-- Athena queries that were started; their results are not loaded yet. Written before the start, so that the same
-- command after an interruption at any moment goes on with its query and does not pay for a second one.
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
