// Needs: flock, unshare, bash
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, type TestContext, test } from 'node:test';
import type { Failure } from '../../../shared/contract/outcome.ts';
import { lockFile, lockFileWithin } from '../../../shared/fs/lock-file.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const HOLDER = join(import.meta.dirname, '../../fixtures/hold-lock.ts');
/** Long enough for anything that does not hang. */
const LIMIT_MS = 20_000;

type Answer = { readonly ok: boolean; readonly failure: Failure };

/** Another process, see test/fixtures/hold-lock.ts. */
function startHolder(
  t: TestContext,
  how: { wrap?: readonly string[]; path?: string; node?: readonly string[]; args?: string[] } = {},
) {
  const { wrap = [], node = [], args = [], path = process.env['PATH'] } = how;
  const [file = '', ...words] = [...wrap, process.execPath, ...node, HOLDER, ...args];
  const child = spawn(file, words, { stdio: ['pipe', 'pipe', 'inherit'], env: { PATH: path } });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const answer = async (): Promise<Answer> => JSON.parse((await lines.next()).value ?? 'null');
  return {
    pid: child.pid ?? 0,
    answer,
    tell: (...words: readonly unknown[]) => {
      child.stdin.write(`${JSON.stringify(words)}\n`);
      return answer();
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Tells of another process, at any time, whether the lock is free: what counts is what others find. */
function isFree(path: string): boolean {
  const locked = lockFile(path);
  if (locked.ok) locked.value.release();
  return locked.ok;
}

/** A PATH with nothing in it but these scripts. */
function makePath(t: TestContext, programs: Readonly<Record<string, string>>): string {
  const folder = makeTempFolder(t);
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

/** Options of Node with which no koffi is found. */
const WITHOUT_KOFFI = [
  '--import',
  `data:text/javascript,${encodeURIComponent(`
    import { registerHooks } from 'node:module';
    registerHooks({ resolve: (name, context, next) => {
      if (name === 'koffi') throw new Error('no koffi');
      return next(name, context);
    } });`)}`,
];

describe('lockFile', () => {
  test('makes a file that says who holds it, for its user only', (t) => {
    const path = join(makeTempFolder(t), 'ä supervisor.lock');
    const before = Date.now();
    const locked = lockFile(path);
    assert.ok(locked.ok);
    const { pid, what, startedAt } = JSON.parse(readFileSync(path, 'utf8'));
    assert.deepEqual({ pid, what }, { pid: process.pid, what: 'ä supervisor' });
    assert.ok(startedAt >= before && startedAt <= Date.now());
    assert.equal(statSync(path).mode & 0o777, 0o600);
    locked.value.release();
    assert.equal(readFileSync(path, 'utf8'), '');
  });

  test('tells who comes too late whom to look for', async (t) => {
    const path = join(makeTempFolder(t), 'supervisor.lock');
    const holder = startHolder(t);
    assert.equal((await holder.tell('lock', path)).ok, true);
    const locked = lockFile(path);
    assert.ok(!locked.ok);
    assert.equal(locked.failure.code, 'STATE_DIR_IN_USE');
    const who = `Process ${holder.pid} (supervisor) has held ${path} since 20`;
    assert.ok(locked.failure.detail.startsWith(who), locked.failure.detail);
  });

  for (const content of ['', 'garbage', '{"pid":0}', 'x'.repeat(5000)])
    test(`a holder that has written ${JSON.stringify(content.slice(0, 9))} has no name`, (t) => {
      const path = join(makeTempFolder(t), 'a.lock');
      const locked = lockFile(path);
      assert.ok(locked.ok);
      writeFileSync(path, content);
      const late = lockFile(path);
      assert.ok(!late.ok);
      assert.equal(late.failure.detail, `Another process holds ${path}.`);
      locked.value.release();
    });

  test('waits for the name of one who has just got it and not signed yet', async (t) => {
    const path = join(makeTempFolder(t), 'x.lock');
    const holder = { pid: 4711, startedAt: 0, what: 'supervisor' };
    const sign = `echo up; sleep 0.1; printf '%s' '${JSON.stringify(holder)}' >> "$1"; read line`;
    const child = spawn('flock', [path, 'sh', '-c', sign, 'sh', path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    await once(child.stdout, 'data');
    const locked = lockFile(path);
    child.stdin.end();
    await ended;
    assert.match(locked.ok ? '' : locked.failure.detail, /^Process 4711 \(supervisor\) has held/);
  });

  test('can be given back and taken again, by the same process too', (t) => {
    const path = join(makeTempFolder(t), 'a.lock');
    for (let round = 0; round < 3; round++) {
      const locked = lockFile(path);
      assert.ok(locked.ok);
      assert.equal(isFree(path), false);
      locked.value.release();
      // Once is enough: the number of the descriptor may be another file's by now.
      const { fd } = locked.value;
      const other = lockFile(join(path, '..', 'b.lock'));
      assert.ok(other.ok);
      assert.equal(other.value.fd, fd);
      locked.value.release();
      assert.equal(isFree(join(path, '..', 'b.lock')), false);
      other.value.release();
    }
  });

  test('of two that come at the same moment exactly one gets it, a hundred times', async (t) => {
    const path = join(makeTempFolder(t), 'a.lock');
    const both = [startHolder(t), startHolder(t)];
    for (let round = 0; round < 100; round++) {
      const at = Date.now() + 5;
      const answers = await Promise.all(both.map(({ tell }) => tell('lock', path, at)));
      const codes = answers.map(({ ok, failure }) => (ok ? 'won' : failure.code)).sort();
      assert.deepEqual(codes, ['STATE_DIR_IN_USE', 'won'], `round ${round}`);
      await Promise.all(both.map(({ tell }) => tell('release')));
    }
  });

  test('is gone with a process that is killed, though its children live on', async (t) => {
    const path = join(makeTempFolder(t), 'a.lock');
    const holder = startHolder(t);
    await holder.tell('lock', path);
    const child = Number(await holder.tell('child'));
    t.after(() => process.kill(child, 'SIGKILL'));
    assert.equal(isFree(path), false);
    await holder.kill();
    assert.equal(isFree(path), true);
    process.kill(child, 0);
  });

  test('holds for who lives in another network, as containers do', async (t) => {
    const path = join(makeTempFolder(t), 'a.lock');
    const mapped = process.getuid?.() === 0 ? [] : ['--map-root-user'];
    const holder = startHolder(t, { wrap: ['unshare', ...mapped, '--net'] });
    const locked = lockFile(path);
    assert.ok(locked.ok);
    assert.equal((await holder.tell('lock', path)).failure.code, 'STATE_DIR_IN_USE');
    locked.value.release();
    assert.equal((await holder.tell('lock', path)).ok, true);
    assert.equal(isFree(path), false);
  });

  test('without flock(1) is the same lock', async (t) => {
    const path = join(makeTempFolder(t), 'a.lock');
    const holder = startHolder(t, { path: '/nowhere' });
    const locked = lockFile(path);
    assert.ok(locked.ok);
    assert.equal((await holder.tell('lock', path)).failure.code, 'STATE_DIR_IN_USE');
    locked.value.release();
    assert.equal((await holder.tell('lock', path)).ok, true);
    assert.equal(isFree(path), false);
  });

  test('with a flock(1) that cannot do it is the same lock', async (t) => {
    const path = join(makeTempFolder(t), 'a.lock');
    const holder = startHolder(t, { path: makePath(t, { flock: 'exit 64' }) });
    assert.equal((await holder.tell('lock', path)).ok, true);
    assert.equal(isFree(path), false);
  });

  test('with a flock(1) that hangs is the same lock, after a while', async (t) => {
    const path = join(makeTempFolder(t), 'a.lock');
    const stuck = "trap '' TERM; exec /bin/sleep 1000";
    const holder = startHolder(t, { path: makePath(t, { flock: stuck }) });
    assert.equal((await holder.tell('lock', path)).ok, true);
    assert.equal(isFree(path), false);
  });

  test('without flock(1) and without koffi says what is missing', async (t) => {
    const path = join(makeTempFolder(t), 'a.lock');
    const holder = startHolder(t, { path: '/nowhere', node: WITHOUT_KOFFI });
    const { failure } = await holder.tell('lock', path);
    assert.equal(failure.code, 'SYSTEM_CALLS_UNAVAILABLE');
    assert.match(failure.detail, /no koffi.*locks need the program flock/);
  });

  test('by who takes many is the same lock, without a program; with one where it must be', async (t) => {
    const folder = makeTempFolder(t);
    const [path, ran] = [join(folder, 'a.lock'), join(folder, 'ran')];
    const programs = { flock: `: > '${ran}'; exec /usr/bin/flock "$@"` };
    const hasRun = () => readdirSync(folder).includes('ran');
    for (const [node, isRun] of [
      [[], false],
      [WITHOUT_KOFFI, true],
    ] as const) {
      const holder = startHolder(t, { path: makePath(t, programs), node });
      assert.equal((await holder.tell('lockOften', path)).ok, true);
      assert.equal(hasRun(), isRun);
      assert.equal(isFree(path), false);
      const late = lockFile(path, 'frequent');
      assert.equal(late.ok || late.failure.code, 'STATE_DIR_IN_USE');
      await holder.kill();
    }
  });

  test('is held where the disk has no room for a name', () => {
    const locked = lockFile('/dev/full');
    assert.ok(locked.ok);
    assert.equal(isFree('/dev/full'), false);
    locked.value.release();
    assert.equal(isFree('/dev/full'), true);
  });

  for (const [name, code] of [
    ['missing/a.lock', 'ENOENT'],
    ['folder', 'EISDIR'],
  ] as const)
    test(`of ${name} is a failure (${code})`, (t) => {
      const folder = makeTempFolder(t);
      mkdirSync(join(folder, 'folder'));
      const locked = lockFile(join(folder, name));
      assert.ok(!locked.ok);
      assert.equal(locked.failure.code, 'STATE_DIR_UNUSABLE');
      assert.match(locked.failure.detail, new RegExp(`${name}.*\\(${code}\\)`));
    });

  test('leaves no descriptor open when it fails', (t) => {
    const path = join(makeTempFolder(t), 'a.lock');
    const locked = lockFile(path);
    assert.ok(locked.ok);
    const before = readdirSync('/proc/self/fd').length;
    assert.equal(lockFile(path).ok, false);
    assert.equal(readdirSync('/proc/self/fd').length, before);
    locked.value.release();
  });
});

/** Where flock(1) comes from, and how far it can be used for waiting. */
const CANNOT_WAIT = '[ "$1" = -n ] || exit 1; exec /usr/bin/flock "$@"';
const WAYS: readonly (readonly [which: string, how: (t: TestContext) => { path?: string }])[] = [
  ['flock(1)', () => ({})],
  ['a flock(1) that cannot wait', (t) => ({ path: makePath(t, { flock: CANNOT_WAIT }) })],
  ['koffi', () => ({ path: '/nowhere' })],
];

describe('lockFileWithin', () => {
  for (const [which, how] of WAYS) {
    test(`with ${which} gets a lock that its holder gives back`, async (t) => {
      const path = join(makeTempFolder(t), 'a.lock');
      const locked = lockFile(path);
      assert.ok(locked.ok);
      const waiter = startHolder(t, how(t));
      assert.equal(await waiter.tell('wait', path, LIMIT_MS), 'waiting');
      locked.value.release();
      assert.deepEqual(await waiter.answer(), { ok: true });
      assert.equal(isFree(path), false);
    });

    test(`with ${which} gives up in time`, async (t) => {
      const path = join(makeTempFolder(t), 'a.lock');
      const locked = lockFile(path);
      assert.ok(locked.ok);
      const waiter = startHolder(t, how(t));
      assert.equal(await waiter.tell('wait', path, 300), 'waiting');
      const { failure } = await waiter.answer();
      assert.equal(failure.code, 'STATE_DIR_IN_USE');
      assert.match(failure.detail, new RegExp(`^Process ${process.pid} `));
      locked.value.release();
      // What it waited with must not get the lock after all.
      assert.equal(isFree(path), true);
    });
  }

  test('gets a lock whose holder is killed', async (t) => {
    const path = join(makeTempFolder(t), 'a.lock');
    const [holder, waiter] = [startHolder(t), startHolder(t)];
    assert.deepEqual(await holder.tell('lock', path), { ok: true });
    assert.equal(await waiter.tell('wait', path, LIMIT_MS), 'waiting');
    await holder.kill();
    assert.deepEqual(await waiter.answer(), { ok: true });
  });

  test('waits no shorter than it may', async (t) => {
    const path = join(makeTempFolder(t), 'a.lock');
    const locked = lockFile(path);
    assert.ok(locked.ok);
    const before = performance.now();
    assert.equal((await lockFileWithin(path, 200)).ok, false);
    assert.ok(performance.now() - before >= 199);
    locked.value.release();
  });

  for (const waitMs of [0, 200])
    test(`with ${waitMs} ms to wait takes a lock that is free`, async (t) => {
      const path = join(makeTempFolder(t), 'a.lock');
      const locked = await lockFileWithin(path, waitMs);
      assert.ok(locked.ok);
      assert.equal((await lockFileWithin(path, 0)).ok, false);
      assert.equal(isFree(path), false);
      locked.value.release();
    });

  test('of a file that cannot be made fails at once', async (t) => {
    const locked = await lockFileWithin(join(makeTempFolder(t), 'missing/a'), LIMIT_MS);
    assert.equal(!locked.ok && locked.failure.code, 'STATE_DIR_UNUSABLE');
  });
});
