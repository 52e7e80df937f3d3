import { ERRORS } from '../../shared/contract/error-codes.ts';
import type { Failure } from '../../shared/contract/outcome.ts';
import type { NewEvent } from '../db/event-row.ts';
import { newIdentifier } from '../intake/new-identifier.ts';

/** What tells one such event from another. */
export type SystemEventFacts = {
  readonly status?: number;
  readonly failure?: Failure | undefined;
  readonly taskId?: string;
  readonly meta?: object;
};

/** What happened without anybody asking for it: the method is `SYSTEM`, the path says which part of the program it was. */
export function makeSystemEvent(
  action: string,
  path: string,
  { status, failure, taskId, meta }: SystemEventFacts,
): NewEvent {
  return {
    request_id: newIdentifier('sys'),
    ts: Date.now(),
    method: 'SYSTEM',
    path,
    status: failure ? ERRORS[failure.code].status : (status ?? 200),
    action,
    code: failure?.code ?? null,
    actor: null,
    remote_address: null,
    duration_us: 0,
    task_id: taskId ?? null,
    meta: meta ? JSON.stringify(meta) : null,
  };
}
