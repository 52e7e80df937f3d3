-- older-program: may-run
-- Who may report images to `POST /hooks/NAME`, and for what. An older program does not know that path and refuses it with 404;
-- what it takes over from the spool of the newer one it understands, and what it serves itself is as before.
CREATE TABLE stored_hooks (
  name TEXT PRIMARY KEY,
  source TEXT NOT NULL,
  scheme TEXT NOT NULL,
  action TEXT NOT NULL CHECK (action IN ('deploy', 'check')),
  -- Lists as JSON. No images: any. No units: all that webhooks may deploy. No networks: from anywhere.
  images TEXT NOT NULL,
  units TEXT NOT NULL,
  networks TEXT NOT NULL,
  -- What units call the registry, where what the sender calls it is another name.
  registry TEXT,
  -- What is meant by a sender that names no image.
  image TEXT,
  expires_at INTEGER,
  disabled_at INTEGER,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  updated_by TEXT NOT NULL,
  last_used_at INTEGER,
  last_verdict TEXT,
  last_reason TEXT
) STRICT, WITHOUT ROWID;

-- Two live ones at most of each hook. One that the sender sends whole is kept as its SHA-256; one that it signs with has to be
-- had again, and is sealed with a key that is not in here.
CREATE TABLE hook_secrets (
  id TEXT PRIMARY KEY,
  hook TEXT NOT NULL REFERENCES stored_hooks (name) ON DELETE CASCADE,
  digest BLOB,
  sealed BLOB,
  key_id TEXT,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  last_used_at INTEGER,
  CHECK ((digest IS NULL) = (sealed IS NOT NULL) AND (key_id IS NULL) = (sealed IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX hook_secrets_by_hook ON hook_secrets (hook, created_at);

ALTER TABLE deliveries ADD COLUMN hook TEXT;
-- The id of the first of the rows that one delivery led to: it may concern several units.
ALTER TABLE deliveries ADD COLUMN reception TEXT;
-- What its sender said beside the body, as JSON: nothing secret.
ALTER TABLE deliveries ADD COLUMN headers TEXT;
-- What was read out of it, as JSON.
ALTER TABLE deliveries ADD COLUMN understood TEXT;
-- Nothing but the secret in the URL spoke for its sender: what it says was pushed has to be found at the registry first.
ALTER TABLE deliveries ADD COLUMN needs_proof INTEGER NOT NULL DEFAULT 0;
CREATE INDEX deliveries_by_hook ON deliveries (hook, delivery, unit) WHERE hook IS NOT NULL;
