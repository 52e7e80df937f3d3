import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import type { LimitsView } from '../../app/api/limit-views.ts';
import { serveWorker } from '../helpers/serve-worker.ts';
import { until } from '../helpers/until.ts';
import { ask, askAdmin, deliveryHeaders, makeFolder, sign, TOKEN } from './http/http-fixture.ts';
import { DISTRIBUTION } from './http/routes/hook-fixture.ts';

const WINDOW_SECS = 600;
const LIMITS = {
  PODUP_FAILED_LIMIT_COUNT: '3',
  PODUP_FAILED_TOTAL_LIMIT_COUNT: '8',
  PODUP_FAILED_LIMIT_WINDOW: String(WINDOW_SECS),
};
const PING = '{}';

type Shown = {
  readonly status: number;
  readonly code: unknown;
  /** Of the header, in seconds. */
  readonly retryAfter: number | undefined;
};

/** A worker, and requests that come from addresses of the loopback network, each a real one. */
async function start(context: TestContext, settings: Readonly<Record<string, string>> = LIMITS) {
  const folder = makeFolder(context);
  const worker = await serveWorker(context, folder, settings);
  const send = async (
    from: string,
    asked: {
      readonly method?: string;
      readonly path: string;
      readonly headers: object;
      readonly body?: string;
    },
    port = worker.port,
  ): Promise<Shown> => {
    const { method = 'GET', path, headers, body } = asked;
    const sent = request({
      ...{ host: '127.0.0.1', port, localAddress: from, agent: false },
      ...{ method, path, headers: { ...headers } },
    });
    sent.end(body);
    const [response] = await once(sent, 'response');
    const { code } = (await json(response)) as { readonly code?: unknown };
    const after = response.headers['retry-after'];
    const retryAfter = after === undefined ? undefined : Number(after);
    return { status: response.statusCode, code, retryAfter };
  };
  const show = (from: string, token: string, port?: number) =>
    send(from, { path: '/api/tasks', headers: { authorization: `Bearer ${token}` } }, port);
  /** The status of so many wrong ones, one after the other. */
  const fail = async (from: string, times: number) => {
    const statuses: number[] = [];
    for (let at = 0; at < times; at++) statuses.push((await show(from, `wrong-${at}`)).status);
    return statuses;
  };
  const deliver = (from: string, signature: string) =>
    send(from, {
      ...{ method: 'POST', path: '/github-package-update/web', body: PING },
      headers: deliveryHeaders(PING, {
        'x-github-event': 'ping',
        'x-hub-signature-256': signature,
      }),
    });
  return { ...worker, folder, send, show, fail, deliver };
}

/** Refused until the window is over, which is said in the header. */
function assertLimited({ status, code, retryAfter = 0 }: Shown): void {
  assert.deepEqual([status, code], [429, 'CREDENTIALS_LIMITED']);
  assert.ok(retryAfter > WINDOW_SECS - 60 && retryAfter <= WINDOW_SECS, String(retryAfter));
}

async function readLimits(port: number): Promise<LimitsView['credentials']> {
  const { status, text } = await askAdmin(port, '/api/limits');
  assert.equal(status, 200, text);
  return (JSON.parse(text) as LimitsView).credentials;
}

