import type { TaskRow } from '../db/tasks.ts';

/** What runs the process of a task. */
export type TaskExecutor = {
  readonly kind: 'systemd-run' | 'child';
  /** Starts the process and resolves with how it ended, in words; never rejects. */
  start(task: TaskRow): Promise<string>;
  /** Looks for the process of a task that somebody else started or that we lost sight of, and watches it. */
  adopt(task: TaskRow): Promise<Adoption>;
  /** Stops watching. Whether the processes go on is the executor's nature. */
  close(): void;
};

/** What became of the process of a task; `unknown` where nobody can say just now. */
export type Adoption =
  | { readonly kind: 'alive'; readonly ended: Promise<string> }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown' };

/** How a task's process is started: the program and the environment that it needs, handed over explicitly. */
export type TaskProgram = {
  readonly argv: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
};
