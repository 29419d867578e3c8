-- Where a type's tag keys ignore case, a write can change the spelling of a key. NULL: it was absent, or spelled as tag_key.
ALTER TABLE writes ADD COLUMN old_key TEXT;
-- Further keys that count as the tag, one a line: the write is made only where the resource has none. NULL: no such keys.
ALTER TABLE writes ADD COLUMN owner_keys TEXT;
