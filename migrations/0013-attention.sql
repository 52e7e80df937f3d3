-- older-program: may-run
-- What a person has seen of what wants one. The id names the very occasion, so what happens anew is not seen yet.
CREATE TABLE attention_marks (
  id TEXT PRIMARY KEY,
  seen_at INTEGER NOT NULL,
  seen_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
