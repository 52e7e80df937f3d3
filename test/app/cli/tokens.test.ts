import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { openStore } from '../../../app/db/store.ts';
import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { startProgram } from './program.ts';

function makeState(context: TestContext) {
  const stateDir = makeTempFolder(context);
  const data = join(stateDir, 'data');
  mkdirSync(data);
  const opened = openStore(join(data, 'pod-upgrade-trigger.db'), { version: 'test', nowMs: 1 });
  assert.ok(opened.ok);
  context.after(() => opened.value.close());
  const run = (...words: string[]) =>
    startProgram(context, ['tokens', ...words], { PODUP_STATE_DIR: stateDir }).ended;
  const readFiles = () =>
    readdirSync(data, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => readFileSync(join(data, name), 'latin1'))
      .join('');
  return { store: opened.value, run, readFiles };
}

describe('tokens', () => {
  test('create prints the token alone, once; list and revoke know it by its name', async (t) => {
    const { run, store, readFiles } = makeState(t);
    const scopes = ['--scope', 'read', 'deploy:web,api', '--expires', '90d'];
    const made = await run('create', 'ci', ...scopes);
    assert.equal(made.code, EXIT.ok, made.stderr);
    assert.match(made.stdout, /^podup_[\w-]{43}\n$/);
    assert.match(made.stderr, /^It is shown this once;/);
    const listed = JSON.parse((await run('list', '--json')).stdout);
    const [token] = listed.tokens;
    assert.deepEqual(
      [token.name, token.state, token.scopes, token.last_used_at],
      ['ci', 'valid', ['read', 'deploy:api.service', 'deploy:web.service'], null],
    );
    assert.match(token.created_by, /^cli:/);
    const days = (Date.parse(token.expires_at) - Date.parse(token.created_at)) / 86_400_000;
    assert.ok(days > 89.9 && days < 90.1, String(days));
    assert.match(
      (await run('list')).stdout,
      /^ci\s+valid\s+read deploy:api\.service deploy:web\.service /m,
    );
    assert.equal((await run('revoke', 'ci')).code, EXIT.ok);
    const again = await run('revoke', 'ci');
    assert.equal(again.code, EXIT.failure);
    assert.match(again.stderr, /^TOKEN_NOT_FOUND: /);
    assert.match((await run('list')).stdout, /^ci\s+revoked /m);
    const events = store.events.list({ limit: 9, action: 'cli-tokens-create' }).rows;
    assert.deepEqual(JSON.parse(events[0]?.meta ?? '').token, 'ci');
    assert.ok(!readFiles().includes(made.stdout.trim()));
  });

  test('create refuses what it cannot make', async (t) => {
    const { run } = makeState(t);
    const rows: readonly (readonly [string[], number, RegExp])[] = [
      [['ci'], EXIT.usage, /--scope/],
      [['ci', '--scope', 'write'], EXIT.usage, /^REQUEST_INVALID: .*scopes: write/m],
      [['ci', '--scope', 'read', '--expires', 'soon'], EXIT.usage, /--expires: soon/],
      [['PODUP_TOKEN', '--scope', 'read'], EXIT.usage, /^REQUEST_INVALID: .*name/m],
    ];
    for (const [words, code, said] of rows) {
      const ended = await run('create', ...words);
      assert.deepEqual([ended.code, ended.stdout], [code, ''], ended.stderr);
      assert.match(ended.stderr, said);
    }
  });
});
