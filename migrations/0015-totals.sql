-- older-program: may-run
-- What a monitor asks for every few seconds is counted when it happens, by whichever process, and outlives what is pruned.
CREATE TABLE totals (
  name TEXT NOT NULL CHECK (name IN ('task', 'task-failure', 'rollback', 'delivery')),
  first TEXT NOT NULL,
  second TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (name, first, second)
) STRICT, WITHOUT ROWID;

-- From the first delivery to the end of the task that proved the unit. `le_ms` is the upper bound of the bucket, 0 of the last.
CREATE TABLE push_to_running (
  le_ms INTEGER PRIMARY KEY,
  count INTEGER NOT NULL,
  sum_ms INTEGER NOT NULL
) STRICT;

CREATE TRIGGER task_ended AFTER UPDATE OF status ON tasks
WHEN old.status IN ('pending', 'running') AND new.status NOT IN ('pending', 'running') BEGIN
  INSERT INTO totals VALUES ('task', new.kind, new.status, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
  INSERT INTO totals SELECT 'task-failure', new.error_code, '', 1 WHERE new.error_code IS NOT NULL
    ON CONFLICT DO UPDATE SET count = count + 1;
END;

CREATE TRIGGER task_inserted_ended AFTER INSERT ON tasks WHEN new.status NOT IN ('pending', 'running') BEGIN
  INSERT INTO totals VALUES ('task', new.kind, new.status, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
  INSERT INTO totals SELECT 'task-failure', new.error_code, '', 1 WHERE new.error_code IS NOT NULL
    ON CONFLICT DO UPDATE SET count = count + 1;
END;

CREATE TRIGGER push_proven AFTER UPDATE OF status ON tasks
WHEN new.status = 'succeeded' AND old.status = 'running' AND new.kind = 'github-webhook' BEGIN
  INSERT INTO push_to_running
    SELECT coalesce((SELECT min(value) FROM json_each(
        '[1000,2500,5000,10000,15000,20000,30000,45000,60000,90000,120000,300000,600000,1800000,3600000]')
      WHERE value >= took.ms), 0), 1, took.ms
    FROM (SELECT max(0, new.finished_at - min(received_at)) AS ms FROM deliveries WHERE task_id = new.id) AS took
    WHERE took.ms IS NOT NULL
    ON CONFLICT DO UPDATE SET count = count + 1, sum_ms = sum_ms + excluded.sum_ms;
END;

CREATE TRIGGER rollback_begun AFTER UPDATE OF stage ON deployments
WHEN new.stage = 'back' AND old.stage <> 'back' BEGIN
  INSERT INTO totals VALUES ('rollback', coalesce(new.cause_code, ''), '', 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;

CREATE TRIGGER delivery_counted AFTER INSERT ON deliveries BEGIN
  INSERT INTO totals VALUES ('delivery', new.verdict, coalesce(new.reason, ''), 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
