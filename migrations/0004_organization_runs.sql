-- Runs across an organization: the parent of the runs in its accounts and regions, and which of these places are done, so
-- that an interrupted one goes on with the rest.
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

ALTER TABLE runs ADD COLUMN organization_run_id INTEGER REFERENCES organization_runs (organization_run_id);
CREATE INDEX runs_of_organization ON runs (organization_run_id) WHERE organization_run_id IS NOT NULL;
