import {
  type Failure,
  fail,
  formatFailure,
  type Outcome,
  succeed,
} from '../../shared/contract/outcome.ts';
import type { OpenDeployment } from '../domain/deployment.ts';
import {
  type ImageReference,
  parseImageReference,
  sameRepository,
  withDigest,
  withTag,
} from '../domain/image-reference.ts';
import { matchesDigest } from '../domain/matches-digest.ts';
import { decideRateLimitWait } from '../domain/rate-limit.ts';
import type { UnitPolicy } from '../domain/unit-policy.ts';
import { inspectImage, readRegistries, tagImage } from '../host/podman.ts';
import { readUnit } from '../host/read-unit.ts';
import { readActiveDependents, readUnitSample } from '../host/read-unit-state.ts';
import { failed } from './carry-out.ts';
import type { DeployEnd, DeployParts, DeployRequest } from './deploy-unit.ts';
import { findNotBefore } from './find-not-before.ts';
import { findRunning } from './find-running.ts';
import { pullImage } from './pull-image.ts';
import { pause } from './until-stopped.ts';
import { holdFormerImage } from './way-back.ts';

/** Longer than podman gives a container to end. */
const SETTLE_MS = 15_000;
const EVERY_MS = 250;

type Plan = {
  readonly unit: string;
  readonly image: ImageReference;
  readonly digest: string;
  readonly policy: UnitPolicy;
};

/**
 * Everything before the unit is touched: what is wanted, whether it may be had now, the image, and the way back. The
 * end where nothing is to be done, may be done, or can be done.
 */
