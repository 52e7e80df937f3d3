import { type Failure, fail } from '../../../shared/contract/outcome.ts';
import type { UpdateState } from '../../../shared/contract/update-record.ts';
import type { UpdateRequest } from '../../../shared/contract/update-request.ts';
import { report } from '../moves.ts';
import type {
  Identifying,
  Open,
  UpdateContext,
  UpdateEffect,
  UpdateEvent,
  UpdateMachine,
  UpdateStep,
} from './machine.ts';
import { abort, become, goBack, ignore, persist, pollWhileHeld, stage } from './moves.ts';
import { remember } from './outcome.ts';
import { heldAgain, openRecord } from './record-moves.ts';

/** States in which nothing was exchanged, so that an update can still be given up. */
const CANCELLABLE: ReadonlySet<UpdateState> = new Set([
  'requested',
  'staging',
  'staged',
  'quiescing',
  'backing-up',
]);

/** A request, from whoever it comes: carried out or refused, and answered either way. */
export function onRequest(
  machine: UpdateMachine,
  request: UpdateRequest,
  context: UpdateContext,
): UpdateStep {
  switch (request.command) {
    case 'run':
    case 'rollback':
      return begin(machine, request);
    case 'cancel':
      return cancel(machine, request, context);
    case 'hold':
      return savePolicy(machine, request, {
        ...machine.memory.policy,
        hold: { at: context.wallMs, by: request.by, reason: request.reason, automatic: false },
      });
    case 'resume':
      return resume(machine, request, context);
    case 'status':
      // The edge answers with the status; there is nothing to decide.
      return { machine, effects: [answer(request.id, null, null)] };
  }
}

function begin(machine: UpdateMachine, request: UpdateRequest): UpdateStep {
  const { work } = machine;
  // The same request again: over another way, or after a crash.
  if (work.kind === 'open' && work.record.request.id === request.id) {
    return { machine, effects: [answer(request.id, work.record.txn, null)] };
  }
  const failure = refuse(machine, request);
  if (failure) return { machine, effects: [answer(request.id, null, failure)] };
  const over = work.kind === 'open' ? work.record : null;
  const version = request.command === 'rollback' ? (request.version ?? '') : null;
  return become(machine, { kind: 'identifying', request, over }, [
    { kind: 'clear-update-timer', timer: 'held-poll' },
    { kind: 'identify', version },
  ]);
}

function refuse(machine: UpdateMachine, request: UpdateRequest): Failure | undefined {
  const { work, unavailable, memory, isStopping } = machine;
  if (unavailable) return unavailable;
  if (isStopping) return fail('UPDATE_UNAVAILABLE', 'The service is being stopped.').failure;
  if (work.kind === 'identifying') return fail('UPDATE_IN_PROGRESS', '').failure;
  if (work.kind === 'open' && work.doing.what !== 'held') {
    const { txn, state } = work.record;
    return fail('UPDATE_IN_PROGRESS', `${txn} is ${state}.`).failure;
  }
  const { hold } = memory.policy;
  // A host that serves nothing does not wait for a person, unless a person wants it to.
  const isExempt = request.trigger === 'held' && hold?.automatic === true;
  if (hold && !isExempt && request.command === 'run' && !request.force) {
    return fail('UPDATE_ON_HOLD', hold.reason ?? 'A person asked for it.').failure;
  }
  return undefined;
}

