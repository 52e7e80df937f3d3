import type { Failure } from './outcome.ts';
import {
  absent,
  asObject,
  flag,
  list,
  nullable,
  oneOf,
  parseJson,
  pattern,
  type ReadBy,
  shape,
  text,
  whole,
} from './read-shape.ts';
import { digestText, releaseIdentity } from './release.ts';
import { failureShape, requestId, UPDATE_TRIGGERS } from './update-request.ts';

/** The format that this program writes. A file with a newer one is left alone. */
export const RECORD_VERSION = 1;

/** Where an open update stands. docs/self-update-states.md draws what leads from one to the next. */
export const UPDATE_STATES = [
  /** Asked for and allowed; nothing was done. */
  'requested',
  /** A release is chosen, downloaded and verified beside the program. */
  'staging',
  /** It lies ready; running tasks end first. */
  'staged',
  /** The worker is told to stop. */
  'quiescing',
  /** The database is copied. */
  'backing-up',
  /** The program file is exchanged. */
  'switching',
  /** The new worker has to prove itself, under the old supervisor. */
  'trial',
  /** The supervisor turns into the new program, which has to prove itself as a whole. */
  'handing-over',
  /** Proven: only cleaning up is left. Nothing leads back from here. */
  'committing',
  /** The old program and, where it must, the old database are put back. */
  'rolling-back',
  /** The old version serves again: only cleaning up is left. */
  'rolled-back',
  /** Ends before the exchange: only cleaning up is left. */
  'aborting',
  /** Neither version runs: webhooks are accepted, a person or a newer release has to help. */
  'held',
] as const;
export type UpdateState = (typeof UPDATE_STATES)[number];

/** `release`: a newer program is installed. `rollback`: a person wants a former one back. */
export const UPDATE_KINDS = ['release', 'rollback'] as const;

export const backupShape = shape({
  /** `copy`: made and checked by SQLite. `raw`: file and log copied as they were. `none`: there was no database. */
  kind: oneOf(['copy', 'raw', 'none']),
  /** Absolute path; of a raw copy the log lies beside it with `-wal`. */
  file: nullable(text(4096)),
  sha256: nullable(digestText),
  bytes: whole(),
  /** `user_version`; null where nobody could read it. */
  schema: nullable(whole()),
});
export type DatabaseBackup = ReadBy<typeof backupShape>;

const fields = {
  v: whole(1),
  txn: pattern(/^upd_[0-9a-z]{1,40}$/),
  kind: oneOf(UPDATE_KINDS),
  /** One more with each write. */
  seq: whole(1, 1_000_000),
  state: oneOf(UPDATE_STATES),
  from: releaseIdentity,
  /** Null until the stager has chosen. */
  to: nullable(releaseIdentity),
  request: shape({
    id: requestId,
    trigger: oneOf(UPDATE_TRIGGERS),
    by: nullable(text(200)),
    reason: nullable(text(500)),
    dryRun: flag,
    tag: nullable(text(200)),
    force: flag,
    version: nullable(text(100)),
    restoreDatabase: flag,
    at: whole(),
  }),
  /** Milliseconds since the epoch. */
  startedAt: whole(),
  /** The boot that wrote the record (/proc/sys/kernel/random/boot_id): tells a reboot from a crash. */
  bootId: text(64),
  stagingLeft: whole(0, 100),
  triesLeft: whole(0, 100),
  handOversLeft: whole(0, 100),
  rollbackAttempts: whole(0, 100),
  /** Why it goes or went back, or ends early. */
  failure: nullable(failureShape),
  /** How an aborted update ends. */
  outcome: nullable(oneOf(['failed', 'cancelled', 'current', 'dry-run'])),
  database: shape({
    backup: nullable(backupShape),
    /** Set before the new worker is started for the first time: from then on the database may be changed. */
    newVersionStarted: flag,
    /** Set after the backup was put back, before the old worker may write again. */
    restored: flag,
    /** `rollback` only: the backup of another update that the wanted version needs. */
    wanted: nullable(backupShape),
    wantedRestored: flag,
  }),
  /** What was done when, oldest first, for reports and history. */
  steps: list(shape({ state: oneOf(UPDATE_STATES), at: whole(), ms: nullable(whole()) }), 200),
  warnings: absent(list(text(500), 50), []),
};
const heldShape = shape(fields);

const recordShape = shape({
  ...fields,
  /** The held update whose place this one is to take. Until the exchange it is gone back to where this one ends. */
  over: absent(nullable(heldShape), null),
});

/** A held update while another one tries to take its place. */
export type HeldRecord = ReadBy<typeof heldShape>;

/**
 * `data/UPDATE_LOCK.json`: there exactly while an update is open, written by the supervisor only. Milliseconds are
 * wall-clock time where they are called `at`; nothing is decided by them.
 */
export type UpdateRecord = ReadBy<typeof recordShape> & {
  readonly failure: Failure | null;
  /** Fields of a program that knows more; kept as they were. */
  readonly extra: Readonly<Record<string, unknown>>;
};

/** What reading the record came to. */
export type RecordReading =
  | { readonly kind: 'none' }
  | { readonly kind: 'record'; readonly record: UpdateRecord }
  /** Written by a newer program: to be left alone. */
  | { readonly kind: 'newer'; readonly v: number }
  | { readonly kind: 'broken'; readonly reason: string };

/** Larger than any record can get; what is larger is no record. */
export const MAX_RECORD_BYTES = 512 * 1024;

const KNOWN = new Set([
  ...['v', 'txn', 'kind', 'seq', 'state', 'from', 'to', 'request', 'startedAt', 'bootId'],
  ...['stagingLeft', 'triesLeft', 'handOversLeft', 'rollbackAttempts', 'failure', 'outcome'],
  ...['database', 'steps', 'warnings', 'over', 'sum'],
]);

/** The text of a record with its checksum over everything else. `sha256` gives hexadecimal digits. */
export function formatUpdateRecord(
  { extra, ...record }: UpdateRecord,
  sha256: (content: string) => string,
): string {
  const body = { ...extra, ...record };
  return `${JSON.stringify({ ...body, sum: sha256(canonical(body)) })}\n`;
}

/** Reads the text of a record and checks it: version first, then checksum, then shape. */
export function parseUpdateRecord(
  content: string,
  sha256: (content: string) => string,
): RecordReading {
  if (content.length > MAX_RECORD_BYTES) return { kind: 'broken', reason: 'it is too large' };
  const raw = asObject(parseJson(content));
  if (!raw) return { kind: 'broken', reason: 'it is no JSON object' };
  const { sum, ...body } = raw;
  const v = whole(1)(raw['v']);
  if (v === undefined) return { kind: 'broken', reason: 'it has no version' };
  if (v > RECORD_VERSION) return { kind: 'newer', v };
  if (sum !== sha256(canonical(body))) return { kind: 'broken', reason: 'its checksum is wrong' };
  const record = recordShape(raw);
  if (!record) return { kind: 'broken', reason: 'a field is missing or not allowed' };
  const extra = Object.fromEntries(Object.entries(body).filter(([name]) => !KNOWN.has(name)));
  return { kind: 'record', record: { ...record, extra } };
}

/** JSON with the keys of each object in order, so that the same content has the same text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    const object = asObject(inner);
    return object
      ? Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner;
  });
}
