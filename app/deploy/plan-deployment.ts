import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { planSteps, type Steps } from '../domain/deployment-plan.ts';
import { readStanding } from '../host/read-unit-state.ts';
import type { DeployMemory } from './deploy-memory.ts';
import type { DeployRequest } from './deploy-unit.ts';
import { findRunning } from './find-running.ts';
import { findWanted, type WantedParts } from './find-wanted.ts';
import { isTroubled } from './make-ready.ts';
import { atOnce, imageIdOf, refuse } from './prepare-deployment.ts';
import { chooseFormer } from './way-back.ts';

/** What a plan is made with: nothing of it may be changed by looking. */
export type PlanParts = Pick<
  WantedParts,
  'run' | 'readInfo' | 'readText' | 'lookUp' | 'readPolicy' | 'isSystem'
> & {
  readonly memory: Pick<DeployMemory, 'findBad' | 'firstSeen' | 'isProven'>;
};

/**
 * Finds out what a deployment would do now, by the same looks that the deployment takes, and touches nothing. Fails as
 * the deployment would before it touches anything.
 */
export async function planDeployment(
  parts: PlanParts,
  request: Pick<DeployRequest, 'unit' | 'version' | 'isManual'>,
): Promise<Outcome<Steps>> {
  const { run, memory } = parts;
  const silent = { ...parts, onPhase: () => undefined, onEvidence: () => undefined };
  const found = await findWanted(silent, request);
  if (!found.ok) return found;
  const wanted = request.isManual ? atOnce(found.value) : found.value;
  const { unit, restartUnit, image, digest, current: known } = wanted;
  const running = await findRunning(run, unit, image, { digest, imageId: null, known });
  if (!running.ok && running.failure.code !== 'CONTAINER_NOT_RUNNING') return running;
  const standing = await readStanding(run, unit, restartUnit);
  if (!standing.ok) return standing;
  const { sample, dependents } = standing.value;
  const isBad = (known: string) => known === digest || memory.findBad(unit, known) !== undefined;
  const isProven = (imageId: string) => memory.isProven(unit, imageId);
  const runningId = imageIdOf(running);
  const judge = { isBad, isProven, isTroubled: isTroubled(sample), known, runningId };
  const former = await chooseFormer(run, unit, image, judge);
  if (!former.ok) return former;
  const refusal = refuse(memory, wanted, digest);
  const notBeforeMs = refusal?.status === 'deferred' ? refusal.notBeforeMs : null;
  return succeed(
    planSteps({
      ...wanted,
      running: running.ok ? { digest: running.value.digest, image: running.value.name } : null,
      isWantedRunning: running.ok && running.value.isWanted,
      isStopped: ['inactive', 'deactivating'].includes(sample.activeState),
      former: former.value,
      dependents,
      obstacle: refusal ? { why: refusal.summary, notBeforeMs } : null,
    }),
  );
}
