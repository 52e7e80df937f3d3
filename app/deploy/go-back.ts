import { setTimeout as wait } from 'node:timers/promises';
import {
  type Failure,
  fail,
  formatFailure,
  type Outcome,
  succeed,
} from '../../shared/contract/outcome.ts';
import { BACK_TRIES, isBlamed, type OpenDeployment } from '../domain/deployment.ts';
import { type ImageReference, parseImageReference } from '../domain/image-reference.ts';
import { decideTargetWait } from '../domain/target-wait.ts';
import type { UnitPolicy } from '../domain/unit-policy.ts';
import type { SeenContainer } from '../host/podman.ts';
import { removeUnnamedImage } from '../host/podman-images.ts';
import { bringBack } from './dependents.ts';
import { failed } from './deploy-end.ts';
import type { DeployEnd, DeployParts } from './deploy-unit.ts';
import { exchangeImage } from './exchange-image.ts';
import { findRunning } from './find-running.ts';

/** Where not the unit but podman or systemd is in trouble: for about half a minute. */
const TROUBLED_TRIES = 5;
const FIRST_PAUSE_MS = 2_000;

/** Why a deployment goes back, and what was done about that before. */
export type Retreat = {
  readonly cause: Failure;
  readonly isDiagnosed: boolean;
  readonly isResumed: boolean;
};

/**
 * Puts the old image back, and what depended on the unit, unless the policy of the unit says to leave it as it is. May
 * be repeated.
 */
export async function goBack(
  parts: DeployParts,
  deployment: OpenDeployment,
  { cause, isDiagnosed, isResumed }: Retreat,
): Promise<DeployEnd> {
  const { unit, dependents, former_digest: digest } = deployment;
  const read = await readPolicyWithin(parts, unit);
  const away = read.ok ? undefined : waitForHost(parts, unit, read.failure);
  if (away) return away;
  // A unit of which nobody knows otherwise is put back.
  const policy = read.ok ? read.value : { ...parts.defaultPolicy, rollback: true };
  // Before the restart: a container is known to the timer by how it was started.
  await parts.keepTimerOff('kept');
  if (!policy.rollback) {
    if (!parts.isStopping()) parts.memory.end(deployment);
    return failed(unit, cause, isDiagnosed);
  }
  parts.onPhase('rolling-back');
  const put = await putBackWithin(parts, deployment, policy, isResumed);
  // What was cut off is done by the next attempt.
  if (parts.isStopping()) return failed(unit, cause, isDiagnosed);
  const restored = await bringBack(parts.run, dependents, parts.limits.restartTimeoutMs);
  const proven = put.ok ? restored : put;
  const waits = proven.ok ? undefined : waitForHost(parts, unit, proven.failure);
  if (waits) return waits;
  parts.memory.end(deployment);
  if (proven.ok) {
    if (isBlamed(cause.code)) await dropTakenBack(parts, deployment);
    parts.onNote('info', 'rolled-back', `${unit} runs its former image again.`);
    if (cause.code === 'DEPLOYMENT_STOPPED') {
      const summary = `${unit} was put back to ${digest}, for the deployment was stopped.`;
      return { status: 'cancelled', summary };
    }
    const summary = `${unit} was put back to ${digest}: ${cause.code}.`;
    return { status: 'failed', summary, failure: cause, isDiagnosed };
  }
  const { failure } = proven;
  const detail = `${cause.code} (${cause.detail}), then ${failure.code} (${failure.detail}).`;
  return failed(unit, fail('ROLLBACK_FAILED', detail).failure, isDiagnosed);
}

/** Whether it may go back is not to be guessed because nobody answered for a moment. */
async function readPolicyWithin(parts: DeployParts, unit: string): Promise<Outcome<UnitPolicy>> {
  let pauseMs = FIRST_PAUSE_MS;
  for (let tries = 1; ; tries++) {
    const read = await parts.readPolicy(unit);
    if (read.ok) return read;
    // A policy that has a fault stays as it is.
    if (read.failure.code === 'UNIT_POLICY_INVALID') return succeed(parts.defaultPolicy);
    if (tries === TROUBLED_TRIES || parts.isStopping()) return read;
    await wait(pauseMs);
    pauseMs *= 2;
  }
}

