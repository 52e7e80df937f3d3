import {
  type Failure,
  fail,
  formatFailure,
  type Outcome,
  succeed,
} from '../../shared/contract/outcome.ts';
import { isBlamed, type OpenDeployment } from '../domain/deployment.ts';
import { type ImageReference, parseImageReference, withDigest } from '../domain/image-reference.ts';
import type { HeldImage } from '../domain/rollback-tag.ts';
import type { UnitPolicy } from '../domain/unit-policy.ts';
import type { SeenContainer } from '../host/podman.ts';
import { hasImage } from '../host/podman-images.ts';
import { bringBack } from './dependents.ts';
import { failed } from './deploy-end.ts';
import type { DeployEnd, DeployParts } from './deploy-unit.ts';
import { exchangeImage } from './exchange-image.ts';
import { findRunning, type WantedImage } from './find-running.ts';
import { goBack } from './go-back.ts';
import { pullImage } from './pull-image.ts';
import { leaveAsItIs, untilStopped, wasStopped } from './until-stopped.ts';
import { dropSurplus } from './way-back.ts';
import { writeVersion } from './write-version.ts';

/** What whoever prepared a deployment knows of the unit, and need not be read again. */
export type KnownOfUnit = {
  readonly policy: UnitPolicy;
  /** What is held for the unit, newest first; null where nobody has looked. */
  readonly held: readonly HeldImage[] | null;
};

/**
 * From the first touch of the unit to its proof, or to the way back. May be repeated; `isResumed` where an earlier
 * attempt was cut off. Where nothing is `known` it is read here.
 */
export async function goForward(
  parts: DeployParts,
  deployment: OpenDeployment,
  isResumed: boolean,
  known: KnownOfUnit | null,
): Promise<DeployEnd> {
  const { unit } = deployment;
  const image = parseImageReference(deployment.image);
  if (!image) return failed(unit, fail('UNIT_IMAGE_UNKNOWN', deployment.image).failure);
  const read = await readPolicyOnce(parts, unit, known);
  if (!read.ok) {
    if (!isResumed) return leaveUntouched(parts, deployment, read.failure);
    return giveUp(parts, deployment, read.failure, parts.defaultPolicy);
  }
  const policy = read.value;
  // Whoever cannot go back, or must not, can only be brought to the end.
  const mayStop = policy.rollback && deployment.former_image_id !== null;
  const forward = mayStop ? untilStopped(parts) : parts;
  const there = await ensurePulled(forward, image, deployment, isResumed);
  const proven = there.ok
    ? await prove(forward, deployment, image, policy, { isResumed, mayStop })
    : there;
  if (!proven.ok) {
    const isStopped = mayStop && parts.stop.aborted && !parts.isStopping();
    const failure = isStopped ? wasStopped() : proven.failure;
    const isUntouched = !isResumed && (!there.ok || proven.failure.code === 'TAG_FAILED');
    if (isUntouched) return leaveUntouched(parts, deployment, failure);
    return giveUp(parts, deployment, failure, policy);
  }
  return finish(parts, deployment, policy, known);
}

function readPolicyOnce(parts: DeployParts, unit: string, known: KnownOfUnit | null) {
  return known ? succeed(known.policy) : parts.readPolicy(unit);
}

/** The unit is proven: what is done afterwards makes it no worse. */
async function finish(
  parts: DeployParts,
  deployment: OpenDeployment,
  policy: UnitPolicy,
  known: KnownOfUnit | null,
): Promise<DeployEnd> {
  const { unit, image, wanted_digest: digest } = deployment;
  await dropSurplus(parts.run, unit, policy.keepImages, known?.held ?? null);
  const written = await write(parts, deployment);
  // What was cut off is done by the next attempt.
  if (parts.isStopping()) return failed(unit, fail('TASK_LOST', '').failure);
  parts.memory.end(deployment);
  return { status: 'succeeded', summary: `${unit} runs ${image} (${digest}).${written}` };
}

/** A file that cannot be written does not make the image worse. What there is to say of it. */
async function write(
  parts: DeployParts,
  { unit, write_image: image, wanted_image_id: imageId }: OpenDeployment,
): Promise<string> {
  if (image === null || imageId === null) return '';
  const written = await writeVersion(parts.run, unit, image, imageId);
  if (!written.ok) {
    parts.onNote('warning', 'version-not-written', formatFailure(written.failure));
    return ` Its file does not say ${image}: ${written.failure.detail}`;
  }
  if (written.value === null) return '';
  return ` ${written.value} says ${image} now; the former text is in ${written.value}.podup-former.`;
}

