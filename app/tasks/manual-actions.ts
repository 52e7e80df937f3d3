import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { PlanView } from '../api/deployment-views.ts';
import type {
  DeployView,
  ManualCallView,
  ManualUnitView,
  OldServiceView,
  TriggerView,
  UpgradeView,
} from '../api/manual-views.ts';
import type { Store } from '../db/store.ts';
import type { UnitFacts } from '../domain/delivery-verdict.ts';
import type { RestartSteps } from '../domain/deployment-plan.ts';
import { type ImageReference, withDigest, withTag } from '../domain/image-reference.ts';
import { selectUnits, type UnitChoice, type UnitSelection } from '../domain/unit-selection.ts';
import { parseWantedVersion } from '../domain/wanted-version.ts';
import { type Answer, answerOnce } from './answer-once.ts';
import type { Asker } from './make-manual-task.ts';
import type { ManualDeployments } from './manual-deployments.ts';
import { mapWithin } from './map-within.ts';

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

type Came<T> = Promise<Outcome<Answer<T> & { readonly isRepeated: boolean }>>;

/** What a person or a script has done to units; the same for HTTP and the command line. */
export type ManualActions = {
  /** Restarts units as they are. */
  trigger(call: ManualCall<Wish & UnitSelection>): Came<TriggerView>;
  /** Brings units to what their tags mean. */
  deploy(call: ManualCall<Wish & UnitSelection>): Came<DeployView>;
  /** Restarts one unit, or brings it to a version of its image. */
  service(name: string, call: ManualCall<ServiceWish>): Came<OldServiceView>;
  /** Brings one unit to what its tag means, or to another version of its image. */
  upgrade(name: string, call: ManualCall<ServiceWish>): Came<UpgradeView>;
};

/** What they are made with. */
export type ManualActionParts = {
  readonly store: Store;
  readonly deployments: Pick<ManualDeployments, 'start' | 'startAll' | 'plan' | 'planRestart'>;
  /** The units that may be touched, as they are now. */
  readonly known: UnitChoice;
  /** What systemd says of one of them, asked only where that is not known yet. */
  readonly factsOf: (unit: string) => Promise<UnitFacts>;
};

/** Looks at so many units at once; each is a handful of processes. */
const LOOKS_AT_ONCE = 4;
const ACCEPTED = 202;
const LOOKED = 200;

/** Joins them to the store and to what is known of the host. */
export function createManualActions(parts: ManualActionParts): ManualActions {
  return {
    trigger: (call) => trigger(parts, call),
    deploy: (call) => deploy(parts, call),
    service: (name, call) => service(parts, name, call),
    upgrade: (name, call) => upgrade(parts, name, call),
  };
}

async function trigger(
  parts: ManualActionParts,
  call: ManualCall<Wish & UnitSelection>,
): Came<TriggerView> {
  const { store, known, deployments } = parts;
  const units = selectUnits(known, call.body);
  if (!units.ok) return units;
  if (call.body.dry_run) {
    const triggered = await mapWithin(units.value, LOOKS_AT_ONCE, async (unit) =>
      toLook(unit, await deployments.planRestart(unit), 'It would be restarted.'),
    );
    return looked({ ...callView(call), triggered });
  }
  return answerOnce(store, repeatable(call), () => {
    const made = makeTasks(parts, units.value, call, { restart: true });
    const triggered = made.tasks.map((task) =>
      toPending<RestartSteps>(task, 'It is to be restarted.'),
    );
    return succeed({ status: ACCEPTED, body: { ...callView(call, made), triggered } });
  });
}

async function deploy(
  parts: ManualActionParts,
  call: ManualCall<Wish & UnitSelection>,
): Came<DeployView> {
  const { store, known, deployments, factsOf } = parts;
  const units = selectUnits(known, call.body);
  if (!units.ok) return units;
  const facts = await mapWithin(units.value, LOOKS_AT_ONCE, factsOf);
  const skipped = facts.flatMap((one) => {
    const message = whyNot(one);
    return message === null ? [] : [{ unit: one.name, status: 'skipped' as const, message }];
  });
  const images = new Map(
    facts.filter((one) => whyNot(one) === null).map((one) => [one.name, imageOf(one)]),
  );
  if (images.size === 0) {
    const said = skipped.map(({ unit, message }) => `${unit}: ${message}`).join(', ');
    return fail('UNIT_IMAGE_UNKNOWN', `${said.slice(0, 1000)}.`);
  }
  const withImage = <P>(view: ManualUnitView<P>) => {
    const image = images.get(view.unit);
    return { ...view, image: image ? withTag(image) : null };
  };
  if (call.body.dry_run) {
    const deploying = await mapWithin([...images.keys()], LOOKS_AT_ONCE, async (unit) =>
      withImage(toPlan(unit, await deployments.plan({ unit }))),
    );
    return looked({ ...callView(call), deploying, skipped });
  }
  return answerOnce(store, repeatable(call), () => {
    const made = makeTasks(parts, [...images.keys()], call, {});
    const deploying = made.tasks.map((task) =>
      withImage(toPending<PlanView>(task, 'It is to run what its tag means.')),
    );
    return succeed({ status: ACCEPTED, body: { ...callView(call, made), deploying, skipped } });
  });
}