/** What was taken back has no name any more, and only this deployment has brought it. Others may need it all the same. */
async function dropTakenBack(
  { memory, run }: DeployParts,
  { wanted_image_id: imageId, former_image_id: formerId, is_brought: isBrought }: OpenDeployment,
): Promise<void> {
  if (isBrought === 0 || imageId === null || imageId === formerId || memory.isNeeded(imageId))
    return;
  await removeUnnamedImage(run, imageId);
}

/** Whoever is out of reach is brought back when they are in reach again. */
function waitForHost(
  { hostWaits }: DeployParts,
  unit: string,
  failure: Failure,
): DeployEnd | undefined {
  const waitMs = failure.code === 'SSH_UNREACHABLE' ? decideTargetWait(hostWaits) : undefined;
  if (waitMs === undefined) return undefined;
  const notBeforeMs = Date.now() + waitMs;
  const until = new Date(notBeforeMs).toISOString();
  const summary = `${unit} is to be put back, tried again ${until}. ${formatFailure(failure)}`;
  return { status: 'deferred', summary, notBeforeMs, why: 'unreachable' };
}

/**
 * Again where it fails, for nobody else brings the unit back: at once where the unit does not come up, and with growing
 * pauses where podman or systemd has a trouble of its own.
 */
async function putBackWithin(
  parts: DeployParts,
  deployment: OpenDeployment,
  policy: UnitPolicy,
  isResumed: boolean,
): Promise<Outcome<void>> {
  let pauseMs = FIRST_PAUSE_MS;
  for (let tries = 1; ; tries++) {
    const put = await putBack(parts, deployment, policy, isResumed);
    if (put.ok || deployment.former_image_id === null || parts.isStopping()) return put;
    // What a container runs does not change by waiting either.
    const { code } = put.failure;
    const isOfUnit = isBlamed(code) || code === 'RUNNING_DIGEST_MISMATCH';
    if (tries >= (isOfUnit ? BACK_TRIES : TROUBLED_TRIES)) return put;
    if (isOfUnit) continue;
    await wait(pauseMs);
    pauseMs *= 2;
  }
}

async function putBack(
  parts: DeployParts,
  { unit, restart_unit: restartUnit, former_image_id: formerId, image: name }: OpenDeployment,
  policy: UnitPolicy,
  isResumed: boolean,
): Promise<Outcome<void>> {
  const image = parseImageReference(name);
  if (!image || formerId === null) {
    return fail('ROLLBACK_FAILED', 'There was no image before this one.');
  }
  return exchangeImage(
    {
      ...parts,
      onVerdict: (verdict) => parts.onVerdict({ ...verdict, of: 'old' }),
      stop: undefined,
    },
    {
      unit,
      restartUnit: restartUnit ?? unit,
      image,
      from: formerId,
      // What a log must say was written for what comes, not for what was there before.
      policy: { ...policy, logMust: null, logMustNot: null },
      checkImage: (seen) => checkFormer(parts, unit, image, formerId, seen),
      isResumed,
    },
  );
}

async function checkFormer(
  parts: DeployParts,
  unit: string,
  image: ImageReference,
  formerId: string,
  seen?: readonly SeenContainer[],
): Promise<Outcome<string>> {
  // By its id: another digest may lead to the same image.
  const wanted = { digest: null, imageId: formerId };
  const running = await findRunning(parts.run, unit, image, wanted, seen);
  if (!running.ok) return running;
  parts.onEvidence({ running_digest: running.value.digest, running_image: running.value.name });
  if (running.value.isWanted) return succeed(`It runs image ${formerId} again.`);
  return fail('RUNNING_DIGEST_MISMATCH', `It runs image ${running.value.imageId}.`);
}
