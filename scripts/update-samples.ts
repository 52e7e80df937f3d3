import type { ReleaseIdentity } from '../shared/contract/release.ts';
import type {
  DatabaseBackup,
  UpdateRecord,
  UpdateState,
} from '../shared/contract/update-record.ts';
import type { Doing, UpdateContext, UpdateMachine } from '../supervisor/core/update/machine.ts';
import { NO_MEMORY } from '../supervisor/core/update/outcome.ts';
import type { Found } from '../supervisor/core/update/recover.ts';

/** What an open update waits for, in one of the variants that decide differently. */
export type Situation = {
  readonly name: string;
  readonly what: Doing['what'];
  readonly record?: Partial<UpdateRecord>;
  readonly doing?: Partial<Extract<Doing, { what: 'soaking' }>>;
  readonly self?: UpdateMachine['self'];
  readonly context?: Partial<UpdateContext>;
};

export const FROM = identity('1.0.0', 'a');
export const TO = identity('2.0.0', 'b');
export const FAILURE = { code: 'UPDATE_RECORD_UNWRITABLE', detail: '' } as const;
export const BACKUP: DatabaseBackup = {
  kind: 'copy',
  file: '/b',
  sha256: null,
  bytes: 1,
  schema: 1,
};
export const DATABASE = {
  backup: BACKUP,
  newVersionStarted: true,
  restored: false,
  wanted: null,
  wantedRestored: false,
} as const;
export const REQUEST = {
  id: 'r',
  trigger: 'cli',
  by: null,
  reason: null,
  dryRun: false,
  tag: null,
  force: false,
  version: null,
  restoreDatabase: false,
  at: 0,
} as const;

/** All that is decided by numbers is due. */
export const CONTEXT: UpdateContext = {
  nowMs: 1_000,
  wallMs: 0,
  random: 0.5,
  bootId: 'boot',
  freshTxn: 'upd_1',
  worker: 'serving',
  rules: { soakMs: 60_000, handedOverSoakMs: 10_000, settleMs: 1_000, idleTimeoutMs: 300_000 },
};

/** What a starting supervisor finds before it has looked. */
export const FOUND: Found = {
  record: null,
  memory: NO_MEMORY,
  unavailable: null,
  slot: 'target',
  targetDigest: TO.digest,
};

/** The machine in this situation. */
export function machineOf(state: UpdateState, situation: Situation): UpdateMachine {
  const { what, doing, record, self = 'from' } = situation;
  return {
    memory: NO_MEMORY,
    unavailable: null,
    self,
    isStopping: false,
    work: {
      kind: 'open',
      record: recordOf(state, record),
      doing:
        what === 'soaking'
          ? { what, untilMs: CONTEXT.nowMs + 1, good: 0, failures: 0, ...doing }
          : { what },
      sinceMs: null,
      progress: null,
      isUnsaved: false,
    },
  };
}

/** A record in this state, with what differs from the usual. */
export function recordOf(state: UpdateState, changes: Partial<UpdateRecord> = {}): UpdateRecord {
  return {
    v: 1,
    txn: 'upd_0',
    kind: 'release',
    seq: 5,
    state,
    from: FROM,
    to: TO,
    request: REQUEST,
    startedAt: 0,
    bootId: 'boot',
    stagingLeft: 2,
    triesLeft: 2,
    handOversLeft: 1,
    rollbackAttempts: 0,
    failure: null,
    outcome: null,
    database: DATABASE,
    steps: [],
    warnings: [],
    over: null,
    extra: {},
    ...changes,
  };
}

function identity(version: string, digit: string): ReleaseIdentity {
  return { version, digest: digit.repeat(64), generation: null, tag: null, commit: null };
}
