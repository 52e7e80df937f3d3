import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { MaintenanceAction } from '../domain/maintenance.ts';
import type { AutoUpdateMode } from '../domain/podman-auto-update.ts';
import type {
  DeferralReason,
  FinalStatus,
  TaskKind,
  TaskPhase,
  TaskStatus,
} from '../domain/task.ts';
import type { TaskInput } from '../domain/task-input.ts';
import type { FinalTask, NewTask } from './new-task.ts';
import type { Database } from './open-database.ts';
import { type ForceStops, prepareForceStops } from './task-force-stops.ts';
import { openTaskPages, type TaskPages } from './task-pages.ts';
import { prepareTaskReads } from './task-reads.ts';
import { prepareWaits, type TaskWaits } from './task-waits.ts';

/** A task as it is stored. Times are milliseconds since the epoch. */
export type TaskRow = {
  readonly id: string;
  readonly kind: TaskKind;
  readonly status: TaskStatus;
  readonly phase: TaskPhase;
  readonly unit: string;
  readonly image: string | null;
  readonly created_at: number;
  readonly updated_at: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly summary: string;
  readonly error_code: ErrorCode | null;
  readonly error_detail: string | null;
  readonly trigger_source: string;
  readonly trigger_request_id: string | null;
  readonly trigger_path: string | null;
  readonly trigger_caller: string | null;
  readonly trigger_reason: string | null;
  readonly webhook_digest: string | null;
  readonly registry_digest: string | null;
  readonly pulled_digest: string | null;
  readonly running_digest: string | null;
  readonly running_image: string | null;
  readonly attempts: number;
  readonly executor: 'systemd-run' | 'child' | null;
  readonly claimed_at: number | null;
  /** A pending task is not begun before; null: at once. */
  readonly not_before: number | null;
  /** Why it waits until then; null: what its unit or a registry wants, or further deliveries. */
  readonly waits_for: 'image-limit' | null;
  /** Attempts that ended because it was not time yet; they are part of `attempts`. */
  readonly deferrals: number;
  /** The version that a person chose; null: what the unit's own tag means. */
  readonly wanted: string | null;
  /** A person wants it to end; null: nobody does. */
  readonly stop_requested_at: number | null;
  readonly stop_requested_by: string | null;
  /** How many of the last deferrals in a row were for a registry that limits the rate. */
  readonly rate_limit_waits: number;
  /** How often it was put off because its host was out of reach. */
  readonly host_waits: number;
  /** JSON: what a person was shown that it would do, and is to do or nothing; null: nobody was. */
  readonly plan: string | null;
  /** What was asked for in one call has one; null: it was asked for by itself. */
  readonly batch_id: string | null;
  /** The task that this one does anew. */
  readonly retry_of: string | null;
  /** JSON of a `TaskInput`; null where nobody can do it again. */
  readonly input: string | null;
  /** A person had its processes killed; null: nobody did. */
  readonly force_stopped_at: number | null;
  readonly force_stopped_by: string | null;
  /** When nothing was left of its processes after that; null: not seen yet. */
  readonly killed_at: number | null;
  /** What its process was started for, `ID-ATTEMPT`: itself, or another task that the process has ended; null: not begun yet. */
  readonly process: string | null;
  /** When it was begun the last time. */
  readonly dispatched_at: number | null;
};

/** The four digests of a deployment and what runs now, as they become known. */
export type TaskEvidence = Partial<
  Pick<TaskRow, 'image' | 'registry_digest' | 'pulled_digest' | 'running_digest' | 'running_image'>
>;

/** How a task ended. */
export type TaskEnd = {
  readonly status: FinalStatus;
  readonly summary: string;
  readonly errorCode?: ErrorCode;
  readonly errorDetail?: string;
  readonly at: number;
};

/**
 * One attempt at a task: what a process is started for. Whoever writes names it, so that a process which was given up
 * for dead and is not cannot write into the attempt that took its place.
 */
export type TaskRun = Pick<TaskRow, 'id' | 'attempts'>;

