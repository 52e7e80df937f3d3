import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { BoundSocket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { endOrphans, type OrphanTraits } from '../../../supervisor/socket/end-orphans.ts';

const TRAITS: OrphanTraits = {
  fd: 3,
  subcommands: ['orphan-worker'],
  supervisorWord: 'orphan-supervisor',
  isOurs: (environment) => environment['OURS'] === 'yes=1',
};
const LIMIT_MS = 10_000;

/** A process that does nothing any more, with the socket as descriptor 3. */
const HANG = `require('node:net').createServer().listen({ fd: 3 }, () => {
  require('node:fs').writeSync(1, 'hangs');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;
/** One that starts it and waits. */
const HOLD = `require('node:child_process').spawn(process.execPath, JSON.parse(process.env.WORDS), {
  stdio: ['ignore', 'inherit', 'inherit', 3],
});
setInterval(() => undefined, 1e6);`;

type Started = { readonly word?: string; readonly environment?: object; readonly parent?: string };

async function start(t: TestContext, { word, environment, parent }: Started = {}) {
  const bound = new BoundSocket({ host: '127.0.0.1', port: 0 });
  t.after(() => bound.close());
  const words = ['-e', HANG, '--', word ?? 'orphan-worker'];
  const argv = parent === undefined ? words : ['-e', HOLD, '--', parent];
  const child: ChildProcess = spawn(process.execPath, argv, {
    stdio: ['ignore', 'pipe', 'inherit', bound.fd()],
    env: { ...process.env, OURS: 'yes=1', WORDS: JSON.stringify(words), ...environment },
    detached: true,
  });
  t.after(() => {
    try {
      process.kill(-(child.pid ?? assert.fail()), 'SIGKILL');
    } catch {
      // It was killed.
    }
  });
  const said = await once(child.stdout ?? assert.fail(), 'data', {
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  assert.equal(String(said[0]), 'hangs');
  return { child, port: bound.address().port };
}

describe('endOrphans', () => {
  test('kills what hangs on the socket and has no supervisor any more', async (t) => {
    const { child, port } = await start(t);
    const exited = once(child, 'exit', { signal: AbortSignal.timeout(LIMIT_MS) });
    assert.deepEqual(endOrphans(port, TRAITS), [child.pid]);
    assert.deepEqual(await exited, [null, 'SIGKILL']);
  });

  const SPARED: readonly [string, Started, number][] = [
    ['another program on the socket', { word: 'somebody-else' }, 0],
    ['one with another state directory', { environment: { OURS: 'no' } }, 0],
    ['one that has another socket', {}, 1],
    ['one whose supervisor lives', { parent: 'orphan-supervisor' }, 0],
  ];
  for (const [what, started, offset] of SPARED) {
    test(`leaves alone ${what}`, async (t) => {
      const { child, port } = await start(t, started);
      assert.deepEqual(endOrphans(port + offset, TRAITS), []);
      assert.equal(child.exitCode ?? child.signalCode, null);
    });
  }

  test('finds it below a parent that is no supervisor', async (t) => {
    const { port } = await start(t, { parent: 'a-shell' });
    assert.equal(endOrphans(port, TRAITS).length, 1);
  });
});
