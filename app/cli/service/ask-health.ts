import { json } from 'node:stream/consumers';
import type { Failure } from '../../../shared/contract/outcome.ts';
import type { StatePaths } from '../../../shared/contract/state-paths.ts';
import type { HealthIssueView, HealthView } from '../../api/health-views.ts';
import { askOverSocket } from './ask-over-socket.ts';
import { dialService } from './dial-service.ts';

/** Whether a service runs, and what it says of its health; `silent`: somebody works on the state, but does not answer. */
export type ServiceState =
  | { readonly kind: 'running'; readonly issues: readonly HealthIssueView[] }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'silent'; readonly failure: Failure };

/** A service that is being replaced is not waited for: what it would say is looked at in another way. */
const WITHIN_MS = 2_000;
const LOST = { code: 'SERVICE_CONNECTION_LOST', detail: '' } as const;

/** Asks the running service what is wrong with it. */
export async function askHealth(
  paths: Pick<StatePaths, 'serviceSocket' | 'supervisorLock' | 'workerLock'>,
): Promise<ServiceState> {
  const dialled = await dialService(paths, { withinMs: WITHIN_MS });
  if (!dialled.ok) return { kind: 'silent', failure: dialled.failure };
  if (!dialled.value) return { kind: 'stopped' };
  const signal = AbortSignal.timeout(WITHIN_MS);
  const reply = await askOverSocket(dialled.value, { path: '/health' }, signal);
  if (typeof reply === 'string') return { kind: 'silent', failure: LOST };
  try {
    return { kind: 'running', issues: ((await json(reply.body)) as HealthView).issues };
  } catch {
    return { kind: 'silent', failure: LOST };
  }
}
