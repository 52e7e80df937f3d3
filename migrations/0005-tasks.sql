-- older-program: must-not-run
ALTER TABLE tasks ADD COLUMN batch_id TEXT;
ALTER TABLE tasks ADD COLUMN retry_of TEXT REFERENCES tasks (id) ON DELETE SET NULL;
ALTER TABLE tasks ADD COLUMN input TEXT;
ALTER TABLE tasks ADD COLUMN force_stopped_at INTEGER;
ALTER TABLE tasks ADD COLUMN force_stopped_by TEXT;
ALTER TABLE tasks ADD COLUMN killed_at INTEGER;
UPDATE tasks SET input = json_object('unit', unit, 'version', wanted, 'image', image)
  WHERE kind IN ('github-webhook', 'manual');

DROP INDEX tasks_by_time;
CREATE INDEX tasks_by_time ON tasks (created_at DESC, id DESC, unit);
CREATE INDEX tasks_by_unit ON tasks (unit, created_at DESC, id DESC, status, kind);
CREATE INDEX tasks_by_status ON tasks (status, kind, created_at DESC, id DESC, unit);
CREATE INDEX tasks_searched ON tasks (status, kind, created_at DESC, id DESC, unit, (
  summary || char(10) || unit || char(10) || coalesce(image, '') || char(10) || coalesce(error_code, '') || char(10)
  || coalesce(trigger_caller, '') || char(10) || coalesce(trigger_reason, '') || char(10) || id
));
CREATE INDEX tasks_by_batch ON tasks (batch_id, status) WHERE batch_id IS NOT NULL;
CREATE INDEX tasks_by_retry ON tasks (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX tasks_to_kill ON tasks (unit) WHERE force_stopped_at IS NOT NULL AND killed_at IS NULL;
CREATE INDEX task_logs_warnings ON task_logs (task_id) WHERE level = 'warning';
