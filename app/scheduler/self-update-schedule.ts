import { Cron } from 'croner';
import type { Logger } from 'pino';
import { CRON_MODE } from '../../shared/config/setting-values.ts';
import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import { type Failure, formatFailure, type Outcome } from '../../shared/contract/outcome.ts';
import type { UpdateAnswer } from '../../shared/contract/update-request.ts';
import type { ScheduleView } from '../api/self-update-views.ts';
import { type AskSupervisor, newUpdateRequest } from '../updates/ask-supervisor.ts';

/** What a schedule is made of. */
export type ScheduleParts = {
  /** A cron expression, in the time zone of the host. */
  readonly cron: string;
  readonly dryRun: boolean;
  readonly ask: AskSupervisor;
  readonly log: Logger;
  /** Told what came of each run. */
  readonly onRun?: (asked: Outcome<UpdateAnswer>) => void;
  /** How long to wait each time, so that hosts with the same expression do not all come at once. */
  readonly delayMs?: () => number;
};

/** Updates that begin by themselves. */
export type SelfUpdateSchedule = {
  /** From now on; may be called again, and does nothing once it is closed. */
  start(): void;
  /** When the next run is; the delay comes on top. */
  view(): ScheduleView;
  close(): void;
};

const MAX_DELAY_MS = 60_000;

/** What keeps a run back until something else happens: no news when it does so again. */
const REFUSALS: readonly ErrorCode[] = [
  'UPDATE_IN_PROGRESS',
  'UPDATE_ON_HOLD',
  'UPDATE_UNAVAILABLE',
  'UPDATE_RECORD_NEWER',
];

/** Asks the supervisor for an update whenever the expression says so. A run that is still asking is not overlapped. */
export function createSelfUpdateSchedule(parts: ScheduleParts): SelfUpdateSchedule {
  const { cron, dryRun, log, delayMs = () => Math.random() * MAX_DELAY_MS } = parts;
  const report = createReport(log);
  let delay: NodeJS.Timeout | undefined;
  const run = async () => {
    await new Promise<void>((resolve) => {
      delay = setTimeout(resolve, delayMs());
    });
    const asked = await parts.ask(newUpdateRequest('run', 'cron', { dryRun, by: 'schedule' }));
    parts.onRun?.(asked);
    report(asked.ok ? undefined : asked.failure);
  };
  const onBug = (error: unknown) =>
    log.error({ err: error }, 'the scheduled self-update could not be asked for');
  const job = new Cron(cron, { mode: CRON_MODE, paused: true, protect: true, catch: onBug }, run);
  return {
    start: () => void job.resume(),
    view: () => ({ cron, dry_run: dryRun, next_run_at: job.nextRun()?.toISOString() ?? null }),
    close() {
      clearTimeout(delay);
      job.stop();
    },
  };
}

/** Says how each run began; the same refusal once, until a run is taken again. */
function createReport(log: Logger): (failure: Failure | undefined) => void {
  const said = new Set<ErrorCode>();
  return (failure) => {
    if (!failure) {
      said.clear();
      log.info('a scheduled self-update has begun');
      return;
    }
    const { code } = failure;
    const isRefusal = REFUSALS.includes(code);
    if (isRefusal && said.has(code)) return;
    said.add(code);
    log[isRefusal ? 'info' : 'warn'](
      { code },
      `no scheduled self-update: ${formatFailure(failure)}`,
    );
  };
}
