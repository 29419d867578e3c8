-- `tag --refresh` asks which values earlier runs wrote on the resources of a type.
CREATE INDEX runs_of_account ON runs (account_id, region);
CREATE INDEX writes_of_type ON writes (run_id, resource_type);
