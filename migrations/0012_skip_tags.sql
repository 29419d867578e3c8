-- Tags that keep a resource from being written to, KEY or KEY=VALUE, as a JSON list. NULL: no such tags.
ALTER TABLE writes ADD COLUMN skip_tags TEXT;
