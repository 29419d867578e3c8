-- A run may write further tags beside the owner. NULL: the run's key, in rows of before this column.
ALTER TABLE writes ADD COLUMN tag_key TEXT;
