/** The signals that ask the supervisor to end; the worker is told by the very same one. */
export type StopSignal = 'SIGTERM' | 'SIGINT';

/** The clocks that the machine sets: one for readiness, one for the next start, one for the end. */
export type WorkerTimer = 'start-deadline' | 'backoff' | 'stop-deadline';

/** How a worker ended: by an exit code or by a signal, as the kernel says. */
export type WorkerExit = {
  readonly kind: 'worker-exited';
  readonly code: number | null;
  readonly signal: string | null;
  /** A durable request of this very process stands behind its exit code 10. */
  readonly adopted: boolean;
};

/** What a ready worker says of itself. */
export type Readiness = {
  readonly version: string;
  readonly schema: number;
  readonly digest: string | null;
};

/** Everything that can happen to the worker, or to the supervisor on its account. */
export type Event =
  | { readonly kind: 'start' }
  | { readonly kind: 'worker-spawned'; readonly pid: number }
  | { readonly kind: 'spawn-failed'; readonly reason: string }
  | { readonly kind: 'worker-ready'; readonly readiness: Readiness }
  /** It is not ready but gets on. */
  | { readonly kind: 'worker-starting' }
  | WorkerExit
  | { readonly kind: 'timer-fired'; readonly timer: WorkerTimer }
  | { readonly kind: 'stop-requested'; readonly signal: StopSignal }
  | { readonly kind: 'reload-requested' }
  /** The update wants no worker. */
  | { readonly kind: 'suspend' }
  /** The update wants a worker again. */
  | { readonly kind: 'resume'; readonly trial: boolean }
  /** The worker has proven itself: from now on it is restarted like any other. */
  | { readonly kind: 'end-trial' };

/** What the update learns of the worker. */
export type WorkerSignal =
  | { readonly kind: 'worker-up'; readonly readiness: Readiness }
  /** A worker on trial is gone. */
  | {
      readonly kind: 'worker-failed';
      readonly how: 'exited' | 'timed-out' | 'not-started';
      readonly code: number | null;
      readonly signal: string | null;
      readonly reason: string;
    }
  /** There is no worker, as was wanted. */
  | { readonly kind: 'worker-suspended' };
