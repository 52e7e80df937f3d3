import type { ReleaseIdentity } from '../shared/contract/release.ts';
import type { UpdateState } from '../shared/contract/update-record.ts';
import { UPDATE_COMMANDS, type UpdateCommand } from '../shared/contract/update-request.ts';
import type { UpdateContext, UpdateEvent } from '../supervisor/core/update/machine.ts';
import { NO_MEMORY } from '../supervisor/core/update/outcome.ts';
import type { Found } from '../supervisor/core/update/recover.ts';
import {
  BACKUP,
  DATABASE,
  FAILURE,
  FROM,
  REQUEST,
  recordOf,
  type Situation,
  TO,
} from './update-samples.ts';

/** An event of an update. */
export type Event = UpdateEvent;

type NamedEvent = {
  readonly name: string;
  readonly event: UpdateEvent;
  /** Where it can come; everywhere where left out. */
  readonly when?: (state: UpdateState, situation: Situation) => boolean;
};

const wanted = { ...DATABASE, newVersionStarted: false, wanted: BACKUP };
const lastProbe = { good: 4, untilMs: 0 };
const asNew = { self: 'to' } as const;
const noWorker = { context: { worker: 'none' } } as const;
const soaking: Situation = { name: 'soaking', what: 'soaking' };
const starting: Situation = { name: 'the worker to start', what: 'starting' };
const closing: Situation = { name: 'cleaning up', what: 'closing' };
const enough: Situation = { name: 'soaking, long enough', what: 'soaking', doing: lastProbe };
const lastChance: Situation = {
  name: 'soaking, the last chance',
  what: 'soaking',
  doing: { failures: 2 },
};

/** Each state of the record with all that can be waited for in it. */
export const SITUATIONS: Record<UpdateState, readonly Situation[]> = {
  requested: [],
  staging: [
    { name: 'the stager', what: 'staging' },
    { name: 'the stager, without a worker', what: 'staging', ...noWorker },
    { name: 'the stager, its last try', what: 'staging', record: { stagingLeft: 0 } },
    {
      name: 'the stager, a dry run',
      what: 'staging',
      record: { request: { ...REQUEST, dryRun: true } },
    },
    { name: 'the stager, going back', what: 'staging', record: { kind: 'rollback' } },
  ],
  staged: [
    { name: 'the inspection', what: 'inspecting', record: { kind: 'rollback', database: wanted } },
    {
      name: 'the inspection, its database allowed',
      what: 'inspecting',
      record: {
        kind: 'rollback',
        database: wanted,
        request: { ...REQUEST, restoreDatabase: true },
      },
    },
    { name: 'running tasks', what: 'pausing' },
    { name: 'a worker that does not serve', what: 'pausing', context: { worker: 'down' } },
  ],
  quiescing: [{ name: 'the worker to stop', what: 'suspending' }],
  'backing-up': [
    { name: 'the backup', what: 'backing-up' },
    {
      name: 'the backup, over a held one',
      what: 'backing-up',
      record: { over: { ...recordOf('held'), state: 'held' } },
    },
  ],
  switching: [
    { name: 'the exchange', what: 'switching' },
    { name: 'the exchange, with a database', what: 'switching', record: { database: wanted } },
    { name: 'the wanted database', what: 'restoring-wanted', record: { database: wanted } },
    { name: 'the exchange, going round', what: 'switching', record: { seq: 40 } },
  ],
  trial: [
    starting,
    { name: 'the worker to start, its last try', what: 'starting', record: { triesLeft: 0 } },
    soaking,
    enough,
    lastChance,
    { name: 'the checks', what: 'checking' },
    { name: 'the checks, as the new program', what: 'checking', ...asNew },
  ],
  'handing-over': [
    { name: 'the worker to stop', what: 'suspending' },
    { name: 'the new supervisor', what: 'executing' },
    { ...starting, ...asNew },
    {
      name: 'the worker to start, its last try',
      what: 'starting',
      record: { triesLeft: 0 },
      ...asNew,
    },
    { ...soaking, ...asNew },
    { ...enough, ...asNew },
    { ...lastChance, ...asNew },
  ],
  committing: [closing],
  'rolling-back': [
    { name: 'the worker to stop', what: 'suspending' },
    { name: 'the old program', what: 'restoring-program' },
    {
      name: 'the old program, the database untouched',
      what: 'restoring-program',
      record: { database: { ...DATABASE, newVersionStarted: false } },
    },
    {
      name: 'the old program, which ran again',
      what: 'restoring-program',
      record: { rollbackAttempts: 1 },
    },
    { name: 'the database', what: 'settling-database' },
    { name: 'the database, as the new program', what: 'settling-database', ...asNew },
    { name: 'the old supervisor', what: 'executing', ...asNew },
    { ...starting, record: { rollbackAttempts: 1 } },
    {
      name: 'the worker to start, its last try',
      what: 'starting',
      record: { rollbackAttempts: 3 },
    },
    {
      name: 'the worker to start, over a database that was put back',
      what: 'starting',
      record: { rollbackAttempts: 1, database: { ...DATABASE, restored: true } },
    },
    { ...soaking, record: { rollbackAttempts: 1 } },
    { ...enough, record: { rollbackAttempts: 1 } },
    { ...lastChance, record: { rollbackAttempts: 1 } },
  ],
  'rolled-back': [closing],
  aborting: [
    closing,
    { ...closing, name: 'cleaning up, over a held one', record: { over: recordOf('held') } },
  ],
  held: [{ name: 'a person or a release', what: 'held' }],
};

