import type { AutoUpdateRow } from './podman-auto-update.ts';

/** A run of podman's auto-update by the service of its timer, as the journal has it. */
export type TimerRun = {
  /** By systemd; see systemd.exec(5), `INVOCATION_ID`. */
  readonly invocation: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly rows: readonly Pick<AutoUpdateRow, 'unit' | 'container' | 'image' | 'updated'>[];
  /** podman has said there that it ran (podman-events(1), `auto-update`). */
  readonly hasEvent: boolean;
  /** What podman has complained of, the first lines. */
  readonly errors: readonly string[];
};

const MAX_ROWS = 500;
const MAX_ERRORS = 20;
const MAX_LINE = 500;
const MAX_ROW_LENGTH = 2_000;
/** The table that podman prints: UNIT, CONTAINER, IMAGE, POLICY, UPDATED. */
const ROW =
  /^\s*(\S+\.service)\s{2,}[0-9a-f]{12} \((\S+)\)\s{2,}(\S+)\s{2,}\S+\s{2,}(true|false|pending|failed|rolled back)\s*$/;

/** Reads what `journalctl --output=json` prints of the service of the timer, oldest first; other lines are left out. */
export function readTimerRuns(journal: string): readonly TimerRun[] {
  const runs = new Map<string, { -readonly [K in keyof TimerRun]: TimerRun[K] }>();
  for (const line of journal.split('\n')) {
    const entry = parseEntry(line);
    if (!entry) continue;
    const { invocation, atMs, message, isEvent } = entry;
    const run = runs.get(invocation) ?? {
      ...{ invocation, startedAtMs: atMs, endedAtMs: atMs },
      ...{ rows: [], hasEvent: false, errors: [] },
    };
    runs.set(invocation, run);
    run.endedAtMs = Math.max(run.endedAtMs, atMs);
    run.hasEvent ||= isEvent;
    const [, unit, container, image, updated] = ROW.exec(message.slice(0, MAX_ROW_LENGTH)) ?? [];
    if (
      unit !== undefined &&
      container !== undefined &&
      image !== undefined &&
      updated !== undefined
    ) {
      if (run.rows.length < MAX_ROWS) run.rows = [...run.rows, { unit, container, image, updated }];
    } else if (/^(?:Error:|\s+\* )/.test(message) && run.errors.length < MAX_ERRORS) {
      run.errors = [...run.errors, message.trim().slice(0, MAX_LINE)];
    }
  }
  return [...runs.values()];
}

function parseEntry(line: string) {
  let raw: unknown;
  try {
    raw = JSON.parse(line);
  } catch {
    // The middle of a long journal is dropped.
    return undefined;
  }
  if (typeof raw !== 'object' || raw === null) return undefined;
  const fields = raw as Readonly<Record<string, unknown>>;
  const invocation = fields['_SYSTEMD_INVOCATION_ID'];
  const atMs = Math.floor(Number(fields['__REALTIME_TIMESTAMP']) / 1000);
  const message = fields['MESSAGE'];
  if (typeof invocation !== 'string' || !/^[0-9a-f]{32}$/.test(invocation)) return undefined;
  if (!Number.isSafeInteger(atMs) || typeof message !== 'string') return undefined;
  return { invocation, atMs, message, isEvent: fields['PODMAN_EVENT'] === 'auto-update' };
}
