import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { planRestart, type RestartSteps } from '../domain/deployment-plan.ts';
import { type ImageReference, withTag } from '../domain/image-reference.ts';
import type { UnitPolicy } from '../domain/unit-policy.ts';
import type { SeenContainer } from '../host/podman.ts';
import { inspectImage, type LocalImage } from '../host/podman-images.ts';
import { readUnit, type UnitReading } from '../host/read-unit.ts';
import { readCompanions, readStanding, type UnitStanding } from '../host/read-unit-state.ts';
import { goForward } from './carry-out.ts';
import { bringBack } from './dependents.ts';
import { failed } from './deploy-end.ts';
import { type DeployEnd, type DeployParts, deployUnit } from './deploy-unit.ts';
import { restartAndWatch } from './exchange-image.ts';
import { findRunning, type RunningImage } from './find-running.ts';
import { makeReady } from './make-ready.ts';
import { atOnce, refuse } from './prepare-deployment.ts';
import { leaveAsItIs, untilStopped } from './until-stopped.ts';

/** A restart at the word of a person; `attempt` as in `DeployRequest`. */
export type RestartRequest = { readonly unit: string; readonly attempt: number };

/** What is known before the restart. */
type Known = {
  readonly restartUnit: string;
  /** The image that the unit names; null where it names none that can be told, or plays several. */
  readonly image: ImageReference | null;
  readonly policy: UnitPolicy;
  readonly standing: UnitStanding;
  /** What its name means here now. */
  readonly local: LocalImage | undefined;
  readonly running: RunningImage | undefined;
  /** It may pull at its start: what it runs then is not known before. */
  readonly pullsItself: boolean;
};

/**
 * Restarts a unit with what is here, pulls nothing, and watches it by the same gate as a deployment until it is proven to
 * serve, with what depends on it. Where its name means another image here than the one that it runs, the restart brings
 * that: it is a deployment of it then, with the way back held. A unit that is stopped is started. May be repeated.
 */
export async function restartUnit(given: DeployParts, request: RestartRequest): Promise<DeployEnd> {
  const { unit } = request;
  const left = given.memory.find();
  // It had become a deployment: that knows how it goes on.
  if (left && left.stage !== 'ended') return deployUnit(given, { ...request, isManual: true });
  const held: { release(): void }[] = [];
  try {
    const parts = untilStopped(given);
    const known = await look(parts, unit);
    if (!known.ok) return cutOrFailed(given, unit, known);
    const { restartUnit: restarted, image, standing } = known.value;
    const names = [unit, restarted, ...standing.dependents];
    const lock = await given.lockUnits(image ? [...names, withTag(image)] : names, given.stop);
    held.push(lock);
    if (given.stop.aborted && !given.isStopping()) return await leaveAsItIs(given, unit);
    // Whoever it was waited for may have changed anything.
    const now = lock.hasWaited ? await look(parts, unit) : known;
    if (!now.ok) return cutOrFailed(given, unit, now);
    return await restart(given, unit, now.value);
  } finally {
    for (const lock of held) lock.release();
  }
}

async function cutOrFailed(
  given: DeployParts,
  unit: string,
  { failure }: { readonly failure: Parameters<typeof failed>[1] },
): Promise<DeployEnd> {
  if (given.stop.aborted && !given.isStopping()) return leaveAsItIs(given, unit);
  return failed(unit, failure);
}

/** What a look before a restart is taken with: nothing is changed by it. */
export type RestartLook = Pick<DeployParts, 'run' | 'readPolicy' | 'onPhase' | 'onEvidence'>;

/** Finds out what a restart would do now, by the same looks. Fails as the restart would before it touches anything. */
export async function lookAtRestart(
  parts: Pick<RestartLook, 'run' | 'readPolicy'>,
  unit: string,
): Promise<Outcome<RestartSteps>> {
  const silent = { ...parts, onPhase: () => undefined, onEvidence: () => undefined };
  const known = await look(silent, unit);
  if (!known.ok) return known;
  const { restartUnit: restarted, image, policy, standing, local, running } = known.value;
  const isOther = image !== null && local !== undefined && running?.isWanted === false;
  return succeed(
    planRestart({
      ...{ unit, restartUnit: restarted, policy, dependents: standing.dependents },
      running: running ? { digest: running.digest, image: running.name } : null,
      brings: isOther ? `${withTag(image)} (${local.digest})` : null,
    }),
  );
}

