import { decideLost, type FinalStatus, isFinal, type TaskStatus } from './task.ts';

/** What of a task decides how its life may go on. */
export type TaskLife = {
  readonly status: TaskStatus;
  /** How often a process was started for it; what a process says counts for its own attempt only. */
  readonly attempts: number;
  /** Those of them that only found that it was not time yet. */
  readonly deferrals: number;
  /** The process of the current attempt has taken it. */
  readonly isClaimed: boolean;
  /** A person wants it to end. */
  readonly isStopRequested: boolean;
};

/** What can happen to a task. `attempt` is the one that whoever says it was started for, or has looked at. */
export type TaskEvent =
  | { readonly kind: 'dispatch' }
  | { readonly kind: 'claim'; readonly attempt: number }
  | { readonly kind: 'release'; readonly attempt: number }
  | { readonly kind: 'defer'; readonly attempt: number }
  | { readonly kind: 'finish'; readonly attempt: number; readonly status: FinalStatus }
  | { readonly kind: 'request-stop' }
  | { readonly kind: 'force-stop'; readonly attempt: number }
  /** Its process is gone; `isOpen` where it has touched its unit. */
  | { readonly kind: 'lost'; readonly attempt: number; readonly isOpen: boolean };

/**
 * Why an event changes nothing: the task has ended; it waits, so nobody can carry it out; it runs already; it was taken,
 * or asked to stop, before; another attempt has taken the place of the one that speaks.
 */
export type LifeRefusal = 'ended' | 'not-running' | 'running' | 'taken' | 'asked' | 'stale';

/** What comes of an event. */
export type LifeStep =
  | { readonly kind: 'next'; readonly life: TaskLife }
  | { readonly kind: 'refused'; readonly why: LifeRefusal };

/**
 * The life of a task, total: what each event makes of each state. Nothing leaves a final state, and nobody speaks for
 * another attempt than their own. The table of tasks does the same, each event in one statement.
 */
export function stepTask(life: TaskLife, event: TaskEvent): LifeStep {
  if (isFinal(life.status)) return refuse('ended');
  if ('attempt' in event && event.attempt !== life.attempts) return refuse('stale');
  switch (event.kind) {
    case 'dispatch':
      if (life.status === 'running') return refuse('running');
      return next({ ...life, status: 'running', attempts: life.attempts + 1, isClaimed: false });
    case 'request-stop':
      return life.isStopRequested ? refuse('asked') : next({ ...life, isStopRequested: true });
    case 'finish':
      return next({ ...life, status: event.status });
    case 'force-stop':
      return next({ ...life, status: 'cancelled' });
    case 'claim':
      if (life.status !== 'running') return refuse('not-running');
      return life.isClaimed ? refuse('taken') : next({ ...life, isClaimed: true });
    case 'release':
      return giveBack(life, life.deferrals);
    case 'defer':
      return giveBack(life, life.deferrals + 1);
    case 'lost':
      return lose(life, event.isOpen);
  }
}

/** What a person may do with a task as it is. */
export type TaskRights = {
  readonly can_stop: boolean;
  readonly can_force_stop: boolean;
  readonly can_retry: boolean;
};

/**
 * Tells which commands of a person a task takes. A stop that was asked for before is taken again and changes nothing.
 * `isRepeatable` where it is known what it was to do.
 */
export function rightsOf(life: TaskLife, isRepeatable: boolean): TaskRights {
  const force = stepTask(life, { kind: 'force-stop', attempt: life.attempts });
  const stop = stepTask(life, { kind: 'request-stop' });
  return {
    can_stop: stop.kind === 'next' || stop.why === 'asked',
    can_force_stop: force.kind === 'next',
    can_retry: isRepeatable && isFinal(life.status),
  };
}

function lose(life: TaskLife, isOpen: boolean): LifeStep {
  const begun = life.attempts - life.deferrals;
  if (life.status !== 'running' || decideLost(begun, isOpen) === 'resume') {
    return giveBack(life, life.deferrals);
  }
  return next({ ...life, status: 'failed' });
}

function giveBack(life: TaskLife, deferrals: number): LifeStep {
  if (life.status !== 'running') return refuse('not-running');
  return next({ ...life, status: 'pending', isClaimed: false, deferrals });
}

function next(life: TaskLife): LifeStep {
  return { kind: 'next', life };
}

function refuse(why: LifeRefusal): LifeStep {
  return { kind: 'refused', why };
}
