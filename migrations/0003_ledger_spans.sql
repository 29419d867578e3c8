-- The days of a region's folder that are closed: every object of theirs was read, and none is delivered any more. One
-- row for a folder; closed days beyond a gap stay rows of ledger_prefixes.
CREATE TABLE ledger_spans (
    prefix    TEXT PRIMARY KEY,      -- s3://bucket/AWSLogs/ACCOUNT/CloudTrail/REGION/
    version   BLOB NOT NULL,         -- of the resource map
    first_day TEXT,                  -- NULL: from the trail's beginning
    last_day  TEXT NOT NULL          -- 2023/07/10, as in keys
) WITHOUT ROWID;
