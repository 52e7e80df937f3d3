-- older-program: must-not-run
CREATE TABLE spool_segments (
  name TEXT PRIMARY KEY,
  consumed_bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
  id TEXT PRIMARY KEY,
  received_at INTEGER NOT NULL,
  source TEXT NOT NULL,
  delivery TEXT,
  event TEXT NOT NULL,
  path TEXT NOT NULL,
  remote_address TEXT,
  unit TEXT NOT NULL,
  verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'ignored', 'duplicate', 'ping')),
  reason TEXT,
  detail TEXT,
  image TEXT,
  matched TEXT,
  digest TEXT,
  body_sha256 TEXT NOT NULL,
  body_bytes INTEGER NOT NULL,
  task_id TEXT REFERENCES tasks (id) ON DELETE SET NULL
) STRICT;
CREATE INDEX deliveries_by_guid ON deliveries (source, delivery, unit);
CREATE INDEX deliveries_by_time ON deliveries (received_at);
CREATE INDEX deliveries_by_task ON deliveries (task_id);

CREATE TABLE tasks (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  status TEXT NOT NULL CHECK (
    status IN ('pending', 'running', 'succeeded', 'failed', 'cancelled', 'skipped', 'unknown', 'anomaly')
  ),
  phase TEXT NOT NULL,
  unit TEXT NOT NULL,
  image TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  summary TEXT NOT NULL,
  error_code TEXT,
  error_detail TEXT,
  trigger_source TEXT NOT NULL,
  trigger_request_id TEXT,
  trigger_path TEXT,
  trigger_caller TEXT,
  trigger_reason TEXT,
  webhook_digest TEXT,
  registry_digest TEXT,
  pulled_digest TEXT,
  running_digest TEXT,
  running_image TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  executor TEXT,
  claimed_at INTEGER
) STRICT;
CREATE INDEX tasks_by_time ON tasks (created_at DESC, id DESC);
CREATE INDEX tasks_open ON tasks (unit, created_at) WHERE status IN ('pending', 'running');

CREATE TABLE task_logs (
  id INTEGER PRIMARY KEY,
  task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  ts INTEGER NOT NULL,
  level TEXT NOT NULL CHECK (level IN ('info', 'warning', 'error')),
  action TEXT NOT NULL,
  summary TEXT NOT NULL,
  meta TEXT
) STRICT;
CREATE INDEX task_logs_by_task ON task_logs (task_id, id);

CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL,
  ts INTEGER NOT NULL,
  method TEXT NOT NULL,
  path TEXT NOT NULL,
  status INTEGER NOT NULL,
  action TEXT NOT NULL,
  code TEXT,
  actor TEXT,
  remote_address TEXT,
  duration_us INTEGER NOT NULL,
  meta TEXT
) STRICT;
CREATE INDEX events_by_time ON events (ts);
CREATE INDEX events_by_request ON events (request_id);
CREATE INDEX events_by_action ON events (action, id);
