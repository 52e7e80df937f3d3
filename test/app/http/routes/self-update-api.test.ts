import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { viewSelfUpdate } from '../../../../app/updates/view-self-update.ts';
import { PROGRAM } from '../../../../shared/config/program-version.ts';
import { ERRORS } from '../../../../shared/contract/error-codes.ts';
import { NO_POLICY } from '../../../../shared/contract/update-history.ts';
import { publish } from '../../../helpers/release.ts';
import { makeTempFolder } from '../../../helpers/temp-folder.ts';
import { openFakeChannel } from '../../updates/fake-channel.ts';
import { startFakeSupervisor } from '../../updates/fake-supervisor.ts';
import { fakeRelease } from '../../updates/release/release-fixture.ts';
import {
  historyEntry,
  keepProgram,
  makeState,
  openUpdate,
  updateRecord,
  updateStatus,
  writeUpdateFiles,
} from '../../updates/update-fixture.ts';
import { ask, askAdmin, TOKEN } from '../http-fixture.ts';
import { post, startUpdateApp } from './self-update-fixture.ts';

const ROUTES: readonly (readonly [string, string])[] = [
  ['GET', '/api/self-update'],
  ['GET', '/api/self-update/history'],
  ['GET', '/api/self-update/explain'],
  ...['run', 'check', 'cancel', 'hold', 'resume', 'rollback'].map(
    (command) => ['POST', `/api/self-update/${command}`] as const,
  ),
];

describe('the routes of self-update', () => {
  test('are for admins only, with a token in the header and nowhere else', async (t) => {
    const { channel, requests } = openFakeChannel();
    const { port } = await startUpdateApp(t, { channel });
    for (const [method, path] of ROUTES) {
      const without = await ask(port, { method, path });
      assert.deepEqual([without.status, without.json['code']], [401, 'ADMIN_TOKEN_MISSING'], path);
      const wrong = await ask(port, { method, path, headers: { authorization: 'Bearer no' } });
      assert.equal(wrong.json['code'], 'ADMIN_TOKEN_INVALID', path);
      for (const [name, value] of [
        ['cookie', `token=${TOKEN}`],
        ['x-token', TOKEN],
        ['authorization', `Basic ${TOKEN}`],
      ] as const) {
        const other = await ask(port, {
          method,
          path: `${path}?token=${TOKEN}`,
          headers: { [name]: value },
        });
        assert.equal(other.json['code'], 'ADMIN_TOKEN_MISSING', `${path} ${name}`);
      }
    }
    assert.deepEqual(requests, []);
  });

  test('take one method each, and say which', async (t) => {
    const { port } = await startUpdateApp(t);
    for (const [method, path] of ROUTES) {
      const headers = { authorization: `Bearer ${TOKEN}` };
      const other = await ask(port, { method: method === 'GET' ? 'POST' : 'GET', path, headers });
      assert.deepEqual([other.status, other.headers.allow], [405, method], path);
    }
  });

  test('leave an event of who asked for what', async (t) => {
    const { channel } = openFakeChannel(() => ({ txn: 'upd_7' }));
    const { port, store, events } = await startUpdateApp(t, { channel });
    await post(port, '/api/self-update/run', { tag: 'v2.0.0', reason: 'not for the record' });
    await askAdmin(port, '/api/self-update');
    await events.settle();
    const [looked, ran] = store.events.list({ limit: 2 }).rows;
    assert.deepEqual(
      [ran?.action, ran?.actor, JSON.parse(ran?.meta ?? '')],
      [
        'self-update-api',
        'token:PODUP_TOKEN',
        { command: 'run', dryRun: false, tag: 'v2.0.0', force: false, txn: 'upd_7' },
      ],
    );
    assert.deepEqual([looked?.action, looked?.status], ['self-update-api', 200]);
  });
});

describe('GET /api/self-update', () => {
  test('says what the supervisor says, what the files say, and when the next run is', async (t) => {
    const fake = openFakeChannel();
    const progress = { step: 'downloading', bytes: 5, total: 10 } as const;
    const status = updateStatus({ update: openUpdate({ progress }) });
    fake.say(status);
    const schedule = { cron: '0 4 * * *', dry_run: true, next_run_at: '2030-01-01T04:00:00.000Z' };
    const { port, paths } = await startUpdateApp(t, {
      channel: fake.channel,
      schedule: { view: () => schedule },
    });
    const policy = { ...NO_POLICY, hold: { at: 0, by: 'ann', reason: null, automatic: true } };
    writeUpdateFiles(paths, { history: [historyEntry()], policy });
    keepProgram(paths, 'upd_1', { version: '1.0.0' });
    const { status: code, json } = await askAdmin(port, '/api/self-update');
    assert.equal(code, 200);
    const { retained, ...rest } = json as unknown as ReturnType<typeof viewSelfUpdate>;
    assert.deepEqual(
      retained.map(({ version, has_database }) => [version, has_database]),
      [['1.0.0', true]],
    );
    const facts = { history: [historyEntry()], quarantine: [], policy, unreadable: [] };
    const { retained: _none, ...expected } = viewSelfUpdate(
      { ...facts, retained: [], record: { kind: 'none' } },
      { status, schedule },
    );
    assert.deepEqual(rest, expected);
    assert.deepEqual(rest.update?.progress, progress);
  });

  test('takes the record where no supervisor has spoken', async (t) => {
    const { port, paths } = await startUpdateApp(t, { channel: openFakeChannel().channel });
    writeUpdateFiles(paths, { record: updateRecord({ state: 'trial' }) });
    const { json } = await askAdmin(port, '/api/self-update');
    assert.deepEqual(
      [json['source'], json['supervisor'], (json['update'] as { state: string }).state],
      ['files', null, 'trial'],
    );
  });
});

