import type { WorkerNotice } from '../../shared/contract/worker-messages.ts';
import type { SupervisorChannel } from './supervisor-channel.ts';

type StartingStep = Extract<WorkerNotice, { kind: 'worker-starting' }>['step'];

/** A supervisor waits while it hears this at least every ten seconds. */
const GETS_ON_EVERY_MS = 5_000;

/** Tells the supervisor, for as long as `act` takes, that a start gets on. */
export async function whileSaying<T>(
  channel: SupervisorChannel | undefined,
  step: StartingStep,
  act: Promise<T>,
): Promise<T> {
  const say = () => channel?.send({ kind: 'worker-starting', step });
  say();
  const timer = setInterval(say, GETS_ON_EVERY_MS);
  try {
    return await act;
  } finally {
    clearInterval(timer);
  }
}