export async function prepareDeployment(
  parts: DeployParts,
  request: DeployRequest,
): Promise<DeployEnd | OpenDeployment> {
  const planned = await plan(parts, request);
  if (!planned.ok) return waitOrFail(request, planned.failure);
  const { unit, image, digest } = planned.value;
  const running = await findRunning(parts.run, unit, image, digest);
  if (running.ok && running.value.isWanted) {
    const isOurs = request.pulledBefore === digest;
    return keep(parts, planned.value, isOurs, running.value.name);
  }
  const refusal = refuse(parts, planned.value, digest);
  if (refusal) return refusal;
  const pulled = await pullImage(parts, image, digest);
  if (!pulled.ok) return waitOrFail(request, pulled.failure);
  parts.onEvidence({ pulled_digest: digest });
  if (planned.value.policy.mode === 'stage') {
    return skipped(`${nameOf(planned.value)} is pulled; ${unit} takes it at your word.`);
  }
  // Another index may hold the image that runs, or the one that failed; and a pull takes its time, too.
  const local = await inspectImage(parts.run, withDigest(image, digest));
  if (!local.ok) return failed(unit, local.failure);
  const now = await findRunning(parts.run, unit, image, digest);
  if (now.ok && now.value.isWanted) return keep(parts, planned.value, false, now.value.name);
  const late = refuse(parts, planned.value, local.value?.id ?? digest);
  if (late) return late;
  const ready = await makeReady(parts, planned.value);
  return ready.ok ? ready.value : failed(unit, ready.failure);
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

async function plan(parts: DeployParts, request: DeployRequest): Promise<Outcome<Plan>> {
  parts.onPhase('reading-unit');
  const unit = await readUnit(parts.run, request.unit);
  if (!unit.ok) return unit;
  const { image } = unit.value;
  if (unit.value.name !== request.unit) return fail('UNIT_IS_ALIAS', `${unit.value.name}.`);
  if (unit.value.pullsItself) return fail('UNIT_PULLS_ITSELF', `Unit ${request.unit}.`);
  if (unit.value.needsReload) return fail('UNIT_NEEDS_RELOAD', `Unit ${request.unit}.`);
  if (!image) return fail('UNIT_IMAGE_UNKNOWN', `Unit ${request.unit}.`);
  if (image.digest !== undefined) return fail('UNIT_IMAGE_PINNED', `Unit ${request.unit}.`);
  const meant = request.image === undefined ? undefined : parseImageReference(request.image);
  if (meant && !sameRepository(meant, image)) {
    return fail('UNIT_IMAGE_CHANGED', `It runs ${withTag(image)}, meant was ${request.image}.`);
  }
  parts.onEvidence({ image: withTag(image) });
  const policy = await parts.readPolicy(request.unit);
  if (!policy.ok) return policy;
  parts.onPhase('resolving-digest');
  const registries = await readRegistries(parts.run);
  if (!registries.ok) return registries;
  const found = await parts.lookUp(image, registries.value);
  if (!found.ok) return found;
  const { digest } = found.value;
  parts.onEvidence({ registry_digest: digest });
  return succeed({ unit: unit.value.name, image, digest, policy: policy.value });
}

/** What is wanted runs. The tag may point elsewhere all the same; the next restart must not undo the update. */
async function keep(
  parts: DeployParts,
  wanted: Plan,
  isOurs: boolean,
  runningImage: string,
): Promise<DeployEnd> {
  const { unit, image, digest } = wanted;
  parts.onEvidence({ running_digest: digest, running_image: runningImage });
  const local = await inspectImage(parts.run, withTag(image));
  if (!local.ok) return failed(unit, local.failure);
  if (!local.value || !matchesDigest(local.value, image, digest)) {
    parts.onPhase('tagging-image');
    const tagged = await tagImage(parts.run, withDigest(image, digest), withTag(image));
    if (!tagged.ok) return failed(unit, tagged.failure);
  }
  // An attempt that was cut off behind the restart has done the work; only its end was not written.
  if (isOurs) return { status: 'succeeded', summary: `${unit} runs ${nameOf(wanted)}.` };
  return skipped(`${unit} runs ${nameOf(wanted)} already.`);
}

/** What keeps an image that is there from being deployed now. */
function refuse(parts: DeployParts, wanted: Plan, image: string): DeployEnd | undefined {
  const { unit, digest, policy } = wanted;
  const bad = parts.memory.findBad(unit, digest) ?? parts.memory.findBad(unit, image);
  if (bad) {
    const detail = `${digest} failed for ${bad.unit} with ${bad.code}: ${bad.detail}`;
    const { failure } = fail('IMAGE_QUARANTINED', detail);
    return skipped(`${unit} keeps what it runs. ${formatFailure(failure)}`);
  }
  if (policy.mode === 'observe') {
    return skipped(`${nameOf(wanted)} is there; ${unit} is only observed.`);
  }
  const notBefore = findNotBefore(policy, parts.memory.firstSeen(unit, digest), Date.now());
  if (!notBefore) return undefined;
  const summary = `${unit}: ${nameOf(wanted)} ${notBefore.why}.`;
  return { status: 'deferred', summary, notBeforeMs: notBefore.atMs, why: 'policy' };
}

/** The image is pulled: what the unit can go back to is held, and what depends on it is known. */
async function makeReady(
  parts: DeployParts,
  wanted: Plan,
): Promise<Outcome<DeployEnd | OpenDeployment>> {
  const { unit, image, digest } = wanted;
  // A pull takes its time: what counts is what the unit is now.
  const now = await readSettled(parts, unit);
  if (!now.ok) return now;
  parts.onPhase('holding-image');
  const isBad = (known: string) =>
    known === digest || parts.memory.findBad(unit, known) !== undefined;
  const left = parts.memory.findAbandoned(unit);
  const former = left
    ? succeed(formerOf(left))
    : await holdFormerImage(parts.run, unit, image, isBad);
  if (!former.ok) return former;
  if (['inactive', 'deactivating'].includes(now.value)) {
    // Somebody stopped it: a push must not start a service in the middle of their work.
    const tagged = await tagImage(parts.run, withDigest(image, digest), withTag(image));
    if (!tagged.ok) return tagged;
    return succeed(
      skipped(`${unit} is stopped; ${nameOf(wanted)} is ready and runs at its next start.`),
    );
  }
  const dependents = await readActiveDependents(parts.run, unit);
  if (!dependents.ok) return dependents;
  return succeed({
    unit,
    image: withTag(image),
    wanted_digest: digest,
    former_image_id: former.value?.imageId ?? null,
    former_digest: former.value?.digest ?? null,
    held_as: former.value?.heldAs ?? null,
    dependents: [...new Set([...dependents.value, ...(left?.dependents ?? [])])],
    stage: 'forward',
    cause_code: null,
    cause_detail: null,
  });
}

/** What ran before a deployment that nobody has brought to an end. */
function formerOf({ former_image_id: imageId, former_digest, held_as }: OpenDeployment) {
  if (imageId === null) return null;
  return { imageId, digest: former_digest ?? '', heldAs: held_as ?? '' };
}

/**
 * The state of a unit that does not just end: whether systemd starts it again (it failed) or not (somebody stopped it)
 * is known only then.
 */
async function readSettled(parts: DeployParts, unit: string): Promise<Outcome<string>> {
  for (const deadlineMs = performance.now() + SETTLE_MS; ; await pause(EVERY_MS, parts.stop)) {
    const read = await readUnitSample(parts.run, unit);
    if (!read.ok) return read;
    const { activeState } = read.value;
    if (activeState !== 'deactivating' || performance.now() > deadlineMs) {
      return succeed(activeState);
    }
  }
}

function skipped(summary: string): DeployEnd {
  return { status: 'skipped', summary };
}

function nameOf({ image, digest }: Plan): string {
  return `${withTag(image)} (${digest})`;
}
