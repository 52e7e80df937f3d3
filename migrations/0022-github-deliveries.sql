-- older-program: may-run
-- The hooks of GitHub that are asked which of their deliveries have failed. An older program asks none.
CREATE TABLE github_hooks (
  -- OWNER/REPO/HOOK_ID, or orgs/ORG/HOOK_ID.
  name TEXT PRIMARY KEY,
  id TEXT NOT NULL,
  -- When one of its deliveries came that says whose hook it is; null where only the settings name it.
  learned_at INTEGER,
  -- What GitHub delivered before, by its clock, is settled: acknowledged, here, or given up.
  settled_until INTEGER,
  -- The code of what the last look came to; null: it went well.
  failure TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX github_hooks_by_id ON github_hooks (id);

-- Deliveries that GitHub was asked for again.
CREATE TABLE asked_deliveries (
  guid TEXT NOT NULL,
  -- The id of the hook.
  hook TEXT NOT NULL,
  times INTEGER NOT NULL,
  asked_at INTEGER NOT NULL,
  -- When it came; null: not yet.
  arrived_at INTEGER,
  PRIMARY KEY (guid, hook)
) STRICT, WITHOUT ROWID;
CREATE INDEX asked_deliveries_by_time ON asked_deliveries (asked_at);
-- Where no header says which hook a delivery is of, it is of any that sent this one.
CREATE TRIGGER asked_delivery_arrived AFTER INSERT ON deliveries
WHEN new.source = 'github' AND new.verdict <> 'duplicate' BEGIN
  UPDATE asked_deliveries SET arrived_at = new.received_at
    WHERE guid = new.delivery AND arrived_at IS NULL
      AND hook = coalesce(new.headers ->> '$."x-github-hook-id"', hook);
END;
CREATE TRIGGER asked_delivery_counted AFTER UPDATE OF arrived_at ON asked_deliveries
WHEN old.arrived_at IS NULL AND new.arrived_at IS NOT NULL BEGIN
  INSERT INTO totals VALUES ('delivery', 'missed', 'github', 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
