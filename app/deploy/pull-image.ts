import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import {
  type CommandResult,
  formatEnd,
  isSuccess,
  type RunCommand,
} from '../../shared/process/run-command.ts';
import { backoffMs } from '../domain/backoff.ts';
import { PULL_TRIES } from '../domain/deployment.ts';
import { type ImageReference, withDigest } from '../domain/image-reference.ts';
import { matchesDigest } from '../domain/matches-digest.ts';
import { isRateLimitedPull, isTransientPullError } from '../domain/pull-error.ts';
import type { TaskPhase } from '../domain/task.ts';
import { findKeptId, type ImageStore } from '../host/image-store.ts';
import { parsePodmanJson, podmanPath, runPodman } from '../host/podman.ts';
import { hasImage, inspectImage, type LocalImage } from '../host/podman-images.ts';
import { pause } from './until-stopped.ts';

const FIRST_WAIT_MS = 1_000;

/** The right to pull an image, which one task has at a time; `hasWaited` where another had it before. */
export type PullLock = { readonly hasWaited: boolean; release(): void };

/**
 * Waits for at most `waitMs`, and not beyond `stop`, for the right to pull an image. Undefined where it is not to be had:
 * then it is pulled without.
 */
export type LockPull = (
  name: string,
  waitMs: number,
  stop: AbortSignal,
) => Promise<PullLock | undefined>;

/** What a pull works with. */
export type PullParts = {
  readonly run: RunCommand;
  /** Absent where the image is pulled on another host: a lock of this one would say nothing there. */
  readonly lockPull?: LockPull;
  readonly onNote: (level: 'info' | 'warning', action: string, summary: string) => void;
  readonly onPhase: (phase: TaskPhase) => void;
  readonly isStopping: () => boolean;
  readonly stop: AbortSignal;
  readonly limits: { readonly pullTimeoutMs: number };
};

/** An image that is here under its name and digest, by its local id. */
export type PulledImage = Pick<LocalImage, 'id'>;

/**
 * Pulls an image by its digest and looks whether that is what podman has then. What may pass is tried again, up to
 * three times, with growing pauses of random length; what will not pass is not. Fails with PULL_FAILED, PULL_TIMEOUT or,
 * where the registry wants to be left alone for longer, at once with REGISTRY_RATE_LIMITED. What another task is pulling
 * is waited for, as long as one pull may take, and not pulled again where it is here then.
 */
export async function pullImage(
  parts: PullParts,
  image: ImageReference,
  digest: string,
  images: ImageStore | null = null,
): Promise<Outcome<PulledImage>> {
  parts.onPhase('pulling-image');
  const name = withDigest(image, digest);
  const lock = await parts.lockPull?.(name, parts.limits.pullTimeoutMs, parts.stop);
  try {
    if (lock?.hasWaited) {
      const here = await findPulled(parts, image, digest);
      if (here.ok) parts.onNote('info', 'pull-shared', `Another task has pulled ${name}.`);
      if (here.ok) return here;
    }
    return await pullWithin(parts, image, digest, images);
  } finally {
    lock?.release();
  }
}

async function pullWithin(
  parts: PullParts,
  image: ImageReference,
  digest: string,
  images: ImageStore | null,
): Promise<Outcome<PulledImage>> {
  const name = withDigest(image, digest);
  for (let tries = 1; ; tries++) {
    const path = podmanPath(['images', 'pull'], { reference: name, quiet: 'true' });
    const called = await runPodman(parts.run, {
      args: ['pull', '--quiet', '--', name],
      request: { method: 'POST', path },
      timeoutMs: parts.limits.pullTimeoutMs,
    });
    if (!called.ok) return called;
    if (isSuccess(called.value)) {
      return proveHere(parts, image, digest, readPulledId(called.value), images);
    }
    const failed = explainPull(called.value, name);
    const mayPass =
      failed.failure.code === 'PULL_FAILED' && isTransientPullError(called.value.stderr, name);
    if (!mayPass || tries === PULL_TRIES || parts.isStopping()) return failed;
    await pause(backoffMs(FIRST_WAIT_MS, tries, Math.random()), parts.stop);
  }
}

/** podman says the id of what it has pulled; that this has the name and the digest, its list says, or it is asked. */
async function proveHere(
  parts: PullParts,
  image: ImageReference,
  digest: string,
  id: string | undefined,
  images: ImageStore | null,
): Promise<Outcome<PulledImage>> {
  if (id === undefined) return findPulled(parts, image, digest);
  if (images && (await findKeptId(images, image, digest)) === id) return succeed({ id });
  const isHere = await hasImage(parts.run, withDigest(image, digest));
  if (!isHere.ok) return isHere;
  if (isHere.value) return succeed({ id });
  return fail('PULL_FAILED', 'podman has no image under that name.');
}

/** The command prints the id in a line, and the API says it in one of its reports. */
function readPulledId({ end, stdout }: CommandResult): string | undefined {
  const lines = stdout.trim().split('\n');
  const said = end.kind === 'answered' ? lines.map(readReport) : lines;
  return said.findLast((id) => id !== undefined && /^[0-9a-f]{64}$/.test(id));
}

function readReport(line: string): string | undefined {
  const report = parsePodmanJson(line);
  if (!report.ok) return undefined;
  const { id } = Object(report.value) as { id?: unknown };
  return typeof id === 'string' ? id : undefined;
}

async function findPulled(
  { run }: PullParts,
  image: ImageReference,
  digest: string,
): Promise<Outcome<PulledImage>> {
  const local = await inspectImage(run, withDigest(image, digest));
  if (!local.ok) return local;
  if (local.value && matchesDigest(local.value, image, digest)) return succeed(local.value);
  return fail('PULL_FAILED', `podman has ${local.value?.digest ?? 'no image'} under that name.`);
}

function explainPull(result: CommandResult, name: string): ReturnType<typeof fail> {
  const said = formatEnd(result);
  if (result.end.kind === 'timed-out') return fail('PULL_TIMEOUT', said);
  return fail(
    isRateLimitedPull(result.stderr, name) ? 'REGISTRY_RATE_LIMITED' : 'PULL_FAILED',
    said,
  );
}
