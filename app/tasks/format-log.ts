import type { TaskLogRow } from '../db/task-logs.ts';
import { isoTime } from './task-view.ts';

/** An entry as the API shows it, as a line of JSON. What is stored as JSON need not be read for that. */
export function formatLog({ id, ts, level, action, summary, meta }: TaskLogRow): string {
  const head = JSON.stringify({ id, ts: isoTime(ts), level, action, summary });
  return `${head.slice(0, -1)},"meta":${meta ?? 'null'}}`;
}
