import type { ErrorCode } from '../../shared/contract/error-codes.ts';

/**
 * How far a deployment has come, as far as a crash must not forget it: `forward` from just before the unit is touched,
 * `back` from the decision to put the old image back, `ended` once the unit is proven on either.
 */
export type DeploymentStage = 'forward' | 'back' | 'ended';

/** What must not be forgotten of an open deployment. */
export type OpenDeployment = {
  readonly unit: string;
  /** The name with a tag under which the unit runs its image. */
  readonly image: string;
  readonly wanted_digest: string;
  /** Its local id, under which it is found whatever its names are; null in what an older program has written. */
  readonly wanted_image_id: string | null;
  /** What is restarted for it: the unit itself or, where its container is in a pod, the unit of the pod; null as above. */
  readonly restart_unit: string | null;
  /** Whether this deployment has pulled it: only then may it be removed again. */
  readonly is_brought: 0 | 1;
  /** What is to be written as its image into the file of the unit, once it is proven; null: nothing. */
  readonly write_image: string | null;
  /** What the name meant before; null where there was no such image here. */
  readonly former_image_id: string | null;
  readonly former_digest: string | null;
  /** The name that holds it. */
  readonly held_as: string | null;
  /** Units that were active and must be again. */
  readonly dependents: readonly string[];
  readonly stage: DeploymentStage;
  /** Why it goes, or went, back. */
  readonly cause_code: ErrorCode | null;
  readonly cause_detail: string | null;
};

/** An image that failed for a unit. */
export type BadImage = {
  readonly unit: string;
  readonly digest: string;
  /** The name under which it was deployed. */
  readonly image: string;
  /** What was deployed of it here: other digests may lead to the same image. Null where that was not known. */
  readonly image_id: string | null;
  readonly code: ErrorCode;
  readonly detail: string;
};

/** A deployment is carried on this often after its process vanished; once more to bring the unit back. */
export const FORWARD_ATTEMPTS = 3;
export const BACK_ATTEMPTS = 3;

/** What an attempt at a task has to do first. */
export type Resumption =
  /** The unit was not touched by this task, or it is proven: from the beginning. */
  | 'begin'
  /** The way back is held and the unit may be anywhere in between: on to the new image. */
  | 'forward'
  /** It failed, or died too often on the way: back to the old image. */
  | 'back';

/** Decides how an attempt goes on from what the ones before have left. `attempt` counts from 1. */
export function decideResumption(stage: DeploymentStage | undefined, attempt: number): Resumption {
  if (stage === undefined || stage === 'ended') return 'begin';
  if (stage === 'back') return 'back';
  return attempt > FORWARD_ATTEMPTS ? 'back' : 'forward';
}

/** Failures for which the new image is to blame. Others (a full disk, no user manager) say nothing about it. */
const BLAMED: ReadonlySet<ErrorCode> = new Set([
  'RESTART_FAILED',
  'RESTART_TIMEOUT',
  'CONTAINER_NOT_RUNNING',
  'GATE_UNIT_DOWN',
  'GATE_UNIT_RESTARTED',
  'GATE_UNHEALTHY',
  'GATE_PROBE_FAILED',
  'GATE_LOG_FORBIDDEN',
  'GATE_LOG_MISSING',
  'DEPENDENTS_DOWN',
]);

/** Whether the image is to blame for how its deployment failed, so that it is not taken again. */
export function isBlamed(code: ErrorCode): boolean {
  return BLAMED.has(code);
}

/** What a unit may at most ask for in its policy, for its start and for its soak, in milliseconds. */
const MAX_PROOF_MS = 2 * 3_600_000;
/** A pull is tried this often. */
export const PULL_TRIES = 3;
/** The old image is put back this often, where the first time fails. */
export const BACK_TRIES = 2;

/** The longest that a deployment can take, all its limits together, in milliseconds. */
export function longestDeploymentMs(limits: {
  readonly pullTimeoutMs: number;
  readonly restartTimeoutMs: number;
}): number {
  // Forward and back, each with the dependents.
  const oneWay = 2 * limits.restartTimeoutMs + MAX_PROOF_MS;
  return PULL_TRIES * limits.pullTimeoutMs + (1 + BACK_TRIES) * oneWay;
}
