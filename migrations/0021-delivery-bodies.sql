-- older-program: may-run
-- What deliveries were made of, so that they can be read again. An older program keeps none and leaves those that are there.
CREATE TABLE delivery_bodies (
  -- The first row of the delivery.
  delivery TEXT PRIMARY KEY,
  received_at INTEGER NOT NULL,
  encoding TEXT NOT NULL CHECK (encoding IN ('identity', 'deflate')),
  body BLOB NOT NULL
) STRICT;
CREATE INDEX delivery_bodies_by_time ON delivery_bodies (received_at);
-- Their number and size, counted by triggers: adding them up would read them all.
CREATE TABLE delivery_body_totals (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  count INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) STRICT;
INSERT INTO delivery_body_totals VALUES (1, 0, 0);
CREATE TRIGGER delivery_body_kept AFTER INSERT ON delivery_bodies BEGIN
  UPDATE delivery_body_totals SET count = count + 1, bytes = bytes + length(new.body);
END;
CREATE TRIGGER delivery_body_removed AFTER DELETE ON delivery_bodies BEGIN
  UPDATE delivery_body_totals SET count = count - 1, bytes = bytes - length(old.body);
END;

ALTER TABLE deliveries ADD COLUMN replay_of TEXT;
ALTER TABLE deliveries ADD COLUMN replayed_by TEXT;
CREATE INDEX deliveries_by_replay ON deliveries (replay_of) WHERE replay_of IS NOT NULL;
CREATE INDEX deliveries_by_reception ON deliveries (reception);
-- All that a list can be narrowed by, so that a look through it reads no rows.
CREATE INDEX deliveries_listed ON deliveries (received_at DESC, id DESC, unit, hook, source, verdict, reason);
CREATE INDEX deliveries_of_unit ON deliveries (unit, received_at DESC, id DESC);

-- Webhooks that were refused: anybody can send them, so of one address, path and reason there is one row in a minute, and of all
-- only so many rows.
CREATE TABLE refused_deliveries (
  id INTEGER PRIMARY KEY,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  address TEXT NOT NULL,
  path TEXT NOT NULL,
  code TEXT NOT NULL,
  reason TEXT,
  count INTEGER NOT NULL,
  body_bytes INTEGER,
  -- The beginning of the first of them, without what is secret.
  body TEXT
) STRICT;
CREATE INDEX refused_deliveries_by_time ON refused_deliveries (last_at);
