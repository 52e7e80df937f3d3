import type { Outcome } from '../../shared/contract/outcome.ts';
import type { TaskRow } from '../db/tasks.ts';

/** What runs the process of a task. */
export type TaskExecutor = {
  readonly kind: 'systemd-run' | 'child';
  /** Starts the process and resolves with how it ended, in words; never rejects. */
  start(task: TaskRow): Promise<string>;
  /** Looks for the process of a task that somebody else started or that we lost sight of, and watches it. */
  adopt(task: TaskRow): Promise<Adoption>;
  /** Has the process of a running task look at its row again (SIGUSR2); one that is not up yet looks anyway. */
  wake(task: TaskRow): Promise<void>;
  /** Kills the whole process tree of a task and sees that nothing is left, else TASK_NOT_KILLED; never rejects. */
  kill(task: TaskRow): Promise<Outcome<void>>;
  /** Stops watching. Whether the processes go on is the executor's nature. */
  close(): void;
};

/** What became of the process of a task; `unknown` where nobody can say just now. */
export type Adoption =
  | { readonly kind: 'alive'; readonly ended: Promise<string> }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown' };

/** What cannot be killed within this time (it waits for a disk) is told of. */
export const KILL_WITHIN_MS = 10_000;

/** What `wake` sends: a process that does not know it yet ends by it, and its task begins again. */
export const WAKE_SIGNAL = 'SIGUSR2';

/** How a task's process is started: the program and the environment that it needs, handed over explicitly. */
export type TaskProgram = {
  readonly argv: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
};
