import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { listSegments, readSegment } from '../../../app/intake/segments.ts';
import { createStandby } from '../../../app/standby/create-standby.ts';
import { keepForStandby } from '../../../app/units/keep-for-standby.ts';
import { loadSettings } from '../../../shared/config/load-settings.ts';
import { PROGRAM } from '../../../shared/config/program-version.ts';
import type { StatePaths } from '../../../shared/contract/state-paths.ts';
import { formatUpdateRecord, type UpdateState } from '../../../shared/contract/update-record.ts';
import { sha256 } from '../../../shared/fs/sha256.ts';
import { isGuarded } from '../../helpers/guarded.ts';
import { listedUnits } from '../../helpers/listed-units.ts';
import { RECORD } from '../../shared/contract/samples.ts';
import { container, published } from '../domain/package-body.ts';
import {
  type Answer,
  type Asked,
  ask as askPlainly,
  defer,
  deliver,
  deliveryHeaders,
  keepLog,
  MAX_BODY_BYTES,
  makeFolder,
  SECRET,
  sign,
  startApp,
  TOKEN,
} from '../http/http-fixture.ts';

const PUSH = JSON.stringify(published(container()));
const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

/** Asks; whatever is answered, browsers have to be told what they may do with it. */
async function ask(port: number, asked: Asked): Promise<Answer> {
  const answer = await askPlainly(port, asked);
  isGuarded(answer.headers, `${asked.method ?? 'GET'} ${asked.path} (${answer.status})`);
  return answer;
}

/** A standby that serves a state directory of its own. */
async function startStandby(
  context: TestContext,
  rest: Readonly<Record<string, string>> = {},
  prepare: (paths: StatePaths) => void = () => undefined,
) {
  const folder = makeFolder(context);
  const result = loadSettings({
    PODUP_STATE_DIR: folder,
    PODUP_TOKEN: TOKEN,
    PODUP_GH_WEBHOOK_SECRET: SECRET,
    PODUP_MANUAL_UNITS: 'web, twin',
    PODUP_WEBHOOK_MAX_BODY_BYTES: String(MAX_BODY_BYTES),
    ...rest,
  });
  assert.ok(result.ok);
  const { paths } = result.loaded;
  for (const path of [paths.dataDir, paths.intakeDir]) mkdirSync(path);
  prepare(paths);
  const { log, lines } = keepLog();
  const { app, stop } = await createStandby(result.loaded, log);
  await app.listen({ host: '127.0.0.1', port: 0 });
  let stopped: Promise<void> | undefined;
  const stopOnce = () => {
    stopped ??= stop(AbortSignal.abort());
    return stopped;
  };
  defer(context, stopOnce);
  const { port } = app.server.address() as AddressInfo;
  /** What lies in the spool. */
  const spooled = () =>
    listSegments(paths.intakeDir).flatMap((name) => readSegment(paths.intakeDir, name, 0).entries);
  return { port, paths, lines, spooled, stop: stopOnce };
}

/** An answer without what is another with each request. */
function comparable({ status, json, headers }: Answer) {
  const { request_id: _request, delivery: _delivery, ...rest } = json;
  const { 'content-type': type, allow, connection, 'www-authenticate': login } = headers;
  return { status, rest, type, allow, connection, login };
}

const PATH = '/github-package-update/web';

function post(body: string, headers: Readonly<Record<string, string>> = {}, path = PATH): Asked {
  return { method: 'POST', path, body, headers: { ...deliveryHeaders(body), ...headers } };
}

describe('to webhooks the standby answers as the worker does', () => {
  const long = 'x'.repeat(MAX_BODY_BYTES + 1);
  for (const [title, asked] of [
    ['an unknown unit', post(PUSH, {}, '/github-package-update/nobody')],
    ['another event', post('{}', { 'x-github-event': 'push' })],
    ['a ping', post('{}', { 'x-github-event': 'ping' })],
    ['a ping on the other path', post('{}', { 'x-github-event': 'ping' }, `${PATH}/redeploy`)],
    ['another method', { method: 'GET', path: PATH }],
    ['another type', post('x', { 'content-type': 'text/plain' })],
    ['no signature', post('{}', { 'x-hub-signature-256': '' })],
    ['a wrong signature', post('{}', { 'x-hub-signature-256': sign('{}', 'another secret') })],
    ['a body that is too long', post(long)],
    ['no event', post('{}', { 'x-github-event': '' })],
    ['no GUID', post('{}', { 'x-github-delivery': '' })],
    ['no JSON', post('nonsense')],
  ] as const satisfies readonly (readonly [string, Asked])[])
    test(title, async (t) => {
      const [standby, worker] = [await startStandby(t), await startApp(t)];
      const answers = await Promise.all([ask(standby.port, asked), ask(worker.port, asked)]);
      const [ours, theirs] = answers.map(comparable);
      assert.deepEqual(ours, theirs);
      assert.notEqual(ours?.status, 503);
    });

  test('without a secret', async (t) => {
    const standby = await startStandby(t, { PODUP_GH_WEBHOOK_SECRET: '' });
    const answer = await deliver(standby.port, 'web', PUSH);
    assert.equal(answer.json['code'], 'WEBHOOK_SECRET_NOT_CONFIGURED');
  });
});

