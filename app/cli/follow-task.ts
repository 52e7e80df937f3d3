import type { Readable } from 'node:stream';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { formatLogEntry } from '../api/task-text.ts';
import type { TaskDetailView, TaskLogView } from '../api/views.ts';
import type { Calling } from './call-note.ts';
import { callService, readFromService, type ServiceAnswer } from './call-service.ts';
import { print, printJson } from './output/say.ts';
import { findScreen } from './output/screen.ts';
import { beginStatusLine, type StatusLine } from './output/status-line.ts';
import { toneOf } from './output/task-words.ts';
import { readEvents } from './service/read-events.ts';

/** Streams in a row that bring nothing: then something is wrong that asking again does not cure. */
const MAX_EMPTY = 20;
/** How a task ends that did what it was to do, or had nothing to do. */
const GOOD = ['succeeded', 'skipped'];

/** How far a task was followed. */
type Following = { lastId: string; hasEnded: boolean };

/**
 * `tasks follow ID`: prints the log of a task as it is written until its end, and ends with 0 where the task did what it was
 * to do or had nothing to do. Where the service is restarted meanwhile it goes on where it was. With `json` it prints the
 * task, once it is over. Whoever leaves with Ctrl-C leaves the task as it is.
 */
export async function followTask(
  id: string,
  { json }: { readonly json?: boolean | undefined },
  calling: Calling,
): Promise<ExitCode> {
  calling.note.taskId = id;
  const leaving = leaveOnSignal();
  const line = json ? undefined : beginStatusLine();
  try {
    const answer = await untilEnded(id, calling, { leaving, line });
    if (leaving.aborted) return leave(id, line);
    if (!answer.isGood) return answer.exit;
  } finally {
    line?.end();
  }
  return await sayEnd(id, json ?? false, calling);
}

/**
 * Reads the log of a task until its end, also over restarts of the service, or until `leaving` is aborted; its entries go to
 * `line`. Gives the last answer, which is a refusal where the service could not be asked any more.
 */
export async function untilEnded(
  id: string,
  calling: Calling,
  {
    leaving,
    line,
  }: { readonly leaving?: AbortSignal; readonly line?: StatusLine | undefined } = {},
): Promise<ServiceAnswer> {
  const following: Following = { lastId: '0', hasEnded: false };
  const read = (body: Readable) => readLog(body, following, line);
  const path = `/sse/task-logs?task_id=${encodeURIComponent(id)}`;
  for (let empty = 0; ; ) {
    const before = following.lastId;
    const question = { path, headers: { 'last-event-id': before } };
    const answer = await readFromService(calling, question, read, leaving);
    empty = following.lastId === before ? empty + 1 : 0;
    const isOver = following.hasEnded || leaving?.aborted || !answer.isGood;
    if (isOver || empty > MAX_EMPTY) return answer;
  }
}

async function readLog(body: Readable, following: Following, line?: StatusLine): Promise<void> {
  try {
    for await (const { event, id, data } of readEvents(body)) {
      if (id !== null) following.lastId = id;
      if (event === 'end') following.hasEnded = true;
      if (event !== 'log') continue;
      const entry = JSON.parse(data) as TaskLogView;
      line?.print(formatLogEntry(entry));
      line?.say(entry.action);
    }
  } catch (error) {
    // A worker that ends cuts its readers off: whoever follows comes again.
    if (!['ECONNRESET', 'ABORT_ERR'].includes((error as NodeJS.ErrnoException).code ?? '')) {
      throw error;
    }
  }
}

async function sayEnd(id: string, isJson: boolean, calling: Calling): Promise<ExitCode> {
  const answer = await callService(calling, { path: `/api/tasks/${encodeURIComponent(id)}` });
  if (!answer.isGood) return answer.exit;
  const { status, summary } = answer.body as TaskDetailView;
  if (isJson) printJson(answer.body);
  else {
    const tone = toneOf(status);
    const word = tone === undefined ? status : findScreen().paint(tone, status);
    print(`Task ${id} ${word}: ${summary}`);
  }
  return GOOD.includes(status) ? EXIT.ok : EXIT.failure;
}

function leaveOnSignal(): AbortSignal {
  const leaving = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => leaving.abort());
  }
  return leaving.signal;
}

function leave(id: string, line: StatusLine | undefined): ExitCode {
  line?.end();
  process.stderr.write(`Task ${id} goes on without being watched.\n`);
  return EXIT.failure;
}
