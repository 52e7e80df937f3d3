import { isErrorCode } from './error-codes.ts';
import type { Failure } from './outcome.ts';
import {
  absent,
  asObject,
  flag,
  nullable,
  oneOf,
  pattern,
  type ReadBy,
  shape,
  text,
  whole,
} from './read-shape.ts';

/** What can be asked of the supervisor. `status` changes nothing. */
export const UPDATE_COMMANDS = ['run', 'cancel', 'hold', 'resume', 'rollback', 'status'] as const;
export type UpdateCommand = (typeof UPDATE_COMMANDS)[number];

/** Who asks. `cron` and `held` ask by themselves: a hold keeps them off. */
export const UPDATE_TRIGGERS = ['api', 'cli', 'cron', 'file', 'exit-code', 'held'] as const;
export type UpdateTrigger = (typeof UPDATE_TRIGGERS)[number];

/** Chosen by the asker; repeating a request with the same id changes nothing. */
export const requestId = pattern(/^[0-9A-Za-z_-]{1,64}$/);

const readRequest = shape({
  id: requestId,
  command: oneOf(UPDATE_COMMANDS),
  trigger: absent(oneOf(UPDATE_TRIGGERS), 'file'),
  /** Who and why, for the record. */
  by: absent(nullable(text(200)), null),
  reason: absent(nullable(text(500)), null),
  /** `run`: download and verify, change nothing. */
  dryRun: absent(flag, false),
  /** `run`: this tag and no other. */
  tag: absent(nullable(text(200)), null),
  /** `run`: also where a hold is in force, the release is quarantined, older, or the one that runs. */
  force: absent(flag, false),
  /** `rollback`: the version to go back to. */
  version: absent(nullable(text(100)), null),
  /** `rollback`: give up what was written since, where that version cannot run on today's database. */
  restoreDatabase: absent(flag, false),
  /** The process that will end with exit code 10 for this request; null for anybody else's. */
  pid: absent(nullable(whole(1)), null),
  /** Milliseconds since the epoch. */
  at: absent(whole(), 0),
});

/** A request to the supervisor: over IPC, or as `data/update-request.json`. */
export type UpdateRequest = ReadBy<typeof readRequest>;

/** Reads a request; undefined for anything that is none. Only `id` and `command` must be there. */
export function parseUpdateRequest(raw: unknown): UpdateRequest | undefined {
  return readRequest(raw);
}

/** What the supervisor answers; sent once what was asked is durable. */
export type UpdateAnswer = {
  readonly id: string;
  /** The update that was opened or is meant. */
  readonly txn: string | null;
  readonly failure: Failure | null;
  /** Only for `status`. */
  readonly status: unknown;
};

const readFailure: (raw: unknown) => Failure | undefined = (raw) => {
  const object = asObject(raw);
  const { code, detail } = object ?? {};
  return typeof code === 'string' && isErrorCode(code) && typeof detail === 'string'
    ? { code, detail: detail.slice(0, 2000) }
    : undefined;
};

/** A failure that another process reports. */
export const failureShape = readFailure;

/** Reads an answer; undefined for anything that is none. */
export function parseUpdateAnswer(raw: unknown): UpdateAnswer | undefined {
  const read = shape({
    id: requestId,
    txn: nullable(text(64)),
    failure: nullable(readFailure),
  })(raw);
  return read && { ...read, status: asObject(raw)?.['status'] ?? null };
}
