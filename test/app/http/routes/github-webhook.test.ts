import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { IGNORED_REASONS } from '../../../../app/domain/delivery-verdict.ts';
import { until } from '../../../helpers/until.ts';
import { BARE, container, DIGEST, type Json, published } from '../../domain/package-body.ts';
import {
  type Answer,
  ask,
  askAdmin,
  deliver,
  deliveryHeaders,
  PREVIOUS_SECRET,
  SECRET,
  sign,
  startApp,
  TOKEN,
} from '../http-fixture.ts';

const PUSH = JSON.stringify(published(container()));
const CHILD = JSON.stringify(published(container({}, BARE)));
const SIGNATURE_TAG = JSON.stringify(
  published(
    container(
      {},
      {
        ...BARE,
        container_metadata: { tag: { name: `${DIGEST.replace(':', '-')}.sig` } },
      },
    ),
  ),
);
const UNNAMED = JSON.stringify(published(container({ name: '' }, { ...BARE, package_url: '' })));

const IGNORED: readonly [
  reason: keyof typeof IGNORED_REASONS,
  service: string,
  event: string,
  body: string,
][] = [
  ['event-not-handled', 'web', 'push', PUSH],
  [
    'action-not-handled',
    'web',
    'package',
    JSON.stringify(published(container(), { action: 'deleted' })),
  ],
  [
    'package-type-not-container',
    'web',
    'package',
    JSON.stringify(published(container({ package_type: 'npm' }))),
  ],
  ['untagged-child', 'web', 'package', CHILD],
  ['attached-artifact', 'web', 'package', SIGNATURE_TAG],
  ['image-unreadable', 'web', 'package', UNNAMED],
  ['unit-unknown', 'nobody', 'package', PUSH],
  ['unit-unknown', '-options', 'package', PUSH],
  ['unit-not-opted-in', 'found', 'package', PUSH],
  ['unit-webhooks-off', 'off', 'package', PUSH],
  ['unit-not-found', 'gone', 'package', PUSH],
  ['unit-image-differs', 'other', 'package', PUSH],
  ['unit-image-pinned', 'pinned', 'package', PUSH],
  ['unit-image-unknown', 'shell', 'package', PUSH],
];

/** What GitHub gives no cause for; other senders, and hooks, do. */
const OF_OTHER_SOURCES: readonly (keyof typeof IGNORED_REASONS)[] = [
  'hook-image-not-allowed',
  'hook-only-checks',
  'hook-without-image',
  'hook-without-unit',
  'media-type-not-image',
  'not-successful',
  'registry-not-set',
];

describe('github webhook: what a delivery leads to', () => {
  for (const [reason, service, event, body] of IGNORED) {
    test(`to ${service} with ${event}: ignored as ${reason}`, async (t) => {
      const { port, events, store } = await startApp(t);
      const answer = await deliver(port, service, body, { 'x-github-event': event });
      assert.equal(answer.status, 202);
      assert.equal(answer.json['verdict'], 'ignored');
      assert.equal(answer.json['reason'], reason);
      events.flush();
      const [row] = store.events.list({ limit: 1 }).rows;
      assert.equal(row?.actor, 'github');
      assert.equal(JSON.parse(row?.meta ?? '{}').reason, reason);
      assert.equal(store.tasks.list({ limit: 1 }).length, 0);
    });
  }

  test('every reason of the closed list is tried above', () => {
    const tried = new Set([...IGNORED.map(([reason]) => reason), ...OF_OTHER_SOURCES]);
    assert.deepEqual([...tried].sort(), Object.keys(IGNORED_REASONS).sort());
  });

  for (const suffix of ['', '.service', '/redeploy', '.service/redeploy']) {
    test(`a push to web${suffix} is accepted and becomes one task`, async (t) => {
      const { port, store } = await startApp(t);
      const headers = deliveryHeaders(PUSH);
      const path = `/github-package-update/web${suffix}?from=github`;
      const answer = await ask(port, { method: 'POST', path, headers, body: PUSH });
      const { delivery, request_id, ...rest } = answer.json;
      assert.equal(answer.status, 202);
      assert.equal(request_id, answer.headers['x-request-id']);
      assert.deepEqual(rest, {
        verdict: 'accepted',
        unit: 'web.service',
        image: 'ghcr.io/octo-org/hello:latest',
        matched: 'tag',
        digest: DIGEST,
      });
      const task = await until('the task', 5000, () => store.tasks.list({ limit: 2 })[0]);
      assert.equal(task.unit, 'web.service');
      assert.equal(task.trigger_path, `/github-package-update/web${suffix}`);
      assert.equal(task.trigger_request_id, request_id);
      const [row] = store.deliveries.listByTask(task.id);
      assert.deepEqual([row?.id, row?.delivery], [delivery, headers['x-github-delivery']]);
    });
  }

  test('a charset behind the content type and its case do not matter', async (t) => {
    const { port } = await startApp(t);
    const rest = { 'content-type': 'Application/JSON; charset=utf-8' };
    assert.equal((await deliver(port, 'web', PUSH, rest)).status, 202);
  });

  test('a chunked body is read like any other', async (t) => {
    const { port } = await startApp(t);
    const { 'content-length': _, ...headers } = deliveryHeaders(PUSH);
    const path = '/github-package-update/web';
    assert.equal((await ask(port, { method: 'POST', path, headers, body: PUSH })).status, 202);
  });

  test('the same delivery again is a duplicate of the first, before and behind the database', async (t) => {
    const { port, store } = await startApp(t);
    const again = { 'x-github-delivery': randomUUID() };
    const first = await deliver(port, 'web', PUSH, again);
    const early = await deliver(port, 'web', PUSH, again);
    await until('the task', 5000, () => store.tasks.list({ limit: 1 })[0]);
    const late = await deliver(port, 'web', PUSH, again);
    for (const answer of [early, late]) {
      assert.equal(answer.status, 200);
      assert.equal(answer.json['verdict'], 'duplicate');
      assert.equal(answer.json['of'], first.json['delivery']);
    }
    assert.equal(store.tasks.list({ limit: 2 }).length, 1);
  });

  test('one push that GitHub reports to two hooks under one GUID is work for both units', async (t) => {
    const { port, store } = await startApp(t);
    const shared = { 'x-github-delivery': randomUUID() };
    for (const service of ['web', 'twin']) {
      const answer = await deliver(port, service, PUSH, shared);
      assert.deepEqual([answer.status, answer.json['verdict']], [202, 'accepted']);
    }
    const tasks = await until('both tasks', 5000, () => {
      const listed = store.tasks.list({ limit: 9 });
      return listed.length === 2 && listed;
    });
    assert.deepEqual(tasks.map(({ unit }) => unit).sort(), ['twin.service', 'web.service']);
  });

  for (const service of ['web', 'nobody']) {
    test(`a ping to ${service} is answered with 200`, async (t) => {
      const { port } = await startApp(t);
      const answer = await deliver(port, service, '{"zen":"x"}', { 'x-github-event': 'ping' });
      assert.deepEqual([answer.status, answer.json['verdict']], [200, 'ping']);
    });
  }

  for (const [title, secret, status] of [
    ['the present secret', SECRET, 202],
    ['the previous secret', PREVIOUS_SECRET, 202],
    ['an older secret', 'zgeheim-oldest-secret', 401],
  ] as const) {
    test(`with two live secrets a delivery signed with ${title} is answered with ${status}`, async (t) => {
      const { port } = await startApp(t, { secrets: [SECRET, PREVIOUS_SECRET] });
      const rest = { 'x-hub-signature-256': sign(PUSH, secret) };
      assert.equal((await deliver(port, 'web', PUSH, rest)).status, status);
    });
  }
});