describe('tokens that are wrong', () => {
  test('from one address are looked at so often; then not even a good one is, but those of others', async (t) => {
    const { show, fail } = await start(t);
    assert.deepEqual(await fail('127.0.0.2', 3), [401, 401, 401]);
    assertLimited(await show('127.0.0.2', 'wrong'));
    // Else it could be guessed how long one likes.
    assertLimited(await show('127.0.0.2', TOKEN));
    assert.equal((await show('127.0.0.3', TOKEN)).status, 200);
    assert.equal((await show('127.0.0.3', 'wrong')).status, 401);
  });

  test('keep out no good one from an address that has shown one before', async (t) => {
    const { show, fail } = await start(t);
    assert.equal((await show('127.0.0.2', TOKEN)).status, 200);
    assert.deepEqual(await fail('127.0.0.2', 4), [401, 401, 401, 429]);
    assert.equal((await show('127.0.0.2', TOKEN)).status, 200);
    assertLimited(await show('127.0.0.2', 'wrong'));
  });

  test('from many addresses are looked at so often in all, and keep out no good one', async (t) => {
    const { port, show, fail } = await start(t);
    for (let at = 2; at <= 5; at++)
      assert.deepEqual(await fail(`127.0.0.${at}`, 2), [401, 401], `address ${at}`);
    assertLimited(await show('127.0.0.9', 'wrong'));
    assert.equal((await show('127.0.0.9', TOKEN)).status, 200);
    assert.equal((await show('127.0.0.2', TOKEN)).status, 200);
    const { totals } = await readLimits(port);
    const all = totals.find(({ kind }) => kind === 'admin');
    assert.deepEqual([all?.address, all?.failed, all?.refused], ['*', 9, 1]);
  });

  test('count over a restart, and until somebody lets the address go', async (t) => {
    const { port, folder, stop, show, fail } = await start(t);
    await fail('127.0.0.2', 3);
    await until('it is shown', 10_000, async () => {
      const { addresses } = await readLimits(port);
      return addresses.some(({ address, limited_until: at }) => address === '127.0.0.2' && at);
    });
    await stop();
    const { port: next } = await serveWorker(t, folder, LIMITS);
    assertLimited(await show('127.0.0.2', TOKEN, next));
    const released = await ask(next, {
      ...{ method: 'DELETE', path: '/api/limits/addresses/127.0.0.2' },
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    assert.deepEqual([released.status, released.json['released']], [200, 1]);
    assert.equal((await show('127.0.0.2', 'wrong', next)).status, 401);
    assert.equal((await show('127.0.0.2', TOKEN, next)).status, 200);
  });

  test('are told of to a monitor, by the log, and once as an event', async (t) => {
    const { port, lines, fail } = await start(t);
    await fail('127.0.0.2', 6);
    const { text } = await ask(port, {
      path: '/metrics',
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    assert.match(text, /^podup_failed_credentials_total\{kind="admin"\} 6$/m);
    assert.match(text, /^podup_refused_credentials_total\{kind="admin"\} 3$/m);
    assert.match(text, /^podup_failed_credentials_total\{kind="webhook"\} 0$/m);
    const said = lines.filter((line) => line.includes('no more are looked at'));
    assert.equal(said.length, 1);
    assert.match(said[0] ?? '', /"address":"127\.0\.0\.2"/);
    const events = await until('the event', 10_000, async () => {
      const { json: page } = await askAdmin(port, '/api/events?action=credentials-limited');
      const all = page['events'] as readonly unknown[];
      return all.length > 0 && all;
    });
    assert.equal(events.length, 1);
  });
});

describe('deliveries to a hook with a wrong secret', () => {
  test('are told to come later, also where there is no such hook, and never keep out one with a good secret', async (t) => {
    const { port, send } = await start(t);
    const made = await ask(port, {
      ...{ method: 'POST', path: '/api/hooks' },
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'lab', source: 'distribution', registry: 'registry.example' }),
    });
    assert.equal(made.status, 201, made.text);
    const { secret } = made.json as { readonly secret: { readonly text: string } };
    const notify = (from: string, bearer: string, hook = 'lab') =>
      send(from, {
        ...{ method: 'POST', path: `/hooks/${hook}`, body: DISTRIBUTION },
        headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      });
    for (const hook of ['lab', 'none', 'lab'])
      assert.equal((await notify('127.0.0.2', 'wrong', hook)).code, 'HOOK_REFUSED');
    assertLimited(await notify('127.0.0.2', 'wrong'));
    assertLimited(await notify('127.0.0.2', 'wrong', 'none'));
    assert.equal((await notify('127.0.0.2', secret.text)).status, 202);
    assert.equal((await notify('127.0.0.3', 'wrong')).status, 401);
  });
});

describe('deliveries with a wrong signature', () => {
  test('are told to come later, and never keep out one with a good signature, nor a token', async (t) => {
    const { deliver, show } = await start(t);
    const wrong = sign(PING, 'another secret');
    for (let at = 0; at < 3; at++) {
      assert.equal((await deliver('127.0.0.2', wrong)).code, 'SIGNATURE_INVALID');
    }
    assertLimited(await deliver('127.0.0.2', wrong));
    assert.equal((await deliver('127.0.0.2', sign(PING))).status, 200);
    assert.equal((await show('127.0.0.2', TOKEN)).status, 200);
    assert.equal((await deliver('127.0.0.3', wrong)).status, 401);
  });

  test('are too many together, and keep out none with a good one', async (t) => {
    const { deliver } = await start(t);
    const wrong = sign(PING, 'another secret');
    for (let at = 0; at < 8; at++)
      assert.equal((await deliver(`127.0.0.${at + 2}`, wrong)).status, 401, String(at));
    assertLimited(await deliver('127.0.0.99', wrong));
    assert.equal((await deliver('127.0.0.99', sign(PING))).status, 200);
  });
});