/** What runs and what is kept is known: the update is opened, and only then acknowledged. */
export function whileIdentifying(
  machine: UpdateMachine,
  work: Identifying,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  const { request, over } = work;
  const giveUp = (failure: Failure): UpdateStep => {
    const refused = answer(request.id, null, failure);
    return over
      ? become(machine, heldAgain(over), [refused, pollWhileHeld(context)])
      : become(machine, { kind: 'none' }, [refused]);
  };
  switch (event.kind) {
    case 'act-failed':
    case 'persist-failed':
      return giveUp(event.failure);
    case 'identified': {
      const { from, retained } = event;
      if (request.command === 'rollback' && !retained) {
        return giveUp(fail('UPDATE_VERSION_UNKNOWN', `${request.version}.`).failure);
      }
      const record = openRecord(request, from, retained, over, context);
      const open: Open = {
        kind: 'open',
        record,
        doing: { what: 'staging' },
        sinceMs: context.nowMs,
        progress: null,
        isUnsaved: false,
      };
      // What the held one is to blame for must be known before the next program is chosen.
      const memory = over
        ? remember(machine.memory, over, 'superseded', context.wallMs)
        : machine.memory;
      // Whatever this supervisor was to the held one, to this one it is the program that runs.
      const staged = stage({ ...machine, memory, self: 'from' }, open, context);
      return {
        machine: staged.machine,
        effects: [...persist(open), answer(request.id, record.txn, null), ...staged.effects],
      };
    }
    default:
      return ignore(machine);
  }
}

function cancel(
  machine: UpdateMachine,
  request: UpdateRequest,
  context: UpdateContext,
): UpdateStep {
  const { work } = machine;
  if (work.kind !== 'open') {
    return { machine, effects: [answer(request.id, null, fail('UPDATE_NONE_OPEN', '').failure)] };
  }
  const { txn, state } = work.record;
  if (!CANCELLABLE.has(state)) {
    const { failure } = fail('UPDATE_TOO_LATE_TO_CANCEL', `${txn} is ${state}.`);
    return { machine, effects: [answer(request.id, txn, failure)] };
  }
  const { failure } = fail('UPDATE_CANCELLED', request.reason ?? '');
  const aborted = abort(machine, work, { outcome: 'cancelled', failure }, context);
  return { machine: aborted.machine, effects: [...aborted.effects, answer(request.id, txn, null)] };
}

/** Ends a hold; where neither version ran, tries the old one again. */
function resume(
  machine: UpdateMachine,
  request: UpdateRequest,
  context: UpdateContext,
): UpdateStep {
  const saved = savePolicy(machine, request, {
    ...machine.memory.policy,
    hold: null,
    badInARow: [],
  });
  const { work } = machine;
  if (work.kind !== 'open' || work.doing.what !== 'held') return saved;
  const again = tryAgain(machine, work, context);
  // The answer comes last: whoever has it must not lose what was asked for in a crash.
  return { machine: again.machine, effects: [...again.effects, ...saved.effects] };
}

/** A person has looked after a held host: the old version is put back once more, from the first step on. */
export function tryAgain(machine: UpdateMachine, open: Open, context: UpdateContext): UpdateStep {
  const { record } = open;
  // Where it ran before, that is not forgotten: what it wrote since must not be lost.
  const rollbackAttempts = Math.min(record.rollbackAttempts, 1);
  const fresh = { ...open, record: { ...record, seq: 1, rollbackAttempts } };
  const { failure } = fail('UPDATE_ROLLBACK_FAILED', 'It was held.');
  const back = goBack(machine, fresh, failure, context);
  return {
    machine: back.machine,
    effects: [{ kind: 'clear-update-timer', timer: 'held-poll' }, ...back.effects],
  };
}

function savePolicy(
  machine: UpdateMachine,
  { id, command }: UpdateRequest,
  policy: UpdateMachine['memory']['policy'],
): UpdateStep {
  return {
    machine,
    effects: [
      { kind: 'save-policy', policy, requestId: id },
      report('info', `self-update ${command}`, { reason: policy.hold?.reason ?? null }),
    ],
  };
}

function answer(id: string, txn: string | null, failure: Failure | null): UpdateEffect {
  return { kind: 'answer', id, txn, failure };
}

/** What a held host asks of itself when there is something to be had. */
export function heldRequest({ freshTxn, wallMs }: UpdateContext): UpdateRequest {
  return {
    id: freshTxn,
    command: 'run',
    trigger: 'held',
    by: null,
    reason: 'Neither version runs here, and there is another release.',
    dryRun: false,
    tag: null,
    force: false,
    version: null,
    restoreDatabase: false,
    pid: null,
    at: wallMs,
  };
}
