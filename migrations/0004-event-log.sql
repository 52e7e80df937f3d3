-- older-program: must-not-run
ALTER TABLE events ADD COLUMN task_id TEXT;
-- Null in rows that are older than the chain.
ALTER TABLE events ADD COLUMN hash BLOB;

-- Each index ends with the id, so that the rows of one value come newest first.
DROP INDEX events_by_time;
DROP INDEX events_by_action;
CREATE INDEX events_by_action ON events (action);
CREATE INDEX events_by_status ON events (status);
CREATE INDEX events_by_failure ON events (status / 100) WHERE status >= 300;
CREATE INDEX events_by_method ON events (method);
CREATE INDEX events_by_actor ON events (actor) WHERE actor IS NOT NULL;
CREATE INDEX events_by_task ON events (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX events_by_path ON events (path);

-- The times in each run of 4096 ids: times are found by it, for ids grow with time nearly but not exactly.
CREATE TABLE event_blocks (
  block INTEGER PRIMARY KEY,
  min_ts INTEGER NOT NULL,
  max_ts INTEGER NOT NULL
) STRICT;
INSERT INTO event_blocks SELECT id / 4096, min(ts), max(ts) FROM events GROUP BY 1;

-- One row: where the chain of hashes begins and ends.
CREATE TABLE event_chain (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  unchained_id INTEGER NOT NULL,
  anchor_id INTEGER NOT NULL,
  anchor_hash BLOB NOT NULL,
  head_id INTEGER NOT NULL,
  head_hash BLOB NOT NULL,
  kept_rows INTEGER NOT NULL,
  removed_rows INTEGER NOT NULL,
  removed_at INTEGER,
  seal BLOB
) STRICT;
INSERT INTO event_chain
  SELECT 1, coalesce(max(id), 0), coalesce(max(id), 0), zeroblob(32), coalesce(max(id), 0), zeroblob(32), 0, 0, NULL, NULL
  FROM events;
