import type { Loaded } from '../../../shared/config/load-settings.ts';
import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import type { Calling } from '../call-note.ts';
import { askOverSocket } from './ask-over-socket.ts';
import { dialService } from './dial-service.ts';
import type { Question, Reply } from './question.ts';

/** A reply, and whether no service runs, so that it came of the state itself. */
export type Answered = Reply & { readonly isLocal: boolean };

/** A worker that ends has cut us off; the next one is there soon. This often in a row is no accident. */
const MAX_TRIES = 5;

/**
 * Asks the running service over its socket, or where none runs the same routes over the state. Fails with
 * SERVICE_NOT_READY, SERVICE_OF_ANOTHER_USER, SERVICE_CONNECTION_LOST, and with what is wrong with the state.
 */
export async function askService(
  { openLocal }: Pick<Calling, 'openLocal'>,
  loaded: Loaded,
  question: Question,
  signal: AbortSignal,
): Promise<Outcome<Answered>> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const dialled = await dialService(loaded.paths, { onWait: sayThatWeWait });
    if (!dialled.ok) return dialled;
    if (!dialled.value) {
      const local = await openLocal(loaded);
      return local.ok ? succeed({ ...(await local.value.ask(question)), isLocal: true }) : local;
    }
    const reply = await askOverSocket(dialled.value, question, signal);
    if (reply === 'lost') return fail('SERVICE_CONNECTION_LOST', '');
    if (reply !== 'again') return succeed({ ...reply, isLocal: false });
  }
  return fail('SERVICE_NOT_READY', `It cut off ${MAX_TRIES} connections.`);
}

function sayThatWeWait(): void {
  if (process.stderr.isTTY) process.stderr.write('The service is not ready; waiting for it.\n');
}
