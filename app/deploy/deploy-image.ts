import { type Failure, fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { formatEnd, isSuccess, type RunCommand } from '../../shared/process/run-command.ts';
import {
  type ImageReference,
  parseImageReference,
  sameRepository,
  withDigest,
  withTag,
} from '../domain/image-reference.ts';
import { matchesDigest } from '../domain/matches-digest.ts';
import type { TaskPhase } from '../domain/task.ts';
import { inspectImage, readRegistries, runPodman } from '../host/podman.ts';
import { readUnit, type UnitReading } from '../host/read-unit.ts';
import { restartUnit } from '../host/systemctl.ts';
import { findRunning } from './find-running.ts';
import { waitUntilRunning } from './wait-until-running.ts';

/** What is wanted: the unit is to run what its own tag now means at the registry. */
export type DeployRequest = {
  readonly unit: string;
  /** The image for which the task was made; absent where systemd could not be asked then. */
  readonly image?: string;
  /** The digest that an interrupted attempt of the same task had pulled already. */
  readonly pulledBefore?: string;
};

/** Digests as they become known, for the record. */
export type DeployEvidence = {
  readonly image?: string;
  readonly registry_digest?: string;
  readonly pulled_digest?: string;
  readonly running_digest?: string;
  readonly running_image?: string;
};

/** What a deployment works with. Every command goes through `run`, which records it. */
export type DeployParts = {
  readonly run: RunCommand;
  /** Asks the registry for the digest of the tag; `registries` is what podman is configured with. */
  readonly lookUp: (
    image: ImageReference,
    registries: unknown,
  ) => Promise<Outcome<{ digest: string }>>;
  readonly onPhase: (phase: TaskPhase) => void;
  readonly onEvidence: (evidence: DeployEvidence) => void;
  readonly limits: { readonly pullTimeoutMs: number; readonly restartTimeoutMs: number };
};

/** How it ended: `skipped` where nothing had to be done, with the reason in the summary. */
export type DeployEnd =
  | { readonly status: 'succeeded' | 'skipped'; readonly summary: string }
  | { readonly status: 'failed'; readonly summary: string; readonly failure: Failure };

type Plan = { readonly unit: UnitReading; readonly image: ImageReference; readonly digest: string };

/**
 * Brings one unit to the image that its tag means now: digest from the registry, pull by digest, tag, restart, and
 * proof that the running container has that digest. Each step may be repeated after a crash. The first failure ends
 * it; up to the restart the unit is not touched.
 */
export async function deployImage(parts: DeployParts, request: DeployRequest): Promise<DeployEnd> {
  const planned = await plan(parts, request);
  if (!planned.ok) return failed(request.unit, planned.failure);
  const { unit, image, digest } = planned.value;
  const name = `${withTag(image)} (${digest})`;

  const before = await findRunning(parts.run, unit.name, image, digest);
  if (before.ok && before.value.isWanted) {
    parts.onEvidence({ running_digest: digest, running_image: before.value.name });
    const kept = await holdTag(parts, image, digest);
    if (!kept.ok) return failed(unit.name, kept.failure);
    // An attempt that was cut off behind the restart has done the work; only its end was not written.
    const isOurs = request.pulledBefore === digest;
    return isOurs
      ? { status: 'succeeded', summary: `${unit.name} runs ${name}.` }
      : { status: 'skipped', summary: `${unit.name} runs ${name} already.` };
  }
  const pulled = await pull(parts, image, digest);
  if (!pulled.ok) return failed(unit.name, pulled.failure);
  const tagged = await tag(parts, image, digest);
  if (!tagged.ok) return failed(unit.name, tagged.failure);
  // A pull takes its time: what counts is what the unit is now.
  const now = await readUnit(parts.run, unit.name);
  if (!now.ok) return failed(unit.name, now.failure);
  if (now.value.activeState === 'inactive' || now.value.activeState === 'deactivating') {
    // Somebody stopped it: a push must not start a service in the middle of their work.
    const summary = `${unit.name} is stopped; ${name} is ready and runs at its next start.`;
    return { status: 'skipped', summary };
  }
  const restarted = await restart(parts, unit.name);
  if (!restarted.ok) return failed(unit.name, restarted.failure);
  const verified = await verify(parts, unit.name, image, digest);
  if (!verified.ok) return failed(unit.name, verified.failure);
  return { status: 'succeeded', summary: `${unit.name} runs ${name}.` };
}

function failed(unit: string, failure: Failure): DeployEnd {
  return { status: 'failed', summary: `${unit} could not be updated: ${failure.code}.`, failure };
}

async function plan(parts: DeployParts, request: DeployRequest): Promise<Outcome<Plan>> {
  parts.onPhase('reading-unit');
  const unit = await readUnit(parts.run, request.unit);
  if (!unit.ok) return unit;
  const { image } = unit.value;
  if (!image) return fail('UNIT_IMAGE_UNKNOWN', `Unit ${request.unit}.`);
  if (image.digest !== undefined) return fail('UNIT_IMAGE_PINNED', `Unit ${request.unit}.`);
  const meant = request.image === undefined ? undefined : parseImageReference(request.image);
  if (meant && !sameRepository(meant, image)) {
    return fail('UNIT_IMAGE_CHANGED', `It runs ${withTag(image)}, meant was ${request.image}.`);
  }
  parts.onEvidence({ image: withTag(image) });
  parts.onPhase('resolving-digest');
  const registries = await readRegistries(parts.run);
  if (!registries.ok) return registries;
  const found = await parts.lookUp(image, registries.value);
  if (!found.ok) return found;
  parts.onEvidence({ registry_digest: found.value.digest });
  return succeed({ unit: unit.value, image, digest: found.value.digest });
}

/** The tag may point elsewhere although the right image runs; the next restart must not undo the update. */
async function holdTag(
  parts: DeployParts,
  image: ImageReference,
  digest: string,
): Promise<Outcome<void>> {
  const local = await inspectImage(parts.run, withTag(image));
  if (!local.ok) return local;
  if (local.value && matchesDigest(local.value, image, digest)) return succeed(undefined);
  return tag(parts, image, digest);
}

async function pull(
  parts: DeployParts,
  image: ImageReference,
  digest: string,
): Promise<Outcome<void>> {
  parts.onPhase('pulling-image');
  const name = withDigest(image, digest);
  const called = await runPodman(parts.run, {
    args: ['pull', '--quiet', '--', name],
    timeoutMs: parts.limits.pullTimeoutMs,
  });
  if (!called.ok) return called;
  if (called.value.end.kind === 'timed-out') return fail('PULL_TIMEOUT', formatEnd(called.value));
  if (!isSuccess(called.value)) return fail('PULL_FAILED', formatEnd(called.value));
  const local = await inspectImage(parts.run, name);
  if (!local.ok) return local;
  if (!local.value || !matchesDigest(local.value, image, digest)) {
    return fail('PULL_FAILED', `podman has ${local.value?.digest ?? 'no image'} under that name.`);
  }
  parts.onEvidence({ pulled_digest: digest });
  return succeed(undefined);
}

async function tag(
  parts: DeployParts,
  image: ImageReference,
  digest: string,
): Promise<Outcome<void>> {
  parts.onPhase('tagging-image');
  const called = await runPodman(parts.run, {
    args: ['tag', withDigest(image, digest), withTag(image)],
  });
  if (!called.ok) return called;
  return isSuccess(called.value) ? succeed(undefined) : fail('TAG_FAILED', formatEnd(called.value));
}

async function restart(parts: DeployParts, unit: string): Promise<Outcome<void>> {
  parts.onPhase('restarting');
  const result = await restartUnit(parts.run, unit, parts.limits.restartTimeoutMs);
  if (result.end.kind === 'timed-out') return fail('RESTART_TIMEOUT', formatEnd(result));
  if (result.end.kind === 'not-started') return fail('USER_MANAGER_UNAVAILABLE', formatEnd(result));
  return isSuccess(result) ? succeed(undefined) : fail('RESTART_FAILED', formatEnd(result));
}

async function verify(
  parts: DeployParts,
  unit: string,
  image: ImageReference,
  digest: string,
): Promise<Outcome<void>> {
  parts.onPhase('verifying');
  const running = await waitUntilRunning(() => findRunning(parts.run, unit, image, digest));
  if (!running.ok) return running;
  parts.onEvidence({ running_digest: running.value.digest, running_image: running.value.name });
  if (running.value.isWanted) return succeed(undefined);
  return fail('RUNNING_DIGEST_MISMATCH', `It runs ${running.value.digest}, wanted was ${digest}.`);
}
