-- older-program: must-not-run
ALTER TABLE tasks ADD COLUMN process TEXT;
ALTER TABLE tasks ADD COLUMN dispatched_at INTEGER;
UPDATE tasks SET process = id || '-' || attempts, dispatched_at = updated_at WHERE status = 'running';
CREATE INDEX tasks_by_process ON tasks (process) WHERE process IS NOT NULL;
CREATE INDEX tasks_by_turn ON tasks (unit, dispatched_at);

CREATE TABLE dispatching (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  since INTEGER NOT NULL,
  slots INTEGER NOT NULL
) STRICT;
