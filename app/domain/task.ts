import type { Failure } from '../../shared/contract/outcome.ts';
import { BACK_ATTEMPTS, FORWARD_ATTEMPTS } from './deployment.ts';

/**
 * The closed list of what makes a task: a person, a delivery, a clock, the keeping of order, the report of a self-update
 * that is over, the program itself. A filter may ask for each; not every one is made.
 */
export const TASK_KINDS = [
  'manual',
  'github-webhook',
  'scheduler',
  'maintenance',
  'self-update',
  'internal',
] as const;

/** What has made a task. */
export type TaskKind = (typeof TASK_KINDS)[number];

/** The closed list of states of a task; the last six are final: nothing changes a task that has one of them. */
export const TASK_STATUSES = [
  'pending',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'skipped',
  'unknown',
  'anomaly',
] as const;

/** A state of a task. */
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** A state that nothing leaves. */
export type FinalStatus = Exclude<TaskStatus, 'pending' | 'running'>;

/** The closed list of what a running task does, in the order in which it comes to it. */
export const TASK_PHASES = [
  'queued',
  'waiting',
  'dispatching',
  'reading-unit',
  'resolving-digest',
  'pulling-image',
  'holding-image',
  'tagging-image',
  'restarting',
  'verifying',
  'diagnosing',
  'rolling-back',
  'done',
] as const;

/** What a running task is doing. */
export type TaskPhase = (typeof TASK_PHASES)[number];

/**
 * Why a task waits: for what the policy of its unit asks for, because a registry wants to be left alone, or because the
 * host is out of reach on which a unit has to be brought back.
 */
export type DeferralReason = 'policy' | 'rate-limit' | 'unreachable';

/**
 * The closed list of what a pending task waits for: its image was deployed too often, a registry limits the rate, further
 * deliveries may come, the policy of its unit.
 */
export const TASK_WAITS = ['image-limit', 'registry-limit', 'deliveries', 'policy'] as const;

/** Whether the state is final. */
export function isFinal(status: TaskStatus): status is FinalStatus {
  return status !== 'pending' && status !== 'running';
}

/** A task whose process vanished is started again at most this often; then it is closed as lost. */
export const MAX_ATTEMPTS = FORWARD_ATTEMPTS;

/**
 * What is to be done about a task that is `running` in the database but whose process is gone. One that has touched
 * its unit (`isOpen`) gets further attempts, which only bring the unit back.
 */
export function decideLost(attempts: number, isOpen = false): 'resume' | 'close' {
  return attempts < MAX_ATTEMPTS + (isOpen ? BACK_ATTEMPTS : 0) ? 'resume' : 'close';
}

/** What is said of a task that is closed because its process vanished too often; `how` that ended. */
export function lostFailure(
  task: {
    readonly claimed_at: number | null;
    readonly attempts: number;
    readonly deferrals: number;
  },
  how: string,
): Failure {
  const code = task.claimed_at === null ? 'TASK_DISPATCH_FAILED' : 'TASK_LOST';
  return { code, detail: `After ${task.attempts - task.deferrals} attempts: ${how}.` };
}

/** The same as the first half of a sentence. */
export function describeLost({ kind, unit }: { kind: TaskKind; unit: string }): string {
  return kind === 'maintenance' ? 'It could not be done' : `${unit} could not be updated`;
}
