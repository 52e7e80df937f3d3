import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { loadSystemCalls, type SystemCalls } from '../../shared/native/system-calls.ts';

/** Node notices the ends of its own children first; orphans have nobody who waits. */
const SWEEP_AFTER_MS = 10;

/**
 * Removes what is left of processes that lost their parents and were given to this one because it is process 1: nobody
 * else ever would. The children in `mine` are left to Node, which would never learn how one ended that was taken away
 * from it. The value ends it; a failure says that orphans are left to pile up.
 */
export async function reapOrphans(
  mine: () => ReadonlySet<number> = followOwnChildren(),
): Promise<Outcome<() => void>> {
  const calls = await loadSystemCalls();
  return calls.ok ? succeed(keepReaping(calls.value, mine)) : calls;
}

/** The same with these system calls. */
export function keepReaping(
  calls: Pick<SystemCalls, 'peekChild' | 'reapChild'>,
  mine: () => ReadonlySet<number>,
): () => void {
  let timer: NodeJS.Timeout | undefined;

  const sweep = () => {
    timer = undefined;
    for (let pid = calls.peekChild(); pid !== undefined; pid = calls.peekChild()) {
      // It hides all others until Node has seen its end, too.
      if (mine().has(pid)) return schedule();
      calls.reapChild(pid);
    }
  };
  const schedule = () => {
    timer ??= setTimeout(sweep, SWEEP_AFTER_MS).unref();
  };

  process.on('SIGCHLD', schedule);
  // Some may have ended before anybody listened.
  schedule();
  return () => {
    process.off('SIGCHLD', schedule);
    clearTimeout(timer);
  };
}

/** The children that this program starts from now on and that have not ended, whoever starts them. */
export function followOwnChildren(): () => ReadonlySet<number> {
  const children = new Set<ChildProcess>();
  subscribe('child_process', (message) => {
    const { process: child } = message as { readonly process: ChildProcess };
    children.add(child);
    child.once('exit', () => children.delete(child));
  });
  return () => {
    const pids = new Set<number>();
    for (const child of children) {
      // Without a number it could not be started, and has no end.
      if (child.pid === undefined) children.delete(child);
      else pids.add(child.pid);
    }
    return pids;
  };
}
