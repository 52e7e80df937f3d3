import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { parseUnitName } from '../../shared/contract/unit-name.ts';
import type { PlanView } from '../api/deployment-views.ts';
import type {
  AutoUpdateView,
  DeployView,
  ManualUnitView,
  OldServiceView,
  TriggerView,
  UpgradeView,
} from '../api/manual-views.ts';
import type { UnitFacts } from '../domain/delivery-verdict.ts';
import type { RestartSteps } from '../domain/deployment-plan.ts';
import { type ImageReference, withDigest, withTag } from '../domain/image-reference.ts';
import { mapWithin } from '../domain/map-within.ts';
import { selectUnits, type UnitSelection } from '../domain/unit-selection.ts';
import { parseWantedVersion } from '../domain/wanted-version.ts';
import { answerOnce } from './answer-once.ts';
import { autoUpdate, limitedAutoUpdate } from './manual-auto-update.ts';
import {
  ACCEPTED,
  type Came,
  callView,
  looked,
  type ManualActionParts,
  type ManualCall,
  makeTasks,
  repeatable,
  type ServiceWish,
  toLook,
  toPending,
  type Wish,
} from './manual-call.ts';

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
  /** Runs podman's auto-update, or only looks. */
  autoUpdate(call: ManualCall<Wish>): Came<AutoUpdateView>;
  /** The same, so often as the windows of the old path let it through. */
  limitedAutoUpdate(call: ManualCall<Wish>): Came<AutoUpdateView>;
};

/** Looks at so many units at once; each is a handful of processes. */
const LOOKS_AT_ONCE = 4;

/** Joins them to the store and to what is known of the host. */
export function createManualActions(parts: ManualActionParts): ManualActions {
  return {
    trigger: (call) => trigger(parts, call),
    deploy: (call) => deploy(parts, call),
    service: (name, call) => service(parts, name, call),
    upgrade: (name, call) => upgrade(parts, name, call),
    autoUpdate: (call) => autoUpdate(parts, call),
    limitedAutoUpdate: (call) => limitedAutoUpdate(parts, call),
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
  if (parseUnitName(name) === parts.autoUpdateUnit) {
    const begun = await autoUpdate(parts, call);
    if (!begun.ok) return begun;
    const body = asOld(begun.value.body, '/api/manual/auto-update/run');
    return succeed({ ...begun.value, body });
  }
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

function toPlan(unit: string, plan: Outcome<PlanView>): ManualUnitView<PlanView> {
  return toLook(unit, plan, plan.ok ? `${plan.value.outcome}: ${plan.value.why}` : '');
}