const isBack = (state: UpdateState) => state === 'rolling-back';
const ready = ({ version, digest }: ReleaseIdentity): UpdateEvent => ({
  kind: 'worker-up',
  readiness: { version, digest, schema: 1 },
});
const died = (code: number | null, how: 'exited' | 'timed-out' = 'exited'): UpdateEvent => ({
  kind: 'worker-failed',
  how,
  code,
  signal: null,
  reason: '',
});
const request = (command: UpdateCommand): UpdateEvent => ({
  kind: 'request',
  request: { ...REQUEST, id: 'other', command, pid: null },
});

/** Every kind of event, in each of the variants that decide differently. */
export const EVENTS: readonly NamedEvent[] = [
  {
    name: 'staging-progress',
    event: { kind: 'staging-progress', step: 'downloading', bytes: 0, total: 1 },
  },
  { name: 'staged', event: { kind: 'staged', release: TO } },
  { name: 'current', event: { kind: 'current', release: FROM } },
  { name: 'staging-failed', event: { kind: 'staging-failed', failure: FAILURE } },
  { name: 'inspected: fits', event: { kind: 'inspected', compatible: true, detail: '' } },
  { name: 'inspected: does not fit', event: { kind: 'inspected', compatible: false, detail: '' } },
  { name: 'worker-idle', event: { kind: 'worker-idle' } },
  { name: 'worker-up', event: ready(TO), when: (state) => !isBack(state) },
  { name: 'worker-up', event: ready(FROM), when: isBack },
  { name: 'worker-up: another program', event: ready(FROM), when: (state) => !isBack(state) },
  { name: 'worker-up: another program', event: ready(TO), when: isBack },
  { name: 'worker-failed', event: died(1) },
  { name: 'worker-failed: 78', event: died(78) },
  { name: 'worker-failed: too slow', event: died(null, 'timed-out') },
  { name: 'worker-suspended', event: { kind: 'worker-suspended' } },
  { name: 'backed-up', event: { kind: 'backed-up', backup: BACKUP } },
  { name: 'switched', event: { kind: 'switched' }, when: (_, { what }) => what === 'switching' },
  {
    name: 'wanted-restored',
    event: { kind: 'wanted-restored' },
    when: (_, { what }) => what === 'restoring-wanted',
  },
  { name: 'probed: well', event: { kind: 'probed', failure: null } },
  { name: 'probed: badly', event: { kind: 'probed', failure: FAILURE } },
  { name: 'checked: well', event: { kind: 'checked', failure: null, warnings: [] } },
  { name: 'checked: badly', event: { kind: 'checked', failure: FAILURE, warnings: [] } },
  { name: 'hand-over-impossible', event: { kind: 'hand-over-impossible', reason: '' } },
  { name: 'program-restored', event: { kind: 'program-restored' } },
  { name: 'database-settled: kept', event: { kind: 'database-settled', restored: false } },
  { name: 'database-settled: put back', event: { kind: 'database-settled', restored: true } },
  { name: 'closed', event: { kind: 'closed', memory: NO_MEMORY } },
  { name: 'looked: a release', event: { kind: 'looked', found: true } },
  { name: 'looked: none', event: { kind: 'looked', found: false } },
  { name: 'act-failed', event: { kind: 'act-failed', failure: FAILURE } },
  ...(['idle-deadline', 'probe', 'retry', 'held-poll'] as const).map((timer) => ({
    name: `timer ${timer}`,
    event: { kind: 'update-timer', timer } as const,
  })),
  { name: 'SIGHUP', event: { kind: 'reload' } },
  { name: 'persist-failed', event: { kind: 'persist-failed', failure: FAILURE } },
  { name: 'stop', event: { kind: 'stop' } },
  ...UPDATE_COMMANDS.map((command) => ({ name: `request ${command}`, event: request(command) })),
];

type Start = {
  readonly name: string;
  readonly found: (state: UpdateState) => Partial<Found>;
  readonly context?: Partial<UpdateContext>;
};

const usedUp = { stagingLeft: 0, triesLeft: 0, handOversLeft: 0 };

/** The ways in which a supervisor may find itself. */
export const STARTS: readonly Start[] = [
  { name: 'as the new program', found: (state) => ({ record: recordOf(state) }) },
  { name: 'as the old program', found: (state) => ({ record: recordOf(state), slot: 'old' }) },
  {
    name: 'as the old program after a reboot',
    found: (state) => ({ record: recordOf(state), slot: 'old' }),
    context: { bootId: 'another' },
  },
  {
    name: 'as the new program, tries used up',
    found: (state) => ({ record: recordOf(state, usedUp) }),
  },
  {
    name: 'as the old program, tries used up',
    found: (state) => ({ record: recordOf(state, usedUp), slot: 'old' }),
  },
];
