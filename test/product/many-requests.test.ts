import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Product } from '../helpers/product.ts';

const REQUESTS = 10_000;
const AT_ONCE = 20;
/** What a heap may have grown by between two collections; a leak of 10 KB a request would be 100 MB. */
const GROWTH_MAX_BYTES = 64 * 1024 * 1024;

/** Zombies and others whose parent is one of these processes. */
function countChildren(parents: readonly number[]): number {
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return readFileSync(`/proc/${pid}/stat`, 'utf8');
      } catch {
        // It has ended since.
        return [];
      }
    });
  // Behind the name, which may hold anything: state, parent.
  const parentOf = (stat: string) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  return stats.filter((stat) => parents.includes(parentOf(stat))).length;
}

const memoryOf = (pid: number) =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

describe('ten thousand requests', () => {
  test('leave no process behind, and no memory that grows', async () => {
    await using product = await Product.start();
    const paths = ['/health/self', '/api/tasks', '/nothing-here', '/api/events?limit=5'];
    const ask = async (count: number) => {
      let next = 0;
      const lane = async () => {
        while (next < count) {
          const answer = await fetch(`http://${product.address}${paths[next++ % paths.length]}`);
          await answer.text();
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, lane));
    };
    // Until everything is compiled and every pool is filled.
    await ask(2_000);
    const worker = product.workerPid;
    const pids = [worker, product.supervisor.pid ?? 0];
    const before = { children: countChildren(pids), memory: memoryOf(worker) };
    await ask(REQUESTS);
    assert.equal(countChildren(pids), before.children);
    const grown = memoryOf(worker) - before.memory;
    assert.ok(grown < GROWTH_MAX_BYTES, `it has grown by ${grown} bytes`);
  });
});
