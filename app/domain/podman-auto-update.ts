import * as z from 'zod';

/** Whether a run only looks (podman-auto-update(1), `--dry-run`). */
export type AutoUpdateMode = 'run' | 'dry-run';

/** What podman says of one container that it may update. */
export type AutoUpdateRow = {
  readonly unit: string;
  readonly containerId: string;
  readonly container: string;
  readonly image: string;
  readonly policy: string;
  /**
   * `false`: nothing new; podman before 5 also says so where it could not ask the registry. `pending`: a dry run has found
   * something new. What podman may say besides is kept as it is.
   */
  readonly updated: 'true' | 'false' | 'pending' | 'failed' | 'rolled back' | (string & {});
};

/** More containers than one host runs. */
const MAX_ROWS = 1_000;
const text = z.string().max(1_000);

const report = z
  .array(
    z.looseObject({
      Unit: text,
      ContainerID: text,
      ContainerName: text,
      Image: text,
      Policy: text,
      Updated: text,
    }),
  )
  .max(MAX_ROWS)
  .nullable();

/**
 * Reads what `podman auto-update --format json` prints, the same in podman 4 and 5: nothing at all, or `null`, where no
 * container is to be updated. Undefined where it is something else.
 */
export function parseAutoUpdateReport(stdout: string): readonly AutoUpdateRow[] | undefined {
  if (stdout.trim() === '') return [];
  let raw: unknown;
  try {
    raw = JSON.parse(stdout);
  } catch {
    return undefined;
  }
  const parsed = report.safeParse(raw);
  return parsed.success
    ? (parsed.data ?? []).map((row) => ({
        unit: row.Unit,
        containerId: row.ContainerID,
        container: row.ContainerName,
        image: row.Image,
        policy: row.Policy,
        updated: row.Updated,
      }))
    : undefined;
}

const MAX_REASON = 500;

/** Why podman could not update a container, by its id: what podman prints behind it on stderr. */
export function findReasons(stderr: string): ReadonlyMap<string, string> {
  const found = stderr.matchAll(/\bcontainer ([0-9a-f]{64})\b:? ?([^\n]*)/g);
  return new Map(
    [...found].map(([, id = '', reason = '']) => [id, reason.trim().slice(0, MAX_REASON)]),
  );
}

/** Whether podman did not ask because the repository is kept off it, as that of an image in quarantine is. */
export function isKeptOff(reason: string | undefined): boolean {
  return reason !== undefined && /\bregistry \S+ is blocked\b/.test(reason);
}

/** The rows of each unit that has any; a unit may run several containers. */
export function groupByUnit(
  rows: readonly AutoUpdateRow[],
): ReadonlyMap<string, readonly AutoUpdateRow[]> {
  return Map.groupBy(rows, ({ unit }) => unit);
}

/** What a run has come to for a unit: the worst of what podman says of its containers. */
export type UnitResult = 'updated' | 'unchanged' | 'pending' | 'failed' | 'rolled-back';

/** By the worst word that counts. */
export function judgeUnit(rows: readonly Pick<AutoUpdateRow, 'updated'>[]): UnitResult {
  const says = (word: string) => rows.some(({ updated }) => updated === word);
  if (says('rolled back')) return 'rolled-back';
  if (rows.some(({ updated }) => !KNOWN.has(updated)) || says('failed')) return 'failed';
  if (says('true')) return 'updated';
  return says('pending') ? 'pending' : 'unchanged';
}

const KNOWN: ReadonlySet<string> = new Set(['true', 'false', 'pending', 'failed', 'rolled back']);

/** How many units came to what, in words. */
export function describeResults(results: ReadonlyMap<string, UnitResult>): string {
  const said = WORDS.flatMap(([result, words]) => {
    const units = [...results].filter(([, one]) => one === result).map(([unit]) => unit);
    if (units.length === 0) return [];
    return result === 'unchanged'
      ? [`${units.length} ${words}`]
      : [`${units.length} ${words} (${units.slice(0, NAMED).join(', ')})`];
  });
  return said.length === 0 ? 'podman has no container to update.' : `${said.join('; ')}.`;
}

const NAMED = 10;
const WORDS: readonly (readonly [UnitResult, string])[] = [
  ['updated', 'updated'],
  ['pending', 'to be updated'],
  ['rolled-back', 'rolled back by podman'],
  ['failed', 'failed'],
  ['unchanged', 'with nothing new'],
];
