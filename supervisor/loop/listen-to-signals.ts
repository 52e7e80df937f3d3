import type { StopSignal } from '../core/event.ts';
import type { SupervisorEvent } from '../core/supervisor.ts';

/** Turns signals of the process into events, until the returned function is called. */
export function listenToSignals(post: (event: SupervisorEvent) => void): () => void {
  const stop = (signal: StopSignal) => () => {
    // The update first: it gives back what the stop would cost it.
    post({ to: 'update', event: { kind: 'stop' } });
    post({ to: 'worker', event: { kind: 'stop-requested', signal } });
  };
  const listeners = {
    SIGTERM: stop('SIGTERM'),
    SIGINT: stop('SIGINT'),
    SIGHUP: () => {
      post({ to: 'update', event: { kind: 'reload' } });
      post({ to: 'worker', event: { kind: 'reload-requested' } });
    },
    // Unheard, the one opens a port for debuggers and the other ends the process.
    SIGUSR1: () => undefined,
    SIGUSR2: () => undefined,
  } as const;
  const entries = Object.entries(listeners);
  for (const [signal, listener] of entries) process.on(signal, listener);
  return () => {
    for (const [signal, listener] of entries) process.off(signal, listener);
  };
}
