import fc from 'fast-check';
import type { ErrorCode } from '../../../../shared/contract/error-codes.ts';
import { UPDATE_ERRORS } from '../../../../shared/contract/update-error-codes.ts';
import { UPDATE_STATES, type UpdateRecord } from '../../../../shared/contract/update-record.ts';
import {
  UPDATE_COMMANDS,
  UPDATE_TRIGGERS,
  type UpdateRequest,
} from '../../../../shared/contract/update-request.ts';
import type {
  Memory,
  UpdateContext,
  UpdateEvent,
} from '../../../../supervisor/core/update/machine.ts';
import type { Found } from '../../../../supervisor/core/update/recover.ts';
import { BACKUP, badMemory, CONTEXT, NEW, OLD, RECORD, release, WANTED } from './fixture.ts';

const THIRD = release('3.0.0', 'c');
const anyRelease = fc.constantFrom(OLD, NEW, THIRD);
const anyFailure = fc
  .constantFrom(...(Object.keys(UPDATE_ERRORS) as ErrorCode[]))
  .map((code) => ({ code, detail: 'It was seen.' }));
const anyBackup = fc.constantFrom(null, BACKUP, WANTED);
const anyMemory: fc.Arbitrary<Memory> = fc.constantFrom(
  badMemory(),
  badMemory(NEW),
  badMemory(NEW, THIRD),
);

const anyRequest: fc.Arbitrary<UpdateRequest> = fc.record({
  id: fc.constantFrom('req-1', 'req-2'),
  command: fc.constantFrom(...UPDATE_COMMANDS),
  trigger: fc.constantFrom(...UPDATE_TRIGGERS),
  by: fc.constant(null),
  reason: fc.constantFrom(null, 'Because.'),
  dryRun: fc.boolean(),
  tag: fc.constant(null),
  force: fc.boolean(),
  version: fc.constantFrom(null, '2.0.0'),
  restoreDatabase: fc.boolean(),
  pid: fc.constant(null),
  at: fc.constant(0),
});

/** Any event, whether it may come or not. */
export const anyUpdateEvent: fc.Arbitrary<UpdateEvent> = fc.oneof(
  anyRequest.map((request): UpdateEvent => ({ kind: 'request', request })),
  fc
    .tuple(anyRelease, anyRelease, anyBackup, fc.boolean())
    .map(([from, to, backup, isKept]): UpdateEvent => {
      const retained = isKept ? { file: '/kept/program', release: to, backup } : null;
      return { kind: 'identified', from, retained };
    }),
  fc.constant<UpdateEvent>({ kind: 'staging-progress', step: 'downloading', bytes: 1, total: 2 }),
  anyRelease.map((one): UpdateEvent => ({ kind: 'staged', release: one })),
  anyRelease.map((one): UpdateEvent => ({ kind: 'current', release: one })),
  anyFailure.map((failure): UpdateEvent => ({ kind: 'staging-failed', failure })),
  fc.boolean().map((compatible): UpdateEvent => ({ kind: 'inspected', compatible, detail: '' })),
  fc.constant<UpdateEvent>({ kind: 'worker-idle' }),
  anyRelease.map(
    ({ version, digest }): UpdateEvent => ({
      kind: 'worker-up',
      readiness: { version, digest, schema: 1 },
    }),
  ),
  fc
    .tuple(
      fc.constantFrom('exited' as const, 'timed-out' as const, 'not-started' as const),
      fc.constantFrom(null, 0, 1, 78),
    )
    .map(([how, code]): UpdateEvent => {
      return { kind: 'worker-failed', how, code, signal: null, reason: '' };
    }),
  fc.constant<UpdateEvent>({ kind: 'worker-suspended' }),
  fc.constant<UpdateEvent>({ kind: 'backed-up', backup: BACKUP }),
  fc.constant<UpdateEvent>({ kind: 'switched' }),
  fc.constant<UpdateEvent>({ kind: 'wanted-restored' }),
  fc.option(anyFailure).map((failure): UpdateEvent => ({ kind: 'probed', failure })),
  fc
    .option(anyFailure)
    .map((failure): UpdateEvent => ({ kind: 'checked', failure, warnings: ['Slow.'] })),
  fc.constant<UpdateEvent>({ kind: 'hand-over-impossible', reason: 'No such call.' }),
  fc.constant<UpdateEvent>({ kind: 'program-restored' }),
  fc.boolean().map((restored): UpdateEvent => ({ kind: 'database-settled', restored })),
  anyMemory.map((memory): UpdateEvent => ({ kind: 'closed', memory })),
  anyMemory.map(({ policy }): UpdateEvent => ({ kind: 'policy-saved', policy })),
  fc.boolean().map((found): UpdateEvent => ({ kind: 'looked', found })),
  anyFailure.map((failure): UpdateEvent => ({ kind: 'act-failed', failure })),
  anyFailure.map((failure): UpdateEvent => ({ kind: 'persist-failed', failure })),
  fc
    .constantFrom(
      'idle-deadline' as const,
      'probe' as const,
      'retry' as const,
      'held-poll' as const,
    )
    .map((timer): UpdateEvent => ({ kind: 'update-timer', timer })),
  fc.constant<UpdateEvent>({ kind: 'stop' }),
  fc.constant<UpdateEvent>({ kind: 'reload' }),
);

const anyRecord: fc.Arbitrary<UpdateRecord> = fc
  .record({
    state: fc.constantFrom(...UPDATE_STATES),
    kind: fc.constantFrom('release' as const, 'rollback' as const),
    seq: fc.constantFrom(1, 5, 39, 40, 59, 60, 61),
    to: fc.option(anyRelease),
    stagingLeft: fc.nat(3),
    triesLeft: fc.nat(3),
    handOversLeft: fc.nat(2),
    rollbackAttempts: fc.nat(3),
    failure: fc.option(anyFailure),
    backup: anyBackup,
    wanted: anyBackup,
    restored: fc.boolean(),
    newVersionStarted: fc.boolean(),
  })
  .map(({ backup, wanted, restored, newVersionStarted, ...fields }) => ({
    ...RECORD,
    ...fields,
    database: { backup, wanted, restored, newVersionStarted, wantedRestored: false },
  }));

/** Anything that a starting supervisor may find. */
export const anyFound: fc.Arbitrary<Found> = fc.record({
  record: fc.option(anyRecord, { freq: 5 }),
  memory: anyMemory,
  unavailable: fc.option(anyFailure),
  slot: fc.constantFrom('target' as const, 'old' as const, 'elsewhere' as const),
  targetDigest: fc.option(anyRelease.map(({ digest }) => digest)),
});

/** What a step may know. */
export const anyContext: fc.Arbitrary<UpdateContext> = fc
  .record({
    nowMs: fc.nat(10_000_000),
    worker: fc.constantFrom('serving' as const, 'down' as const, 'none' as const),
    bootId: fc.constantFrom('boot-1', 'boot-2'),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    freshTxn: fc.nat().map((n) => `upd_${n.toString(36)}`),
  })
  .map((changes) => ({ ...CONTEXT, ...changes }));
