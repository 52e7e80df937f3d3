import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import { chooseNext } from '../domain/choose-next.ts';

/** Among so many units the next one is chosen; more than that are looked at when these have had their turn. */
const MAX_CANDIDATES = 1_000;

/** The task to be begun next, where no more than `slots` run at a time; undefined where none may be. */
export function chooseTask(
  { tasks }: Pick<Store, 'tasks'>,
  slots: number,
  nowMs: number,
): TaskRow | undefined {
  const running = tasks.listRunning();
  if (running.length >= slots) return undefined;
  const candidates = tasks.listDispatchable(MAX_CANDIDATES, nowMs);
  const turns = new Map(candidates.map(({ unit }) => [unit, tasks.lastTurn(unit) ?? 0]));
  return chooseNext(candidates, running, turns);
}
