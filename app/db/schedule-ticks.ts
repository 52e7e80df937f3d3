import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { Database } from './open-database.ts';

/** The due time of a job that was served last. Times are milliseconds since the epoch. */
export type ScheduleTickRow = {
  readonly job: string;
  readonly due_at: number;
  readonly claimed_at: number;
  /** The process that serves it, see `processMark`. */
  readonly claimed_by: string;
  /** Its task; null where it has none, or the task is not kept any more. */
  readonly task_id: string | null;
  /** When it ended, where it has no task; null: not yet, or its task says so. */
  readonly ended_at: number | null;
  readonly result: string | null;
  readonly error_code: ErrorCode | null;
};

/** A tick that is claimed. */
export type ScheduleClaim = Pick<
  ScheduleTickRow,
  'job' | 'due_at' | 'claimed_at' | 'claimed_by' | 'task_id' | 'ended_at' | 'result'
>;

/** The table of the schedule: one row a job. */
export type ScheduleTickTable = {
  find(job: string): ScheduleTickRow | undefined;
  /** Takes the place of what was served before; to be called in the transaction that has found the job due. */
  claim(claim: ScheduleClaim): void;
  /** What became of a tick that has no task; nothing where another one was claimed meanwhile. */
  end(
    tick: Pick<ScheduleTickRow, 'job' | 'due_at' | 'claimed_by'>,
    end: Pick<ScheduleTickRow, 'result' | 'error_code'> & { readonly at: number },
  ): void;
};

/** Prepares the statements of the table. */
export function openScheduleTickTable(database: Database): ScheduleTickTable {
  const find = database.prepare<[string], ScheduleTickRow>(
    'SELECT * FROM schedule_ticks WHERE job = ?',
  );
  const claim = database.prepare(
    `INSERT INTO schedule_ticks (job, due_at, claimed_at, claimed_by, task_id, ended_at, result)
     VALUES (@job, @due_at, @claimed_at, @claimed_by, @task_id, @ended_at, @result)
     ON CONFLICT (job) DO UPDATE SET due_at = excluded.due_at, claimed_at = excluded.claimed_at,
       claimed_by = excluded.claimed_by, task_id = excluded.task_id, ended_at = excluded.ended_at,
       result = excluded.result, error_code = NULL`,
  );
  const end = database.prepare(
    `UPDATE schedule_ticks SET ended_at = @at, result = @result, error_code = @error_code
     WHERE job = @job AND due_at = @due_at AND claimed_by = @claimed_by AND ended_at IS NULL`,
  );
  return {
    find: (job) => find.get(job),
    claim: (row) => void claim.run(row),
    end: ({ job, due_at, claimed_by }, { at, result, error_code }) =>
      void end.run({ job, due_at, claimed_by, at, result, error_code }),
  };
}
