import type { Failure } from '../../../shared/contract/outcome.ts';
import type { UpdateOutcome } from '../../../shared/contract/update-history.ts';
import type { UpdateRecord } from '../../../shared/contract/update-record.ts';
import { report } from '../moves.ts';
import type { Open, UpdateContext, UpdateEffect, UpdateMachine, UpdateStep } from './machine.ts';
import { remember } from './outcome.ts';
import {
  advance,
  doing,
  ROLLBACK_TRIES,
  SEQ_BACK,
  SEQ_HELD,
  TRIAL_TRIES,
  takeUpAgain,
} from './record-moves.ts';

/** A held host looks for a release this often. */
const HELD_POLL_MS = 900_000;

/** The machine with this work and nothing else changed. */
export function become(
  machine: UpdateMachine,
  work: UpdateMachine['work'],
  effects: readonly UpdateEffect[],
): UpdateStep {
  return { machine: { ...machine, work }, effects };
}

/** Nothing follows. */
export function ignore(machine: UpdateMachine): UpdateStep {
  return { machine, effects: [] };
}

/** Makes the record durable, then does the rest. */
export function persist(open: Open, ...then: readonly UpdateEffect[]): readonly UpdateEffect[] {
  return [
    { kind: 'persist', record: open.record },
    report('info', 'self-update', {
      txn: open.record.txn,
      state: open.record.state,
      from: open.record.from.version,
      to: open.record.to?.version ?? null,
    }),
    ...then,
  ];
}

/** Chooses, fetches and verifies the release. */
export function stage(machine: UpdateMachine, open: Open, context: UpdateContext): UpdateStep {
  const { stagingLeft, from, request } = open.record;
  const next = doing(
    advance(open, 'staging', { stagingLeft: Math.max(stagingLeft - 1, 0) }, context),
    'staging',
  );
  const { policy, quarantine } = machine.memory;
  const { to, kind } = next.record;
  return become(machine, next, [
    ...persist(next),
    {
      kind: 'stage',
      order: {
        current: from,
        tag: request.tag,
        dryRun: request.dryRun,
        force: request.force,
        quarantine: quarantine.entries.map(({ digest }) => digest),
        generationFloor: policy.generationFloor,
        // Where its file lies is for the edge to say, which has looked for it.
        retained: kind === 'rollback' && to ? { file: '', release: to } : null,
      },
    },
  ]);
}

/** Lets running tasks end. Where no worker runs on purpose there are none. */
export function pause(machine: UpdateMachine, open: Open, context: UpdateContext): UpdateStep {
  if (context.worker === 'none') return quiesce(machine, open, context);
  const { idleTimeoutMs } = context.rules;
  return become(machine, doing(open, 'pausing'), [
    { kind: 'tell-worker', message: 'pause' },
    {
      kind: 'set-update-timer',
      timer: 'idle-deadline',
      // A worker that cannot be brought up says nothing; perhaps the update is to cure just that.
      afterMs: context.worker === 'serving' ? idleTimeoutMs : Math.min(idleTimeoutMs, 10_000),
    },
  ]);
}

/** The worker is to stop. */
export function quiesce(machine: UpdateMachine, open: Open, context: UpdateContext): UpdateStep {
  const next = doing(advance(open, 'quiescing', {}, context), 'suspending');
  return become(machine, next, [
    { kind: 'clear-update-timer', timer: 'idle-deadline' },
    ...persist(next, { kind: 'suspend-worker' }),
  ]);
}

/** Ends an update that has exchanged nothing yet; the old worker goes on, or is started again. */
export function abort(
  machine: UpdateMachine,
  open: Open,
  end: { readonly outcome: UpdateRecord['outcome'] & string; readonly failure: Failure | null },
  context: UpdateContext,
): UpdateStep {
  const next = doing(advance(open, 'aborting', end, context), 'closing');
  return become(machine, next, [
    { kind: 'cancel-act' },
    { kind: 'clear-update-timer', timer: 'idle-deadline' },
    ...persist(next, ...goOn(next.record), close(machine, next.record, end.outcome, context)),
  ]);
}

/** One try of the new program: counted before it begins, so that a crash cannot hide it. */
export function tryOut(
  machine: UpdateMachine,
  open: Open,
  state: 'trial' | 'handing-over',
  context: UpdateContext,
): UpdateStep {
  const { triesLeft, database, seq } = open.record;
  if (seq >= SEQ_BACK) return goBack(machine, open, LOOPING, context);
  const changes = {
    triesLeft: Math.max(triesLeft - 1, 0),
    database: { ...database, newVersionStarted: true },
    over: null,
  };
  const next = doing(advance(open, state, changes, context), 'starting');
  return become(machine, next, persist(next, { kind: 'resume-worker', trial: true }));
}

