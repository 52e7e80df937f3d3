import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import { chooseNext } from '../domain/choose-next.ts';
import { bucketOf } from '../domain/image-limit.ts';
import { type RateWindow, untilAllowed } from '../domain/rate-window.ts';

/** Among so many units the next one is chosen; more than that are looked at when these have had their turn. */
const MAX_CANDIDATES = 1_000;

/** Within what is chosen. */
export type Bounds = {
  /** How many tasks may run at a time. */
  readonly slots: number;
  /** How often deliveries may have one image deployed. */
  readonly limit: RateWindow;
  readonly nowMs: number;
};

/** What is to be begun next, and what would have been if its image had not been deployed so often. */
export type Choice = {
  readonly next: TaskRow | undefined;
  readonly limited: readonly { readonly task: TaskRow; readonly untilMs: number }[];
};

/**
 * The task to be begun next, where no more than `slots` run at a time and an image is deployed as often as `limit` says;
 * none where none may be.
 */
export function chooseTask(
  { tasks, rateLimits }: Pick<Store, 'tasks' | 'rateLimits'>,
  {
    slots,
    limit,
    nowMs,
  }: { readonly slots: number; readonly limit: RateWindow; readonly nowMs: number },
): Choice {
  const running = tasks.listRunning();
  if (running.length >= slots) return { next: undefined, limited: [] };
  const candidates = new Set(tasks.listDispatchable(MAX_CANDIDATES, nowMs));
  const turns = new Map([...candidates].map(({ unit }) => [unit, tasks.lastTurn(unit) ?? 0]));
  const waits = new Map<string, number>();
  const waitOf = (bucket: string) => {
    const known = waits.get(bucket);
    if (known !== undefined) return known;
    const wait = untilAllowed(rateLimits.list(bucket, limit.count), [limit], nowMs);
    waits.set(bucket, wait);
    return wait;
  };
  const limited: { task: TaskRow; untilMs: number }[] = [];
  for (;;) {
    const next = chooseNext([...candidates], running, turns);
    const bucket = next && bucketOf(next);
    const waitMs = bucket === undefined ? 0 : waitOf(bucket);
    if (!next || waitMs === 0) return { next, limited };
    limited.push({ task: next, untilMs: nowMs + waitMs });
    candidates.delete(next);
  }
}
