import type { TaskLogView } from '../api/views.ts';
import type { TaskLogRow } from '../db/task-logs.ts';

/** An entry as the API shows it. */
export function viewLog(row: TaskLogRow): TaskLogView {
  const { id, level, action, summary, meta } = row;
  const ts = new Date(row.ts).toISOString();
  return { id, ts, level, action, summary, meta: meta === null ? null : JSON.parse(meta) };
}

/** The same as a line of JSON. What is stored as JSON need not be read for that. */
export function formatLog(row: TaskLogRow): string {
  const { id, level, action, summary, meta } = row;
  const ts = new Date(row.ts).toISOString();
  return `${JSON.stringify({ id, ts, level, action, summary }).slice(0, -1)},"meta":${meta ?? 'null'}}`;
}
