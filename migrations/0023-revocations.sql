-- older-program: may-run
-- What was revoked. Beside the database the same is in a file, which no database that is put back takes with it: whatever is
-- opened there is brought up to both.
CREATE TABLE revocations (
  -- token, secret (of a hook), hook (removed), disabled (a hook).
  kind TEXT NOT NULL CHECK (kind IN ('token', 'secret', 'hook', 'disabled')),
  -- The id of a token or of a secret, or the name of a hook.
  name TEXT NOT NULL,
  -- When the hook of that name was made: another one may have it by now. 0 of what has an id.
  made INTEGER NOT NULL,
  at INTEGER NOT NULL,
  by TEXT NOT NULL,
  PRIMARY KEY (kind, name, made)
) STRICT, WITHOUT ROWID;
CREATE INDEX revocations_by_time ON revocations (at);