async function look(parts: RestartLook, unit: string): Promise<Outcome<Known>> {
  const { run } = parts;
  parts.onPhase('reading-unit');
  const read = await readUnit(run, unit);
  if (!read.ok) return read;
  const { name, bindsTo, requires, isInPod, pullsItself, playsKube } = read.value;
  if (name !== unit) return fail('UNIT_IS_ALIAS', `${name}.`);
  const policy = await parts.readPolicy(unit, read.value);
  if (!policy.ok) return policy;
  const companions = await readCompanions(run, isInPod ? bindsTo : [], requires);
  if (!companions.ok) return companions;
  const restarted = companions.value.pod ?? unit;
  const standing = await readStanding(run, unit, restarted);
  if (!standing.ok) return standing;
  const image = playsKube === null ? (read.value.image ?? null) : null;
  const here = await lookAtImage(parts, unit, image);
  if (!here.ok) return here;
  return succeed({
    restartUnit: restarted,
    image,
    policy: policy.value,
    standing: standing.value,
    pullsItself: pullsItself || companions.value.puller !== null,
    ...here.value,
  });
}

async function lookAtImage(
  { run, onEvidence }: RestartLook,
  unit: string,
  image: UnitReading['image'] | null,
): Promise<Outcome<Pick<Known, 'local' | 'running'>>> {
  if (!image) return succeed({ local: undefined, running: undefined });
  onEvidence({ image: withTag(image) });
  const local = await inspectImage(run, withTag(image));
  if (!local.ok) return local;
  const wanted = { digest: null, imageId: local.value?.id ?? null, known: local.value };
  const running = await findRunning(run, unit, image, wanted);
  if (!running.ok && running.failure.code !== 'CONTAINER_NOT_RUNNING') return running;
  return succeed({ local: local.value, running: running.ok ? running.value : undefined });
}

async function restart(given: DeployParts, unit: string, known: Known): Promise<DeployEnd> {
  const { image, local, running, pullsItself } = known;
  const isOther = local !== undefined && (running === undefined || !running.isWanted);
  if (image && image.digest === undefined && isOther && !pullsItself) {
    const wanted = {
      ...{ unit, image, digest: local.digest, restartUnit: known.restartUnit },
      ...{ heldHere: withTag(image), writeImage: null, policy: known.policy },
      ...{ current: local, images: null },
    };
    const refusal = refuse(given.memory, atOnce(wanted), local.id);
    if (refusal) return refusal;
    if (running !== undefined) return deployLocal(given, atOnce(wanted), known);
  }
  const restarted = await restartAndWatch(
    {
      ...given,
      onVerdict: (verdict) => given.onVerdict({ ...verdict, of: 'new' }),
      // It is under way: there is nothing that it could be put back to.
      stop: undefined,
    },
    {
      ...{ unit, image, restartUnit: known.restartUnit, policy: known.policy },
      checkImage: (seen) => checkImage(given, unit, known, seen),
    },
  );
  const proven = await bringBack(
    given.run,
    known.standing.dependents,
    given.limits.restartTimeoutMs,
  );
  if (!restarted.ok) return failed(unit, restarted.failure);
  if (!proven.ok) return failed(unit, proven.failure);
  const runs = running ? `, with ${running.name} (${running.digest})` : '';
  return { status: 'succeeded', summary: `${unit} was restarted, and serves${runs}.` };
}

/** The name means another image than the one that runs: what a restart brings has to prove itself. */
async function deployLocal(
  given: DeployParts,
  wanted: Parameters<typeof makeReady>[1],
  { local, standing }: Known,
): Promise<DeployEnd> {
  const { unit, image, policy } = wanted;
  given.onNote('info', 'restart-brings-image', `${withTag(image)} means another image by now.`);
  const here = { imageId: local?.id ?? '', isBrought: false, standing, runningId: null };
  const ready = await makeReady(given, wanted, here);
  if (!ready.ok) return failed(unit, ready.failure);
  if (ready.value === 'stopped') {
    return { status: 'skipped', summary: `${unit} was stopped meanwhile, and is not started.` };
  }
  given.memory.save(ready.value.deployment);
  const { deployment, held } = ready.value;
  return goForward(given, deployment, false, { policy, held });
}

async function checkImage(
  { run, onEvidence }: DeployParts,
  unit: string,
  { image, local, pullsItself }: Known,
  seen?: readonly SeenContainer[],
): Promise<Outcome<string>> {
  if (!image) return succeed('It names no image.');
  const expected = pullsItself || image.digest !== undefined ? null : (local?.id ?? null);
  const wanted = { digest: image.digest ?? null, imageId: expected };
  const now = await findRunning(run, unit, image, wanted, seen);
  if (!now.ok) return now;
  onEvidence({ running_digest: now.value.digest, running_image: now.value.name });
  if (now.value.isWanted || (expected === null && image.digest === undefined)) {
    return succeed(`It runs ${now.value.digest}.`);
  }
  return fail('RUNNING_DIGEST_MISMATCH', `It runs image ${now.value.imageId}.`);
}
