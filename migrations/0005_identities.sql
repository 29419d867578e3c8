-- Who signed a session in: the identity provider of GitHub Actions, an EKS cluster, Cognito… NULL also in rows of
-- before this column.
ALTER TABLE resource_events ADD COLUMN federated_provider TEXT;

-- Names of Identity Center users. CloudTrail records only their ids; the identity store's answers are kept so that it is
-- asked once.
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
