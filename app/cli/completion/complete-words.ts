import { accessSync, constants } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { findStateDirectory } from '../../../shared/config/state-directory.ts';
import { statePaths } from '../../../shared/contract/state-paths.ts';
import { fitSocketPath } from '../../../shared/fs/socket-path.ts';
import { request } from '../../../shared/process/http-client.ts';
import type { ServicesView } from '../../api/service-views.ts';
import type { TaskView } from '../../api/views.ts';
import type { Asked } from './word-tree.ts';

/** A person who types does not wait for longer. */
const TIMEOUT_MS = 1_000;
const MAX_TASKS = 50;

/** What is asked for, and the line that each of it becomes: the word, a tab, what it is. */
const QUESTIONS: Readonly<Record<Asked, { path: string; read: (body: unknown) => string[] }>> = {
  units: {
    path: '/api/manual/services',
    read: (body) => (body as ServicesView).services.map(({ unit }) => `${unit}\tunit`),
  },
  tasks: {
    path: `/api/tasks?limit=${MAX_TASKS}`,
    read: (body) =>
      (body as { readonly tasks: readonly TaskView[] }).tasks.map(
        ({ task_id: id, status, unit }) => `${id}\t${status} ${unit}`,
      ),
  },
};

/**
 * Prints the words that the running service knows, one a line, for the completion of a shell. Where it does not run, or
 * does not answer in a second, there are none: nothing is begun and nothing is said while somebody types. Loads neither the
 * settings nor the commands.
 */
export async function completeWords(
  [asked]: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const question = QUESTIONS[asked as Asked];
  const stateDir = findStateDirectory(environment['PODUP_STATE_DIR'] || undefined, {
    environment,
    isWritable,
  });
  if (!question || stateDir === undefined) return;
  try {
    const body = await ask(statePaths(stateDir).serviceSocket, question.path);
    const lines = question.read(body).map((line) => `${line.replaceAll(/[^\P{Cc}\t]/gu, ' ')}\n`);
    process.stdout.write(lines.join(''));
  } catch {
    // Nobody answers.
  }
}

async function ask(socketPath: string, path: string): Promise<unknown> {
  const fitting = fitSocketPath(socketPath);
  try {
    const sent = request({
      ...{ socketPath: fitting.path, path, agent: false },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve).once('error', reject).end();
    });
    return await json(answer);
  } finally {
    fitting.release();
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
