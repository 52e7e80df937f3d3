import type { FinalStatus } from '../domain/task.ts';
import type { TaskInput } from '../domain/task-input.ts';
import type { TaskRow } from './tasks.ts';

/** What a new task is made of. */
export type NewTask = Pick<
  TaskRow,
  | 'id'
  | 'kind'
  | 'unit'
  | 'image'
  | 'created_at'
  | 'summary'
  | 'trigger_source'
  | 'trigger_request_id'
  | 'trigger_path'
  | 'trigger_caller'
  | 'webhook_digest'
> &
  Partial<
    Pick<TaskRow, 'wanted' | 'trigger_reason' | 'plan' | 'batch_id' | 'retry_of' | 'not_before'>
  > &
  Omit<TaskInput, 'unit' | 'version' | 'image'>;

/** What was done by somebody else and is over: a task that is born with its final state. */
export type FinalTask = Pick<
  TaskRow,
  | 'id'
  | 'kind'
  | 'unit'
  | 'created_at'
  | 'started_at'
  | 'finished_at'
  | 'summary'
  | 'error_code'
  | 'error_detail'
  | 'trigger_source'
  | 'trigger_request_id'
  | 'trigger_path'
  | 'trigger_caller'
  | 'trigger_reason'
> &
  Partial<Pick<TaskRow, 'image' | 'batch_id'>> & {
    readonly status: FinalStatus;
    readonly finished_at: number;
  };
