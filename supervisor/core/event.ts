/** The signals that ask the supervisor to end; the worker is told by the very same one. */
export type StopSignal = 'SIGTERM' | 'SIGINT';

/** The clocks that the machine sets: one for readiness, one for the next start, one for the end. */
export type Timer = 'start-deadline' | 'backoff' | 'stop-deadline';

/** How a worker ended: by an exit code or by a signal, as the kernel says. */
export type WorkerExit = {
  readonly kind: 'worker-exited';
  readonly code: number | null;
  readonly signal: string | null;
};

/** Everything that can happen to the supervisor. */
export type Event =
  | { readonly kind: 'start' }
  | { readonly kind: 'worker-spawned'; readonly pid: number }
  | { readonly kind: 'spawn-failed'; readonly reason: string }
  | { readonly kind: 'worker-ready' }
  | WorkerExit
  | { readonly kind: 'timer-fired'; readonly timer: Timer }
  | { readonly kind: 'stop-requested'; readonly signal: StopSignal }
  | { readonly kind: 'reload-requested' };
