import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { createHookBody } from '../../../app/api/hook-requests.ts';
import { openStore } from '../../../app/db/store.ts';
import { listSegments, readSegment } from '../../../app/intake/segments.ts';
import { takeOver } from '../../../app/intake/take-over.ts';
import { joinHooks } from '../../../app/join-hooks.ts';
import { createStandby } from '../../../app/standby/create-standby.ts';
import { StandbyHooks } from '../../../app/standby/standby-hooks.ts';
import { keepForStandby } from '../../../app/units/keep-for-standby.ts';
import { loadSettings } from '../../../shared/config/load-settings.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { keepLog } from '../http/http-fixture.ts';
import { DIGEST, GENERIC, HUB, IMAGE, standardHeaders } from '../http/routes/hook-fixture.ts';

const MARKS = { isAutoUpdated: false, hasPolicy: false, webhookEnabled: true };

/** A state directory as a worker has left it, with the standby over it. */
async function open(context: TestContext, images: Readonly<Record<string, string | null>> = {}) {
  const folder = makeTempFolder(context);
  const result = loadSettings({ PODUP_STATE_DIR: folder, PODUP_MANUAL_UNITS: 'web, other' });
  assert.ok(result.ok);
  const { loaded } = result;
  const { paths } = loaded;
  mkdirSync(paths.dataDir, { recursive: true });
  mkdirSync(paths.intakeDir, { recursive: true });
  const all = Object.entries(images).map(([unit, image]) => ({
    ...{ unit, image, isListed: true, marks: MARKS },
  }));
  keepForStandby(paths.foundUnits, 'user localhost', { all: () => all });
  const opened = openStore(paths.database, { version: 'test', nowMs: 1 });
  assert.ok(opened.ok);
  const store = opened.value;
  context.after(() => store.close());
  const { hooks } = joinHooks(loaded, store);
  hooks.reload();
  const standby = await createStandby(loaded, keepLog().log);
  context.after(() => standby.stop());
  const create = (wish: Readonly<Record<string, unknown>>) => {
    const made = hooks.create(createHookBody.parse(wish), 'admin');
    assert.ok(made.ok, JSON.stringify(made));
    return made.value.secret.text;
  };
  const post = async (
    path: string,
    body: string,
    headers: Readonly<Record<string, string>> = {},
  ) => {
    const { statusCode, body: text } = await standby.app.inject({
      ...{ method: 'POST', url: path, payload: body },
      headers: { 'content-type': 'application/json', ...headers },
    });
    return { status: statusCode, json: JSON.parse(text) as Record<string, unknown> };
  };
  /** What the next worker makes of the spool. */
  const takenOver = () => {
    for (const name of listSegments(paths.intakeDir)) {
      const { entries, end } = readSegment(paths.intakeDir, name, 0);
      takeOver(store, entries, { segment: name, end }, { windowMs: 0 });
    }
    return store.tasks.list({ limit: 9 });
  };
  return { hooks, create, post, takenOver, standby, store, paths };
}

describe('the standby', () => {
  test('takes deliveries of hooks, and the next worker makes tasks of them', async (t) => {
    const { create, post, takenOver, hooks } = await open(t, {
      'web.service': `${IMAGE}:latest`,
      'other.service': 'ghcr.io/octo-org/other:latest',
    });
    const secret = create({ name: 'ci', source: 'generic' });
    const answer = await post('/hooks/ci', GENERIC, standardHeaders(secret, GENERIC));
    assert.deepEqual([answer.status, answer.json['verdict']], [202, 'accepted']);
    const again = await post('/hooks/ci', GENERIC, standardHeaders(secret, GENERIC));
    assert.equal(again.json['verdict'], 'duplicate');
    const [task, ...others] = takenOver();
    assert.deepEqual(others, []);
    assert.deepEqual(
      [task?.unit, task?.image, task?.webhook_digest, task?.trigger_caller],
      ['web.service', `${IMAGE}:latest`, DIGEST, 'hook:ci'],
    );
    const found = hooks.find('ci');
    assert.ok(found.ok && found.value.last_used_at !== null);
  });

  test('loses no push for a unit whose image it does not know: its task finds out', async (t) => {
    const { create, post, takenOver } = await open(t);
    const secret = create({ name: 'ci', source: 'generic' });
    const answer = await post('/hooks/ci', GENERIC, standardHeaders(secret, GENERIC));
    assert.equal(answer.json['verdict'], 'accepted');
    const tasks = takenOver().map(({ unit, image }) => [unit, image]);
    assert.deepEqual(tasks.sort(), [
      ['other.service', `${IMAGE}:latest`],
      ['web.service', `${IMAGE}:latest`],
    ]);
  });

  test('goes by what was changed a moment ago', async (t) => {
    const { create, post, hooks } = await open(t, { 'web.service': `${IMAGE}:latest` });
    const secret = create({ name: 'ci', source: 'generic' });
    let count = 0;
    const send = (used = secret) => {
      const headers = standardHeaders(used, GENERIC, { id: `msg_${count++}` });
      return post('/hooks/ci', GENERIC, headers);
    };
    assert.equal((await send()).status, 202);
    assert.ok(hooks.setDisabled('ci', true, 'admin').ok);
    assert.equal((await send()).status, 401);
    assert.ok(hooks.setDisabled('ci', false, 'admin').ok);
    const rotated = hooks.rotate('ci', false, 'admin');
    assert.ok(rotated.ok);
    assert.equal((await send()).status, 401);
    assert.equal((await send(rotated.value.secret.text)).status, 202);
    assert.ok(hooks.remove('ci', 'x').ok);
    assert.equal((await send(rotated.value.secret.text)).status, 401);
  });

  test('refuses what the worker refuses', async (t) => {
    const { create, post } = await open(t, { 'web.service': `${IMAGE}:latest` });
    const secret = create({ name: 'hub', source: 'docker-hub' });
    assert.equal((await post(`/hooks/hub/${secret}`, HUB)).status, 202);
    for (const path of ['/hooks/hub', '/hooks/hub/wrong', `/hooks/none/${secret}`]) {
      const { status, json } = await post(path, HUB);
      assert.deepEqual([status, json['code']], [401, 'HOOK_REFUSED'], path);
    }
  });

  test('goes by what it knows while that cannot be read, and reads it again', async (t) => {
    const { create, paths } = await open(t);
    create({ name: 'ci', source: 'generic' });
    const book = new StandbyHooks(paths.standbyHooks, { path: paths.hookKey }, 0);
    assert.equal(book.find('ci')?.isLocked, false);
    const [hooks, key] = [paths.standbyHooks, paths.hookKey];
    renameSync(hooks, `${hooks}.aside`);
    mkdirSync(hooks);
    assert.equal(book.find('ci')?.name, 'ci');
    rmSync(hooks, { recursive: true });
    assert.equal(book.find('ci'), undefined, 'there are none');
    renameSync(`${hooks}.aside`, hooks);
    const text = readFileSync(key);
    writeFileSync(key, 'broken');
    assert.equal(book.find('ci')?.isLocked, false);
    writeFileSync(key, text);
    rmSync(key);
    const another = new StandbyHooks(hooks, { path: key }, 0);
    assert.equal(another.find('ci')?.isLocked, true);
    writeFileSync(key, text);
    assert.equal(another.find('ci')?.isLocked, false, 'the key is back');
  });
});
