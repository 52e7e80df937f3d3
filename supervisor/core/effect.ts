import type { ExitCode } from '../../shared/contract/exit-codes.ts';
import type { StopSignal, WorkerSignal, WorkerTimer } from './event.ts';

/** What a person should know of a step; it becomes one line of the log. */
export type Report = {
  readonly kind: 'report';
  readonly level: 'info' | 'warn' | 'error';
  readonly what: string;
  readonly fields: Readonly<Record<string, string | number | null>>;
};

/** What the edge is to do after a step. Each may be repeated without harm. */
export type Effect =
  | { readonly kind: 'start-worker'; readonly trial: boolean }
  | { readonly kind: 'signal-worker'; readonly signal: StopSignal }
  /** SIGKILL to the worker and everything in its process group. */
  | { readonly kind: 'kill-worker' }
  /** Replaces an earlier timer of the same name. */
  | { readonly kind: 'set-timer'; readonly timer: WorkerTimer; readonly afterMs: number }
  | { readonly kind: 'clear-timer'; readonly timer: WorkerTimer }
  | Report
  /** Something for the update to know. */
  | { readonly kind: 'signal'; readonly signal: WorkerSignal }
  | { readonly kind: 'exit'; readonly code: ExitCode };
