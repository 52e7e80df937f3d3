/** What a wrapper of podman's auto-update complains of: `dry-run-error` is a warning, `auto-update-error` an error. */
export type LogWarning = {
  readonly type: 'dry-run-error' | 'auto-update-error';
  /** As the wrapper has written it; null where it has not. */
  readonly at: string | null;
  readonly message: string;
  /** JSON of the line, where it is short enough. */
  readonly event: string | null;
};

/** What the JSON lines of one run say. */
export type AutoUpdateLog = {
  /** The first of them. */
  readonly warnings: readonly LogWarning[];
  readonly warningCount: number;
  /** Of its `summary` line; null where there is none. */
  readonly counts: {
    readonly total: number;
    readonly succeeded: number;
    readonly failed: number;
  } | null;
  readonly lines: number;
  /** Lines that are no JSON objects, the last one included where it is torn. */
  readonly faults: number;
};

const MAX_WARNINGS = 100;
const MAX_LINES = 20_000;
const MAX_LINE = 65_536;
const MAX_MESSAGE = 500;
const MAX_EVENT = 4_096;
/** Where wrappers have written what went wrong. */
const MESSAGE_FIELDS = ['message', 'error', 'reason', 'stderr', 'detail'] as const;

/**
 * Reads the JSON lines that a wrapper of podman's auto-update has written. Never fails: what is no JSON, as a last line that
 * was torn by a crash, is counted and left out; beyond twenty thousand lines nothing is read.
 */
export function readAutoUpdateLog(text: string): AutoUpdateLog {
  const lines = text.split('\n', MAX_LINES).filter((line) => line.trim() !== '');
  const warnings: LogWarning[] = [];
  let [warningCount, faults] = [0, 0];
  let counts: AutoUpdateLog['counts'] = null;
  for (const line of lines) {
    const entry = parseLine(line);
    if (!entry) {
      faults++;
      continue;
    }
    const { type } = entry;
    if (type === 'summary') counts = readCounts(entry['counts']) ?? counts;
    if (type !== 'dry-run-error' && type !== 'auto-update-error') continue;
    warningCount++;
    if (warnings.length < MAX_WARNINGS) warnings.push(toWarning(type, entry, line));
  }
  return { warnings, warningCount, counts, lines: lines.length, faults };
}

type Entry = Readonly<Record<string, unknown>>;

function parseLine(line: string): Entry | undefined {
  if (line.length > MAX_LINE) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Entry)
      : undefined;
  } catch {
    return undefined;
  }
}

function toWarning(type: LogWarning['type'], entry: Entry, line: string): LogWarning {
  const message = MESSAGE_FIELDS.map((name) => entry[name]).find((one) => typeof one === 'string');
  const at = entry['at'];
  return {
    type,
    at: typeof at === 'string' ? at.slice(0, 50) : null,
    message: (message ?? '').slice(0, MAX_MESSAGE).toWellFormed(),
    event: line.length <= MAX_EVENT ? JSON.stringify(entry) : null,
  };
}

function readCounts(raw: unknown): AutoUpdateLog['counts'] {
  if (typeof raw !== 'object' || raw === null) return null;
  const { total, succeeded, failed } = raw as Entry;
  const isCount = (value: unknown): value is number =>
    Number.isSafeInteger(value) && Number(value) >= 0;
  return isCount(total) && isCount(succeeded) && isCount(failed)
    ? { total, succeeded, failed }
    : null;
}
