-- older-program: must-not-run
CREATE TABLE deployments (
  task_id TEXT PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
  unit TEXT NOT NULL,
  image TEXT NOT NULL,
  wanted_digest TEXT NOT NULL,
  former_image_id TEXT,
  former_digest TEXT,
  held_as TEXT,
  dependents TEXT NOT NULL,
  stage TEXT NOT NULL CHECK (stage IN ('forward', 'back', 'ended')),
  cause_code TEXT,
  cause_detail TEXT,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX deployments_open ON deployments (unit) WHERE stage <> 'ended';

CREATE TABLE quarantined_images (
  unit TEXT NOT NULL,
  digest TEXT NOT NULL,
  image TEXT NOT NULL,
  code TEXT NOT NULL,
  detail TEXT NOT NULL,
  count INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  expires_at INTEGER,
  PRIMARY KEY (unit, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE image_sightings (
  unit TEXT NOT NULL,
  digest TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  PRIMARY KEY (unit, digest)
) STRICT, WITHOUT ROWID;

ALTER TABLE tasks ADD COLUMN not_before INTEGER;
ALTER TABLE tasks ADD COLUMN deferrals INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN rate_limit_waits INTEGER NOT NULL DEFAULT 0;
