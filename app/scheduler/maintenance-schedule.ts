import { Cron } from 'croner';
import type { Logger } from 'pino';
import { CRON_MODE } from '../../shared/config/setting-values.ts';
import type { MaintenanceAction } from '../domain/maintenance.ts';

/** What a schedule is made of. */
export type MaintenanceScheduleParts = {
  /** A cron expression, in the time zone of the host, or `off`. */
  readonly crons: Readonly<Record<MaintenanceAction, string>>;
  /** When it was last begun, in milliseconds; where it never was, since when it could have been. */
  readonly lastAt: (action: MaintenanceAction) => number;
  /** Has it begin; the id of its task. */
  readonly begin: (action: MaintenanceAction) => string;
  /** Each time that something was begun. */
  readonly onTick: (action: MaintenanceAction, taskId: string) => void;
  readonly log: Logger;
};

/** Maintenance that begins by itself. */
export type MaintenanceSchedule = {
  /** From now on, at once what was missed while nothing ran; may be called again, and does nothing once it is closed. */
  start(): void;
  close(): void;
};

/** Has maintenance begin whenever the expressions say so. */
export function createMaintenanceSchedule(parts: MaintenanceScheduleParts): MaintenanceSchedule {
  const { crons, lastAt, begin, onTick, log } = parts;
  const run = (action: MaintenanceAction) => {
    try {
      onTick(action, begin(action));
    } catch (error) {
      // The database will be there again the next time.
      log.error({ err: error, action }, 'scheduled maintenance could not begin');
    }
  };
  const jobs = Object.entries(crons)
    .filter(([, cron]) => cron !== 'off')
    .map(([name, cron]) => {
      const action = name as MaintenanceAction;
      return { action, job: new Cron(cron, { mode: CRON_MODE, paused: true }, () => run(action)) };
    });
  let isStarted = false;
  return {
    start() {
      if (isStarted) return;
      isStarted = true;
      for (const { action, job } of jobs) {
        job.resume();
        const due = job.nextRun(new Date(lastAt(action)));
        if (due && due.getTime() <= Date.now()) run(action);
      }
    },
    close() {
      isStarted = true;
      for (const { job } of jobs) job.stop();
    },
  };
}
