import {
  type Failure,
  fail,
  formatFailure,
  type Outcome,
  succeed,
} from '../../shared/contract/outcome.ts';
import type { OpenDeployment } from '../domain/deployment.ts';
import { withDigest, withTag } from '../domain/image-reference.ts';
import { decideRateLimitWait } from '../domain/rate-limit.ts';
import type { Wanted } from '../domain/wanted.ts';
import { findKeptId } from '../host/image-store.ts';
import { type SeenContainer, seeUnitContainers } from '../host/podman.ts';
import { findImageId, inspectImage, tagImage } from '../host/podman-images.ts';
import { readStanding, type UnitStanding } from '../host/read-unit-state.ts';
import type { KnownOfUnit } from './carry-out.ts';
import { failed } from './deploy-end.ts';
import type { DeployMemory } from './deploy-memory.ts';
import type { DeployEnd, DeployParts, DeployRequest } from './deploy-unit.ts';
import { findNotBefore } from './find-not-before.ts';
import { findRunning, type RunningImage } from './find-running.ts';
import { type Found, findWanted } from './find-wanted.ts';
import { makeReady } from './make-ready.ts';
import { pullImage } from './pull-image.ts';

/** Everything is there for the exchange. What is `known` of the unit; null where it has to be read again. */
export type Prepared = {
  readonly deployment: OpenDeployment;
  readonly known: KnownOfUnit | null;
};

/**
 * Everything before the unit is touched: what is wanted, whether it may be had now, the image, and the way back. The
 * end where nothing is to be done, may be done, or can be done.
 */
export async function prepareDeployment(
  parts: DeployParts,
  request: DeployRequest,
): Promise<DeployEnd | Prepared> {
  const found = await findWanted(parts, request);
  if (!found.ok) return waitOrFail(request, found.failure);
  const wanted = request.isManual ? atOnce(found.value) : found.value;
  const { unit, digest } = wanted;
  const first = await glance(parts, unit);
  const running = await findSeen(parts, wanted, null, first);
  if (running.ok && running.value.isWanted) {
    const isOurs = request.pulledBefore === digest;
    return keep(parts, wanted, isOurs, running.value);
  }
  const refusal = refuse(parts.memory, wanted, digest);
  if (refusal) return refusal;
  const there = await ensureHere(parts, wanted, request.pulledBefore);
  if (!there.ok) return waitOrFail(request, there.failure);
  const { imageId } = there.value;
  parts.onEvidence({ pulled_digest: digest });
  if (wanted.policy.mode === 'stage') {
    return skipped(`${nameOf(wanted)} is pulled; ${unit} takes it at your word.`);
  }
  // Another index may hold the image that runs, or the one that failed; and a pull takes its time, too.
  const now = await findSeen(parts, wanted, imageId, await glance(parts, unit, first));
  if (now.ok && now.value.isWanted) return keep(parts, wanted, false, now.value);
  const late = refuse(parts.memory, wanted, imageId);
  if (late) return late;
  const apart = await keepApart(parts, wanted);
  if (!apart.ok) return failed(unit, apart.failure);
  const seen = { standing: apart.value, runningId: apart.value && imageIdOf(now) };
  const ready = await makeReady(parts, wanted, { ...there.value, ...seen });
  if (!ready.ok) return failed(unit, ready.failure);
  if (ready.value !== 'stopped') {
    const { deployment, held } = ready.value;
    return { deployment, known: apart.value && { policy: wanted.policy, held } };
  }
  return skipped(`${unit} is stopped; ${nameOf(wanted)} is ready and runs at its next start.`);
}

/** So long it is believed what runs: no image is pulled much faster. */
const GLANCE_MS = 1_000;

type Glance = { readonly seen: Outcome<readonly SeenContainer[]>; readonly atMs: number };

/** Another one only where the `last` is too old. */
async function glance({ run }: DeployParts, unit: string, last?: Glance): Promise<Glance> {
  const atMs = performance.now();
  if (last && atMs - last.atMs < GLANCE_MS) return last;
  return { seen: await seeUnitContainers(run, unit), atMs };
}

async function findSeen(
  { run }: DeployParts,
  { unit, image, digest, current: known }: Found,
  imageId: string | null,
  { seen }: Glance,
): Promise<Outcome<RunningImage>> {
  return seen.ok ? findRunning(run, unit, image, { digest, imageId, known }, seen.value) : seen;
}

/**
 * Others that are restarted together with the unit, or share its tag, are not deployed at the same time. How the unit
 * stands; null where it was waited for others, who may have changed anything meanwhile.
 */
async function keepApart(
  parts: DeployParts,
  { unit, restartUnit, image }: Wanted,
): Promise<Outcome<UnitStanding | null>> {
  const standing = await readStanding(parts.run, unit, restartUnit);
  if (!standing.ok) return standing;
  const names = [unit, restartUnit, ...standing.value.dependents, withTag(image)];
  const { hasWaited } = await parts.lockUnits(names, parts.stop);
  return succeed(hasWaited ? null : standing.value);
}

