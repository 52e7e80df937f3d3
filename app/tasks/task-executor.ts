import type { TaskRow } from '../db/tasks.ts';

/** What runs the process of a task. */
export type TaskExecutor = {
  readonly kind: 'systemd-run' | 'child';
  /** Starts the process and resolves with how it ended, in words; never rejects. */
  start(task: TaskRow): Promise<string>;
  /**
   * Finds the process of a task that an earlier worker started and watches it; undefined where it is gone.
   */
  adopt(task: TaskRow): Promise<{ readonly ended: Promise<string> } | undefined>;
  /** Stops watching. Whether the processes go on is the executor's nature. */
  close(): void;
};

/** How a task's process is started: the program and the environment that it needs, handed over explicitly. */
export type TaskProgram = {
  readonly argv: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
};
