import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { createDeliveriesApi } from '../../../app/github/deliveries-api.ts';
import { type HttpLimits, openReleaseHttp } from '../../../app/updates/release/release-http.ts';
import { parseGithubHook } from '../../../shared/contract/github-hook.ts';
import type { Outcome } from '../../../shared/contract/outcome.ts';
import { type GithubApi, type OtherAnswer, startGithubApi } from '../../helpers/github-api.ts';

const TOKEN = 'github_pat_zgeheim';
const HOOK = parseGithubHook('o/r/5') as NonNullable<ReturnType<typeof parseGithubHook>>;
const PATH = '/repos/o/r/hooks/5';
const LIMITS: HttpLimits = {
  ...{ connectMs: 2_000, headMs: 500, chunkMs: 500, pace: { bytes: 1, ms: 60_000 } },
};

const TOO_MANY = JSON.stringify(
  Array.from({ length: 101 }, (_, id) => ({
    ...{ id, guid: `g${id}`, delivered_at: '2030-01-01T00:00:00Z', status_code: 502 },
    event: 'package',
  })),
);

async function start(t: TestContext, other?: OtherAnswer) {
  const github = await startGithubApi(t, TOKEN);
  if (other) github.other = () => other;
  const { signal } = new AbortController();
  const http = openReleaseHttp({ userAgent: 'pod-upgrade-trigger/1', signal, limits: LIMITS });
  t.after(() => http.close());
  const api = createDeliveriesApi({ http, apiUrl: github.url, token: TOKEN });
  return { github, api };
}

function endWell({ faults }: GithubApi): void {
  assert.deepEqual(faults, []);
}

function failureOf<T>(outcome: Outcome<T>) {
  assert.ok(!outcome.ok, 'it went well');
  assert.doesNotMatch(JSON.stringify(outcome), /zgeheim/);
  return outcome.failure;
}

describe('the API of deliveries', () => {
  test('lists pages, newest first, with ids larger than a number can be', async (t) => {
    const { github, api } = await start(t);
    github.pageSize = 1;
    const at = 1_700_000_000_000;
    github.hooks.set(PATH, [
      { id: '9007199254740993', guid: 'g2', at, status: 502 },
      { id: '7', guid: 'g1', at: at - 1_000, status: 202, event: 'ping' },
    ]);
    const first = await api.list(HOOK);
    assert.ok(first.ok && first.value.next);
    assert.deepEqual(first.value.attempts, [
      {
        ...{ id: '9007199254740993', guid: 'g2', deliveredAt: at, statusCode: 502 },
        event: 'registry_package',
      },
    ]);
    const second = await api.list(HOOK, first.value.next);
    assert.ok(second.ok);
    assert.deepEqual(
      [second.value.attempts.map(({ id }) => id), second.value.next],
      [['7'], undefined],
    );
    endWell(github);
  });

  test('asks for one again by the id of the attempt', async (t) => {
    const { github, api } = await start(t);
    github.hooks.set(PATH, [{ id: '9007199254740993', guid: 'g', at: 1, status: 502 }]);
    assert.deepEqual(await api.again(HOOK, '9007199254740993'), { ok: true, value: undefined });
    assert.deepEqual(
      github.asked.map(({ what }) => what),
      ['POST /api/v3/repos/o/r/hooks/5/deliveries/9007199254740993/attempts'],
    );
    endWell(github);
  });

  for (const [title, other, code] of [
    ['401', { status: 401 }, 'GITHUB_TOKEN_REFUSED'],
    ['403', { status: 403 }, 'GITHUB_ACCESS_DENIED'],
    ['404', { status: 404 }, 'GITHUB_HOOK_NOT_FOUND'],
    ['410', { status: 410 }, 'GITHUB_HOOK_NOT_FOUND'],
    ['408', { status: 408 }, 'GITHUB_UNREACHABLE'],
    ['500', { status: 500 }, 'GITHUB_UNREACHABLE'],
    ['a head that never comes to its body', { status: 200, isSlow: true }, 'GITHUB_UNREACHABLE'],
    ['no JSON', { status: 200, body: '<html>' }, 'GITHUB_ANSWER_INVALID'],
    ['other JSON', { status: 200, body: '[{"id":1}]' }, 'GITHUB_ANSWER_INVALID'],
    ['too much', { status: 200, body: `[${' '.repeat(1_048_576)}]` }, 'GITHUB_ANSWER_INVALID'],
    ['more than was asked for', { status: 200, body: TOO_MANY }, 'GITHUB_ANSWER_INVALID'],
    ['422', { status: 422 }, 'GITHUB_ANSWER_INVALID'],
  ] as const)
    test(`${title} is ${code}, and the token is not in it`, async (t) => {
      const body = `{"message":"Bad credentials ${TOKEN}"}`;
      const headers = { 'x-echo': TOKEN };
      const { github, api } = await start(t, { body, headers, ...other });
      assert.equal(failureOf(await api.list(HOOK)).code, code);
      if (other.status >= 400) assert.equal(failureOf(await api.again(HOOK, '1')).code, code);
      assert.equal(api.restMs(Date.now()), undefined);
      endWell(github);
    });

  test('nobody listens: it cannot be reached', async (t) => {
    const { api, github } = await start(t);
    const { signal } = new AbortController();
    const http = openReleaseHttp({ userAgent: 'x', signal, limits: LIMITS });
    t.after(() => http.close());
    const nowhere = createDeliveriesApi({ http, apiUrl: 'http://127.0.0.1:9', token: TOKEN });
    assert.equal(failureOf(await nowhere.list(HOOK)).code, 'GITHUB_UNREACHABLE');
    assert.ok(api && github);
  });

  test('a redirect is not followed, so the token goes nowhere else', async (t) => {
    const elsewhere = await startGithubApi(t, TOKEN);
    for (const status of [301, 302, 307, 308]) {
      const location = `${elsewhere.url}${PATH}/deliveries`;
      const { api, github } = await start(t, { status, headers: { location } });
      assert.equal(failureOf(await api.list(HOOK)).code, 'GITHUB_HOOK_NOT_FOUND');
      assert.equal(failureOf(await api.again(HOOK, '1')).code, 'GITHUB_HOOK_NOT_FOUND');
      endWell(github);
    }
    assert.deepEqual(elsewhere.asked, []);
  });

  test('a limit of the rate is kept for as long as is said, an hour at most', async (t) => {
    const reset = String(Math.ceil(Date.now() / 1_000) + 120);
    for (const [status, headers, min, max] of [
      [403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }, 110_000, 121_000],
      [403, { 'retry-after': '30' }, 29_000, 30_000],
      [429, {}, 59_000, 60_000],
      [429, { 'retry-after': '999999' }, 3_590_000, 3_600_000],
      [403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '5' }, 1, 1_000],
    ] as const) {
      const { api } = await start(t, { status, headers });
      const failure = failureOf(await api.list(HOOK));
      assert.equal(failure.code, 'GITHUB_RATE_LIMITED');
      const rest = api.restMs(Date.now()) ?? 0;
      assert.ok(rest >= min && rest <= max, `${rest} for ${JSON.stringify(headers)}`);
    }
  });

  test('the last answer that was allowed is taken, and nothing is to be asked after it', async (t) => {
    const headers = { 'x-ratelimit-remaining': '0' };
    const { api } = await start(t, { status: 200, headers, body: '[]' });
    assert.ok((await api.list(HOOK)).ok);
    assert.ok((api.restMs(Date.now()) ?? 0) > 50_000);
  });
});