/** The local id of what was seen running; null where nothing was. */
export function imageIdOf(running: Outcome<RunningImage>): string | null {
  return running.ok ? running.value.imageId : null;
}

/** The same of a deployment that is open. */
export function namesOf(deployment: OpenDeployment): readonly string[] {
  const { unit, restart_unit: restartUnit, dependents, image } = deployment;
  return [unit, restartUnit ?? unit, ...dependents, image];
}

/** What a person asks for waits for nothing. */
export function atOnce<T extends Wanted>(wanted: T): T {
  return { ...wanted, policy: { ...wanted.policy, mode: 'deploy', minAgeMs: 0, windows: [] } };
}

/** What is wanted, by its local id; `isBrought` where it was not here before this task has pulled it. */
export type Here = { readonly imageId: string; readonly isBrought: boolean };

async function ensureHere(
  parts: DeployParts,
  wanted: Found,
  pulledBefore: string | undefined,
): Promise<Outcome<Here>> {
  const { image, digest, heldHere, images } = wanted;
  const here = await findHere(parts, wanted);
  if (!here.ok) return here;
  if (here.value !== undefined) {
    // What is here by its digest was verified when it came.
    return succeed({ imageId: here.value, isBrought: pulledBefore === digest });
  }
  if (heldHere !== null) return fail('PULL_FAILED', `${digest} is not here.`);
  const pulled = await pullImage(parts, image, digest, images);
  return pulled.ok ? succeed({ imageId: pulled.value.id, isBrought: true }) : pulled;
}

async function findHere(
  { run }: DeployParts,
  { image, digest, heldHere, images }: Found,
): Promise<Outcome<string | undefined>> {
  if (heldHere !== null) return findImageId(run, heldHere);
  const kept = images ? await findKeptId(images, image, digest) : undefined;
  return kept === undefined
    ? findImageId(run, withDigest(image, digest))
    : succeed(kept ?? undefined);
}

/** A registry that limits the rate does not cost the deployment: the task comes back when it may, a few times. */
function waitOrFail({ unit, rateLimitWaits = 0 }: DeployRequest, failure: Failure): DeployEnd {
  if (failure.code !== 'REGISTRY_RATE_LIMITED') return failed(unit, failure);
  const waitMs = decideRateLimitWait(failure.retryAfterMs, rateLimitWaits);
  if (waitMs === undefined) {
    const detail = `${failure.detail} It was waited for ${rateLimitWaits} times.`;
    return failed(unit, { ...failure, detail });
  }
  const notBeforeMs = Date.now() + waitMs;
  const until = new Date(notBeforeMs).toISOString();
  const summary = `${unit} waits for its registry until ${until}. ${formatFailure(failure)}`;
  return { status: 'deferred', summary, notBeforeMs, why: 'rate-limit' };
}

/** What is wanted runs. The tag may point elsewhere all the same; the next restart must not undo the update. */
async function keep(
  parts: DeployParts,
  wanted: Wanted,
  isOurs: boolean,
  running: RunningImage,
): Promise<DeployEnd> {
  const { unit, image, digest } = wanted;
  parts.onEvidence({ running_digest: digest, running_image: running.name });
  const local = await inspectImage(parts.run, withTag(image));
  if (!local.ok) return failed(unit, local.failure);
  if (local.value?.id !== running.imageId) {
    parts.onPhase('tagging-image');
    const tagged = await tagImage(parts.run, running.imageId, withTag(image));
    if (!tagged.ok) return failed(unit, tagged.failure);
  }
  // An attempt that was cut off behind the restart has done the work; only its end was not written.
  if (isOurs) return { status: 'succeeded', summary: `${unit} runs ${nameOf(wanted)}.` };
  return skipped(`${unit} runs ${nameOf(wanted)} already.`);
}

/** What keeps an image (`image`: its digest or its local id) from being deployed now. */
export function refuse(
  memory: Pick<DeployMemory, 'findBad' | 'firstSeen'>,
  wanted: Wanted,
  image: string,
): DeployEnd | undefined {
  const { unit, digest, policy } = wanted;
  const bad = memory.findBad(unit, digest) ?? memory.findBad(unit, image);
  if (bad) {
    const detail = `${digest} failed for ${bad.unit} with ${bad.code}: ${bad.detail}`;
    const { failure } = fail('IMAGE_QUARANTINED', detail);
    return skipped(`${unit} keeps what it runs. ${formatFailure(failure)}`);
  }
  if (policy.mode === 'observe') {
    return skipped(`${nameOf(wanted)} is there; ${unit} is only observed.`);
  }
  const notBefore = findNotBefore(policy, memory.firstSeen(unit, digest), Date.now());
  if (!notBefore) return undefined;
  const summary = `${unit}: ${nameOf(wanted)} ${notBefore.why}.`;
  return { status: 'deferred', summary, notBeforeMs: notBefore.atMs, why: 'policy' };
}

function skipped(summary: string): DeployEnd {
  return { status: 'skipped', summary };
}

function nameOf({ image, digest }: Wanted): string {
  return `${withTag(image)} (${digest})`;
}
