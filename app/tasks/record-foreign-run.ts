import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { Store } from '../db/store.ts';
import type { TaskLogRow } from '../db/task-logs.ts';
import type { FinalStatus } from '../domain/task.ts';
import { newIdentifier } from '../intake/new-identifier.ts';

/** An entry of the log of a run. */
export type ForeignEntry = Pick<TaskLogRow, 'level' | 'action' | 'summary'> & {
  readonly meta: object | null;
};

/** A run of podman's auto-update that somebody else has begun, and that is over. */
export type ForeignRun = {
  /** By what it is known: it is recorded once. */
  readonly name: string;
  readonly unit: string;
  readonly source: 'auto-update-log' | 'podman-timer';
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly status: FinalStatus;
  readonly summary: string;
  readonly code: ErrorCode | null;
  readonly entries: readonly ForeignEntry[];
};

/** Makes a task of it that is over, with its log; its id. Undefined where it was recorded before. */
export function recordForeignRun(store: Store, run: ForeignRun): string | undefined {
  const { name, unit, source, startedAtMs, endedAtMs, status, summary, code, entries } = run;
  return store.transact(() => {
    if (!store.autoUpdateImports.add(name, Date.now())) return undefined;
    const id = newIdentifier('tsk');
    store.tasks.insertFinal({
      ...{ id, kind: 'scheduler', unit, status, summary },
      ...{ created_at: startedAtMs, started_at: startedAtMs, finished_at: endedAtMs },
      ...{ error_code: code, error_detail: code && summary },
      trigger_source: source,
      trigger_request_id: name.slice(0, 200),
      ...{ trigger_path: null, trigger_caller: null, trigger_reason: null },
    });
    for (const { meta, ...entry } of entries) {
      const text = meta ? JSON.stringify(meta) : null;
      store.taskLogs.append({ task_id: id, ts: endedAtMs, ...entry, meta: text });
    }
    return id;
  });
}
