import { request } from 'undici';
import { loadSettings } from '../../shared/config/load-settings.ts';
import { formatHttpAddress } from '../../shared/contract/http-address.ts';
import type { Problem } from '../api/problem.ts';
import type { CallNote } from './call-note.ts';
import { printFaults } from './print-faults.ts';

const TIMEOUT_MS = 120_000;

/** What the service answered; undefined where it could not be asked, which has been said. */
export type ServiceAnswer = { readonly isGood: boolean; readonly body: unknown };

/**
 * Asks the running service, at the address and with the token that this environment configures. What keeps it from
 * answering, and each refusal, is printed on stderr; how it answered is noted for the event of the call.
 */
export async function callService(
  environment: NodeJS.ProcessEnv,
  path: string,
  body: unknown,
  note: CallNote,
): Promise<ServiceAnswer | undefined> {
  const result = loadSettings(environment);
  if (!result.ok) {
    printFaults(result.faults);
    return undefined;
  }
  const { httpAddr, adminToken } = result.loaded.settings;
  const address = formatHttpAddress(httpAddr);
  try {
    const answer = await request(`http://${address}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(adminToken !== undefined && { authorization: `Bearer ${adminToken}` }),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const said = await answer.body.json();
    const isGood = answer.statusCode < 300;
    note.status = answer.statusCode;
    if (!isGood) {
      note.code = (said as Problem).code;
      process.stderr.write(`${describeProblem(said as Problem)}\n`);
    }
    return { isGood, body: said };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    process.stderr.write(
      `The service does not answer at ${address} (${code ?? message}). Is it running, and is PODUP_HTTP_ADDR the same here?\n`,
    );
    return undefined;
  }
}

function describeProblem({ code, title, detail, hint }: Problem): string {
  return [`${code}: ${title}`, detail, hint].filter(Boolean).join(' ');
}
