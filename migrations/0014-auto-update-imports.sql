-- older-program: may-run
-- Runs of podman's auto-update that somebody else has begun (its timer, a wrapper) and that were recorded, each once.
CREATE TABLE auto_update_imports (
  name TEXT PRIMARY KEY,
  imported_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX auto_update_imports_by_time ON auto_update_imports (imported_at);