/** Proven under the old supervisor: the supervisor itself has to follow. */
export function handOver(machine: UpdateMachine, open: Open, context: UpdateContext): UpdateStep {
  const changes = {
    handOversLeft: Math.max(open.record.handOversLeft - 1, 0),
    triesLeft: TRIAL_TRIES,
  };
  const next = doing(advance(open, 'handing-over', changes, context), 'suspending');
  return become(machine, next, persist(next, { kind: 'suspend-worker' }));
}

/** Proven as a whole. Nothing leads back from here. */
export function commit(machine: UpdateMachine, open: Open, context: UpdateContext): UpdateStep {
  const next = doing(advance(open, 'committing', {}, context), 'closing');
  return become(
    machine,
    next,
    persist(
      next,
      { kind: 'end-trial' },
      { kind: 'tell-worker', message: 'proceed' },
      close(machine, next.record, 'committed', context),
    ),
  );
}

const LOOPING: Failure = { code: 'UPDATE_LOOPING', detail: `More than ${SEQ_BACK} steps.` };

/** The old program, and where it must the old database, are to be put back. */
export function goBack(
  machine: UpdateMachine,
  open: Open,
  failure: Failure,
  context: UpdateContext,
): UpdateStep {
  if (open.record.seq >= SEQ_HELD) return hold(machine, open, LOOPING, context);
  const next = doing(
    advance(open, 'rolling-back', { failure: open.record.failure ?? failure, over: null }, context),
    'suspending',
  );
  return become(machine, next, [
    { kind: 'cancel-act' },
    { kind: 'clear-update-timer', timer: 'probe' },
    report('error', 'self-update goes back', { code: failure.code, detail: failure.detail }),
    ...persist(next, { kind: 'suspend-worker' }),
  ]);
}

/** Starts the program that was put back; it too has to show that it serves. */
export function startOld(machine: UpdateMachine, open: Open, context: UpdateContext): UpdateStep {
  const { rollbackAttempts } = open.record;
  const next = doing(
    advance(
      open,
      'rolling-back',
      // It may be cut off more often than it may fail.
      { rollbackAttempts: Math.min(rollbackAttempts + 1, ROLLBACK_TRIES) },
      context,
    ),
    'starting',
  );
  return become(machine, next, persist(next, { kind: 'resume-worker', trial: true }));
}

/** Whether the old program may be started once more. */
export function mayStartOld({ record }: Open): boolean {
  return record.rollbackAttempts < ROLLBACK_TRIES && record.seq < SEQ_HELD;
}

/** The old version serves again. */
export function endRollback(
  machine: UpdateMachine,
  open: Open,
  context: UpdateContext,
): UpdateStep {
  const next = doing(advance(open, 'rolled-back', {}, context), 'closing');
  return become(
    machine,
    next,
    persist(
      next,
      { kind: 'end-trial' },
      { kind: 'tell-worker', message: 'proceed' },
      close(machine, next.record, 'rolled-back', context),
    ),
  );
}

/**
 * Neither version runs. No more flipping: a person, or a newer release, has to help. Why it went back stays the failure
 * of the record, for that is what the new program is blamed for.
 */
export function hold(
  machine: UpdateMachine,
  open: Open,
  failure: Failure,
  context: UpdateContext,
): UpdateStep {
  const { code, detail } = failure;
  const { record } = open;
  const why = `${code}: ${detail}`.slice(0, 500);
  const changes = record.failure ? { warnings: [...record.warnings, why].slice(-50) } : { failure };
  const next = doing(advance(open, 'held', changes, context), 'held');
  return become(machine, next, [
    report('error', 'self-update is held: neither version runs', { code, detail }),
    ...persist(next, { kind: 'suspend-worker' }, pollWhileHeld(context)),
  ]);
}

/** When a held host looks for a release next. */
export function pollWhileHeld({ random }: UpdateContext): UpdateEffect {
  const afterMs = Math.round(HELD_POLL_MS * (0.8 + 0.4 * random));
  return { kind: 'set-update-timer', timer: 'held-poll', afterMs };
}

/** What ends an update for good. */
export function close(
  machine: UpdateMachine,
  record: UpdateRecord,
  outcome: UpdateOutcome,
  { wallMs }: UpdateContext,
): UpdateEffect {
  const memory = remember(machine.memory, record, outcome, wallMs);
  return { kind: 'close', record, outcome, memory };
}

/** From the exchange on there is no way back to the held update whose place this one takes: that one is over. */
export function supersede(
  { memory }: UpdateMachine,
  { over }: UpdateRecord,
): readonly UpdateEffect[] {
  return over ? [{ kind: 'supersede', record: takeUpAgain(over), memory }] : [];
}

/**
 * The worker as in ordinary times: told to proceed where it runs, started where it does not. None where the update only
 * wanted to take the place of a held one.
 */
export function goOn({ over }: UpdateRecord): readonly UpdateEffect[] {
  if (over) return [{ kind: 'suspend-worker' }];
  return [
    { kind: 'tell-worker', message: 'proceed' },
    { kind: 'resume-worker', trial: false },
  ];
}
