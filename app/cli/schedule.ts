import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import type { ScheduledJobView, ScheduleRunView, ScheduleView } from '../api/schedule-views.ts';
import type { Calling } from './call-note.ts';
import { callService } from './call-service.ts';
import { formatTime } from './output/format-time.ts';
import { print, printJson } from './output/say.ts';
import { findScreen } from './output/screen.ts';
import { formatTable } from './output/table.ts';
import { toneOf, WAITS_FOR_SERVICE } from './output/task-words.ts';

type Options = { readonly json?: boolean };

const HEAD = ['JOB', 'WHEN', 'NEXT', 'LAST', 'STATUS', 'SUMMARY'];
const STATUS_COLUMN = HEAD.indexOf('STATUS');

/** `schedule list`: what comes when, and what came of it the last time. */
export async function listSchedule({ json }: Options, calling: Calling): Promise<ExitCode> {
  const answer = await callService(calling, { path: '/api/schedule' });
  if (!answer.isGood) return answer.exit;
  const view = answer.body as ScheduleView;
  if (json) printJson(view);
  else {
    const rows = view.jobs.map(toRow);
    const tone = (cell: string, column: number) =>
      column === STATUS_COLUMN ? toneOf(cell) : undefined;
    print(formatTable(rows, { head: HEAD, screen: findScreen(), tone }));
    print(`The time zone is ${view.time_zone}.`);
  }
  return EXIT.ok;
}

/** `schedule run`: has the service do it now. */
export async function runScheduledJob(
  job: string,
  { json, reason }: Options & { readonly reason?: string },
  calling: Calling,
): Promise<ExitCode> {
  const path = `/api/schedule/${encodeURIComponent(job)}/run`;
  const answer = await callService(calling, { path, body: { reason } });
  if (!answer.isGood) return answer.exit;
  const begun = answer.body as ScheduleRunView;
  if (begun.task_id !== null) calling.note.taskId = begun.task_id;
  if (json) printJson(begun);
  else {
    print(begun.task_id ?? begun.txn ?? 'asked for');
    if (answer.isLocal && begun.task_id !== null) print(WAITS_FOR_SERVICE);
  }
  return EXIT.ok;
}

function toRow({ name, cron, variable, next_run_at: next, last_run: last }: ScheduledJobView) {
  const comes = cron === 'off' ? `off (${variable})` : cron;
  const ran = last ? [formatTime(last.at), last.status, last.summary] : ['never', '', ''];
  return [name, comes, next === null ? '' : formatTime(next), ...ran];
}
