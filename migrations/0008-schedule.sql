-- older-program: may-run
-- Which due time of each job of the schedule was served last, and by whom. What became of it stands in its task; only
-- what is no task has an end here.
CREATE TABLE schedule_ticks (
  job TEXT PRIMARY KEY,
  due_at INTEGER NOT NULL,
  claimed_at INTEGER NOT NULL,
  claimed_by TEXT NOT NULL,
  task_id TEXT REFERENCES tasks (id) ON DELETE SET NULL,
  ended_at INTEGER,
  result TEXT,
  error_code TEXT
) STRICT, WITHOUT ROWID;
