-- older-program: must-not-run
ALTER TABLE tasks ADD COLUMN stop_requested_at INTEGER;
ALTER TABLE tasks ADD COLUMN stop_requested_by TEXT;
ALTER TABLE tasks ADD COLUMN wanted TEXT;
ALTER TABLE tasks ADD COLUMN rate_limit_waits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN host_waits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN plan TEXT;

ALTER TABLE deployments ADD COLUMN wanted_image_id TEXT;
ALTER TABLE deployments ADD COLUMN restart_unit TEXT;
ALTER TABLE deployments ADD COLUMN write_image TEXT;
ALTER TABLE deployments ADD COLUMN is_brought INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deployments ADD COLUMN down_ms INTEGER;
CREATE INDEX deployments_by_unit ON deployments (unit, wanted_image_id);
CREATE INDEX deployments_down ON deployments (unit, updated_at) WHERE down_ms IS NOT NULL;

ALTER TABLE quarantined_images ADD COLUMN image_id TEXT;
ALTER TABLE quarantined_images ADD COLUMN guard TEXT;

CREATE TABLE plans (
  id TEXT PRIMARY KEY,
  unit TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX plans_by_expiry ON plans (expires_at);
