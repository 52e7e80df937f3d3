import type { RateWindow } from '../domain/rate-window.ts';
import type { CommitSource } from './live/commit-source.ts';
import type { LostTaskParts } from './settle-lost.ts';
import type { TaskExecutor } from './task-executor.ts';

/** What a dispatcher works with. */
export type DispatcherOptions = LostTaskParts & {
  /** Chosen for each task: a user manager may come up later than we do. */
  readonly chooseExecutor: () => Promise<TaskExecutor>;
  /** Those that may have started a running task. */
  readonly executors: readonly TaskExecutor[];
  readonly concurrency: number;
  /** How often deliveries have an image deployed. */
  readonly imageLimit: RateWindow;
  readonly commits: CommitSource;
  /** A new version that has not proven itself begins nothing; `resume` ends that. */
  readonly isPaused?: boolean;
};
