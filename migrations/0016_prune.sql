-- `prune --forget-creators` promises that no event before this time is stored again. One row at most.
CREATE TABLE forgotten (
    before TEXT PRIMARY KEY NOT NULL  -- as event_time: 2023-07-10T00:00:00Z
) WITHOUT ROWID;

-- Create events that have lost their creators: c7n-trailcreator's `tag` needs one in each row.
DROP VIEW events;
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
