import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { loadSettings } from '../../shared/config/load-settings.ts';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { type Failure, fail } from '../../shared/contract/outcome.ts';
import type { Problem } from '../api/problem.ts';
import type { Calling } from './call-note.ts';
import { sayFailure } from './output/say.ts';
import { printFaults } from './print-faults.ts';
import { type Answered, askService } from './service/ask-service.ts';
import type { Question } from './service/question.ts';

const TIMEOUT_MS = 120_000;

/** What the service answered; where it refused or could not be asked, that has been said, and there is no body. */
export type ServiceAnswer = {
  readonly isGood: boolean;
  /** What the command ends with, unless it knows better. */
  readonly exit: ExitCode;
  readonly body: unknown;
  /** No service runs: the answer came of the state itself, and what is to be done waits. */
  readonly isLocal: boolean;
};

/** Asks the service; see `askService`. What keeps it from answering, and each refusal, is said, also to a program. */
export function callService(calling: Calling, question: Question): Promise<ServiceAnswer> {
  return ask(calling, question, AbortSignal.timeout(TIMEOUT_MS), async ({ status, body }) =>
    status === 204 ? null : await json(body),
  );
}

/** The same for an answer that is long, and no JSON: prints it as it comes. */
export function printFromService(calling: Calling, path: string): Promise<ServiceAnswer> {
  return readFromService(calling, { path }, async (body) => {
    for await (const chunk of body) {
      if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
    }
  });
}

/** The same for an answer that is read as it comes, for as long as it may last. */
export function readFromService(
  calling: Calling,
  question: Question,
  read: (body: Readable) => Promise<unknown>,
  signal: AbortSignal = new AbortController().signal,
): Promise<ServiceAnswer> {
  return ask(calling, question, signal, ({ body }) => read(body));
}

async function ask(
  calling: Calling,
  question: Question,
  signal: AbortSignal,
  read: (answer: Answered) => Promise<unknown>,
): Promise<ServiceAnswer> {
  const { environment, note } = calling;
  const result = loadSettings(environment);
  if (!result.ok) {
    printFaults(result.faults);
    return { isGood: false, exit: EXIT.configInvalid, body: null, isLocal: false };
  }
  const asked = await askService(calling, result.loaded, question, signal);
  if (!asked.ok) return refuse(calling, asked.failure);
  const { status, body, isLocal } = asked.value;
  note.status = status;
  try {
    if (status < 300) {
      return { isGood: true, exit: EXIT.ok, body: await read(asked.value), isLocal };
    }
    const { code, detail = '' } = (await json(body)) as Problem;
    return refuse(calling, fail(code, detail).failure, status);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return refuse(calling, fail('SERVICE_CONNECTION_LOST', `${code ?? message}.`).failure);
  }
}

/** What the service calls an invalid request came of words that were wrong. */
function refuse({ note, isJson }: Calling, failure: Failure, status?: number): ServiceAnswer {
  note.code = failure.code;
  const said = sayFailure(failure, isJson());
  return { isGood: false, exit: status === 400 ? EXIT.usage : said, body: null, isLocal: false };
}