describe('a push to the standby', () => {
  test('is durable before it is answered, and what it means is left to the task', async (t) => {
    const { port, spooled } = await startStandby(t);
    const { status, json } = await deliver(port, 'web', PUSH);
    assert.equal(status, 202);
    assert.deepEqual([json['verdict'], json['matched']], ['accepted', 'repository']);
    assert.equal(spooled()[0]?.record.id, json['delivery']);
  });

  test('that is repeated is a duplicate, to another unit it is not', async (t) => {
    const { port, spooled } = await startStandby(t);
    const guid = { 'x-github-delivery': 'once' };
    const first = await deliver(port, 'web', PUSH, guid);
    const second = await deliver(port, 'web', PUSH, guid);
    assert.deepEqual([second.status, second.json['verdict']], [200, 'duplicate']);
    assert.equal(second.json['of'], first.json['delivery']);
    const other = await deliver(port, 'twin', PUSH, guid);
    assert.equal(other.json['verdict'], 'accepted');
    assert.equal(spooled().length, 3);
  });

  test('that cannot be made durable is refused, and counts as unheard', async (t) => {
    const { port, paths } = await startStandby(t);
    rmSync(paths.intakeDir, { recursive: true });
    const guid = { 'x-github-delivery': 'once' };
    const refused = await deliver(port, 'web', PUSH, guid);
    assert.deepEqual([refused.status, refused.json['code']], [503, 'SPOOL_UNAVAILABLE']);
    mkdirSync(paths.intakeDir);
    assert.equal((await deliver(port, 'web', PUSH, guid)).status, 202);
  });

  test('that was being answered when the standby is stopped is in the spool', async (t) => {
    const { port, spooled, stop } = await startStandby(t);
    const answers = Array.from({ length: 20 }, () => deliver(port, 'web', PUSH));
    const first = await Promise.race(answers);
    assert.equal(first.status, 202);
    await stop();
    const settled = await Promise.allSettled(answers);
    const accepted = settled.filter(
      (each) => each.status === 'fulfilled' && each.value.status === 202,
    );
    assert.ok(spooled().length >= accepted.length);
  });
});

test('the standby knows what units said for themselves when somebody looked last', async (t) => {
  const found = {
    'auto.service': { isAutoUpdated: true },
    'silent.service': {},
    'web.service': { webhookEnabled: false },
  };
  const standby = await startStandby(t, { PODUP_AUTO_DISCOVER: '1' }, ({ foundUnits }) =>
    keepForStandby(foundUnits, 'user localhost', listedUnits([], found)),
  );
  for (const [unit, expected] of [
    ['auto', 'accepted'],
    ['silent', 'unit-not-opted-in'],
    ['web', 'unit-webhooks-off'],
    ['twin', 'accepted'],
    ['nobody', 'unit-unknown'],
  ] as const) {
    const { json } = await deliver(standby.port, unit, PUSH);
    assert.equal(json['reason'] ?? json['verdict'], expected, unit);
  }
});

