import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type SelfCheckParts, selfCheck } from '../../../app/cli/self-check.ts';
import { MIGRATIONS } from '../../../app/db/generated-migrations.ts';
import { hashFile } from '../../../shared/config/program-file.ts';
import { PROGRAM } from '../../../shared/config/program-version.ts';
import { parseSelfCheckAnswer } from '../../../shared/contract/helper-answers.ts';
import { fail } from '../../../shared/contract/outcome.ts';
import { parseJson } from '../../../shared/contract/read-shape.ts';
import { RECORD_VERSION } from '../../../shared/contract/update-record.ts';
import { buildRelease } from '../../helpers/release.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const SCRIPT = join(import.meta.dirname, '../../../scripts/pod-upgrade-trigger.ts');
const NEWEST = MIGRATIONS.at(-1)?.version ?? 0;

/** Runs a program with temporary files and state where it can be seen what it leaves. */
function run(t: TestContext, words: readonly string[]) {
  const [file = '', ...args] = words;
  const { NODE_V8_COVERAGE } = process.env;
  const [temporary, stateDir] = [makeTempFolder(t), makeTempFolder(t)];
  const { status, stdout, stderr } = spawnSync(file, args, {
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'],
      ...(NODE_V8_COVERAGE && { NODE_V8_COVERAGE }),
      TMPDIR: temporary,
      HOME: stateDir,
      PODUP_STATE_DIR: stateDir,
    },
  });
  return {
    status,
    stdout,
    stderr,
    left: [temporary, stateDir].flatMap((path) => readdirSync(path)),
  };
}

describe('a self-check', () => {
  for (const word of ['--self-check', 'self-check']) {
    test(`${word} says what the program is, and leaves nothing`, async (t) => {
      const { status, stdout, stderr, left } = run(t, [process.execPath, SCRIPT, word]);
      assert.equal(stderr, '');
      assert.equal(status, 0);
      assert.deepEqual(parseSelfCheckAnswer(parseJson(stdout)), {
        ...PROGRAM,
        digest: await hashFile(SCRIPT),
        schema: NEWEST,
        record: RECORD_VERSION,
        platform: 'x86_64-unknown-linux-gnu',
      });
      assert.deepEqual(left, []);
    });
  }

  test('of a release names its own version, file and newest migration', async (t) => {
    const folder = makeTempFolder(t);
    const migration = `migration:${NEWEST + 4}:must-not-run` as const;
    const release = await buildRelease({
      version: '7.3.0',
      commit: 'c0ffee',
      folder,
      break: migration,
    });
    const { stdout } = run(t, [release.file, '--self-check']);
    const { version, commit, digest, schema } = release;
    assert.equal(schema, NEWEST + 4);
    const platform = 'x86_64-unknown-linux-gnu';
    assert.deepEqual(parseJson(stdout), { version, commit, digest, schema, record: 1, platform });
  });

  test('of a release with a migration that fails says so and leaves nothing', async (t) => {
    const folder = makeTempFolder(t);
    const broken = `migration:${NEWEST + 1}:may-run:INSERT INTO no_such_table VALUES (1);` as const;
    const release = await buildRelease({ version: '7.4.0', folder, break: broken });
    const { status, stdout, stderr, left } = run(t, [release.file, '--self-check']);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /DATABASE_UNAVAILABLE: .* no such table: no_such_table/);
    assert.deepEqual(left, []);
  });

  const ways: [string, SelfCheckParts['load'], string][] = [
    [
      'a part cannot be loaded',
      () => Promise.reject(new Error('no such module')),
      'Error: no such module\n',
    ],
    [
      'a worker cannot be started',
      async () => ({ startWorker: async () => fail('DATABASE_UNAVAILABLE', 'It is gone.') }),
      'DATABASE_UNAVAILABLE: The database cannot be used. It is gone.',
    ],
  ];
  for (const [title, load, said] of ways) {
    test(`fails in one line where ${title}`, async (t) => {
      const written: string[] = [];
      t.mock.method(process.stderr, 'write', (line: string) => written.push(line) > 0);
      const code = await selfCheck({ program: ['node'], load });
      assert.equal(code, 1);
      assert.equal(written.length, 1);
      assert.ok(written[0]?.startsWith(said), written.join());
    });
  }
});
