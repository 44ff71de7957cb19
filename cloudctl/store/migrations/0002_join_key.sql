-- The key that a join token was used with: a join whose answer was lost is
-- admitted again with the same key, and with no other.
ALTER TABLE join_tokens ADD COLUMN used_by TEXT NOT NULL DEFAULT '';
