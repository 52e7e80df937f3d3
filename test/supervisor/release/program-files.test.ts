import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { realFiles } from '../../../shared/fs/files.ts';
import {
  keepProgram,
  type ProgramParts,
  removeLeftovers,
  removeStaged,
  restoreProgram,
  switchProgram,
} from '../../../supervisor/release/program-files.ts';
import {
  EXCHANGE,
  makeProgramParts,
  NEW_CONTENT,
  OLD_CONTENT,
  put,
  read,
  refuse,
} from './release-fixture.ts';

const OK = { ok: true, value: undefined };

/** What lies beside the program, by the ends of the names. */
function beside({ program }: ProgramParts) {
  const { target, staged, old, tries } = program;
  return { target: read(target), staged: read(staged), old: read(old), tries: read(tries) };
}

const EXCHANGED = { target: NEW_CONTENT, staged: undefined, old: OLD_CONTENT, tries: '0\n' };

/** A folder on another file system than the temporary ones. */
function elsewhere(context: TestContext): string {
  const folder = mkdtempSync('/dev/shm/podup-');
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe('switchProgram', () => {
  test('exchanges the program, and the launcher is to start the old one until it is proven', async (t) => {
    const parts = makeProgramParts(t);
    assert.deepEqual(await switchProgram(parts, EXCHANGE), OK);
    assert.deepEqual(beside(parts), EXCHANGED);
    assert.equal(statSync(parts.program.target).mode & 0o777, 0o755);
    assert.equal(readdirSync(dirname(parts.program.target)).length, 3);
  });

  test('replaces what was the old one before', async (t) => {
    const parts = makeProgramParts(t);
    put(parts.program.old, 'an older one');
    assert.deepEqual(await switchProgram(parts, EXCHANGE), OK);
    assert.deepEqual(beside(parts), EXCHANGED);
  });

  test('may be repeated once it is done, and makes what it finds durable', async (t) => {
    const synced: string[] = [];
    const parts = makeProgramParts(t, { syncDirectory: (path) => synced.push(path) });
    await switchProgram(parts, EXCHANGE);
    synced.length = 0;
    assert.deepEqual(await switchProgram(parts, EXCHANGE), OK);
    assert.deepEqual(synced, [dirname(parts.program.target)]);
    assert.deepEqual(beside(parts), EXCHANGED);
  });

  for (const operation of ['link', 'create', 'write', 'sync', 'rename', 'syncDirectory'] as const) {
    test(`may be repeated wherever ${operation} was refused, and never lacks a program`, async (t) => {
      for (let nth = 1; ; nth++) {
        let left = nth;
        const real = realFiles[operation] as (...args: unknown[]) => never;
        const parts = makeProgramParts(t, {
          [operation]: (...args: unknown[]) => {
            if (--left === 0) refuse('EIO')();
            return real(...args);
          },
        });
        const first = await switchProgram(parts, EXCHANGE).catch((error: Error) => error.message);
        assert.ok([OLD_CONTENT, NEW_CONTENT].includes(read(parts.program.target) ?? ''));
        if (left > 0) break;
        assert.equal(first, 'EIO: no');
        assert.deepEqual(await switchProgram(parts, EXCHANGE), OK);
        assert.deepEqual(beside(parts), EXCHANGED);
      }
    });
  }

  test('refuses where the running program was changed by a hand, and changes nothing', async (t) => {
    for (const change of [(path: string) => put(path, 'another'), (path: string) => rmSync(path)]) {
      const parts = makeProgramParts(t);
      change(parts.program.target);
      const before = beside(parts);
      const { target } = parts.program;
      assert.deepEqual(await switchProgram(parts, EXCHANGE), {
        ok: false,
        failure: {
          code: 'UPDATE_SWAP_FAILED',
          detail: `${target} is not the program that ran: it was changed.`,
        },
      });
      assert.deepEqual(beside(parts), before);
    }
  });

  test('refuses where the staged program was changed after it was verified, and changes nothing', async (t) => {
    for (const change of [(path: string) => put(path, 'another'), (path: string) => rmSync(path)]) {
      const parts = makeProgramParts(t);
      change(parts.program.staged);
      const before = beside(parts);
      const { staged } = parts.program;
      assert.deepEqual(await switchProgram(parts, EXCHANGE), {
        ok: false,
        failure: {
          code: 'UPDATE_SWAP_FAILED',
          detail: `${staged} is not what was verified: it was changed or is gone.`,
        },
      });
      assert.deepEqual(beside(parts), before);
    }
  });

  test('takes nothing for the new program before one was chosen', async (t) => {
    const parts = makeProgramParts(t);
    rmSync(parts.program.target);
    rmSync(parts.program.staged);
    const switched = await switchProgram(parts, { ...EXCHANGE, to: null });
    assert.equal(switched.ok, false);
  });
});

describe('restoreProgram', () => {
  test('puts the old program back from beside it, and keeps it there', async (t) => {
    const parts = makeProgramParts(t);
    await switchProgram(parts, EXCHANGE);
    assert.deepEqual(await restoreProgram(parts, EXCHANGE), OK);
    assert.deepEqual(beside(parts), { ...EXCHANGED, target: OLD_CONTENT });
  });

  test('may be repeated, and makes what it finds durable', async (t) => {
    const synced: string[] = [];
    const parts = makeProgramParts(t, { syncDirectory: (path) => synced.push(path) });
    assert.deepEqual(await restoreProgram(parts, EXCHANGE), OK);
    assert.deepEqual(synced, [dirname(parts.program.target)]);
  });

  for (const [title, spoil] of [
    ['is gone', () => undefined],
    ['is another one', (path: string) => put(path, 'another')],
  ] as const) {
    test(`takes the one that was kept where the one beside it ${title}`, async (t) => {
      const parts = makeProgramParts(t);
      await keepProgram(parts, EXCHANGE);
      await switchProgram(parts, EXCHANGE);
      // Not within the file: those are two names of one.
      rmSync(parts.program.old);
      spoil(parts.program.old);
      assert.deepEqual(await restoreProgram(parts, EXCHANGE), OK);
      assert.equal(read(parts.program.target), OLD_CONTENT);
    });
  }

  test('puts it back where nothing lies at the target', async (t) => {
    const parts = makeProgramParts(t);
    await switchProgram(parts, EXCHANGE);
    rmSync(parts.program.target);
    assert.deepEqual(await restoreProgram(parts, EXCHANGE), OK);
    assert.equal(read(parts.program.target), OLD_CONTENT);
  });

  test('fails where it is nowhere whole, and leaves what is there', async (t) => {
    const parts = makeProgramParts(t);
    await keepProgram(parts, EXCHANGE);
    await switchProgram(parts, EXCHANGE);
    const kept = join(parts.folder, 'program');
    for (const path of [parts.program.old, kept]) {
      rmSync(path);
      put(path, 'another');
    }
    assert.deepEqual(await restoreProgram(parts, EXCHANGE), {
      ok: false,
      failure: {
        code: 'UPDATE_ROLLBACK_FAILED',
        detail: `Neither ${parts.program.old} nor ${kept} is the old program.`,
      },
    });
    assert.equal(read(parts.program.target), NEW_CONTENT);
  });

  test('copies it back from another file system, executable as it was', async (t) => {
    const parts = { ...makeProgramParts(t), folder: join(elsewhere(t), 'upd_1') };
    await keepProgram(parts, EXCHANGE);
    await switchProgram(parts, EXCHANGE);
    rmSync(parts.program.old);
    // A copy that was cut off before.
    put(`${parts.program.target}.tmp`, 'half');
    chmodSync(`${parts.program.target}.tmp`, 0o600);
    assert.deepEqual(await restoreProgram(parts, EXCHANGE), OK);
    assert.equal(read(parts.program.target), OLD_CONTENT);
    assert.equal(statSync(parts.program.target).mode & 0o777, 0o755);
    assert.equal(read(`${parts.program.target}.tmp`), undefined);
  });
});

describe('the target', () => {
  test('is never without a program, there and back again, for one who looks all the time', async (t) => {
    const parts = makeProgramParts(t);
    const { program } = parts;
    const reader = join(import.meta.dirname, '../../fixtures/helpers/read-busily.ts');
    const child = spawn(process.execPath, [reader, program.target]);
    t.after(() => child.kill('SIGKILL'));
    child.stdout.setEncoding('utf8');
    await once(child.stdout, 'data');
    for (let round = 0; round < 25; round++) {
      put(program.staged, NEW_CONTENT);
      assert.deepEqual(await switchProgram(parts, EXCHANGE), OK);
      assert.deepEqual(await restoreProgram(parts, EXCHANGE), OK);
    }
    const seen = once(child.stdout, 'data');
    child.stdin.end();
    assert.deepEqual(JSON.parse(String((await seen)[0])), [NEW_CONTENT, OLD_CONTENT]);
  });
});

describe('keepProgram', () => {
  test('gives the running program a second name, and says which one it is', async (t) => {
    const parts = makeProgramParts(t);
    for (const round of [1, 2]) {
      await keepProgram(parts, EXCHANGE);
      const kept = join(parts.folder, 'program');
      assert.equal(statSync(kept).ino, statSync(parts.program.target).ino, `round ${round}`);
      assert.deepEqual(JSON.parse(read(join(parts.folder, 'program.json')) ?? ''), EXCHANGE.from);
    }
    assert.deepEqual(readdirSync(parts.folder), ['program', 'program.json']);
  });

  test('copies it to another file system', async (t) => {
    const parts = { ...makeProgramParts(t), folder: join(elsewhere(t), 'upd_1') };
    for (const _round of [1, 2]) await keepProgram(parts, EXCHANGE);
    assert.equal(read(join(parts.folder, 'program')), OLD_CONTENT);
    assert.deepEqual(readdirSync(parts.folder), ['program', 'program.json']);
  });

  test('passes on what else the system refuses', async (t) => {
    const parts = makeProgramParts(t, { link: refuse('EPERM') });
    await assert.rejects(keepProgram(parts, EXCHANGE), { code: 'EPERM' });
    assert.equal(read(join(parts.folder, 'program.json')), undefined);
  });
});

describe('what an update leaves beside the program', () => {
  const all = ({ program }: ProgramParts) => [
    program.tries,
    program.staged,
    program.partial,
    `${program.partial}.json`,
  ];
  const left = (parts: ProgramParts) => all(parts).map((path) => read(path) !== undefined);
  const ROWS = [
    ['is removed', removeLeftovers, true, [false, false, false, false]],
    ['but for a download that can go on', removeLeftovers, false, [false, false, true, true]],
    [
      'but for the tries, where neither version runs',
      removeStaged,
      true,
      [true, false, false, false],
    ],
    ['but for both', removeStaged, false, [true, false, true, true]],
  ] as const;
  for (const [title, remove, isDone, expected] of ROWS) {
    test(title, (t) => {
      const parts = makeProgramParts(t);
      for (const path of all(parts)) put(path, 'left');
      remove(parts, isDone);
      assert.deepEqual(left(parts), expected);
      assert.equal(read(parts.program.target), OLD_CONTENT);
      remove(parts, isDone);
    });
  }

  test('that cannot be removed is told by the error of the system', (t) => {
    const parts = makeProgramParts(t);
    mkdirSync(parts.program.tries);
    assert.throws(() => removeLeftovers(parts, true), { code: /EISDIR|EPERM/ });
  });
});
