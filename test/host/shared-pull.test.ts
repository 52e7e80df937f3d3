import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { LockPull } from '../../app/deploy/pull-image.ts';
import { createPullLocks, pullLockFile } from '../../app/tasks/pull-locks.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import { addTag, command, pushImage, served, startUnit } from '../helpers/lab.ts';
import { until } from '../helpers/until.ts';
import { deploy, recordRuns } from './host-fixture.ts';

const NEVER = new AbortController().signal;

function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'podup-pulls-'));
}

/** How often the registry has handed out blobs of a repository. */
function countBlobs(repository: string): number {
  const log = command('journalctl', '--user', '--unit=lab-registry', '--no-pager', '-o', 'cat');
  const wanted = `"GET /v2/${repository}/blobs/`;
  return log.split('\n').filter((line) => line.includes(wanted)).length;
}

/** Two units on two tags of one image, and a new image under both tags. */
async function startPair(name: string) {
  const first = pushImage(`${name}:one`, 'v1');
  await addTag(first, 'two');
  for (const [at, tag] of ['one', 'two'].entries()) {
    startUnit(`${name}-${tag}`, `${name}:${tag}`, 8300 + at);
  }
  const next = pushImage(`${name}:one`, 'v2');
  await addTag(next, 'two');
  return next;
}

describe('an image that two tasks want at the same time', () => {
  test('is pulled once: the second waits for the first, and finds it here', async () => {
    await startPair('pair');
    const locks = createPullLocks(makeFolder(), NEVER);
    const before = countBlobs('pair');
    const [begun, waits] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const [one, two] = [recordRuns(), recordRuns()];
    // The first has the lock, and pulls only when the second wants it, too.
    const slow: RunCommand = async (given) => {
      if (given.argv[1] === 'pull') {
        begun.resolve();
        await waits.promise;
      }
      return one.run(given);
    };
    const late: LockPull = (...asked) => {
      const lock = locks(...asked);
      waits.resolve();
      return lock;
    };
    const notes: string[] = [];
    const first = deploy('pair-one.service', { run: slow, lockPull: locks });
    await begun.promise;
    const second = deploy('pair-two.service', {
      run: two.run,
      lockPull: late,
      onNote: (_level, action) => notes.push(action),
    });
    for (const { end } of await Promise.all([first, second])) {
      assert.equal(end.status, 'succeeded', JSON.stringify(end));
    }
    assert.deepEqual([one.count('pull'), two.count('pull')], [1, 0]);
    assert.ok(notes.includes('pull-shared'));
    for (const port of [8300, 8301]) {
      await until('v2', 20_000, async () => (await served(port)) === 'v2');
    }
    // What podman had no need of (the layer below) is not asked for: the configuration and the layer above, each once.
    assert.equal(countBlobs('pair') - before, 2);
  });

  test('is pulled by the second where the first is killed, as soon as that is dead', async () => {
    const push = pushImage('killed:stable', 'v1');
    startUnit('killed', 'killed:stable', 8310);
    const next = pushImage('killed:stable', 'v2');
    const folder = makeFolder();
    mkdirSync(folder, { recursive: true });
    const path = pullLockFile(folder, `${push.repository}@${next.digest}`);
    const fixture = join(import.meta.dirname, '../fixtures/hold-lock.ts');
    const holder = spawn(process.execPath, [fixture], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(holder, 'exit');
    holder.stdin.write(`${JSON.stringify(['lock', path])}\n`);
    const [said] = (await once(holder.stdout, 'data')) as [Buffer];
    assert.equal(JSON.parse(said.toString()).ok, true);
    const locks = createPullLocks(folder, NEVER);
    const { run, count } = recordRuns();
    let hasWaited: boolean | undefined;
    const { end } = await deploy('killed.service', {
      run,
      lockPull: async (...asked) => {
        const lock = locks(...asked);
        holder.kill('SIGKILL');
        await ended;
        hasWaited = (await lock)?.hasWaited;
        return lock;
      },
    });
    assert.equal(end.status, 'succeeded', JSON.stringify(end));
    assert.deepEqual([hasWaited, count('pull')], [true, 1]);
  });
});