describe('GET /api/self-update/history', () => {
  test('gives the newest first, page by page, and each once', async (t) => {
    const { port, paths } = await startUpdateApp(t);
    const ids = Array.from({ length: 7 }, (_, index) => `upd_${index}`);
    // Several that ended in the same millisecond.
    writeUpdateFiles(paths, {
      history: ids.map((txn, index) => historyEntry({ txn, finishedAt: 1000 + (index >> 2) })),
    });
    const seen: string[] = [];
    let path = '/api/self-update/history?limit=3';
    for (let pages = 1; path !== ''; pages += 1) {
      const { status, json } = await askAdmin(port, path);
      assert.equal(status, 200);
      seen.push(...(json['updates'] as { txn: string }[]).map(({ txn }) => txn));
      const next = json['next_cursor'];
      path = next === null ? '' : `/api/self-update/history?limit=3&cursor=${next}`;
      assert.ok(pages <= 3);
    }
    assert.deepEqual(seen, ids.toReversed());
  });

  test('ends where the history was trimmed since the page before', async (t) => {
    const { port, paths } = await startUpdateApp(t);
    writeUpdateFiles(paths, { history: [historyEntry()] });
    const { json } = await askAdmin(port, '/api/self-update/history?cursor=1.upd_gone');
    assert.deepEqual(json, { updates: [], next_cursor: null });
  });

  for (const query of ['limit=0', 'limit=501', 'limit=x', 'cursor=7', 'page=1']) {
    test(`refuses ?${query}`, async (t) => {
      const { port } = await startUpdateApp(t);
      const { status, json } = await askAdmin(port, `/api/self-update/history?${query}`);
      assert.deepEqual([status, json['code']], [400, 'REQUEST_INVALID']);
    });
  }
});

describe('GET /api/self-update/explain', () => {
  test('says in sentences what is going on, the answer first', async (t) => {
    const fake = openFakeChannel();
    fake.say(updateStatus({ update: openUpdate({ state: 'staged' }) }));
    const { port } = await startUpdateApp(t, { channel: fake.channel });
    const { status, json } = await askAdmin(port, '/api/self-update/explain');
    assert.equal(status, 200);
    const [first, second] = json['sentences'] as { topic: string; text: string; hint: unknown }[];
    assert.deepEqual(first, {
      topic: 'answer',
      text: 'An update is open: it is staged.',
      hint: null,
    });
    assert.match(second?.text ?? '', /2\.0\.0 lies ready and waits for running tasks to end/);
  });
});

