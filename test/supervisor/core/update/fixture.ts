import type { ReleaseIdentity } from '../../../../shared/contract/release.ts';
import type { DatabaseBackup, UpdateRecord } from '../../../../shared/contract/update-record.ts';
import type { UpdateRequest } from '../../../../shared/contract/update-request.ts';
import type {
  Doing,
  Memory,
  Open,
  UpdateContext,
  UpdateEffect,
  UpdateEvent,
  UpdateMachine,
  UpdateStep,
} from '../../../../supervisor/core/update/machine.ts';
import { NO_MEMORY } from '../../../../supervisor/core/update/outcome.ts';
import { stepUpdate } from '../../../../supervisor/core/update/step-update.ts';

/** The program that runs, and the one that is to take its place. */
export const OLD: ReleaseIdentity = release('1.0.0', 'a');
export const NEW: ReleaseIdentity = release('2.0.0', 'b');

export const BACKUP: DatabaseBackup = {
  kind: 'copy',
  file: '/state/data/backups/auto_update/upd_1/database.db',
  sha256: 'd'.repeat(64),
  bytes: 4096,
  schema: 1,
};

/** The database that a former program had. */
export const WANTED: DatabaseBackup = { ...BACKUP, file: '/kept/database.db', schema: 0 };

export const RULES: UpdateContext['rules'] = {
  soakMs: 60_000,
  handedOverSoakMs: 10_000,
  settleMs: 1_000,
  idleTimeoutMs: 300_000,
};

export const CONTEXT: UpdateContext = {
  nowMs: 1_000_000,
  wallMs: 1_700_000_000_000,
  random: 0.5,
  bootId: 'boot-1',
  freshTxn: 'upd_fresh',
  worker: 'serving',
  rules: RULES,
};

export const REQUEST: UpdateRequest = {
  id: 'req-1',
  command: 'run',
  trigger: 'cli',
  by: 'somebody',
  reason: null,
  dryRun: false,
  tag: null,
  force: false,
  version: null,
  restoreDatabase: false,
  pid: null,
  at: 1_699_999_999_000,
};

/** A record in its first state. */
export const RECORD: UpdateRecord = {
  v: 1,
  txn: 'upd_1',
  kind: 'release',
  seq: 5,
  state: 'requested',
  from: OLD,
  to: NEW,
  request: {
    id: 'req-1',
    trigger: 'cli',
    by: 'somebody',
    reason: null,
    dryRun: false,
    tag: null,
    force: false,
    version: null,
    restoreDatabase: false,
    at: 1_699_999_999_000,
  },
  startedAt: 1_699_999_999_500,
  bootId: 'boot-1',
  stagingLeft: 2,
  triesLeft: 2,
  handOversLeft: 1,
  rollbackAttempts: 0,
  failure: null,
  outcome: null,
  database: {
    backup: BACKUP,
    newVersionStarted: true,
    restored: false,
    wanted: null,
    wantedRestored: false,
  },
  steps: [{ state: 'requested', at: 1_699_999_999_500, ms: null }],
  warnings: [],
  over: null,
  extra: {},
};

/** What an open update waits for in each state of its record. Every pair that can occur. */
export const SITUATIONS = {
  requested: ['staging'],
  staging: ['staging'],
  staged: ['inspecting', 'pausing'],
  quiescing: ['suspending'],
  'backing-up': ['backing-up'],
  switching: ['switching', 'restoring-wanted'],
  trial: ['starting', 'soaking', 'checking'],
  'handing-over': ['suspending', 'executing', 'starting', 'soaking'],
  committing: ['closing'],
  'rolling-back': [
    'suspending',
    'restoring-program',
    'settling-database',
    'executing',
    'starting',
    'soaking',
  ],
  'rolled-back': ['closing'],
  aborting: ['closing'],
  held: ['held'],
} as const satisfies Record<UpdateRecord['state'], readonly Doing['what'][]>;

export type What = Doing['what'];

/** A program by its version; the digit stands for its digest. */
export function release(version: string, digit: string): ReleaseIdentity {
  const digest = digit.repeat(64);
  return { version, digest, generation: null, tag: `v${version}`, commit: null };
}

/** An open update in this state, waiting for this. */
export function open(
  state: UpdateRecord['state'],
  what: What,
  changes: Partial<UpdateRecord> = {},
): Open {
  const doing: Doing =
    what === 'soaking' ? { what, untilMs: CONTEXT.nowMs + 1_000, good: 0, failures: 0 } : { what };
  return {
    kind: 'open',
    record: { ...RECORD, state, ...changes },
    doing,
    sinceMs: CONTEXT.nowMs - 100,
    progress: null,
    isUnsaved: false,
  };
}

/** A machine with this work. */
export function machine(
  work: UpdateMachine['work'] = { kind: 'none' },
  changes: Partial<UpdateMachine> = {},
): UpdateMachine {
  return {
    memory: NO_MEMORY,
    unavailable: null,
    self: 'from',
    isStopping: false,
    ...changes,
    work,
  };
}

/** One step from an open update. */
export function from(
  work: UpdateMachine['work'],
  event: UpdateEvent,
  context: Partial<UpdateContext> = {},
  changes: Partial<UpdateMachine> = {},
): UpdateStep {
  return stepUpdate(machine(work, changes), event, { ...CONTEXT, ...context });
}

/** The update of a step; fails where none is open. */
export function opened({ machine: { work } }: UpdateStep): Open {
  if (work.kind !== 'open') throw new Error(`It is ${work.kind}.`);
  return work;
}

/** Where a step leads, in short: `state/what`, with `!` where the disk has not taken it. */
export function whereTo({ machine: { work } }: Pick<UpdateStep, 'machine'>): string {
  if (work.kind !== 'open') return work.kind;
  return `${work.record.state}/${work.doing.what}${work.isUnsaved ? '!' : ''}`;
}

/** The effects of a step in short, reports left out. */
export function inShort(effects: readonly UpdateEffect[]): readonly string[] {
  return effects.flatMap(nameEffect);
}

function nameEffect(effect: UpdateEffect): readonly string[] {
  switch (effect.kind) {
    case 'report':
      return [];
    case 'persist':
      return [`persist ${effect.record.state}`];
    case 'answer':
      return [`answer ${effect.id} ${effect.failure?.code ?? effect.txn ?? 'ok'}`];
    case 'identify':
      return [`identify ${effect.version}`];
    case 'tell-worker':
      return [effect.message];
    case 'resume-worker':
      return [effect.trial ? 'resume on trial' : 'resume'];
    case 'suspend-worker':
      return ['suspend'];
    case 'set-update-timer':
      return [`+${effect.timer}:${effect.afterMs}`];
    case 'clear-update-timer':
      return [`-${effect.timer}`];
    case 'close':
      return [`close ${effect.outcome}`];
    case 'probe':
      return [`probe ${effect.version}`];
    case 'save-policy':
      return [`save-policy ${effect.policy.hold ? 'hold' : 'no hold'}`];
    default:
      return [effect.kind];
  }
}

/** A memory in which these programs are known to be bad, and were so in a row. */
export function badMemory(...bad: readonly ReleaseIdentity[]): Memory {
  return {
    policy: { ...NO_MEMORY.policy, badInARow: bad.map(({ digest }) => digest) },
    quarantine: {
      v: 1,
      entries: bad.map(({ digest, version }) => ({
        digest,
        version,
        failure: { code: 'UPDATE_START_FAILED', detail: 'It exited with 1.' },
        count: 1,
        firstAt: 1,
        lastAt: 1,
        txn: `upd_${version.replaceAll('.', '')}`,
      })),
    },
  };
}
