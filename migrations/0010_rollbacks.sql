-- Resources with an update of ours that AWS rolled back last: they are not retried without --retry-rolled-back. A later write that goes well
-- ends that.
CREATE TABLE rollbacks (
    arn     TEXT PRIMARY KEY NOT NULL,
    run_id  INTEGER NOT NULL REFERENCES runs (run_id),
    reason  TEXT NOT NULL,  -- AWS's own words
    at      TEXT NOT NULL   -- RFC 3339, UTC
) WITHOUT ROWID;
