import { type Loaded, loadSettings } from '../../shared/config/load-settings.ts';
import { PROGRAM } from '../../shared/config/program-version.ts';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { formatFailure } from '../../shared/contract/outcome.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import type { ScheduleRunView } from '../api/schedule-views.ts';
import { openStore } from '../db/store.ts';
import { EventWriter } from '../events/event-writer.ts';
import { createSystemEvents } from '../events/system-events.ts';
import { REAL_CLOCK } from '../scheduler/clock.ts';
import { tickEvery } from '../scheduler/tick-every.ts';
import { dispatchAlone } from '../tasks/dispatch-alone.ts';
import type { Calling } from './call-note.ts';
import { callService } from './call-service.ts';
import { printFaults } from './print-faults.ts';

/** How it is called. */
export type SchedulerOptions = {
  /** Else by the settings. */
  readonly intervalSecs?: number;
  readonly maxIterations?: number;
};

/**
 * `scheduler`: has units that ask for it updated at each interval, the first time at once, as a process of its own. Where the
 * service runs it does the work, and a time that it has served already is not served again; where none runs this process
 * does it itself. Ends after `maxIterations`, or on SIGTERM and SIGINT, which give what runs back.
 */
export async function scheduler(
  options: SchedulerOptions,
  calling: Calling,
  program: readonly [string, ...string[]],
): Promise<ExitCode> {
  const { environment } = calling;
  const ending = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ending.abort());
  const result = loadSettings(environment);
  if (!result.ok) {
    printFaults(result.faults);
    return EXIT.configInvalid;
  }
  const { loaded } = result;
  const { settings } = loaded;
  const { schedulerIntervalS, schedulerMinIntervalS, schedulerMaxTicks } = settings;
  const everyS = Math.max(options.intervalSecs ?? schedulerIntervalS, schedulerMinIntervalS);
  let hasFailed = false;
  await tickEvery({
    ...{ clock: REAL_CLOCK, everyMs: everyS * 1_000, signal: ending.signal },
    maxTicks: options.maxIterations ?? schedulerMaxTicks ?? Number.POSITIVE_INFINITY,
    async tick(awaited) {
      const question = { path: '/api/schedule/auto-update/run', body: { every_s: everyS } };
      const answer = await callService(calling, question);
      hasFailed ||= !answer.isGood;
      if (!answer.isGood) return;
      const begun = answer.body as ScheduleRunView;
      // Who came late, on a busy machine, was given a later time than the one it has waited for.
      const dueAt = begun.due_at ?? new Date(awaited).toISOString();
      process.stdout.write(`${dueAt}  ${describe(begun)}\n`);
      if (!answer.isLocal) return;
      const isDone = await workAlone(loaded, environment, program, begun, ending.signal);
      hasFailed ||= !isDone;
    },
  });
  return hasFailed ? EXIT.failure : EXIT.ok;
}

function describe({ task_id: id, is_new: isNew, said }: ScheduleRunView): string {
  if (isNew) return `${id} begun`;
  if (said !== null) return said;
  return id === null ? 'served already' : `served already: ${id}`;
}

/** Does what the service would; whether it could. */
async function workAlone(
  loaded: Loaded,
  environment: NodeJS.ProcessEnv,
  program: readonly [string, ...string[]],
  { job, task_id: id, is_new: isNew }: ScheduleRunView,
  signal: AbortSignal,
): Promise<boolean> {
  const { settings, secrets, paths } = loaded;
  const log = createLogger({ name: 'scheduler', level: settings.logLevel, secrets });
  const store = openStore(paths.database, { version: PROGRAM.version, nowMs: Date.now() });
  if (!store.ok) {
    process.stderr.write(`${formatFailure(store.failure)}\n`);
    return false;
  }
  const events = new EventWriter(store.value.events, log);
  try {
    if (isNew && id !== null) createSystemEvents(events).jobBegun(job, id);
    const parts = { loaded, log, store: store.value, environment, program };
    const done = await dispatchAlone(parts, signal);
    if (!done.ok) process.stderr.write(`${formatFailure(done.failure)}\n`);
    const task = id === null ? undefined : store.value.tasks.find(id);
    if (task) process.stdout.write(`${id} ${task.status}: ${task.summary}\n`);
    return done.ok;
  } finally {
    events.flush();
    store.value.close();
  }
}
