import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { credentialState } from '../../helpers/credentials.ts';
import { ask, makeFolder } from '../http/http-fixture.ts';
import { startProgram } from './program.ts';

function portOf(serving: Readonly<Record<string, unknown>>): number {
  return Number(String(serving['address']).split(':').pop());
}

describe('http-server, and what was revoked', () => {
  test('lets nobody in by a database of which it cannot know that, says so, and goes on once it can', async (t) => {
    const folder = makeFolder(t);
    const { use } = credentialState(folder);
    const token = use(({ makeToken }) => makeToken('ops'));
    const file = join(folder, 'data/revocations.jsonl');
    // A folder cannot be read, as a file on an ill disk cannot.
    mkdirSync(file);
    const { child, ended, logged } = startProgram(t, ['http-server'], {
      ...{ PODUP_STATE_DIR: folder, PODUP_HTTP_ADDR: '127.0.0.1:0' },
    });
    const port = portOf(await logged('serving'));
    const asOps = { headers: { authorization: `Bearer ${token}` } };
    const closed = await ask(port, { path: '/api/tasks', ...asOps });
    assert.equal(closed.status, 401, closed.text);
    const { json } = await ask(port, { path: '/health' });
    assert.match(JSON.stringify(json['issues']), /REVOCATIONS_UNREADABLE/);
    rmdirSync(file);
    await logged('the database is well again');
    assert.equal((await ask(port, { path: '/api/tasks', ...asOps })).status, 200);
    child.kill('SIGTERM');
    assert.equal((await ended).code, 0);
  });

  test('says that lines of it cannot be read', async (t) => {
    const folder = makeFolder(t);
    const { use } = credentialState(folder);
    use(() => undefined);
    appendFileSync(join(folder, 'data/revocations.jsonl'), 'not one\n');
    const { child, ended, logged } = startProgram(t, ['http-server'], {
      ...{ PODUP_STATE_DIR: folder, PODUP_HTTP_ADDR: '127.0.0.1:0' },
    });
    const said = await logged(
      'what was revoked cannot be read whole: after a database was put back, look through tokens and hooks',
    );
    assert.equal(said['lines'], 1);
    child.kill('SIGTERM');
    assert.equal((await ended).code, 0);
  });
});
