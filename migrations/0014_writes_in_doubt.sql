-- A write of which no answer was read is 'in-doubt': AWS may have made it. SQLite can't change a CHECK, so the table is made again.
CREATE TABLE writes_with_doubt (
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
INSERT INTO writes_with_doubt
    SELECT run_id, position, resource_type, resource_id, arn, region, old_value, new_value, event_id, state, error, request_id,
           written_at, tag_key, old_key, owner_keys, skip_tags
    FROM writes;
DROP TABLE writes;
ALTER TABLE writes_with_doubt RENAME TO writes;
CREATE INDEX writes_of_type ON writes (run_id, resource_type);
