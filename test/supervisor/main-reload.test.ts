import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type SupervisorProcess, startSupervisor } from './supervisor-process.ts';

describe('supervise: reloading', { concurrency: true }, () => {
  test('no request is lost over ten replacements of the worker', async (t) => {
    const supervisor = startSupervisor(t, ['serve.ts']);
    const port = await supervisor.port();
    await supervisor.next('worker ready');
    const clients = postContinuously(port, 4);
    for (let round = 0; round < 10; round += 1) await replaceWorker(supervisor);
    const { pids, faults } = await clients.stop();
    assert.deepEqual(faults, []);
    assert.ok(pids.size >= 8, `answers of ${pids.size} workers only`);
  });

  test('a reload between two starts starts the next worker at once', async (t) => {
    const supervisor = startSupervisor(t, ['exit-at-once.ts'], {
      PODUP_RESTART_BACKOFF_INITIAL_MS: '60000',
    });
    await supervisor.next('waiting before the next start');
    supervisor.child.kill('SIGHUP');
    await supervisor.next('worker started');
  });

  test('a stop during a reload wins', async (t) => {
    const supervisor = startSupervisor(t, ['ignore-signals.ts'], {
      PODUP_STOP_TIMEOUT_MS: '1000',
    });
    await supervisor.next('worker ready');
    supervisor.child.kill('SIGHUP');
    await supervisor.next('ignored');
    supervisor.child.kill('SIGTERM');
    await supervisor.next('stopping for good');
    assert.equal((await supervisor.ended()).code, 70);
    assert.equal(supervisor.lines.filter((line) => line.msg === 'worker started').length, 1);
  });
});

async function replaceWorker(supervisor: SupervisorProcess): Promise<void> {
  supervisor.child.kill('SIGHUP');
  await supervisor.next('worker ready');
}

/** Clients that post one request after the other, each over a new connection, and note every fault. */
function postContinuously(port: number, clients: number) {
  const pids = new Set<string>();
  const faults: string[] = [];
  let isOver = false;
  const post = async () => {
    while (!isOver && faults.length < 10) {
      try {
        const response = await fetch(`http://127.0.0.1:${port}/`, {
          method: 'POST',
          body: 'x',
          headers: { connection: 'close' },
        });
        pids.add(await response.text());
      } catch (error) {
        faults.push(String(error instanceof Error ? error.cause : error));
      }
    }
  };
  const running = Array.from({ length: clients }, post);
  return {
    stop: async () => {
      isOver = true;
      await Promise.all(running);
      return { pids, faults };
    },
  };
}
