import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { NewEvent } from '../db/event-row.ts';
import { newIdentifier } from '../intake/new-identifier.ts';

/** What is known of a call on the command line. */
export type CallFacts = {
  /** The words of the command, without arguments. */
  readonly words: readonly string[];
  readonly status: number;
  readonly code?: ErrorCode;
  /** The user who called. */
  readonly uid: number;
  readonly tookMs: number;
  readonly taskId?: string;
  readonly meta: Readonly<Record<string, unknown>>;
};

const MAX_TEXT = 500;

/** The event of a call; long texts among its arguments are cut. */
export function makeCallEvent({ words, uid, tookMs, meta, ...facts }: CallFacts): NewEvent {
  const cut = (_key: string, value: unknown) =>
    typeof value === 'string' ? value.slice(0, MAX_TEXT) : value;
  return {
    request_id: newIdentifier('cli'),
    ts: Date.now(),
    method: 'CLI',
    path: words.join(' '),
    status: facts.status,
    action: ['cli', ...words].join('-'),
    code: facts.code ?? null,
    actor: `uid ${uid}`,
    remote_address: null,
    duration_us: Math.round(tookMs * 1000),
    task_id: facts.taskId ?? null,
    meta: JSON.stringify(meta, cut),
  };
}