describe('github webhook: what must stay secret', () => {
  const CANARIES = {
    authorization: 'Bearer canary-authorization',
    cookie: 'session=canary-cookie',
    'user-agent': 'canary-user-agent',
    'x-forwarded-for': 'canary-forwarded',
    'x-request-id': 'canary-request-id',
    referer: 'http://canary-referer/',
    'x-hub-signature': 'sha1=canary-older-signature',
  };
  const BAD = `sha256=${'ca'.repeat(32)}`;
  const UNSIGNED: readonly Json[] = [
    {
      'x-hub-signature-256': BAD,
      'x-github-event': 'canary-event',
      'x-github-delivery': 'canary-delivery',
    },
    { 'x-hub-signature-256': 'canary-signature', 'x-github-event': 'canary-event' },
    { 'content-type': 'canary/type' },
  ];

  test('no secret, no valid MAC and no header stands in any record or log line', async (t) => {
    const secrets = [SECRET, PREVIOUS_SECRET];
    const { port, events, log, readFiles } = await startApp(t, { secrets });
    const bodies = [PUSH, CHILD, UNNAMED, 'not json', '{"zen":"x"}'];
    const answers: Answer[] = [];
    for (const body of bodies) {
      for (const secret of secrets) {
        const signature = { 'x-hub-signature-256': sign(body, secret) };
        answers.push(
          await deliver(port, 'web?token=canary-query', body, { ...CANARIES, ...signature }),
        );
      }
      for (const rest of UNSIGNED) {
        answers.push(await deliver(port, 'web', body, { ...CANARIES, ...rest }));
      }
    }
    answers.push(await askAdmin(port, '/api/events?limit=500'));
    answers.push(await ask(port, { path: '/canary', headers: CANARIES }));
    events.flush();
    const written = [readFiles(), log.join('\n'), ...answers.map(({ text }) => text)].join('\n');
    const forbidden = [...secrets, TOKEN, BAD.slice(7)].concat(
      bodies.flatMap((body) => secrets.map((secret) => sign(body, secret).slice(7))),
    );
    for (const secret of forbidden) assert.ok(!written.includes(secret), secret);
    // The one thing that a stranger may leave behind is the path.
    assert.deepEqual(
      [...written.matchAll(/canary[a-z-]*/g)].map(String).filter((word) => word !== 'canary'),
      [],
    );
    assert.ok(written.includes('/canary') && written.includes('SIGNATURE_INVALID'));
  });

  test('the bytes of a delivery are judged as they came, not as they were parsed', async (t) => {
    const { port } = await startApp(t);
    const signature = { 'x-hub-signature-256': sign(PUSH) };
    const answer = await deliver(port, 'web', `${PUSH} `, signature);
    assert.equal(answer.json['code'], 'SIGNATURE_INVALID');
  });
});
