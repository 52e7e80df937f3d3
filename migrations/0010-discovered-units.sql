-- older-program: may-run
-- What was found of units that run containers: one row for each unit and each place where it was found. A row that its
-- source no longer shows is removed, so all rows of a source were last seen in its last whole sweep.
-- What was found on another host, or in the other scope, counts for nothing.
CREATE TABLE discovered_units (
  unit TEXT NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('quadlet', 'unit-file', 'podman')),
  path TEXT,
  image TEXT,
  is_auto_updated INTEGER NOT NULL,
  has_policy INTEGER NOT NULL,
  webhook_enabled INTEGER,
  fault TEXT,
  first_seen_at INTEGER NOT NULL,
  PRIMARY KEY (unit, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE discovery_sweeps (
  source TEXT PRIMARY KEY CHECK (source IN ('quadlet', 'unit-file', 'podman')),
  host TEXT NOT NULL,
  swept_at INTEGER,
  failed_at INTEGER,
  code TEXT,
  detail TEXT
) STRICT, WITHOUT ROWID;
