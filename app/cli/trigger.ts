import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import type { TriggerView } from '../api/manual-views.ts';
import type { TaskDetailView } from '../api/views.ts';
import type { Calling } from './call-note.ts';
import { callService, type ServiceAnswer } from './call-service.ts';
import { untilEnded } from './follow-task.ts';
import { print, printJson } from './output/say.ts';
import { WAITS_FOR_SERVICE } from './output/task-words.ts';

/** Options of `trigger-units` and `trigger-all`. */
export type TriggerOptions = {
  readonly units?: string;
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly caller?: string;
  readonly reason?: string;
  readonly wait?: boolean;
  readonly json?: boolean;
};

/** How the task of a unit has ended, or what became of the unit without one. */
type Ended = { readonly unit: string; readonly status: string; readonly message: string };

const GOOD: ReadonlySet<string> = new Set(['succeeded', 'skipped', 'dry-run', 'pending']);

/**
 * `trigger-units NAME…`: has units restarted and waits until each has proven itself. Ends with 1 where one has not, and with
 * 2 where none was named: nothing named never means all.
 */
export async function triggerUnits(
  names: readonly string[],
  options: TriggerOptions,
  calling: Calling,
): Promise<ExitCode> {
  const { units: list = '', all = false, dryRun = false, caller, reason, wait = true } = options;
  const units = [...names, ...list.split(',')].filter((name) => name.trim() !== '');
  if (units.length === 0 && !all) {
    process.stderr.write('Name units, or say --all.\n');
    return EXIT.usage;
  }
  const body = { units, all, dry_run: dryRun, caller, reason };
  const answer = await callService(calling, { path: '/api/manual/trigger', body });
  if (!answer.isGood) return answer.exit;
  const view = answer.body as TriggerView;
  if (view.task_id !== null) calling.note.taskId = view.task_id;
  const isWaiting = wait && !answer.isLocal && !dryRun;
  const ended = isWaiting ? await waitForAll(view, calling) : view.triggered;
  if (options.json) printJson({ ...view, triggered: merge(view, ended) });
  else for (const { unit, status, message } of ended) print(`${unit} -> ${status}: ${message}`);
  if (answer.isLocal && !dryRun && !options.json) print(WAITS_FOR_SERVICE);
  return ended.every(({ status }) => GOOD.has(status)) ? EXIT.ok : EXIT.failure;
}

function merge({ triggered }: TriggerView, ended: readonly Ended[]) {
  return triggered.map((one, index) => ({ ...one, ...ended[index] }));
}

async function waitForAll({ triggered }: TriggerView, calling: Calling): Promise<Ended[]> {
  const ended: Ended[] = [];
  for (const one of triggered) {
    const task = one.task_id === null ? undefined : await waitForEnd(one.task_id, calling);
    ended.push(
      task?.isGood
        ? toEnded(one.unit, task.body as TaskDetailView)
        : { ...one, status: 'unknown', message: 'The service could not be asked how it ended.' },
    );
  }
  return ended;
}

function toEnded(unit: string, { status, summary }: TaskDetailView): Ended {
  return { unit, status, message: summary };
}

/** Its log is followed until it ends: nothing is asked again and again. */
async function waitForEnd(id: string, calling: Calling): Promise<ServiceAnswer> {
  await untilEnded(id, calling);
  return callService(calling, { path: `/api/tasks/${encodeURIComponent(id)}` });
}
