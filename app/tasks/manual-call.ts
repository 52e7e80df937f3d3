import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { ManualCallView, ManualUnitView } from '../api/manual-views.ts';
import type { Store } from '../db/store.ts';
import type { UnitFacts } from '../domain/delivery-verdict.ts';
import type { RateWindow } from '../domain/rate-window.ts';
import type { UnitChoice } from '../domain/unit-selection.ts';
import type { Answer } from './answer-once.ts';
import type { Asker } from './make-manual-task.ts';
import type { ManualDeployments } from './manual-deployments.ts';

/** A call by hand: who asks, for what, and by which key it may be repeated. */
export type ManualCall<B> = {
  readonly asker: Omit<Asker, 'reason'>;
  readonly key?: string | undefined;
  readonly body: B;
};

/** What all bodies have in common. */
export type Wish = {
  readonly dry_run: boolean;
  readonly caller?: string | undefined;
  readonly reason?: string | undefined;
};

/** A wish of one unit. */
export type ServiceWish = Wish & { readonly image?: string | undefined };

/** What a call comes to. */
export type Came<T> = Promise<Outcome<Answer<T> & { readonly isRepeated: boolean }>>;

/** What calls are answered with. */
export type ManualActionParts = {
  readonly store: Store;
  readonly deployments: Pick<
    ManualDeployments,
    'start' | 'startAll' | 'plan' | 'planRestart' | 'autoUpdate'
  >;
  /** The units that may be touched, as they are now. */
  readonly known: UnitChoice;
  /** What systemd says of one of them, asked only where that is not known yet. */
  readonly factsOf: (unit: string) => Promise<UnitFacts>;
  /** The unit that stands for podman's auto-update. */
  readonly autoUpdateUnit: string;
  /** How often the old path of it is let through. */
  readonly windows: readonly RateWindow[];
};

/** A call that has made tasks was accepted; one that only looked was answered. */
export const ACCEPTED = 202;
const LOOKED = 200;

/** The tasks that a call has made. */
export type Made = {
  readonly tasks: readonly { readonly unit: string; readonly task_id: string }[];
  readonly task_id: string | null;
  readonly batch_id: string | null;
};

/** Who asks, as the tasks and their logs say it: first what is known, then what the caller says, which can be anything. */
export function askerOf({ asker, body }: ManualCall<Wish>): Asker {
  const by = body.caller === undefined ? asker.by : `${asker.by}, as ${body.caller}`;
  return { ...asker, by, reason: body.reason };
}

/** One task for each unit; several are one batch. */
export function makeTasks(
  { deployments }: Pick<ManualActionParts, 'deployments'>,
  units: readonly string[],
  call: ManualCall<Wish>,
  what: { readonly restart?: true; readonly version?: string | undefined },
): Made {
  const request = { ...askerOf(call), ...what };
  const [unit = ''] = units;
  if (units.length === 1) {
    const task_id = deployments.start({ unit, ...request });
    return { tasks: [{ unit, task_id }], task_id, batch_id: null };
  }
  return { ...deployments.startAll(units, request), task_id: null };
}

/** What stands in every answer. */
export function callView(
  { asker, body }: ManualCall<Wish>,
  made?: Pick<Made, 'task_id' | 'batch_id'>,
): ManualCallView {
  return {
    dry_run: body.dry_run,
    caller: body.caller ?? null,
    reason: body.reason ?? null,
    task_id: made?.task_id ?? null,
    batch_id: made?.batch_id ?? null,
    request_id: asker.requestId,
  };
}

/** What a call is known by. */
export function repeatable({ asker, key, body }: ManualCall<object>) {
  return { key, path: asker.path, body };
}

/** The answer of a call that has changed nothing. */
export function looked<T>(body: T): Awaited<Came<T>> {
  return succeed({ status: LOOKED, body, isRepeated: false });
}

/** A unit that has a task now. */
export function toPending<P>(
  { unit, task_id }: Made['tasks'][number],
  message: string,
): ManualUnitView<P> {
  return { unit, status: 'pending', message, task_id, plan: null };
}

/** A unit that was looked at: what would be done, or why it could not be. */
export function toLook<P>(unit: string, plan: Outcome<P>, message: string): ManualUnitView<P> {
  if (plan.ok) return { unit, status: 'dry-run', message, task_id: null, plan: plan.value };
  const { code, detail } = plan.failure;
  return { unit, status: 'error', message: `${code}: ${detail}`, task_id: null, plan: null };
}