describe('everything else is told to come back', () => {
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/api/tasks'],
    ['POST', '/api/tasks'],
    ['DELETE', '/api/tasks/tsk_1?x=1'],
    ['GET', '/nowhere/at/all'],
    ['POST', '/health'],
  ] as const)
    test(`${method} ${path}`, async (t) => {
      const { port } = await startStandby(t);
      const { status, headers, json } = await ask(port, { method, path });
      assert.deepEqual([status, headers['retry-after']], [503, '10']);
      assert.match(headers['content-type'] ?? '', /^application\/problem\+json/);
      assert.deepEqual([json['code'], json['status']], ['MAINTENANCE', 503]);
      assert.equal(headers['cache-control'], 'no-store');
    });

  test('whatever its body is', async (t) => {
    const { port } = await startStandby(t);
    for (const [type, body] of [
      ['application/xml', '<x/>'],
      ['application/json', '{broken'],
      ['application/json', 'x'.repeat(2_000_000)],
    ] as const) {
      const headers = { 'content-type': type, 'content-length': String(body.length) };
      const asked = { method: 'POST', path: '/api/x', headers, body };
      assert.equal((await ask(port, asked)).json['code'], 'MAINTENANCE');
    }
  });

  test('HEAD without a body', async (t) => {
    const { port } = await startStandby(t);
    const { status, headers, text } = await ask(port, { method: 'HEAD', path: '/' });
    assert.deepEqual([status, headers['retry-after'], text], [503, '10', '']);
  });

  test('the health is maintenance, with the version', async (t) => {
    const { port } = await startStandby(t);
    const { status, headers, json } = await ask(port, { path: '/health' });
    assert.deepEqual([status, headers['retry-after']], [503, '10']);
    assert.deepEqual(json, {
      ...{ status: 'maintenance', ...PROGRAM, checks: [], issues: [] },
      ...{ db: { error: null }, podman: { ok: true, error: null } },
    });
  });
});

test('who reaches the host by https is told to come by https only, by the standby too', async (t) => {
  const base = { PODUP_PUBLIC_BASE_URL: 'https://deploy.example.com' };
  const { port } = await startStandby(t, base);
  const { headers } = await ask(port, { path: '/' });
  assert.match(String(headers['strict-transport-security']), /^max-age=\d{8}$/);
});

describe('people are shown a page', () => {
  async function showPage(t: TestContext, state?: UpdateState) {
    const { port, paths } = await startStandby(t);
    if (state) writeFileSync(paths.updateRecord, formatUpdateRecord({ ...RECORD, state }, sha256));
    return ask(port, { path: '/', headers: HTML });
  }

  test('that needs nothing else, and looks again by itself', async (t) => {
    const { status, headers, text } = await showPage(t);
    assert.deepEqual([status, headers['retry-after']], [503, '10']);
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    const [, style = ''] = /<style>(.*?)<\/style>/s.exec(text) ?? [];
    const digest = createHash('sha256').update(style).digest('base64');
    assert.ok(headers['content-security-policy']?.includes(`style-src 'sha256-${digest}'`));
    assert.match(text, /^<!doctype html>\n<html lang="en">/);
    assert.match(text, /<meta http-equiv="refresh" content="10">/);
    assert.match(text, /color-scheme: light dark/);
    assert.doesNotMatch(text, /\b(?:src|href)=|url\(|@import/);
    assert.match(text, /Webhooks are accepted meanwhile/);
    assert.match(text, /The service is being started or repaired\./);
  });

  for (const [state, said, title] of [
    [
      'trial',
      /An update from version 1\.2\.3 to 1\.3\.0-beta\.1 is under way\./,
      'Back in a moment',
    ],
    ['rolling-back', /failed; version 1\.2\.3 is being put back\./, 'Back in a moment'],
    ['held', /does not run either\. Somebody has to look at the host\./, 'Under repair'],
  ] as const)
    test(`that says what is going on: ${state}`, async (t) => {
      const { text } = await showPage(t, state);
      assert.match(text, said);
      assert.ok(text.includes(`<h1>${title}</h1>`));
      // Who asked, why, and where things lie is nobody's business.
      assert.doesNotMatch(text, /Zoë|req-1|\/s\/b\.db|a1a1/);
    });

  test('that says nothing of a record which cannot be read', async (t) => {
    const { port, paths } = await startStandby(t);
    for (const content of ['{', 'x'.repeat(1_000_000), '{"v":2}']) {
      writeFileSync(paths.updateRecord, content);
      const { status, text } = await ask(port, { path: '/', headers: HTML });
      assert.equal(status, 503);
      assert.match(text, /being started or repaired/);
    }
  });

  test('programs are told the same in a sentence', async (t) => {
    const { port, paths } = await startStandby(t);
    writeFileSync(paths.updateRecord, formatUpdateRecord({ ...RECORD, to: null }, sha256));
    const { json } = await ask(port, { path: '/api/tasks' });
    assert.equal(json['detail'], 'An update of version 1.2.3 is under way.');
  });
});