describe('POST /api/self-update', () => {
  for (const [command, body, expected, status] of [
    ['run', undefined, { command: 'run' }, 202],
    ['run', '', { command: 'run' }, 202],
    [
      'run',
      { dry_run: true, tag: 'v2.0.0', force: true, reason: 'because' },
      { command: 'run', dryRun: true, tag: 'v2.0.0', force: true, reason: 'because' },
      202,
    ],
    [
      'rollback',
      { version: '1.0.0', restore_database: true, reason: 'slow' },
      { command: 'rollback', version: '1.0.0', restoreDatabase: true, reason: 'slow' },
      202,
    ],
    ['rollback', { version: '1.0.0' }, { command: 'rollback', version: '1.0.0' }, 202],
    ['cancel', undefined, { command: 'cancel' }, 202],
    ['hold', { reason: 'holidays' }, { command: 'hold', reason: 'holidays' }, 200],
    ['resume', {}, { command: 'resume' }, 200],
  ] as const) {
    test(`${command} with ${JSON.stringify(body)} asks for just that`, async (t) => {
      const { channel, requests } = openFakeChannel(() => ({ txn: 'upd_7' }));
      const { port } = await startUpdateApp(t, { channel });
      const answer = await post(port, `/api/self-update/${command}`, body);
      assert.deepEqual([answer.status, answer.json], [status, { txn: 'upd_7' }]);
      const [{ id: _id, at: _at, ...asked } = {}] = requests;
      assert.deepEqual(asked, {
        trigger: 'api',
        by: 'token:PODUP_TOKEN at 127.0.0.1',
        reason: null,
        dryRun: false,
        tag: null,
        force: false,
        version: null,
        restoreDatabase: false,
        pid: null,
        ...expected,
      });
    });
  }

  for (const [command, body, detail] of [
    ['run', { dryRun: true }, /Unrecognized key/],
    ['run', { dry_run: 'yes' }, /^dry_run: /],
    ['run', { tag: '' }, /^tag: /],
    ['run', { tag: 'x'.repeat(201) }, /^tag: /],
    ['run', { reason: 'x'.repeat(501) }, /^reason: /],
    ['run', '{"dry_run":', /is not JSON/],
    ['run', '[]', /expected object/],
    ['run', 'null', /expected object/],
    ['rollback', {}, /^version: /],
    ['rollback', undefined, /^version: /],
    ['cancel', { txn: 'upd_1' }, /Unrecognized key/],
    ['hold', { reason: 7 }, /^reason: /],
    ['resume', { force: true }, /Unrecognized key/],
    ['check', { tag: 'v1' }, /Unrecognized key/],
  ] as const) {
    test(`${command} refuses ${JSON.stringify(body)?.slice(0, 40)} and asks nothing`, async (t) => {
      const { channel, requests } = openFakeChannel();
      const { port } = await startUpdateApp(t, { channel });
      const { status, json } = await post(port, `/api/self-update/${command}`, body);
      assert.deepEqual([status, json['code']], [400, 'REQUEST_INVALID']);
      assert.match(String(json['detail']), detail);
      assert.deepEqual(requests, []);
    });
  }

  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    test(`a body of the type ${type} is refused, as a form of another site would send it`, async (t) => {
      const { channel, requests } = openFakeChannel();
      const { port } = await startUpdateApp(t, { channel });
      const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': type };
      const path = '/api/self-update/run';
      const { status, json } = await ask(port, { method: 'POST', path, headers, body: '{}' });
      assert.deepEqual([status, json['code']], [415, 'CONTENT_TYPE_UNSUPPORTED']);
      assert.deepEqual(requests, []);
    });
  }

  test('a body that is too large is refused', async (t) => {
    const { port } = await startUpdateApp(t);
    const { status, json } = await post(port, '/api/self-update/run', ' '.repeat(70_000));
    assert.deepEqual([status, json['code']], [413, 'BODY_TOO_LARGE']);
  });

  for (const code of [
    'UPDATE_IN_PROGRESS',
    'UPDATE_ON_HOLD',
    'UPDATE_UNAVAILABLE',
    'UPDATE_VERSION_UNKNOWN',
    'UPDATE_RECORD_UNWRITABLE',
  ] as const) {
    test(`a refusal with ${code} is a problem with its status`, async (t) => {
      const { channel } = openFakeChannel(() => ({ failure: { code, detail: 'Seen so.' } }));
      const { port } = await startUpdateApp(t, { channel });
      const { status, headers, json } = await post(port, '/api/self-update/run');
      assert.equal(headers['content-type'], 'application/problem+json; charset=utf-8');
      const { sentence, hint, status: expected } = ERRORS[code];
      assert.deepEqual(
        [status, json['code'], json['title'], json['detail'], json['hint']],
        [expected, code, sentence, 'Seen so.', hint],
      );
    });
  }

  test('without a channel the supervisor is asked by file', async (t) => {
    const paths = makeState(t);
    const { requests } = startFakeSupervisor(t, paths, () => ({ txn: 'upd_3' }));
    const { port } = await startUpdateApp(t, { paths });
    const { status, json } = await post(port, '/api/self-update/run');
    assert.deepEqual([status, json], [202, { txn: 'upd_3' }]);
    assert.deepEqual(
      requests.map(({ command, trigger }) => [command, trigger]),
      [['run', 'api']],
    );
  });
});

describe('POST /api/self-update/check', () => {
  test('says which release would be installed', async (t) => {
    const folder = makeTempFolder(t);
    publish(folder, fakeRelease(folder, { version: '99.1.0' }));
    const environment = { PODUP_RELEASE_BASE_URL: folder };
    const { port } = await startUpdateApp(t, { environment });
    const answers = await Promise.all([
      post(port, '/api/self-update/check'),
      post(port, '/api/self-update/check', {}),
    ]);
    for (const { status, json } of answers) {
      assert.equal(status, 200);
      assert.deepEqual(json, {
        kind: 'other',
        running: PROGRAM.version,
        version: '99.1.0',
        tag: 'v99.1.0',
        published_at: '2026-11-26T12:00:00Z',
        skipped: [],
      });
    }
  });

  test('a source that cannot be used is a problem with its code', async (t) => {
    const { port } = await startUpdateApp(t);
    const { status, json } = await post(port, '/api/self-update/check');
    assert.deepEqual([status, json['code']], [502, 'RELEASE_SOURCE_UNREACHABLE']);
  });
});
