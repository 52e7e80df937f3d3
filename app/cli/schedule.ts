import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import type { ScheduledJobView, ScheduleRunView } from '../api/schedule-views.ts';
import { viewSchedule } from '../scheduler/view-schedule.ts';
import type { Calling } from './call-note.ts';
import { callService } from './call-service.ts';
import { withStore } from './with-store.ts';

/** `schedule list`: from the database, so that it says the same whether the service runs or not. */
export function listSchedule(
  { json }: { readonly json?: boolean },
  { environment }: Calling,
): Promise<ExitCode> {
  return withStore(environment, (store, settings) => {
    const view = viewSchedule(store, settings, Date.now());
    const said = json
      ? JSON.stringify(view)
      : [...view.jobs.map(describeJob), `The time zone is ${view.time_zone}.`].join('\n');
    process.stdout.write(`${said}\n`);
    return EXIT.ok;
  });
}

/** `schedule run`: has the service do it. */
export async function runScheduledJob(
  job: string,
  { json, reason }: { readonly json?: boolean; readonly reason?: string },
  calling: Calling,
): Promise<ExitCode> {
  const path = `/api/schedule/${encodeURIComponent(job)}/run`;
  const answer = await callService(calling, { path, body: { reason } });
  if (!answer.isGood) return answer.exit;
  const begun = answer.body as ScheduleRunView;
  if (begun.task_id !== null) calling.note.taskId = begun.task_id;
  const said = json ? JSON.stringify(begun) : (begun.task_id ?? begun.txn ?? 'asked for');
  process.stdout.write(`${said}\n`);
  return EXIT.ok;
}

function describeJob(job: ScheduledJobView): string {
  const { name, cron, variable, next_run_at: next, last_run: last } = job;
  const comes = cron === 'off' ? `off (${variable})` : `${cron}  next ${next ?? 'never'}`;
  const ran = last ? `last ${last.at} ${last.status} ${last.summary}` : 'never ran';
  return `${name.padEnd(14)} ${comes}  ${ran}`.trimEnd();
}
