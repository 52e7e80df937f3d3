import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startSupervisor } from './supervisor-process.ts';

/** So long that only a second signal can end a worker that does not stop. */
const FOREVER = { PODUP_STOP_TIMEOUT_MS: '600000' };

describe('supervise: stopping', { concurrency: 4 }, () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal} reaches the worker as ${signal}, and a worker that stops in time makes exit code 0`, async (t) => {
      const supervisor = startSupervisor(t, ['serve.ts']);
      await supervisor.next('worker ready');
      supervisor.child.kill(signal);
      const told = await supervisor.next('told');
      assert.deepEqual(
        [told['signal'], told['argv']],
        [signal, ['http-server', '--listen-fd', '3']],
      );
      assert.equal((await supervisor.ended()).code, 0);
      await supervisor.silent;
      assert.equal(supervisor.lines.filter((line) => line.msg === 'told').length, 1);
    });
  }

  test('a worker that ignores the signal is killed after the stop time, and the exit code is 70', async (t) => {
    const supervisor = startSupervisor(t, ['ignore-signals.ts'], {
      PODUP_STOP_TIMEOUT_MS: '1000',
    });
    await supervisor.next('worker ready');
    supervisor.child.kill('SIGTERM');
    await supervisor.next('ignored');
    await supervisor.next('worker killed: it did not stop in time');
    assert.equal((await supervisor.next('worker stopped'))['signal'], 'SIGKILL');
    assert.equal((await supervisor.ended()).code, 70);
  });

  test('a second signal kills the worker at once, and the exit code is 70', async (t) => {
    const supervisor = startSupervisor(t, ['ignore-signals.ts'], FOREVER);
    await supervisor.next('worker ready');
    supervisor.child.kill('SIGTERM');
    await supervisor.next('ignored');
    supervisor.child.kill('SIGINT');
    assert.equal((await supervisor.ended()).code, 70);
    await supervisor.silent;
  });

  test('a worker that is not ready yet is stopped like any other', async (t) => {
    const supervisor = startSupervisor(t, ['never-ready.ts'], FOREVER);
    await supervisor.next('alive');
    supervisor.child.kill('SIGTERM');
    assert.equal((await supervisor.ended()).code, 0);
  });

  test('a stop between two starts ends the supervisor at once with 0', async (t) => {
    const supervisor = startSupervisor(t, ['exit-at-once.ts'], {
      PODUP_RESTART_BACKOFF_INITIAL_MS: '60000',
    });
    await supervisor.next('waiting before the next start');
    supervisor.child.kill('SIGTERM');
    assert.equal((await supervisor.ended()).code, 0);
  });

  test('a kill of the worker takes everything that it has started', async (t) => {
    const script = 'trap "" TERM; sleep 600 & echo "{\\"msg\\":\\"up\\"}"; wait; wait';
    const supervisor = startSupervisor(t, ['--', 'sh', '-c', script], FOREVER);
    await supervisor.next('up');
    supervisor.child.kill('SIGTERM');
    await supervisor.next('stopping');
    supervisor.child.kill('SIGTERM');
    assert.equal((await supervisor.ended()).code, 70);
    await supervisor.silent;
  });
});