async function prove(
  parts: DeployParts,
  deployment: OpenDeployment,
  image: ImageReference,
  policy: UnitPolicy,
  { isResumed, mayStop }: { readonly isResumed: boolean; readonly mayStop: boolean },
): Promise<Outcome<unknown>> {
  const { unit, wanted_digest: digest, wanted_image_id: imageId, dependents } = deployment;
  await parts.keepTimerOff('lifted');
  const exchanged = await exchangeImage(
    {
      ...parts,
      onVerdict: (verdict) => parts.onVerdict({ ...verdict, of: 'new' }),
      stop: mayStop ? parts.stop : undefined,
    },
    {
      unit,
      restartUnit: deployment.restart_unit ?? unit,
      image,
      from: nameOfWanted(deployment, image),
      policy,
      checkImage: (seen) => checkRunning(parts, unit, image, { digest, imageId }, seen),
      isResumed,
    },
  );
  if (!exchanged.ok) return exchanged;
  return bringBack(parts.run, dependents, parts.limits.restartTimeoutMs);
}

/** Nothing was done to the unit yet: there is nothing to go back from. */
async function leaveUntouched(
  parts: DeployParts,
  deployment: OpenDeployment,
  failure: Failure,
): Promise<DeployEnd> {
  if (!parts.isStopping()) parts.memory.end(deployment);
  // It may have been lifted for the image that did not come.
  await parts.keepTimerOff('kept');
  if (failure.code === 'DEPLOYMENT_STOPPED') return leaveAsItIs(parts, deployment.unit);
  return failed(deployment.unit, failure);
}

/** Of an older program's record only the digest is known. */
function nameOfWanted(
  { wanted_image_id: id, wanted_digest: digest }: OpenDeployment,
  image: ImageReference,
): string {
  return id ?? withDigest(image, digest);
}

/**
 * Who prepared it a moment ago has the image. It is there after a crash, too, if nobody has pruned it meanwhile: until it is
 * tagged it has no name.
 */
async function ensurePulled(
  parts: DeployParts,
  image: ImageReference,
  deployment: OpenDeployment,
  isResumed: boolean,
): Promise<Outcome<unknown>> {
  if (!isResumed) return succeed(undefined);
  const { wanted_digest: digest } = deployment;
  const here = await hasImage(parts.run, nameOfWanted(deployment, image));
  if (!here.ok || here.value) return here;
  return pullImage(parts, image, digest);
}

/** The unit is not proven with the new image: back to the old one, by the policy of the unit. */
async function giveUp(
  parts: DeployParts,
  deployment: OpenDeployment,
  failure: Failure,
  policy: UnitPolicy,
): Promise<DeployEnd> {
  const { unit, wanted_digest: digest, image } = deployment;
  // What fails while the process is told to end says nothing; the next attempt goes on.
  if (parts.isStopping()) return failed(unit, failure);
  const { code, detail } = failure;
  const back = { ...deployment, stage: 'back', cause_code: code, cause_detail: detail } as const;
  if (isBlamed(code)) {
    const bad = { unit, digest, image, image_id: deployment.wanted_image_id, code, detail };
    parts.memory.condemn(back, bad, policy.quarantineMs);
  } else {
    parts.memory.save(back);
  }
  if (code !== 'DEPLOYMENT_STOPPED') {
    parts.onPhase('diagnosing');
    await parts.diagnose();
  }
  return goBack(parts, back, { cause: failure, isDiagnosed: true, isResumed: false });
}

async function checkRunning(
  parts: DeployParts,
  unit: string,
  image: ImageReference,
  wanted: WantedImage,
  seen?: readonly SeenContainer[],
): Promise<Outcome<string>> {
  const { digest } = wanted;
  const running = await findRunning(parts.run, unit, image, wanted, seen);
  if (!running.ok) return running;
  parts.onEvidence({ running_digest: running.value.digest, running_image: running.value.name });
  if (running.value.isWanted) return succeed(`It runs ${digest}.`);
  return fail('RUNNING_DIGEST_MISMATCH', `It runs ${running.value.digest}, wanted was ${digest}.`);
}
