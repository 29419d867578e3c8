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
