import { type Failure, fail, type Outcome } from '../../shared/contract/outcome.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import { decideResumption } from '../domain/deployment.ts';
import type { ImageReference } from '../domain/image-reference.ts';
import type { DeferralReason, TaskPhase } from '../domain/task.ts';
import type { UnitPolicy } from '../domain/unit-policy.ts';
import type { Host, ProbeSource } from '../host/host.ts';
import type { UnitFiles } from '../host/read-unit-policy.ts';
import { goForward } from './carry-out.ts';
import type { DeployMemory } from './deploy-memory.ts';
import { goBack } from './go-back.ts';
import { namesOf, prepareDeployment } from './prepare-deployment.ts';
import type { LockPull } from './pull-image.ts';
import { leaveAsItIs, untilStopped } from './until-stopped.ts';
import type { GateVerdict } from './watch-unit.ts';

/** What is wanted: the unit is to run what its own tag now means at the registry. */
export type DeployRequest = {
  readonly unit: string;
  /** The image for which the task was made; absent where systemd could not be asked then. */
  readonly image?: string;
  /** What a person chose in place of what the unit's own tag means; see `parseWantedVersion`. */
  readonly version?: string;
  /** A person asked for it: neither mode, nor age, nor window holds it back. */
  readonly isManual?: boolean;
  /** The digest that an interrupted attempt of the same task had pulled already. */
  readonly pulledBefore?: string;
  /** Which attempt at the task this is, from 1. */
  readonly attempt: number;
  /** How often in a row the task has waited for a registry that limits the rate; absent: never. */
  readonly rateLimitWaits?: number;
};

/** Digests as they become known, for the record. */
export type DeployEvidence = {
  readonly image?: string;
  readonly registry_digest?: string;
  readonly pulled_digest?: string;
  readonly running_digest?: string;
  readonly running_image?: string;
};

/**
 * Waits until no other task restarts any of the names (units, and the tags of images), and not beyond `stop`. `isHeld` is
 * false where that could not be had: then it goes on without. `hasWaited` where it was not to be had at once.
 */
export type LockUnits = (
  names: readonly string[],
  stop: AbortSignal,
) => Promise<{ readonly isHeld: boolean; readonly hasWaited: boolean; release(): void }>;

/** What a deployment works with. Every command goes through `run`, which records it. */
export type DeployParts = {
  readonly run: RunCommand;
  readonly ask: ProbeSource;
  /** The units are those of the system and not of a user. */
  readonly isSystem: boolean;
  readonly readInfo: Host['readInfo'];
  readonly readText: Host['readText'];
  /** Asks the registry for the digest of the tag; `registries` is what podman is configured with. */
  readonly lookUp: (
    image: ImageReference,
    registries: unknown,
    signal?: AbortSignal,
  ) => Promise<Outcome<{ digest: string }>>;
  /** See `PullParts`. */
  readonly lockPull?: LockPull;
  /** `files` are those of the unit where they are known; see `readUnitPolicy`. */
  readonly readPolicy: (unit: string, files?: UnitFiles) => Promise<Outcome<UnitPolicy>>;
  /** By what a unit is brought back whose own policy cannot be read any more. */
  readonly defaultPolicy: UnitPolicy;
  readonly memory: DeployMemory;
  /**
   * Keeps podman's own timer off what is in quarantine, of this unit too unless it is `lifted` for another image. What
   * fails is told as a note: no deployment fails for it.
   */
  readonly keepTimerOff: (isLifted: 'lifted' | 'kept') => Promise<void>;
  /** Keeps tasks apart that would restart each other's units, and blame an image for it. */
  readonly lockUnits: LockUnits;
  /** Gathers what a person needs to see, while the failed image still runs or has just ended. */
  readonly diagnose: () => Promise<void>;
  readonly onPhase: (phase: TaskPhase) => void;
  readonly onEvidence: (evidence: DeployEvidence) => void;
  readonly onVerdict: (verdict: GateVerdict & { readonly of: 'new' | 'old' }) => void;
  readonly onNote: (level: 'info' | 'warning', action: string, summary: string) => void;
  /** Whether the process is to end: what fails then says nothing about an image. */
  readonly isStopping: () => boolean;
  /** A person wants the deployment to end: an untouched unit is left as it is, a touched one goes back. */
  readonly stop: AbortSignal;
  /** How often the task was put off because its host was out of reach. */
  readonly hostWaits: number;
  readonly limits: { readonly pullTimeoutMs: number; readonly restartTimeoutMs: number };
};

/** What is brought to an end is waited for whatever a person wants. */
const NEVER = new AbortController().signal;

/** How it ended: `skipped` where nothing had to be done, with the reason in the summary. */
export type DeployEnd =
  | { readonly status: 'succeeded' | 'skipped' | 'cancelled'; readonly summary: string }
  /** It is not time yet: to be asked again then, by the wall clock. */
  | {
      readonly status: 'deferred';
      readonly summary: string;
      readonly notBeforeMs: number;
      readonly why: DeferralReason;
    }
  | {
      readonly status: 'failed';
      readonly summary: string;
      readonly failure: Failure;
      /** What a person needs to see was gathered. */
      readonly isDiagnosed: boolean;
    };

/**
 * Brings one unit to the image that its tag means now: digest from the registry, pull by digest, the way back held,
 * exchange, and proof that the unit serves with it. Where the proof fails the old image, and everything that depended
 * on the unit, is put back, and the image is not taken again. Each step may be repeated after a crash, and goes on
 * from what `memory` says. Up to the exchange the unit is not touched.
 */
export async function deployUnit(given: DeployParts, request: DeployRequest): Promise<DeployEnd> {
  const held: { release(): void }[] = [];
  const lockUnits: LockUnits = async (names, stop) => {
    const lock = await given.lockUnits(names, stop);
    held.push(lock);
    if (!lock.isHeld) given.onNote('warning', 'not-locked', `Others may restart ${names[0]}.`);
    return lock;
  };
  try {
    return await deploy({ ...given, lockUnits }, request);
  } finally {
    for (const lock of held) lock.release();
  }
}

async function deploy(parts: DeployParts, request: DeployRequest): Promise<DeployEnd> {
  const left = parts.memory.find();
  const resumption = decideResumption(left?.stage, request.attempt);
  if (left && resumption !== 'begin') await parts.lockUnits(namesOf(left), NEVER);
  if (left && resumption === 'back') {
    const { cause_code: code, cause_detail: detail } = left;
    const cause = code
      ? fail(code, detail ?? '')
      : fail('TASK_LOST', `After ${request.attempt - 1} attempts.`);
    const { failure } = cause;
    return goBack(parts, left, { cause: failure, isDiagnosed: false, isResumed: true });
  }
  if (left && resumption === 'forward') return goForward(parts, left, true, null);
  const prepared = await prepareDeployment(untilStopped(parts), request);
  const isOver = 'status' in prepared;
  if (isOver && ['succeeded', 'skipped'].includes(prepared.status)) return prepared;
  if (parts.stop.aborted && !parts.isStopping()) return leaveAsItIs(parts, request.unit);
  if (isOver) return prepared;
  const { deployment, known } = prepared;
  parts.memory.save(deployment);
  return goForward(parts, deployment, false, known);
}
