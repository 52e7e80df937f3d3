-- older-program: may-run
CREATE TABLE update_checks (
  unit TEXT PRIMARY KEY,
  image TEXT,
  latest_image TEXT,
  platform TEXT,
  containers TEXT NOT NULL,
  seen_at INTEGER NOT NULL,
  code TEXT,
  detail TEXT,
  higher_wanted TEXT,
  higher_tags TEXT,
  higher_cut INTEGER NOT NULL DEFAULT 0,
  higher_code TEXT,
  higher_detail TEXT,
  higher_at INTEGER,
  checked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE registry_tags (
  image TEXT PRIMARY KEY,
  digest TEXT,
  is_index INTEGER NOT NULL DEFAULT 0,
  resolved_at INTEGER,
  checked_at INTEGER NOT NULL,
  code TEXT,
  detail TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX registry_tags_by_digest ON registry_tags (digest);

CREATE TABLE index_manifests (
  index_digest TEXT NOT NULL,
  platform TEXT NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (index_digest, platform, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE registry_hosts (
  host TEXT PRIMARY KEY,
  quota_limit INTEGER,
  quota_remaining INTEGER,
  quota_window_s INTEGER,
  quota_reset_s INTEGER,
  paused_until INTEGER NOT NULL,
  refusals INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
