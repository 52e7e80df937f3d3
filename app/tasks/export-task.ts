import { formatLogEntry, formatTask, type TaskHead } from '../api/task-text.ts';
import type { Store } from '../db/store.ts';
import { readTaskHead, readTaskLogs } from './read-tasks.ts';

/** At a time so many entries of the log are read. */
const CHUNK = 200;

/**
 * A whole task with all that its log has now, part by part, so that a long log is never in memory as a whole: JSON as
 * `GET /api/tasks/ID` has it, or text for people. Undefined where there is no such task.
 */
export function exportTask(
  store: Store,
  id: string,
  format: 'json' | 'text',
): Generator<string> | undefined {
  const head = readTaskHead(store, id);
  if (!head) return undefined;
  return format === 'json' ? toJson(store, head) : toText(store, head);
}

function* toJson(store: Store, head: TaskHead): Generator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"logs":[`;
  let comma = '';
  for (const entry of readLog(store, head.task_id)) {
    yield `${comma}\n${JSON.stringify(entry)}`;
    comma = ',';
  }
  yield ']}\n';
}

function* toText(store: Store, head: TaskHead): Generator<string> {
  yield `${formatTask(head)}\n`;
  for (const entry of readLog(store, head.task_id)) yield formatLogEntry(entry);
}

/** What comes while it is read is left out: a task that goes on would never end. */
function* readLog(store: Store, id: string) {
  const last = store.taskLogs.findLast(id);
  for (let after = 0; after < last; ) {
    const { logs } = readTaskLogs(store, id, { after, limit: CHUNK });
    for (const entry of logs) if (entry.id <= last) yield entry;
    after = logs.at(-1)?.id ?? last;
  }
}
