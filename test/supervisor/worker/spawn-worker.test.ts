import assert from 'node:assert/strict';
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { UpdateStatus } from '../../../shared/contract/update-status.ts';
import type { WorkerNotice } from '../../../shared/contract/worker-messages.ts';
import { spawnWorker, type WorkerCommand } from '../../../supervisor/worker/spawn-worker.ts';
import { hasEnded } from '../../helpers/processes.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { until } from '../../helpers/until.ts';
import { keepEvents, makeSocket, shell } from './worker-fixture.ts';

const LIMIT_MS = 10_000;
const READY = '{"kind":"worker-ready","version":"1.2.3","schema":4}';
const DIGEST = 'b'.repeat(64);

/** Starts a worker and keeps what is told of it. */
async function start(context: TestContext, command: WorkerCommand, askers: readonly number[] = []) {
  const socketFd = await makeSocket(context);
  const { events, told } = keepEvents();
  const notices: WorkerNotice[] = [];
  const asked: number[] = [];
  let malformed = 0;
  const worker = spawnWorker(command, socketFd, {
    event: (event) => events.push(event),
    notice: (notice) => notices.push(notice),
    hasAsked: (pid) => {
      asked.push(pid);
      return askers.includes(pid) || askers.includes(0);
    },
    malformed: (count) => {
      malformed = count;
    },
  });
  assert.deepEqual(events, [], 'nothing is told before spawnWorker has returned');
  context.after(() => worker.kill());
  return { worker, events, told, notices, asked, malformed: () => malformed, socketFd };
}

function pidOf({ worker }: Awaited<ReturnType<typeof start>>): number {
  assert.ok(worker.pid !== null);
  return worker.pid;
}

describe('spawnWorker', { concurrency: true }, () => {
  const FAILURES = [
    ['a file that does not exist', '/nonexistent', [], /ENOENT/],
    ['a file that is no program', '/dev/null', [], /EACCES/],
    ['arguments that are too long for the kernel', 'true', ['x'.repeat(5_000_000)], /E2BIG/],
  ] as const;
  for (const [title, file, args, reason] of FAILURES) {
    test(`${title} is told as a failed spawn, and nothing else`, async (t) => {
      const command = { file, args, environment: { PATH: process.env['PATH'] } };
      const { worker, events, told } = await start(t, command);
      const event = await told('spawn-failed');
      assert.equal(events.length, 1);
      assert.match(event.kind === 'spawn-failed' ? event.reason : '', reason);
      assert.deepEqual([worker.isAlive(), worker.pid], [false, null]);
      worker.signal('SIGTERM');
      worker.kill();
      worker.send({ kind: 'pause' });
    });
  }

  test('the end is told with code and signal, and a worker that has ended is told nothing', async (t) => {
    const started = await start(t, shell('exit 7'));
    const { worker, events, told } = started;
    await told('worker-exited');
    assert.deepEqual(events, [
      { kind: 'worker-spawned', pid: pidOf(started) },
      { kind: 'worker-exited', code: 7, signal: null, adopted: false },
    ]);
    assert.equal(worker.isAlive(), false);
    worker.signal('SIGTERM');
    worker.kill();
    worker.send({ kind: 'pause' });
  });

  test('it gets the socket, and what it says over the channel is told', async (t) => {
    const said = join(makeTempFolder(t), 'said');
    const script = `readlink /proc/$$/fd/3 > "$SAID"
      echo '{"kind":"worker-starting","step":"migrating"}' >&4
      echo nonsense >&4
      echo '${READY.replace('}', `,"digest":"${DIGEST}"}`)}' >&4
      exec sleep 600`;
    const started = await start(t, shell(script, { SAID: said }));
    const readiness = { version: '1.2.3', schema: 4, digest: DIGEST };
    assert.deepEqual(await started.told('worker-ready'), { kind: 'worker-ready', readiness });
    assert.deepEqual(
      started.events.map(({ kind }) => kind),
      ['worker-spawned', 'worker-starting', 'worker-ready'],
    );
    assert.deepEqual(
      started.notices.map(({ kind }) => kind),
      ['worker-starting', 'worker-ready'],
    );
    assert.equal(started.malformed(), 1);
    const socket = readlinkSync(`/proc/self/fd/${started.socketFd}`);
    assert.equal(readFileSync(said, 'utf8'), `${socket}\n`);
  });

  test('it is told things over the channel, one a line', async (t) => {
    const script = `read one <&4; echo '${READY}' >&4; read two <&4; [ "$two" = '{"kind":"proceed"}' ] && exit 7`;
    const { worker, told } = await start(t, shell(script));
    worker.send({ kind: 'pause' });
    await told('worker-ready');
    worker.send({ kind: 'proceed' });
    const exited = await told('worker-exited');
    assert.equal(exited.kind === 'worker-exited' && exited.code, 7);
  });

  test('one that does not listen does not fill the memory with what it is told', async (t) => {
    const { worker, told } = await start(t, shell('read line; kill -STOP $$'));
    const text = 'x'.repeat(1_000);
    const status = { text } as unknown as UpdateStatus;
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
    for (let n = 0; n < 50_000; n++) worker.send({ kind: 'update-status', status });
    const after = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
    assert.ok(after - before < 30_000_000, `${after - before} bytes more`);
    worker.kill();
    await told('worker-exited');
  });

  test('a signal reaches it alone, a kill its whole group', async (t) => {
    const pids = join(makeTempFolder(t), 'pids');
    const script = `trap 'echo told >> "$PIDS"' TERM
      sleep 600 & echo $! >> "$PIDS"; echo '${READY}' >&4; wait; wait`;
    const started = await start(t, shell(script, { PIDS: pids }));
    const { worker, told } = started;
    await told('worker-ready');
    worker.signal('SIGTERM');
    const lines = () => readFileSync(pids, 'utf8').split('\n');
    await until('the signal', LIMIT_MS, () => lines()[1] === 'told');
    const child = Number(lines()[0]);
    assert.equal(hasEnded(child), false);
    worker.kill();
    await told('worker-exited');
    await until('the end of the group', LIMIT_MS, () => hasEnded(child));
  });

  for (const [title, code, isAsker, adopted] of [
    ['exit code 10 with a request of this very process is adopted', 10, true, true],
    ['exit code 10 without one is not', 10, false, false],
    ['another exit code never is', 75, true, false],
  ] as const) {
    test(title, async (t) => {
      // 0 stands for whoever asks.
      const started = await start(t, shell(`exit ${code}`), isAsker ? [0] : [1]);
      assert.deepEqual(await started.told('worker-exited'), {
        kind: 'worker-exited',
        code,
        signal: null,
        adopted,
      });
      assert.deepEqual(started.asked, code === 10 ? [pidOf(started)] : []);
    });
  }
});

describe('a channel whose far end was left to somebody else', () => {
  test('is let go of with its worker: it must not keep this process from ending', async (t) => {
    const countPipes = () =>
      process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length;
    const before = countPipes();
    const pids = join(makeTempFolder(t), 'pids');
    const script = `setsid sleep 600 & echo $! > "$PIDS"; exit 0`;
    const { told } = await start(t, shell(script, { PIDS: pids }));
    await told('worker-exited');
    const left = Number(readFileSync(pids, 'utf8'));
    t.after(() => process.kill(left, 'SIGKILL'));
    assert.equal(hasEnded(left), false);
    await until('the end of the channel', LIMIT_MS, () => countPipes() === before);
  });
});
