import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { MIGRATIONS } from '../../../app/db/generated-migrations.ts';
import { openStore } from '../../../app/db/store.ts';
import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { parseBackupAnswer, parseInspectAnswer } from '../../../shared/contract/helper-answers.ts';
import { makeFolder } from '../http/http-fixture.ts';
import { runProgram } from './program.ts';

const SCHEMA = MIGRATIONS.at(-1)?.version;

function makeState(context: TestContext) {
  const folder = makeFolder(context);
  const path = join(folder, 'data/pod-upgrade-trigger.db');
  const make = () => {
    const opened = openStore(path, { version: '0', nowMs: 1 });
    assert.ok(opened.ok);
    opened.value.close();
  };
  return { folder, path, make, environment: { PODUP_STATE_DIR: folder } };
}

/** The one line of an answer. */
function readAnswer(stdout: string): unknown {
  assert.equal(stdout.split('\n').length, 2, stdout);
  return JSON.parse(stdout);
}

describe('db-backup', () => {
  test('copies the configured database and says what the copy is', async (t) => {
    const { folder, make, environment } = makeState(t);
    make();
    const file = join(folder, 'data/backups/auto_update/upd_1/database.db');
    const { code, stdout, stderr } = await runProgram(t, ['db-backup', file], environment);
    assert.deepEqual([code, stderr], [EXIT.ok, '']);
    const answer = parseBackupAnswer(readAnswer(stdout));
    assert.deepEqual([answer?.kind, answer?.schema], ['copy', SCHEMA]);
    assert.equal(answer?.bytes, readFileSync(file).length);
  });

  test('says that there is no database, and makes none', async (t) => {
    const { folder, environment } = makeState(t);
    const words = ['db-backup', join(folder, 'x/database.db')];
    const { code, stdout } = await runProgram(t, words, environment);
    assert.equal(code, EXIT.ok);
    assert.equal(parseBackupAnswer(readAnswer(stdout))?.kind, 'none');
    assert.deepEqual(readdirSync(folder), []);
  });

  test('of what is no database ends with 1 and says why on stderr', async (t) => {
    const { folder, path, environment } = makeState(t);
    mkdirSync(join(folder, 'data'));
    writeFileSync(path, 'no database '.repeat(1_000));
    const words = ['db-backup', join(folder, 'x.db')];
    const { code, stdout, stderr } = await runProgram(t, words, environment);
    assert.deepEqual([code, stdout], [EXIT.failure, '']);
    assert.match(stderr, /^UPDATE_BACKUP_FAILED: .*SQLITE_NOTADB/);
  });

  test('without a valid configuration ends with 78', async (t) => {
    const { code, stderr } = await runProgram(t, ['db-backup', '/x'], { PODUP_STATE_DIR: 'x' });
    assert.equal(code, EXIT.configInvalid);
    assert.match(stderr, /PODUP_STATE_DIR/);
  });
});

describe('db-inspect', () => {
  test('says what it makes of the configured database, and changes nothing', async (t) => {
    const { path, make, environment } = makeState(t);
    make();
    const before = readFileSync(path);
    const { code, stdout, stderr } = await runProgram(t, ['db-inspect'], environment);
    assert.deepEqual([code, stderr], [EXIT.ok, '']);
    const answer = parseInspectAnswer(readAnswer(stdout));
    assert.deepEqual(
      [answer?.exists, answer?.schema, answer?.compatible, answer?.sound],
      [true, SCHEMA, true, true],
    );
    assert.deepEqual(readFileSync(path), before);
  });

  test('looks at the file that it is given instead', async (t) => {
    const { folder, make, environment } = makeState(t);
    make();
    const words = ['db-inspect', join(folder, 'other.db')];
    const { code, stdout } = await runProgram(t, words, environment);
    assert.equal(code, EXIT.ok);
    assert.equal(parseInspectAnswer(readAnswer(stdout))?.exists, false);
  });

  test('without a valid configuration ends with 78', async (t) => {
    const { code } = await runProgram(t, ['db-inspect'], { PODUP_STATE_DIR: 'x' });
    assert.equal(code, EXIT.configInvalid);
  });
});
