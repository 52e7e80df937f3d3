import assert from 'node:assert/strict';
import { openSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Event } from '../../../supervisor/core/event.ts';
import { spawnWorker, type Worker } from '../../../supervisor/worker/spawn-worker.ts';

const ENVIRONMENT = { PATH: process.env['PATH'] };

/** Runs a worker to its end and gives what was told, with the worker that has ended. */
function runWorker(file: string, args: readonly string[]) {
  const { promise, resolve } = Promise.withResolvers<{ told: Event[]; worker: Worker }>();
  const told: Event[] = [];
  const worker = spawnWorker({ file, args, environment: ENVIRONMENT }, openSync('/dev/null', 'r'), {
    event: (event) => {
      told.push(event);
      if (event.kind !== 'worker-spawned') resolve({ told, worker });
    },
    notice: () => {},
    malformed: () => {},
  });
  assert.deepEqual(told, [], 'nothing is told before spawnWorker has returned');
  return promise;
}

describe('spawnWorker', () => {
  const FAILURES = [
    ['a file that does not exist', '/nonexistent', [], /ENOENT/],
    ['a file that is no program', '/dev/null', [], /EACCES/],
    ['arguments that are too long for the kernel', 'true', ['x'.repeat(5_000_000)], /E2BIG/],
  ] as const;
  for (const [title, file, args, reason] of FAILURES) {
    test(`${title} is told as a failed spawn, and nothing else`, async () => {
      const { told, worker } = await runWorker(file, args);
      assert.equal(told.length, 1);
      const [event] = told;
      assert.ok(event?.kind === 'spawn-failed');
      assert.match(event.reason, reason);
      assert.equal(worker.isAlive(), false);
    });
  }

  test('the end is told with code and signal, and a worker that has ended is told nothing', async () => {
    const { told, worker } = await runWorker('sh', ['-c', 'exit 7']);
    assert.deepEqual(
      told.map((event) => event.kind),
      ['worker-spawned', 'worker-exited'],
    );
    assert.deepEqual(told[1], { kind: 'worker-exited', code: 7, signal: null });
    assert.equal(worker.isAlive(), false);
    worker.signal('SIGTERM');
    worker.kill();
  });
});
