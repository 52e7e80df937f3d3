// Needs: unshare
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { keepReaping } from '../../../supervisor/process/reap-orphans.ts';

const PROGRAM = join(import.meta.dirname, '../../fixtures/be-init.ts');

/** What the fixture prints as process 1 of a world of its own. */
function beInit(...args: string[]): string[] {
  const mapped = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const world = [...mapped, '--pid', '--fork', '--mount-proc', '--kill-child'];
  const argv = [...world, process.execPath, PROGRAM, ...args];
  return execFileSync('unshare', argv, { encoding: 'utf8', timeout: 30_000 }).trim().split('\n');
}

describe('as process 1', () => {
  test('without reaping, every orphan is left in the process table', () => {
    const [line = ''] = beInit('30', '0');
    assert.deepEqual(JSON.parse(line), { pid: 1, zombies: 30, areRight: true, left: 0 });
  });

  test('all orphans are reaped, own children keep their exit codes, and it can be ended', () => {
    const [line = '', listeners] = beInit('30', '40', 'reap');
    assert.deepEqual(JSON.parse(line), { pid: 1, zombies: 0, areRight: true, left: 0 });
    assert.equal(listeners, '0');
  });
});

/** A reaper over a table of ended processes, of which Node itself looks after number 5. */
function startReaper(t: TestContext, ended: number[]) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const reaped: number[] = [];
  const stop = keepReaping(
    {
      peekChild: () => ended[0],
      reapChild: (pid) => {
        assert.equal(ended.shift(), pid);
        return reaped.push(pid) > 0;
      },
    },
    () => new Set([5]),
  );
  t.after(stop);
  return { reaped, stop, tick: () => t.mock.timers.tick(10) };
}

describe('keepReaping', () => {
  test('reaps what has ended before it began', (t) => {
    const { reaped, tick } = startReaper(t, [6, 7]);
    tick();
    assert.deepEqual(reaped, [6, 7]);
  });

  test('leaves a child of our own to Node, and the others until then', (t) => {
    const ended = [6, 5, 7];
    const { reaped, tick } = startReaper(t, ended);
    tick();
    tick();
    assert.deepEqual(reaped, [6]);
    ended.shift();
    tick();
    assert.deepEqual(reaped, [6, 7]);
  });

  test('looks again at each end, and once for many', (t) => {
    const ended: number[] = [];
    const { reaped, tick } = startReaper(t, ended);
    tick();
    ended.push(8, 9);
    process.emit('SIGCHLD');
    process.emit('SIGCHLD');
    tick();
    ended.push(10);
    tick();
    assert.deepEqual(reaped, [8, 9]);
  });

  test('does nothing once it was ended', (t) => {
    const { reaped, tick, stop } = startReaper(t, [6]);
    stop();
    process.emit('SIGCHLD');
    tick();
    assert.deepEqual(reaped, []);
  });
});