/** The tasks table. Every change of state names the state it leaves, so that no late writer changes a final one. */
export type TaskTable = TaskPages &
  ForceStops &
  TaskWaits & {
    insert(task: NewTask): void;
    /** False where there is a task with this id already. */
    insertFinal(task: FinalTask): boolean;
    find(id: string): TaskRow | undefined;
    /** The last task of maintenance that does this; undefined where there was none. */
    findMaintenance(action: MaintenanceAction): TaskRow | undefined;
    /** The oldest task that runs podman's auto-update in this mode, or waits to; undefined where there is none. */
    findOpenAutoUpdate(mode: AutoUpdateMode): TaskRow | undefined;
    /** A task of that unit and image that has not begun. */
    findPending(unit: string, image: string | null): TaskRow | undefined;
    /** A task that does another one anew and has not begun, nor is to be stopped. */
    findPendingRetry(retryOf: string): TaskRow | undefined;
    /** The tasks that do this one anew, oldest first, at most 100. */
    listRetries(id: string): string[];
    /** Whether it runs, and this is its attempt: what others may still write is void. */
    isCurrent(run: TaskRun): boolean;
    /** The oldest pending task of each unit that has none running and whose time has come, at most `limit`. */
    listDispatchable(limit: number, nowMs: number): TaskRow[];
    /** When the next pending task may begin whose time has not come; undefined where none waits for its time. */
    nextDue(nowMs: number): number | undefined;
    listRunning(): TaskRow[];
    countRunning(): number;
    countOpen(): { readonly pending: number; readonly running: number };
    /** The states of tasks, of those that are there. */
    statusesOf(ids: readonly string[]): ReadonlyMap<string, TaskStatus>;
    /**
     * A later delivery joins a pending task: the newest digest wins. One that had begun and waits for the time of its unit
     * looks anew whether that has come, but not before a registry may be asked again; one that waits for further
     * deliveries waits no longer for having got one.
     */
    joinPending(id: string, webhookDigest: string | null, at: number): void;
    /** What a process has begun, in no order. */
    listByProcess(process: string): TaskRow[];
    /** When a task of the unit was begun the last time. */
    lastTurn(unit: string): number | undefined;
    /** pending -> running, not yet claimed by a process: one of its own, or one that runs already. */
    markDispatched(
      id: string,
      executor: 'systemd-run' | 'child',
      at: number,
      process?: string,
    ): boolean;
    /** The process of this attempt takes the task over; false when it is not there to be taken. */
    claim(run: TaskRun, at: number): boolean;
    /** running -> pending, when the process of this attempt is gone or gives up. */
    release(run: TaskRun, at: number): boolean;
    /** running -> pending: it is not time yet. */
    defer(run: TaskRun, notBefore: number, at: number, why?: DeferralReason): boolean;
    /** Remembers that a person wants an open task to end; false where it has ended, or somebody has asked before. */
    requestStop(id: string, by: string, at: number): boolean;
    /** running or pending -> a final state; false when it had one already or another attempt runs. */
    finish(run: TaskRun, end: TaskEnd): boolean;
    setPhase(run: TaskRun, phase: TaskPhase, at: number): void;
    setEvidence(run: TaskRun, evidence: TaskEvidence, at: number): void;
  };

/** Prepares the statements of the table. */
export function openTaskTable(database: Database): TaskTable {
  const changed = (statement: { run(parameters: object): { changes: number } }) => (p: object) =>
    statement.run(p).changes === 1;
  const markDispatched = changed(
    database.prepare(`UPDATE tasks SET status = 'running', phase = 'dispatching', executor = @executor,
      attempts = attempts + 1, process = coalesce(@process, id || '-' || (attempts + 1)), dispatched_at = @at,
      claimed_at = NULL, waits_for = NULL, updated_at = @at WHERE id = @id AND status = 'pending'`),
  );
  const claim = changed(
    database.prepare(`UPDATE tasks SET claimed_at = @at, started_at = coalesce(started_at, @at), updated_at = @at
      WHERE id = @id AND attempts = @attempts AND status = 'running' AND claimed_at IS NULL`),
  );
  const release = changed(
    database.prepare(`UPDATE tasks SET status = 'pending', phase = 'queued', claimed_at = NULL, executor = NULL,
      updated_at = @at WHERE id = @id AND attempts = @attempts AND status = 'running'`),
  );
  const defer = changed(
    database.prepare(`UPDATE tasks SET status = 'pending', phase = 'waiting', claimed_at = NULL, executor = NULL,
      not_before = @notBefore, deferrals = deferrals + 1, updated_at = @at,
      rate_limit_waits = CASE @why WHEN 'rate-limit' THEN rate_limit_waits + 1 ELSE 0 END,
      host_waits = host_waits + (@why = 'unreachable')
      WHERE id = @id AND attempts = @attempts AND status = 'running'`),
  );
  const requestStop = changed(
    database.prepare(`UPDATE tasks SET stop_requested_at = @at, stop_requested_by = @by, updated_at = @at
      WHERE id = @id AND status IN ('pending', 'running') AND stop_requested_at IS NULL`),
  );
  const finish = changed(
    database.prepare(`UPDATE tasks SET status = @status, phase = 'done', summary = @summary,
      error_code = @errorCode, error_detail = @errorDetail, finished_at = @at, updated_at = @at
      WHERE id = @id AND attempts = @attempts AND status IN ('pending', 'running')`),
  );
  return {
    ...prepareTaskReads(database),
    ...openTaskPages(database),
    ...prepareForceStops(database),
    ...prepareWaits(database),
    ...prepareEdits(database),
    markDispatched: (id, executor, at, process) =>
      markDispatched({ id, executor, at, process: process ?? null }),
    claim: ({ id, attempts }, at) => claim({ id, attempts, at }),
    release: ({ id, attempts }, at) => release({ id, attempts, at }),
    defer: ({ id, attempts }, notBefore, at, why = 'policy') =>
      defer({ id, attempts, notBefore, at, why }),
    requestStop: (id, by, at) => requestStop({ id, by, at }),
    finish: ({ id, attempts }, end) =>
      finish({
        id,
        attempts,
        status: end.status,
        summary: end.summary,
        errorCode: end.errorCode ?? null,
        errorDetail: end.errorDetail ?? null,
        at: end.at,
      }),
  };
}

