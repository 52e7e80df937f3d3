import { setTimeout as wait } from 'node:timers/promises';
import { type Failure, fail } from '../../shared/contract/outcome.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import { listUnitContainers } from '../host/podman.ts';
import type { DeployEnd, DeployParts } from './deploy-unit.ts';

/** The parts for what a stop by a person cuts short: commands, look-ups and tries. */
export function untilStopped(parts: DeployParts): DeployParts {
  const { stop, run, lookUp } = parts;
  return {
    ...parts,
    run: (command) => run({ ...command, signal: anyOf(stop, command.signal) }),
    lookUp: async (image, registries, signal) => {
      try {
        return await lookUp(image, registries, anyOf(stop, signal));
      } catch (error) {
        if (!stop.aborted) throw error;
        return { ok: false, failure: wasStopped() };
      }
    },
    isStopping: () => stop.aborted || parts.isStopping(),
  };
}

/** Of two signals the one that was made of both: the same two come with each command of a task. */
const joined = new WeakMap<AbortSignal, WeakMap<AbortSignal, AbortSignal>>();

/** As soon as one of the two is aborted. */
export function anyOf(one: AbortSignal, other: AbortSignal | undefined): AbortSignal {
  if (!other) return one;
  const known = joined.get(one) ?? new WeakMap<AbortSignal, AbortSignal>();
  joined.set(one, known);
  const both = known.get(other) ?? AbortSignal.any([one, other]);
  known.set(other, both);
  return both;
}

/** Waits, but not beyond a stop. */
export async function pause(ms: number, stop: AbortSignal | undefined): Promise<void> {
  await wait(ms, undefined, stop && { signal: stop }).catch(() => undefined);
}

/** What a deployment that a person stopped comes to, until the unit is back. */
export function wasStopped(): Failure {
  return fail('DEPLOYMENT_STOPPED', '').failure;
}

/** The end of a deployment that a person stopped before its unit was touched: it says what the unit runs. */
export async function leaveAsItIs(parts: DeployParts, unit: string): Promise<DeployEnd> {
  const running = await describeRunning(parts.run, unit);
  if (running) parts.onEvidence({ running_digest: running.digest, running_image: running.name });
  const runs = running ? `runs ${running.name} (${running.digest})` : 'is not running';
  return { status: 'cancelled', summary: `${unit} was not touched: it ${runs}.` };
}

async function describeRunning(run: RunCommand, unit: string) {
  const listed = await listUnitContainers(run, unit);
  const container = listed.ok ? listed.value.find(({ running }) => running) : undefined;
  return container && { name: container.imageName, digest: container.imageDigest };
}
