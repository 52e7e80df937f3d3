import { hash } from 'node:crypto';

/** Something that happened: a request, a call on the command line, a system event. `meta` is JSON text. */
export type EventRow = {
  readonly id: number;
  readonly request_id: string;
  /** When it happened, in milliseconds since 1970. */
  readonly ts: number;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly action: string;
  readonly code: string | null;
  readonly actor: string | null;
  readonly remote_address: string | null;
  readonly duration_us: number;
  readonly task_id: string | null;
  readonly meta: string | null;
  /** 32 bytes; null in rows that are older than the chain of hashes. */
  readonly hash: Buffer | null;
};

/** Something that happened, before it has a row. */
export type NewEvent = Omit<EventRow, 'id' | 'hash'>;

/** Everything of a row but its hash, in the order in which it is hashed. */
export const HASHED_COLUMNS = [
  'id',
  'request_id',
  'ts',
  'method',
  'path',
  'status',
  'action',
  'code',
  'actor',
  'remote_address',
  'duration_us',
  'task_id',
  'meta',
] as const;

/** The values of a row in the order of `HASHED_COLUMNS`. */
export type HashedValues = readonly (string | number | null)[];

/**
 * The hash of a row behind the one whose hash is `previous` (64 zeros before the first), both in hexadecimal: SHA-256 of `previous`, a line feed
 * and the values as a JSON array, which reads in one way only.
 */
export function hashEvent(previous: string, values: HashedValues): string {
  return hash('sha256', `${previous}\n${JSON.stringify(values)}`);
}

/** The values of a row as the database gives them back: text that is no Unicode would come back changed. */
export function toHashedValues(id: number, event: NewEvent): HashedValues {
  return [
    id,
    event.request_id,
    event.ts,
    event.method,
    event.path,
    event.status,
    event.action,
    event.code,
    event.actor,
    event.remote_address,
    event.duration_us,
    event.task_id,
    event.meta,
  ].map((value) => (typeof value === 'string' ? value.toWellFormed() : value));
}