async function service(
  parts: ManualActionParts,
  name: string,
  call: ManualCall<ServiceWish>,
): Came<OldServiceView> {
  const { image } = call.body;
  if (image !== undefined) {
    const upgraded = await upgrade(parts, name, call);
    if (!upgraded.ok) return upgraded;
    const { base_image: _base, target_image: _target, ...body } = upgraded.value.body;
    return succeed({ ...upgraded.value, body: asOld(body, `${call.asker.path}/upgrade`) });
  }
  const done = await trigger(parts, { ...call, body: { ...call.body, all: false, units: [name] } });
  if (!done.ok) return done;
  const { triggered, ...common } = done.value.body;
  const [one] = triggered;
  if (!one) return fail('SELECTION_EMPTY', '');
  const body = asOld({ ...common, ...one, image: null }, '/api/manual/trigger');
  return succeed({ ...done.value, body });
}

function asOld(body: Omit<OldServiceView, 'deprecated' | 'replacement'>, replacement: string) {
  return { ...body, deprecated: true as const, replacement };
}

async function upgrade(
  parts: ManualActionParts,
  name: string,
  call: ManualCall<ServiceWish>,
): Came<UpgradeView> {
  const { store, known, deployments, factsOf } = parts;
  const { image: version, dry_run: isDry } = call.body;
  const found = known.choose('person', name);
  if (!found.ok) return found;
  const unit = found.value;
  const facts = await factsOf(unit);
  if (whyNot(facts) !== null) return fail('UNIT_IMAGE_UNKNOWN', `${unit}: ${whyNot(facts)}.`);
  const target = findTarget(imageOf(facts), version);
  if (!target.ok) return target;
  const images = { base_image: target.value.base, target_image: target.value.target };
  const view = <P>(one: ManualUnitView<P>) => ({
    ...one,
    image: target.value.target ?? target.value.base,
    ...images,
  });
  if (isDry) {
    const plan = await deployments.plan({ unit, version });
    if (!plan.ok) return plan;
    return looked({ ...callView(call), ...view(toPlan(unit, plan)) });
  }
  return answerOnce(store, repeatable(call), () => {
    const made = makeTasks(parts, [unit], call, { version });
    const message = `It is to run ${version ?? 'what its tag means'}.`;
    const one = toPending<PlanView>({ unit, task_id: made.task_id ?? '' }, message);
    return succeed({ status: ACCEPTED, body: { ...callView(call, made), ...view(one) } });
  });
}

/** Why a unit is not deployed, in the words of the programs before this one; null where it is. */
function whyNot(facts: UnitFacts): string | null {
  if (facts.state === 'unknown-to-systemd') return 'unit-not-found';
  if (facts.state === 'image-unknown') return 'image-missing';
  return imageOf(facts)?.digest === undefined ? null : 'image-pinned';
}

function imageOf(facts: UnitFacts): ImageReference | null {
  return facts.state === 'known' ? facts.image : null;
}

type Target = { readonly base: string | null; readonly target: string | null };

/** What the words for an image come to; where systemd could not be asked for the unit that is the task's business. */
function findTarget(image: ImageReference | null, version: string | undefined): Outcome<Target> {
  if (!image) return succeed({ base: null, target: version ?? null });
  const base = withTag(image);
  if (version === undefined) return succeed({ base, target: base });
  const wanted = parseWantedVersion(version, image);
  switch (wanted?.kind) {
    case undefined:
      return fail('VERSION_NOT_OF_UNIT', `${version.slice(0, 200)}; it runs ${base}.`);
    case 'held':
      return succeed({ base, target: wanted.name });
    case 'tag':
      return succeed({ base, target: withTag({ ...image, tag: wanted.tag }) });
    case 'digest':
      return succeed({ base, target: withDigest(image, wanted.digest) });
  }
}

type Made = {
  readonly tasks: readonly { readonly unit: string; readonly task_id: string }[];
  readonly task_id: string | null;
  readonly batch_id: string | null;
};

/** One task for each unit; several are one batch. */
function makeTasks(
  { deployments }: ManualActionParts,
  units: readonly string[],
  { asker, body }: ManualCall<Wish>,
  what: { readonly restart?: true; readonly version?: string | undefined },
): Made {
  const request = { ...asker, by: body.caller ?? asker.by, reason: body.reason, ...what };
  const [unit = ''] = units;
  if (units.length === 1) {
    const task_id = deployments.start({ unit, ...request });
    return { tasks: [{ unit, task_id }], task_id, batch_id: null };
  }
  return { ...deployments.startAll(units, request), task_id: null };
}

function callView({ asker, body }: ManualCall<Wish>, made?: Made): ManualCallView {
  return {
    dry_run: body.dry_run,
    caller: body.caller ?? null,
    reason: body.reason ?? null,
    task_id: made?.task_id ?? null,
    batch_id: made?.batch_id ?? null,
    request_id: asker.requestId,
  };
}

function repeatable({ asker, key, body }: ManualCall<object>) {
  return { key, path: asker.path, body };
}

function looked<T>(body: T): Awaited<Came<T>> {
  return succeed({ status: LOOKED, body, isRepeated: false });
}

function toPending<P>(
  { unit, task_id }: Made['tasks'][number],
  message: string,
): ManualUnitView<P> {
  return { unit, status: 'pending', message, task_id, plan: null };
}

function toLook<P>(unit: string, plan: Outcome<P>, message: string): ManualUnitView<P> {
  if (plan.ok) return { unit, status: 'dry-run', message, task_id: null, plan: plan.value };
  const { code, detail } = plan.failure;
  return { unit, status: 'error', message: `${code}: ${detail}`, task_id: null, plan: null };
}

function toPlan(unit: string, plan: Outcome<PlanView>): ManualUnitView<PlanView> {
  return toLook(unit, plan, plan.ok ? `${plan.value.outcome}: ${plan.value.why}` : '');
}
