-- older-program: may-run
-- What has changed of the tasks, in the order in which it did, for those who watch lists and come again. The clock may be
-- set back; this number never is.
CREATE TABLE task_changes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id TEXT NOT NULL
) STRICT;

CREATE TRIGGER task_inserted AFTER INSERT ON tasks BEGIN
  INSERT INTO task_changes (task_id) VALUES (new.id);
  DELETE FROM task_changes WHERE seq <= last_insert_rowid() - 10000;
END;

CREATE TRIGGER task_updated AFTER UPDATE ON tasks BEGIN
  INSERT INTO task_changes (task_id) VALUES (new.id);
  DELETE FROM task_changes WHERE seq <= last_insert_rowid() - 10000;
END;
