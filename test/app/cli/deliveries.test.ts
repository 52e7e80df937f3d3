import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { deliveryRow } from '../../helpers/delivery-row.ts';
import { until } from '../../helpers/until.ts';
import { ask, makeFolder, openTestStore, TOKEN } from '../http/http-fixture.ts';
import { GENERIC, standardHeaders } from '../http/routes/hook-fixture.ts';
import { startProgram } from './program.ts';

type Listed = Readonly<Record<string, unknown>>;

/** A service with the hook `ci` for web.service, and commands that ask it, or the state once it has stopped. */
async function start(context: TestContext) {
  const environment = {
    ...{ PODUP_STATE_DIR: makeFolder(context), PODUP_HTTP_ADDR: '127.0.0.1:0', PODUP_TOKEN: TOKEN },
    PODUP_MANUAL_UNITS: 'web',
    // No user manager, whatever the machine has: what a unit runs its task has to find out.
    ...{ XDG_RUNTIME_DIR: '/proc/none', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' },
  };
  const run = (...words: string[]) => startProgram(context, words, environment).ended;
  const { child, ended, logged } = startProgram(context, ['http-server'], environment);
  const port = Number(
    String((await logged('serving'))['address'])
      .split(':')
      .pop(),
  );
  const made = await run('hooks', 'create', 'ci', '--source', 'generic', '--unit', 'web', '--json');
  assert.equal(made.code, EXIT.ok, made.stderr);
  const secret = String(JSON.parse(made.stdout).secret.text);
  const list = async (): Promise<readonly Listed[]> => {
    const { code, stdout, stderr } = await run('deliveries', 'list', '--json');
    assert.equal(code, EXIT.ok, stderr);
    return JSON.parse(stdout).deliveries;
  };
  const send = () => {
    const signed = standardHeaders(secret, GENERIC);
    const headers = { 'content-type': 'application/json', ...signed };
    return ask(port, { method: 'POST', path: '/hooks/ci', headers, body: GENERIC });
  };
  const stop = () => {
    child.kill('SIGTERM');
    return ended;
  };
  return { run, list, send, stop };
}

test('deliveries show moves no cursor, whatever its sender says', async (t) => {
  const folder = makeFolder(t);
  const store = openTestStore(t, folder);
  const said = { unit: '\u001b[2Jweb', event: '\u009b31mpackage', delivery: 'a\u0007b' };
  store.deliveries.insert(deliveryRow({ id: 'dlv_1', reception: 'dlv_1', ...said }));
  store.deliveryBodies.keep('dlv_1', 1, Buffer.from('{\n\t"a": "\u009b2J"\n}'));
  const environment = {
    ...{ PODUP_STATE_DIR: folder, PODUP_DB_URL: join(folder, 'data', 'test.db') },
    ...{ XDG_RUNTIME_DIR: '/proc/none', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' },
  };
  const words = ['deliveries', 'show', 'dlv_1'];
  const { code, stdout, stderr } = await startProgram(t, words, environment).ended;
  assert.equal(code, EXIT.ok, stderr);
  assert.match(stdout, / \[2Jweb[\s\S]*\{\n\t"a": " 2J"\n\}/);
  assert.doesNotMatch(stdout, /[^\P{Cc}\n\t]/u);
});

describe('deliveries replay', () => {
  test('does one of a hook anew, with a service and without, and not once the hook lets nobody in', async (t) => {
    const { run, list, send, stop } = await start(t);
    const { status, json } = await send();
    assert.deepEqual([status, json['verdict']], [202, 'accepted']);
    const [first] = await until('the delivery', 20_000, async () => {
      const rows = await list();
      return rows.length > 0 && rows;
    });
    const id = String(first?.['id']);
    const done = await run('deliveries', 'replay', id);
    assert.deepEqual([done.code, done.stderr], [EXIT.ok, '']);
    assert.match(done.stdout, /^dlv_\w+ web\.service accepted\n$/);
    const rows = await until('the replay', 20_000, async () => {
      const all = await list();
      return all.length > 1 && all;
    });
    const [again] = rows;
    assert.equal(again?.['id'], done.stdout.split(' ')[0]);
    assert.deepEqual([again?.['replay_of'], again?.['hook']], [id, 'ci']);
    assert.match(String(again?.['replayed_by']), /^cli:/);
    const shown = await run('deliveries', 'show', id);
    assert.match(shown.stdout, new RegExp(`^Replayed as ${again?.['id']}$`, 'm'));

    assert.equal((await run('hooks', 'disable', 'ci')).code, EXIT.ok);
    const disabled = await run('deliveries', 'replay', id);
    assert.equal(disabled.code, EXIT.failure);
    assert.match(disabled.stderr, /^DELIVERY_NOT_REPLAYABLE: [\s\S]*The hook ci is disabled\./);
    await stop();
    const alone = await run('deliveries', 'replay', id);
    assert.match(alone.stderr, /The hook ci is disabled\./);
    assert.equal((await run('hooks', 'enable', 'ci')).code, EXIT.ok);
    const waiting = await run('deliveries', 'replay', id);
    assert.deepEqual([waiting.code, waiting.stderr], [EXIT.ok, '']);
    assert.equal((await run('hooks', 'delete', 'ci')).code, EXIT.ok);
    assert.match((await run('deliveries', 'replay', id)).stderr, /There is no hook ci any more\./);
    assert.equal(
      (await list()).length,
      2,
      'what was refused leaves none, and one waits in the spool',
    );
  });
});
