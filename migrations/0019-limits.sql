-- older-program: may-run
-- Why a task waits for its time, where that is not what its unit or a registry wants; an older program only sees the time.
ALTER TABLE tasks ADD COLUMN waits_for TEXT;

CREATE TABLE failed_credentials (
  kind TEXT NOT NULL CHECK (kind IN ('admin', 'webhook')),
  address TEXT NOT NULL,
  since INTEGER NOT NULL,
  count INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  good_at INTEGER NOT NULL,
  PRIMARY KEY (kind, address)
) STRICT, WITHOUT ROWID;
