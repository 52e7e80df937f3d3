import type { Logger } from 'pino';
import { formatFailure } from '../../shared/contract/outcome.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import type { Store } from '../db/store.ts';
import { describeResults, judgeUnit, type UnitResult } from '../domain/podman-auto-update.ts';
import type { TimerRun } from '../domain/timer-runs.ts';
import { listTimerRuns } from '../host/read-timer-runs.ts';
import { isUnitAlive } from '../host/systemctl.ts';
import { recordForeignRun } from './record-foreign-run.ts';

/** What looks for the runs of podman's own timer. */
export type TimerRunParts = {
  readonly store: Store;
  readonly run: RunCommand;
  readonly log: Logger;
  /** The service of the timer. */
  readonly unit: string;
  /** Told of each run; the id of its task, where something has come of it. */
  readonly onRun: (invocation: string, summary: string, taskId: string | undefined) => void;
};

/** See `watchTimerRuns`. */
export type TimerRunWatch = { start(): void; close(): void };

/** The journal is asked, for systemd tells of another unit's end only to who subscribes. One short process. */
const EVERY_MS = 600_000;
const FIRST_BACK_MS = 7 * 86_400_000;
const OVERLAP_MS = 3_600_000;

/**
 * Records what podman's own timer does, from the journal of its service: each run is an event, and a task that is over where
 * something was updated or has failed. Looked for at the start and every ten minutes.
 */
export function watchTimerRuns(parts: TimerRunParts): TimerRunWatch {
  const { log } = parts;
  let timer: NodeJS.Timeout | undefined;
  let lookedAt: number | undefined;
  let isLooking = false;
  let isClosed = false;

  const look = async () => {
    if (isLooking || isClosed) return;
    isLooking = true;
    const now = Date.now();
    const sinceMs = lookedAt === undefined ? now - FIRST_BACK_MS : lookedAt - OVERLAP_MS;
    try {
      if (await importTimerRuns(parts, sinceMs, () => isClosed)) lookedAt = now;
    } catch (error) {
      if (!isClosed) log.error({ err: error }, "runs of podman's timer could not be looked for");
    } finally {
      isLooking = false;
    }
  };

  return {
    start() {
      if (timer || isClosed) return;
      timer = setInterval(() => void look(), EVERY_MS);
      timer.unref();
      void look();
    },
    close() {
      isClosed = true;
      clearInterval(timer);
    },
  };
}

/** One look; whether it could be taken to its end. A run that is not over is left for the next. */
export async function importTimerRuns(
  { store, run, log, unit, onRun }: TimerRunParts,
  sinceMs: number,
  isClosed: () => boolean = () => false,
): Promise<boolean> {
  const alive = await isUnitAlive(run, unit);
  if (!alive.ok || alive.value || isClosed()) return false;
  const runs = await listTimerRuns(run, unit, sinceMs);
  if (!runs.ok) {
    log.debug({ code: runs.failure.code }, formatFailure(runs.failure));
    return false;
  }
  for (const one of runs.value) {
    if (isClosed()) return false;
    const name = `run:${one.invocation}`;
    if (!(one.hasEvent || one.rows.length > 0) || store.autoUpdateImports.has(name)) continue;
    const judged = describe(one, name);
    onRun(one.invocation, judged.summary, record(store, unit, judged));
  }
  return true;
}

const BAD: ReadonlySet<UnitResult> = new Set(['failed', 'rolled-back']);

function judge({ rows }: TimerRun): ReadonlyMap<string, UnitResult> {
  const groups = Map.groupBy(rows, ({ unit }) => unit);
  return new Map([...groups].map(([unit, all]) => [unit, judgeUnit(all)]));
}

type Judged = {
  readonly one: TimerRun;
  readonly name: string;
  readonly summary: string;
  readonly isBad: boolean;
  /** Nothing was to be done. */
  readonly isQuiet: boolean;
};

function describe(one: TimerRun, name: string): Judged {
  const results = judge(one);
  const words = [...results.values()];
  const isBad = one.errors.length > 0 || words.some((word) => BAD.has(word));
  const isQuiet = !isBad && words.every((word) => word === 'unchanged');
  return { one, name, isBad, isQuiet, summary: `podman's timer: ${describeResults(results)}` };
}

/** Its task, where something has come of it. */
function record(store: Store, unit: string, { one, name, summary, isBad, isQuiet }: Judged) {
  const { startedAtMs, endedAtMs, rows, errors } = one;
  if (isQuiet) {
    store.autoUpdateImports.add(name, Date.now());
    return undefined;
  }
  return recordForeignRun(store, {
    ...{ name, unit, source: 'podman-timer', startedAtMs, endedAtMs, summary },
    status: isBad ? 'failed' : 'succeeded',
    code: isBad ? 'AUTO_UPDATE_FAILED' : null,
    entries: [
      ...rows.map((row) => ({
        level: ['failed', 'rolled back'].includes(row.updated)
          ? ('warning' as const)
          : ('info' as const),
        action: 'auto-update-result',
        summary: `${row.unit} (${row.container}), ${row.image}: ${row.updated}`,
        meta: row,
      })),
      ...errors.map((line) => ({
        level: 'warning' as const,
        action: 'auto-update-warning',
        summary: line,
        meta: null,
      })),
    ],
  });
}
