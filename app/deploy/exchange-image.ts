import { fail, type Outcome } from '../../shared/contract/outcome.ts';
import { formatEnd, isSuccess, type RunCommand } from '../../shared/process/run-command.ts';
import { type ImageReference, withTag } from '../domain/image-reference.ts';
import type { TaskPhase } from '../domain/task.ts';
import type { UnitPolicy } from '../domain/unit-policy.ts';
import type { ProbeSource } from '../host/host.ts';
import { tagImage } from '../host/podman-images.ts';
import { explainManager, resetFailed, restartUnit } from '../host/systemctl.ts';
import { type GateVerdict, type Watch, watchUnit } from './watch-unit.ts';

/** What an exchange works with. */
export type ExchangeParts = {
  readonly run: RunCommand;
  readonly ask: ProbeSource;
  readonly onPhase: (phase: TaskPhase) => void;
  readonly onVerdict: (verdict: GateVerdict) => void;
  /** Cuts the watch short; absent where nothing may. */
  readonly stop?: AbortSignal | undefined;
  readonly limits: { readonly restartTimeoutMs: number };
};

/** Which image the unit is to run from now on, and how it has to prove itself. */
export type Exchange = {
  readonly unit: string;
  /** What is restarted for it; not the unit itself where that is in a pod. */
  readonly restartUnit: string;
  readonly image: ImageReference;
  /** Any local name, or the id, of what the tag is to mean. */
  readonly from: string;
  readonly policy: UnitPolicy;
  readonly checkImage: Watch['checkImage'];
  /** An earlier attempt was cut off: where the unit runs that image already it is not restarted once more. */
  readonly isResumed: boolean;
};

/**
 * Gives the tag of a unit another image, restarts the unit and watches it until it is proven to serve: the one way
 * for the new image and for the old one. May be repeated.
 */
export async function exchangeImage(
  parts: ExchangeParts,
  exchange: Exchange,
): Promise<Outcome<void>> {
  const { unit, image, from, policy, checkImage } = exchange;
  const { run, ask, onVerdict, stop } = parts;
  parts.onPhase('tagging-image');
  const tagged = await tagImage(run, from, withTag(image));
  if (!tagged.ok) return tagged;
  if (await isThere(exchange)) {
    parts.onPhase('verifying');
    const watch = { run, ask, unit, image, policy, checkImage, onVerdict, stop };
    return watchUnit({ ...watch, sinceMs: performance.now(), sinceWallMs: Date.now() });
  }
  return restartAndWatch(parts, exchange);
}

/** A restart, and how the unit has to prove itself after it; see `Watch` for the image. */
export type Restart = Pick<Watch, 'unit' | 'image' | 'checkImage'> &
  Pick<Exchange, 'restartUnit' | 'policy'>;

/** Restarts what is restarted for a unit and watches the unit until it is proven to serve. May be repeated. */
export async function restartAndWatch(
  parts: ExchangeParts,
  { unit, restartUnit, image, policy, checkImage }: Restart,
): Promise<Outcome<void>> {
  const { run, ask, limits, onVerdict, stop } = parts;
  const watch = { run, ask, unit, image, policy, checkImage, onVerdict, stop };
  parts.onPhase('restarting');
  // Starts that failed before, of whatever image, count towards systemd's limit.
  await resetFailed(run, unit, restartUnit);
  const [sinceMs, sinceWallMs] = [performance.now(), Date.now()];
  const restarted = await restart(run, restartUnit, limits.restartTimeoutMs);
  if (!restarted.ok) {
    const ms = Math.round(performance.now() - sinceMs);
    onVerdict({ part: 'start', failure: restarted.failure, ms, detail: '' });
    return restarted;
  }
  parts.onPhase('verifying');
  return watchUnit({ ...watch, sinceMs, sinceWallMs });
}

/** What was logged since that start can be told from what was before only when it is ours. */
async function isThere({ isResumed, policy, checkImage }: Exchange): Promise<boolean> {
  const { logMust, logMustNot } = policy;
  return isResumed && logMust === null && logMustNot === null && (await checkImage()).ok;
}

async function restart(
  run: RunCommand,
  unit: string,
  timeoutMs: number,
): Promise<Outcome<undefined>> {
  const result = await restartUnit(run, unit, timeoutMs);
  if (result.end.kind === 'timed-out') return fail('RESTART_TIMEOUT', formatEnd(result));
  if (result.end.kind === 'not-started') return explainManager(result);
  if (isSuccess(result)) return { ok: true, value: undefined };
  // Who was ended, or could not ask, knows nothing of the unit.
  if (!['exited', 'answered'].includes(result.end.kind) || NO_MANAGER.test(result.stderr)) {
    return explainManager(result);
  }
  const isInterrupted = INTERRUPTED.test(result.stderr);
  return fail(isInterrupted ? 'RESTART_INTERRUPTED' : 'RESTART_FAILED', formatEnd(result));
}

/** What systemctl(1) says where it does not reach the manager. */
const NO_MANAGER =
  /failed to connect to bus|connection refused|transport endpoint|no medium found/i;
/** And where the job ended otherwise than by the unit itself. */
const INTERRUPTED = /^job for \S+ canceled|dependency job for|job .* canceled/im;
