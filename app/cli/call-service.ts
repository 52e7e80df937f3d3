import { once } from 'node:events';
import { type Dispatcher, request } from 'undici';
import { loadSettings } from '../../shared/config/load-settings.ts';
import { formatHttpAddress } from '../../shared/contract/http-address.ts';
import type { Problem } from '../api/problem.ts';
import type { Calling } from './call-note.ts';
import { printFaults } from './print-faults.ts';

const TIMEOUT_MS = 120_000;

/** What the service answered; undefined where it could not be asked, which has been said. */
export type ServiceAnswer = { readonly isGood: boolean; readonly body: unknown };

/** What is asked: with a body it is a POST, without one a GET. */
export type Question = { readonly path: string; readonly body?: unknown };

type Answer = Dispatcher.ResponseData;

/**
 * Asks the running service, at the address and with the token that the environment configures. What keeps it from
 * answering, and each refusal, is printed on stderr.
 */
export function callService(
  calling: Calling,
  question: Question,
): Promise<ServiceAnswer | undefined> {
  return ask(calling, question, async (answer) => ({
    isGood: true,
    body: await answer.body.json(),
  }));
}

/** The same for an answer that is long, and no JSON: prints it as it comes. Whether it came whole. */
export async function printFromService(calling: Calling, path: string): Promise<boolean> {
  const printed = await ask(calling, { path }, async (answer) => {
    for await (const chunk of answer.body) {
      if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
    }
    return { isGood: true, body: null };
  });
  return printed?.isGood ?? false;
}

async function ask(
  calling: Calling,
  { path, body }: Question,
  read: (answer: Answer) => Promise<ServiceAnswer>,
): Promise<ServiceAnswer | undefined> {
  const { environment, note } = calling;
  const result = loadSettings(environment);
  if (!result.ok) {
    printFaults(result.faults);
    return undefined;
  }
  const { httpAddr, adminToken } = result.loaded.settings;
  const address = formatHttpAddress(httpAddr);
  try {
    const answer = await request(`http://${address}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(adminToken !== undefined && { authorization: `Bearer ${adminToken}` }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    note.status = answer.statusCode;
    if (answer.statusCode < 300) return await read(answer);
    const problem = (await answer.body.json()) as Problem;
    note.code = problem.code;
    process.stderr.write(`${describeProblem(problem)}\n`);
    return { isGood: false, body: problem };
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
