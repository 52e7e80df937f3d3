-- older-program: may-run
-- Tokens of the API. Of each only a digest is kept; what was revoked stays, so that its holder can be told.
CREATE TABLE access_tokens (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  -- SHA-256, hexadecimal.
  digest TEXT NOT NULL UNIQUE,
  -- A JSON list.
  scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  revoked_by TEXT,
  used_at INTEGER,
  used_from TEXT
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX access_tokens_by_name ON access_tokens (name) WHERE revoked_at IS NULL;

-- People who have signed in with a token. The digest is that of the cookie, keyed with the tokens of the settings.
CREATE TABLE access_sessions (
  id TEXT PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  -- The id of a token, or the variable of one of the settings.
  token TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  rotated_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What serves requests has all of them in memory, and reads them again when this has changed, whoever changed it.
CREATE TABLE access_changes (count INTEGER NOT NULL) STRICT;
INSERT INTO access_changes VALUES (0);
CREATE TRIGGER access_token_made AFTER INSERT ON access_tokens BEGIN
  UPDATE access_changes SET count = count + 1;
END;
CREATE TRIGGER access_token_changed AFTER UPDATE OF name, digest, scopes, expires_at, revoked_at ON access_tokens BEGIN
  UPDATE access_changes SET count = count + 1;
END;
CREATE TRIGGER access_token_removed AFTER DELETE ON access_tokens BEGIN
  UPDATE access_changes SET count = count + 1;
END;
CREATE TRIGGER access_session_made AFTER INSERT ON access_sessions BEGIN
  UPDATE access_changes SET count = count + 1;
END;
CREATE TRIGGER access_session_changed AFTER UPDATE OF digest ON access_sessions BEGIN
  UPDATE access_changes SET count = count + 1;
END;
CREATE TRIGGER access_session_ended AFTER DELETE ON access_sessions BEGIN
  UPDATE access_changes SET count = count + 1;
END;
