import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import {
  createStandby,
  type StandbyProcess,
  standbyCommand,
} from '../../../supervisor/standby/standby-process.ts';
import type { WorkerCommand } from '../../../supervisor/worker/spawn-worker.ts';
import { hasEnded } from '../../helpers/processes.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { until } from '../../helpers/until.ts';

const LIMIT_MS = 10_000;
const WAIT = 'exec sleep 600';

type Options = { readonly command?: Partial<WorkerCommand>; readonly stopLimitMs?: number };

/** A standby that is a shell script. It finds a file to write to in `$SAID`. */
async function make(context: TestContext, script: string, options: Options = {}) {
  const said = join(makeTempFolder(context), 'said');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  const exits: string[] = [];
  const command = {
    file: 'sh',
    args: ['-c', script],
    environment: { PATH: process.env['PATH'], SAID: said },
    ...options.command,
  };
  const standby = createStandby(
    () => command,
    fd,
    (how) => exits.push(how),
    options.stopLimitMs,
  );
  context.after(async () => {
    await standby.end(0);
    server.close();
  });
  const lines = () => (existsSync(said) ? readFileSync(said, 'utf8').split('\n').slice(0, -1) : []);
  return {
    standby,
    exits,
    command,
    socket: readlinkSync(`/proc/self/fd/${fd}`),
    says: (count: number) =>
      until(`line ${count}`, LIMIT_MS, () => lines().length >= count).then(lines),
    ended: (count = 1) => until(`end ${count}`, LIMIT_MS, () => exits.length >= count),
  };
}

function pidOf(standby: StandbyProcess): number {
  const pid = standby.pid();
  assert.ok(pid !== undefined);
  return pid;
}

describe('the standby process', { concurrency: true }, () => {
  test('is one, however often it is started, and has the socket', async (t) => {
    const script = `echo $$ >> "$SAID"; readlink /proc/$$/fd/3 >> "$SAID"; ${WAIT}`;
    const { standby, says, socket } = await make(t, script);
    standby.start();
    standby.start();
    assert.deepEqual(await says(2), [String(standby.pid()), socket]);
    standby.start();
    assert.equal((await says(2)).length, 2);
  });

  test('leads a process group of its own, out of reach of a Ctrl-C', async (t) => {
    const { standby, says } = await make(t, `cut -d' ' -f5 /proc/$$/stat >> "$SAID"; ${WAIT}`);
    standby.start();
    assert.deepEqual(await says(1), [String(standby.pid())]);
  });

  test('is told politely, its end is told, and it may be started again', async (t) => {
    const { standby, exits, says, ended } = await make(t, `echo $$ >> "$SAID"; ${WAIT}`);
    for (const round of [1, 2]) {
      standby.start();
      await says(round);
      standby.stop();
      // Until it is gone there is no second one.
      standby.start();
      await ended(round);
      assert.equal(standby.pid(), undefined);
    }
    assert.deepEqual(exits, ['SIGTERM', 'SIGTERM']);
    assert.equal((await says(2)).length, 2);
  });

  test('says how it ended by itself', async (t) => {
    const { standby, exits, ended } = await make(t, 'exit 7');
    standby.start();
    await ended();
    assert.deepEqual(exits, ['7']);
  });

  test('is killed when it does not stop', async (t) => {
    const script = `trap '' TERM; echo up >> "$SAID"; ${WAIT}`;
    const { standby, exits, says, ended } = await make(t, script, { stopLimitMs: 100 });
    standby.start();
    await says(1);
    standby.stop();
    await ended();
    assert.deepEqual(exits, ['SIGKILL']);
  });

  test('where it is to end, that is waited for, and it is killed at the limit', async (t) => {
    for (const [trap, how] of [
      ['', 'SIGTERM'],
      [`trap '' TERM;`, 'SIGKILL'],
    ] as const) {
      const { standby, exits, says } = await make(t, `${trap} echo up >> "$SAID"; ${WAIT}`);
      standby.start();
      await says(1);
      const pid = pidOf(standby);
      await standby.end(100);
      assert.equal(hasEnded(pid), true);
      assert.deepEqual(exits, [how]);
    }
  });

  test('where none runs there is nothing to stop or to wait for', async (t) => {
    const { standby, exits } = await make(t, WAIT);
    standby.stop();
    await standby.end(60_000);
    assert.deepEqual(exits, []);
  });

  for (const [title, command, reason] of [
    ['is missing', { file: '/nonexistent' }, /ENOENT/],
    ['is given too much', { args: ['x'.repeat(5_000_000)] }, /E2BIG/],
  ] as const) {
    test(`a program that ${title} is told as an end, and may be tried again`, async (t) => {
      const { standby, exits, ended } = await make(t, WAIT, { command });
      for (const round of [1, 2]) {
        standby.start();
        await ended(round);
        assert.match(exits[round - 1] ?? '', reason);
        assert.equal(standby.pid(), undefined);
        await standby.end(60_000);
      }
    });
  }

  test('cannot bring this process down by what it writes to the channel', async (t) => {
    const flood = 'head -c 10000000 /dev/zero >&4';
    const script = `echo 'no { JSON' >&4; ${flood}; echo done >> "$SAID"; ${WAIT}`;
    const { standby, says } = await make(t, script);
    standby.start();
    await says(1);
    assert.ok(pidOf(standby) > 0);
  });

  test('has a channel that Node knows, by which it learns when its supervisor is gone', async (t) => {
    const program = `fs.writeFileSync(process.env.SAID, process.connected + '\\n')`;
    const { standby, says, ended } = await make(t, '', {
      command: { file: process.execPath, args: ['-e', program] },
    });
    standby.start();
    assert.deepEqual(await says(1), ['true']);
    await ended();
  });
});

describe('standbyCommand', () => {
  test('is the command of the worker, with another subcommand and the same socket', () => {
    const environment = { A: '1' };
    const worker = { file: '/node', args: ['--flag', 'main.mjs', 'http-server'], environment };
    assert.deepEqual(standbyCommand(worker), {
      file: '/node',
      args: ['--flag', 'main.mjs', 'intake', '--listen-fd', '3'],
      environment,
    });
  });
});
