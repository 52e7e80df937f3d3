import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { checkCandidate, type Expected } from '../../../../app/updates/release/check-candidate.ts';
import { findProcesses } from '../../../helpers/processes.ts';
import { makeTempFolder } from '../../../helpers/temp-folder.ts';
import { failureOf } from './release-fixture.ts';

const DIGEST = 'd'.repeat(64);
const answer = {
  version: '1.2.3',
  commit: 'c0ffee',
  digest: DIGEST,
  schema: 4,
  record: 1,
  platform: 'x86_64-unknown-linux-gnu',
};
const expected: Expected = {
  version: '1.2.3',
  digest: DIGEST,
  platform: 'x86_64-unknown-linux-gnu',
  schema: 4,
};

/** A program of a few shell lines. */
function makeProgram(t: TestContext, lines: string): string {
  const file = join(makeTempFolder(t), 'candidate');
  writeFileSync(file, `#!/bin/sh\n${lines}\n`);
  chmodSync(file, 0o755);
  return file;
}

const says = (value: object) => `echo '${JSON.stringify(value)}'`;

const check = (file: string, options: { timeoutMs?: number; signal?: AbortSignal } = {}) =>
  checkCandidate(file, expected, {
    environment: { PATH: process.env['PATH'] },
    signal: new AbortController().signal,
    ...options,
  });

describe('a candidate', () => {
  test('that says what was expected passes', async (t) => {
    const file = makeProgram(t, says(answer));
    assert.deepEqual(await check(file), { ok: true, value: answer });
  });

  test('is asked with --self-check, knows nothing of this host, and has a state of its own', async (t) => {
    const file = makeProgram(t, `echo "$*" > "$0.words"; env > "$0.env"; ${says(answer)}`);
    process.env['PODUP_TOKEN'] = 'zgeheim-token';
    t.after(() => delete process.env['PODUP_TOKEN']);
    assert.equal((await check(file)).ok, true);
    assert.equal(readFileSync(`${file}.words`, 'utf8'), '--self-check\n');
    const variables: Record<string, string> = Object.fromEntries(
      readFileSync(`${file}.env`, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split('=', 2)),
    );
    // The shell adds these, and a measurement of the coverage goes on in children.
    const added = ['PWD', 'OLDPWD', 'SHLVL', '_', 'NODE_V8_COVERAGE'];
    const own = Object.fromEntries(
      Object.entries(variables).filter(([name]) => !added.includes(name)),
    );
    assert.deepEqual(Object.keys(own).sort(), ['HOME', 'PATH', 'PODUP_STATE_DIR', 'TMPDIR']);
    const stateDir = own['PODUP_STATE_DIR'] ?? '';
    assert.match(stateDir, /podup-self-check-/);
    assert.equal(existsSync(stateDir), false);
  });

  for (const [title, change, said] of [
    [
      'another version',
      { version: '9.9.9' },
      'It says that its version is 9.9.9; 1.2.3 was expected.',
    ],
    [
      'another digest',
      { digest: 'e'.repeat(64) },
      `It says that its digest is ${'e'.repeat(64)}; `,
    ],
    ['another platform', { platform: 'other' }, 'It says that its platform is other; '],
    ['an older schema', { schema: 3 }, 'It knows migrations up to 3; 4 is in use here.'],
    ['no record format', { record: 0 }, 'gave no answer'],
    ['no digest', { digest: undefined }, 'gave no answer'],
  ] as const) {
    test(`that says ${title} does not pass`, async (t) => {
      const { code, detail } = failureOf(
        await check(makeProgram(t, says({ ...answer, ...change }))),
      );
      assert.equal(code, 'RELEASE_SELF_CHECK_FAILED');
      assert.ok(detail.includes(said), detail);
    });
  }

  test('may bring an older schema where that is asked for', async (t) => {
    const file = makeProgram(t, says({ ...answer, schema: 1 }));
    const checked = await checkCandidate(
      file,
      { ...expected, schema: null },
      { environment: { PATH: undefined }, signal: new AbortController().signal },
    );
    assert.equal(checked.ok, true);
  });

  test('that fails is quoted with its last words', async (t) => {
    const file = makeProgram(t, `${says(answer)}; echo first >&2; echo the last line >&2; exit 3`);
    const { code, detail } = failureOf(await check(file));
    assert.equal(code, 'RELEASE_SELF_CHECK_FAILED');
    assert.equal(detail, `${file} --self-check exited with 3: the last line.`);
  });

  test('of which Node prints a trace is quoted with the error, not with what is around it', async (t) => {
    const file = join(makeTempFolder(t), 'candidate');
    writeFileSync(
      file,
      `#!${process.execPath}\nthrow Object.assign(new Error('no luck'), { a: 1 });`,
    );
    chmodSync(file, 0o755);
    const { detail } = failureOf(await check(file));
    assert.match(detail, /exited with 1: Error: no luck\.$/);
  });

  for (const [title, lines] of [
    ['nothing', 'exit 0'],
    ['no JSON', 'echo well'],
    ['more than anybody reads', 'head -c 100000 /dev/zero | tr "\\0" a'],
  ] as const) {
    test(`that says ${title} does not pass`, async (t) => {
      const { code, detail } = failureOf(await check(makeProgram(t, lines)));
      assert.equal(code, 'RELEASE_SELF_CHECK_FAILED');
      assert.match(detail, /gave no answer/);
    });
  }

  test('that cannot be started does not pass', async (t) => {
    const file = join(makeTempFolder(t), 'candidate');
    writeFileSync(file, '#!/nowhere/node\n');
    chmodSync(file, 0o755);
    const { code, detail } = failureOf(await check(file));
    assert.equal(code, 'RELEASE_SELF_CHECK_FAILED');
    assert.match(detail, /could not be started \(ENOENT\)/);
  });

  for (const [title, stop] of [
    ['that hangs', () => ({ timeoutMs: 300 })],
    ['that is stopped', () => ({ signal: AbortSignal.timeout(300) })],
  ] as const) {
    test(`${title} is ended with all that it has started, signals or not`, async (t) => {
      const mark = `mark-${process.pid}-${title.replaceAll(' ', '-')}`;
      const file = makeProgram(t, `trap '' TERM; sh -c 'sleep 60; : ${mark}' & wait; sleep 60`);
      const startedAt = performance.now();
      const { code } = failureOf(await check(file, stop()));
      // The supervisor kills a stager that it stops after two seconds; a candidate must not outlive that.
      assert.ok(performance.now() - startedAt < 300 + 2_000);
      assert.equal(code, title === 'that hangs' ? 'RELEASE_SELF_CHECK_FAILED' : 'UPDATE_CANCELLED');
      assert.deepEqual(findProcesses(mark), []);
    });
  }
});
