-- older-program: may-run
-- Units that deliveries are expected for, and what is known of their tags. An older program leaves them as they are; what is
-- pushed meanwhile is found by the first sweep of a newer one.
CREATE TABLE tracked_tags (
  unit TEXT PRIMARY KEY,
  -- The last accepted delivery that named an image of the unit, until the other tags of that repository were looked up.
  pushed_at INTEGER,
  pushed_image TEXT,
  pushed_by TEXT,
  -- What the tag of the unit meant when that was last taken for granted: deployed, or found at first sight.
  image TEXT,
  digest TEXT,
  seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tracked_tags_pushed ON tracked_tags (pushed_at) WHERE pushed_at IS NOT NULL;
INSERT INTO tracked_tags (unit, seen_at)
  SELECT unit, max(received_at) FROM deliveries WHERE verdict = 'accepted' GROUP BY unit;

-- What was pushed without a delivery that told of it, and was deployed all the same.
CREATE TABLE missed_deliveries (
  id INTEGER PRIMARY KEY,
  found_at INTEGER NOT NULL,
  found_by TEXT NOT NULL,
  unit TEXT NOT NULL,
  image TEXT NOT NULL,
  former_digest TEXT,
  digest TEXT NOT NULL,
  task_id TEXT REFERENCES tasks (id) ON DELETE SET NULL
) STRICT;
CREATE INDEX missed_deliveries_by_time ON missed_deliveries (found_at);
CREATE INDEX missed_deliveries_by_task ON missed_deliveries (task_id) WHERE task_id IS NOT NULL;
CREATE TRIGGER missed_delivery_counted AFTER INSERT ON missed_deliveries BEGIN
  INSERT INTO totals VALUES ('delivery', 'missed', new.found_by, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
