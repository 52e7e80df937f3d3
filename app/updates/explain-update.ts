import { PROGRAM } from '../../shared/config/program-version.ts';
import type { Settings } from '../../shared/config/settings.ts';
import type { ScheduleView } from '../api/self-update-views.ts';
import { type Explanation, explainUpdate, type UpdateSituation } from '../domain/explain-update.ts';
import { isoTime } from './view-self-update.ts';

/** What is known to whoever explains. */
export type ExplainParts = Pick<UpdateSituation, 'facts' | 'status' | 'newest' | 'isService'> & {
  readonly settings: Pick<Settings, 'releaseChannel' | 'releaseTag'>;
  readonly schedule?: ScheduleView | undefined;
};

/** Says what is going on with updates of this program and why (not) yet, for the API and the command line alike. */
export function explainSelfUpdate(parts: ExplainParts): readonly Explanation[] {
  const { settings, schedule, status, ...rest } = parts;
  return explainUpdate({
    ...rest,
    status,
    running: status.ok ? status.value.supervisor.version : PROGRAM.version,
    channel: settings.releaseChannel,
    pin: settings.releaseTag ?? null,
    schedule: schedule
      ? {
          cron: schedule.cron,
          dryRun: schedule.dry_run,
          nextAt: schedule.next_run_at === null ? null : Date.parse(schedule.next_run_at),
        }
      : null,
    formatTime: (ms) => isoTime(ms).replace(/\.\d+Z$/, 'Z'),
  });
}