/** What most tasks have nothing of. */
const BY_ITSELF = {
  ...{ trigger_reason: null, plan: null, batch_id: null, retry_of: null },
  not_before: null,
};

function prepareEdits(
  database: Database,
): Pick<TaskTable, 'insert' | 'insertFinal' | 'joinPending' | 'setPhase' | 'setEvidence'> {
  const insert = database.prepare(
    `INSERT INTO tasks (id, kind, status, phase, unit, image, created_at, updated_at, summary,
       trigger_source, trigger_request_id, trigger_path, trigger_caller, webhook_digest, wanted, trigger_reason,
       plan, batch_id, retry_of, input, not_before)
     VALUES (@id, @kind, 'pending', 'queued', @unit, @image, @created_at, @created_at, @summary,
       @trigger_source, @trigger_request_id, @trigger_path, @trigger_caller, @webhook_digest, @wanted, @trigger_reason,
       @plan, @batch_id, @retry_of, @input, @not_before)`,
  );
  const insertFinal = database.prepare(
    `INSERT INTO tasks (id, kind, status, phase, unit, image, created_at, updated_at, started_at, finished_at, summary,
       error_code, error_detail, trigger_source, trigger_request_id, trigger_path, trigger_caller, trigger_reason,
       batch_id)
     VALUES (@id, @kind, @status, 'done', @unit, @image, @created_at, @finished_at, @started_at, @finished_at, @summary,
       @error_code, @error_detail, @trigger_source, @trigger_request_id, @trigger_path, @trigger_caller, @trigger_reason,
       @batch_id)
     ON CONFLICT (id) DO NOTHING`,
  );
  const join = database.prepare(
    `UPDATE tasks SET webhook_digest = coalesce(?, webhook_digest), updated_at = ?,
       not_before = CASE WHEN rate_limit_waits > 0 OR phase = 'queued' THEN not_before END
     WHERE id = ? AND status = 'pending'`,
  );
  const phase = database.prepare(
    `UPDATE tasks SET phase = ?, updated_at = ?
     WHERE id = ? AND attempts = ? AND status = 'running'`,
  );
  const evidence = database.prepare(
    `UPDATE tasks SET image = coalesce(@image, image),
       registry_digest = coalesce(@registry_digest, registry_digest),
       pulled_digest = coalesce(@pulled_digest, pulled_digest),
       running_digest = coalesce(@running_digest, running_digest),
       running_image = coalesce(@running_image, running_image), updated_at = @at
     WHERE id = @id AND attempts = @attempts AND status = 'running'`,
  );
  const none = {
    image: null,
    registry_digest: null,
    pulled_digest: null,
    running_digest: null,
    running_image: null,
  };
  return {
    insert: (task) => {
      const { maintenance, maxAgeMs, pushedOnly, triesLeft, restart, podmanAutoUpdate, ...row } =
        task;
      const { unit, wanted = null, image } = row;
      const input: TaskInput = {
        ...{ unit, version: wanted, image },
        ...(maintenance && { maintenance }),
        ...(maxAgeMs !== undefined && { maxAgeMs }),
        ...(pushedOnly && { pushedOnly }),
        ...(triesLeft !== undefined && { triesLeft }),
        ...(restart && { restart }),
        ...(podmanAutoUpdate && { podmanAutoUpdate }),
      };
      insert.run({ ...BY_ITSELF, ...row, wanted, input: JSON.stringify(input) });
    },
    insertFinal: (task) => insertFinal.run({ image: null, batch_id: null, ...task }).changes === 1,
    joinPending: (id, digest, at) => void join.run(digest, at, id),
    setPhase: ({ id, attempts }, name, at) => void phase.run(name, at, id, attempts),
    setEvidence: ({ id, attempts }, known, at) =>
      void evidence.run({ ...none, ...known, id, attempts, at }),
  };
}
