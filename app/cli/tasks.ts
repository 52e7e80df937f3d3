import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { formatLogEntry, formatTask } from '../api/task-text.ts';
import type { Page, TaskDetailView, TaskView } from '../api/views.ts';
import type { Calling } from './call-note.ts';
import { callService, printFromService } from './call-service.ts';
import { formatTime } from './output/format-time.ts';
import { print, printJson } from './output/say.ts';
import { findScreen } from './output/screen.ts';
import { formatTable } from './output/table.ts';
import { toneOf, WAITS_FOR_SERVICE } from './output/task-words.ts';

/** Options of `tasks list`; each is a part of the query of `GET /api/tasks`. */
export type ListOptions = {
  readonly status?: string;
  readonly kind?: string;
  readonly unit?: string;
  readonly unitQuery?: string;
  readonly query?: string;
  readonly batch?: string;
  readonly retryOf?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit?: string;
  readonly cursor?: string;
  readonly json?: boolean;
};

const HEAD = ['ID', 'CREATED', 'STATUS', 'UNIT', 'SUMMARY'];
const STATUS_COLUMN = HEAD.indexOf('STATUS');

/** What a person may do with a task. */
export type TaskCommand = 'stop' | 'force-stop' | 'retry';

/** `tasks list`: the tasks that the service knows, newest first. */
export async function listTasks(options: ListOptions, calling: Calling): Promise<ExitCode> {
  const { json, query: q, unitQuery: unit_query, retryOf: retry_of, ...others } = options;
  const wanted = Object.entries({ ...others, q, unit_query, retry_of });
  const query = new URLSearchParams(
    wanted.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const answer = await callService(calling, { path: `/api/tasks?${query}` });
  if (!answer.isGood) return answer.exit;
  if (json) printJson(answer.body);
  else print(describePage(answer.body as Page<'tasks', TaskView>));
  return EXIT.ok;
}

function describePage({ tasks, next_cursor: cursor }: Page<'tasks', TaskView>): string {
  if (tasks.length === 0) return 'No such task.';
  const rows = tasks.map((task) => [
    task.task_id,
    formatTime(task.created_at),
    task.status,
    task.unit,
    task.summary,
  ]);
  const table = formatTable(rows, {
    head: HEAD,
    screen: findScreen(),
    tone: (cell, column) => (column === STATUS_COLUMN ? toneOf(cell) : undefined),
  });
  return cursor === null ? table : `${table}\nThere is more: --cursor ${cursor}`;
}

/** `tasks show ID`: one task with the beginning of its log. */
export async function showTask(
  id: string,
  { json }: { readonly json?: boolean },
  calling: Calling,
): Promise<ExitCode> {
  const answer = await callService(calling, { path: pathOf(id) });
  if (!answer.isGood) return answer.exit;
  if (json) {
    printJson(answer.body);
    return EXIT.ok;
  }
  const task = answer.body as TaskDetailView;
  const logs = task.logs.map(formatLogEntry).join('');
  const more = task.logs_next === null ? '' : `There is more: tasks export ${id} --format text\n`;
  process.stdout.write(`${formatTask(task)}\n${logs}${more}`);
  return EXIT.ok;
}

/** `tasks stop | force-stop | retry ID`: has the service do that. */
export async function commandTask(
  command: TaskCommand,
  id: string,
  { json, reason }: { readonly json?: boolean; readonly reason?: string },
  calling: Calling,
): Promise<ExitCode> {
  calling.note.taskId = id;
  const body = reason === undefined ? {} : { reason };
  const answer = await callService(calling, { path: `${pathOf(id)}/${command}`, body });
  if (!answer.isGood) return answer.exit;
  if (json) {
    printJson(answer.body);
    return EXIT.ok;
  }
  const { task_id: shown, status, summary } = answer.body as TaskView;
  const goesOn = command === 'stop' && status !== 'cancelled' ? ' and ends' : '';
  print(`Task ${shown} is ${status}${goesOn}: ${summary}`);
  if (command === 'retry' && answer.isLocal) print(WAITS_FOR_SERVICE);
  return EXIT.ok;
}

/** `tasks export ID`: the whole task with all its log. */
export async function exportTask(
  id: string,
  { format }: { readonly format: string },
  calling: Calling,
): Promise<ExitCode> {
  const path = `${pathOf(id)}/export?format=${encodeURIComponent(format)}`;
  return (await printFromService(calling, path)).exit;
}

function pathOf(id: string): string {
  return `/api/tasks/${encodeURIComponent(id)}`;
}
