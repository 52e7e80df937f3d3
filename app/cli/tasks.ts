import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { formatLogEntry, formatTask } from '../api/task-text.ts';
import type { Page, TaskDetailView, TaskView } from '../api/views.ts';
import type { Calling } from './call-note.ts';
import { callService, printFromService } from './call-service.ts';

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
  if (!answer?.isGood) return EXIT.failure;
  if (json) return printJson(answer.body);
  const { tasks, next_cursor: cursor } = answer.body as Page<'tasks', TaskView>;
  for (const { task_id: id, created_at: at, status, unit, summary } of tasks) {
    process.stdout.write(`${id}  ${at}  ${status.padEnd(9)}  ${unit}  ${summary}\n`);
  }
  if (tasks.length === 0) process.stdout.write('No such task.\n');
  if (cursor !== null) process.stdout.write(`There is more: --cursor ${cursor}\n`);
  return EXIT.ok;
}

/** `tasks show ID`: one task with the beginning of its log. */
export async function showTask(
  id: string,
  { json }: { readonly json?: boolean },
  calling: Calling,
): Promise<ExitCode> {
  const answer = await callService(calling, { path: pathOf(id) });
  if (!answer?.isGood) return EXIT.failure;
  if (json) return printJson(answer.body);
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
  if (!answer?.isGood) return EXIT.failure;
  if (json) return printJson(answer.body);
  const { task_id: shown, status, summary } = answer.body as TaskView;
  const goesOn = command === 'stop' && status !== 'cancelled' ? ' and ends' : '';
  process.stdout.write(`Task ${shown} is ${status}${goesOn}: ${summary}\n`);
  return EXIT.ok;
}

/** `tasks export ID`: the whole task with all its log. */
export async function exportTask(
  id: string,
  { format }: { readonly format: string },
  calling: Calling,
): Promise<ExitCode> {
  const path = `${pathOf(id)}/export?format=${encodeURIComponent(format)}`;
  return (await printFromService(calling, path)) ? EXIT.ok : EXIT.failure;
}

function pathOf(id: string): string {
  return `/api/tasks/${encodeURIComponent(id)}`;
}

function printJson(body: unknown): ExitCode {
  process.stdout.write(`${JSON.stringify(body)}\n`);
  return EXIT.ok;
}
