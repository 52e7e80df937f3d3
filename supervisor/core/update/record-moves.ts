import type { ReleaseIdentity } from '../../../shared/contract/release.ts';
import type {
  HeldRecord,
  UpdateRecord,
  UpdateState,
} from '../../../shared/contract/update-record.ts';
import type { UpdateRequest } from '../../../shared/contract/update-request.ts';
import type { Doing, Open, Retained, UpdateContext } from './machine.ts';

/** How often each thing is tried. */
const STAGING_TRIES = 3;
export const TRIAL_TRIES = 3;
export const HAND_OVER_TRIES = 2;
export const ROLLBACK_TRIES = 3;

/** Writes of one record: beyond the first number it goes back, beyond the second it is held. No update needs twenty. */
export const SEQ_BACK = 40;
export const SEQ_HELD = 60;

/** The record of an update that is allowed to begin. */
export function openRecord(
  request: UpdateRequest,
  from: ReleaseIdentity,
  retained: Retained | null,
  over: UpdateRecord | null,
  context: UpdateContext,
): UpdateRecord {
  const { id, trigger, by, reason, dryRun, tag, force, version, restoreDatabase, at } = request;
  return {
    v: 1,
    txn: context.freshTxn,
    kind: retained ? 'rollback' : 'release',
    seq: 1,
    state: 'requested',
    from,
    to: retained?.release ?? null,
    request: { id, trigger, by, reason, dryRun, tag, force, version, restoreDatabase, at },
    startedAt: context.wallMs,
    bootId: context.bootId,
    stagingLeft: STAGING_TRIES,
    triesLeft: TRIAL_TRIES,
    handOversLeft: HAND_OVER_TRIES,
    rollbackAttempts: 0,
    failure: null,
    outcome: null,
    database: {
      backup: null,
      newVersionStarted: false,
      restored: false,
      wanted: retained?.backup ?? null,
      wantedRestored: false,
    },
    steps: [{ state: 'requested', at: context.wallMs, ms: null }],
    warnings: [],
    over: over && setAside(over),
    extra: {},
  };
}

/** A held record as the one that is to take its place carries it. */
function setAside({ over: _over, extra: _extra, ...held }: UpdateRecord): HeldRecord {
  return held;
}

/** The held record that it was. */
export function takeUpAgain(held: HeldRecord): UpdateRecord {
  return { ...held, over: null, extra: {} };
}

/** The record in its next state: one write more, the step before it timed. The same state again adds no step. */
export function advance(
  open: Open,
  state: UpdateState,
  changes: Partial<Omit<UpdateRecord, 'state' | 'seq' | 'steps'>>,
  context: UpdateContext,
): Open {
  const { record, sinceMs } = open;
  const isNew = state !== record.state;
  const steps = isNew ? nextSteps(record, state, sinceMs, context) : record.steps;
  return {
    ...open,
    record: {
      ...record,
      ...changes,
      bootId: context.bootId,
      seq: record.seq + 1,
      state,
      steps,
    },
    sinceMs: isNew ? context.nowMs : sinceMs,
  };
}

function nextSteps(
  record: UpdateRecord,
  state: UpdateState,
  sinceMs: number | null,
  { nowMs, wallMs }: UpdateContext,
): UpdateRecord['steps'] {
  const before = record.steps.slice(-198);
  const last = before.at(-1);
  const ms = sinceMs === null ? null : Math.max(Math.round(nowMs - sinceMs), 0);
  return [
    ...before.slice(0, -1),
    ...(last ? [{ ...last, ms }] : []),
    { state, at: wallMs, ms: null },
  ];
}

/** An update that is held as it was before. */
export function heldAgain(record: UpdateRecord): Open {
  return {
    kind: 'open',
    record,
    doing: { what: 'held' },
    sinceMs: null,
    progress: null,
    isUnsaved: false,
  };
}

/** Now waits for something else. */
export function doing(open: Open, what: Exclude<Doing['what'], 'soaking'>): Open {
  return { ...open, doing: { what } };
}
