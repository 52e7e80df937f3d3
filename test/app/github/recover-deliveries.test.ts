import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { createDeliveriesApi } from '../../../app/github/deliveries-api.ts';
import { recoverDeliveries } from '../../../app/github/recover-deliveries.ts';
import type { IntakeVerdict } from '../../../app/intake/spool-format.ts';
import { takeOver } from '../../../app/intake/take-over.ts';
import { HTTP_LIMITS, openReleaseHttp } from '../../../app/updates/release/release-http.ts';
import { parseGithubHook } from '../../../shared/contract/github-hook.ts';
import { type ListedAttempt, startGithubApi } from '../../helpers/github-api.ts';
import { spoolEntry } from '../../helpers/spool.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const TOKEN = 'github_pat_zgeheim';
const PATHS = { 'o/r/5': '/repos/o/r/hooks/5', 'orgs/acme/6': '/orgs/acme/hooks/6' } as const;
type Name = keyof typeof PATHS;

/** A host with hooks, and GitHub. */
async function start(t: TestContext, names: readonly Name[] = ['o/r/5']) {
  const { store } = openTestStore(t, makeTempFolder(t));
  const github = await startGithubApi(t, TOKEN);
  const leaving = new AbortController();
  const { signal } = leaving;
  const http = openReleaseHttp({
    ...{ userAgent: 'pod-upgrade-trigger/1', signal: new AbortController().signal },
    limits: HTTP_LIMITS,
  });
  t.after(async () => {
    await http.close();
    assert.deepEqual(github.faults, []);
  });
  const notes: string[] = [];
  const hooks = names.map(parseGithubHook).filter((hook) => hook !== undefined);
  const api = createDeliveriesApi({ http, apiUrl: github.url, token: TOKEN });
  let taken = 0;
  return {
    ...{ store, github, notes, leaving },
    run: () =>
      recoverDeliveries({ store, api, hooks, signal, note: (_level, said) => notes.push(said) }),
    /** A worker that has just begun. */
    list: (name: Name, attempts: readonly Partial<ListedAttempt>[]) =>
      github.hooks.set(
        PATHS[name],
        attempts.map((one, at) => ({
          ...{ id: `${900 - at}`, guid: `g${900 - at}`, at: Date.now() - at * 1_000, status: 502 },
          ...one,
        })),
      ),
    /** A delivery arrives. */
    arrive(delivery: string, verdict: IntakeVerdict, headers?: Record<string, string>) {
      taken++;
      takeOver(
        store,
        [spoolEntry({ id: `dlv_${taken}`, delivery, verdict, ...(headers && { headers }) })],
        { segment: 'a', end: taken },
        { windowMs: 0 },
      );
    },
    again: () =>
      github.asked.flatMap(({ what }) => /^POST .*\/(\d+)\/attempts$/.exec(what)?.[1] ?? []),
    pages: () => github.asked.filter(({ what }) => what.startsWith('GET ')).length,
    events: () =>
      store.events
        .list({ limit: 99 })
        .rows.filter(({ path }) => path === 'missed-deliveries')
        .map(({ action, code }) => (code === null ? action : `${action} ${code}`)),
    missed: () =>
      store.totals.list().find(({ first, second }) => first === 'missed' && second === 'github')
        ?.count ?? 0,
  };
}

const IGNORED: IntakeVerdict = { verdict: 'ignored', reason: 'tag-not-tracked' };

describe('failed deliveries of GitHub', () => {
  test('are asked for again once, the oldest first, and acknowledged ones are left', async (t) => {
    const host = await start(t);
    host.list('o/r/5', [{}, { status: 202 }, {}, { event: 'push' }]);
    assert.deepEqual(await host.run(), { asked: 2, failures: 0 });
    assert.deepEqual(host.again(), ['898', '900']);
    assert.deepEqual(host.events(), ['delivery-asked-again', 'delivery-asked-again']);
    assert.match(host.notes.join(' '), /Of 1 hooks of GitHub 2 deliveries were asked for again\.$/);
    assert.deepEqual(await host.run(), { asked: 0, failures: 0 });
    assert.equal(host.again().length, 2);
  });

  test('that arrive are counted once, and those that were here are none', async (t) => {
    const host = await start(t);
    host.list('o/r/5', [{ guid: 'late' }, { guid: 'was-here' }]);
    host.arrive('was-here', IGNORED);
    await host.run();
    assert.deepEqual(host.again(), ['900']);
    assert.equal(host.missed(), 0);
    host.arrive('late', { verdict: 'accepted', matched: 'tag', image: 'ghcr.io/o/web:main' });
    host.arrive('late', { verdict: 'duplicate' });
    host.arrive('late', IGNORED);
    assert.equal(host.missed(), 1);
  });

  test('of one hook are not taken for here because another one sent the same', async (t) => {
    const host = await start(t, ['o/r/5', 'orgs/acme/6']);
    host.list('o/r/5', [{ guid: 'same' }]);
    host.list('orgs/acme/6', [{ guid: 'same', status: 202 }]);
    host.arrive('same', IGNORED, { 'x-github-hook-id': '6' });
    await host.run();
    assert.deepEqual(host.again(), ['900']);
    host.arrive('same', IGNORED, { 'x-github-hook-id': '6' });
    assert.equal(host.missed(), 0, 'it is not the one that was asked for');
    host.arrive('same', IGNORED, { 'x-github-hook-id': '5' });
    assert.equal(host.missed(), 1);
  });

  test('are read page by page to what is settled, and no further the next time', async (t) => {
    const host = await start(t);
    host.github.pageSize = 2;
    const many = Array.from({ length: 7 }, () => ({ status: 202 }));
    host.list('o/r/5', many);
    await host.run();
    assert.equal(host.pages(), 4);
    await host.run();
    assert.equal(host.pages(), 5);
    assert.deepEqual(host.again(), []);
    const at = Math.floor(Date.now() / 1_000) * 1_000 + 60_000;
    host.list('o/r/5', [{ status: 202, at }, ...many]);
    await host.run();
    assert.equal(host.store.githubDeliveries.find('o/r/5')?.settled_until, at);
  });

  test('that are older than three days are not asked for, nor their pages', async (t) => {
    const host = await start(t);
    host.github.pageSize = 1;
    const day = 86_400_000;
    host.list('o/r/5', [{}, { at: Date.now() - 3 * day - 1 }, { at: Date.now() - 4 * day }]);
    await host.run();
    assert.deepEqual([host.again(), host.pages()], [['900'], 2]);
  });

  test('of a hook that has sent too much are read for 20 pages, which is said', async (t) => {
    const host = await start(t);
    host.github.pageSize = 1;
    host.list(
      'o/r/5',
      Array.from({ length: 25 }, () => ({ status: 202 })),
    );
    await host.run();
    assert.equal(host.pages(), 20);
    assert.match(host.notes.join(' '), /more than was read/);
  });

  test('are at most 50 in one look, of all hooks together; the rest stays to be read', async (t) => {
    const host = await start(t, ['o/r/5', 'orgs/acme/6']);
    host.list(
      'o/r/5',
      Array.from({ length: 40 }, () => ({})),
    );
    host.list(
      'orgs/acme/6',
      Array.from({ length: 40 }, (_, n) => ({ guid: `org${n}` })),
    );
    assert.equal((await host.run()).asked, 50);
    assert.equal((await host.run()).asked, 30);
    assert.equal((await host.run()).asked, 0);
  });

  test('are given up after three times', async (t) => {
    const host = await start(t);
    host.list('o/r/5', [{ guid: 'g' }]);
    const hourAgo = Date.now() - 3_600_000;
    for (let time = 0; time < 3; time++) host.store.githubDeliveries.ask('5', 'g', hourAgo);
    host.store.githubDeliveries.ask('5', 'old', 1);
    assert.deepEqual(await host.run(), { asked: 0, failures: 0 });
    assert.match(host.notes.join(' '), /failed each time/);
    assert.deepEqual([...host.store.githubDeliveries.findAsked('5', ['old', 'g']).keys()], ['g']);
  });

  test('a hook that may not be seen is told of once, and the others are asked all the same', async (t) => {
    const host = await start(t, ['o/r/5', 'orgs/acme/6']);
    host.list('orgs/acme/6', [{}]);
    host.store.githubDeliveries.learn('o/r/5', '5', 1);
    assert.deepEqual(await host.run(), { asked: 1, failures: 1 });
    assert.deepEqual(host.again(), ['900']);
    await host.run();
    const told = host.events().filter((one) => one === 'github-not-asked GITHUB_HOOK_NOT_FOUND');
    assert.equal(told.length, 1);
    assert.deepEqual(host.store.githubDeliveries.listLearned(), [], 'it says anew whose it is');
  });

  test('hooks that are not there do not gather, however many deliveries name', async (t) => {
    const { store } = await start(t);
    const { githubDeliveries: table } = store;
    for (let id = 1; id <= 400; id++) {
      const name = `o/r/${id}`;
      table.learn(name, String(id), 1);
      table.noteLook(name, String(id), { failure: 'GITHUB_HOOK_NOT_FOUND' });
      table.unlearn(name);
    }
    table.learn('o/r/999', '999', 1);
    const kept = Array.from({ length: 400 }, (_, at) => table.find(`o/r/${at + 1}`) !== undefined);
    assert.ok(kept.filter(Boolean).length <= 300);
    assert.deepEqual(table.listLearned(), ['o/r/999']);
  });

  test('a token that is refused ends the look', async (t) => {
    const host = await start(t, ['o/r/5', 'orgs/acme/6']);
    host.github.other = () => ({ status: 401 });
    assert.deepEqual(await host.run(), { asked: 0, failures: 1 });
    assert.equal(host.pages(), 1);
    assert.deepEqual(host.events(), ['github-not-asked GITHUB_TOKEN_REFUSED']);
  });

  test('after a limit nobody is asked until it is over, and no time of the delivery is lost', async (t) => {
    const host = await start(t);
    host.list('o/r/5', [{ guid: 'g' }]);
    host.github.other = (method) =>
      method === 'POST' ? { status: 403, headers: { 'retry-after': '60' } } : undefined;
    assert.deepEqual(await host.run(), { asked: 0, failures: 1 });
    const asked = host.github.asked.length;
    assert.deepEqual(await host.run(), { asked: 0, failures: 1 });
    assert.equal(host.github.asked.length, asked);
    assert.equal(host.store.githubDeliveries.findAsked('5', ['g']).get('g')?.times, 0);
  });

  test('of a server that fails nothing is settled', async (t) => {
    const host = await start(t);
    host.list('o/r/5', [{}]);
    host.github.other = () => ({ status: 502 });
    await host.run();
    assert.equal(host.store.githubDeliveries.find('o/r/5')?.settled_until, null);
    host.github.other = () => undefined;
    assert.equal((await host.run()).asked, 1);
    assert.equal(host.store.githubDeliveries.find('o/r/5')?.failure, null);
  });

  test('a list that was the last answer allowed is followed by no question', async (t) => {
    const host = await start(t);
    host.list('o/r/5', [{ guid: 'g' }]);
    const attempts = JSON.stringify([
      {
        ...{ id: 7, guid: 'g', delivered_at: new Date().toISOString(), status_code: 502 },
        event: 'package',
      },
    ]);
    const headers = { 'x-ratelimit-remaining': '0' };
    host.github.other = () => ({ status: 200, headers, body: attempts });
    assert.deepEqual(await host.run(), { asked: 0, failures: 1 });
    assert.deepEqual(host.again(), []);
    assert.equal(host.store.githubDeliveries.findAsked('5', ['g']).size, 0);
    assert.deepEqual(host.events(), ['github-not-asked GITHUB_RATE_LIMITED']);
  });

  test('a question that did not get through costs no time of the delivery', async (t) => {
    const host = await start(t);
    host.list('o/r/5', [{ guid: 'g' }]);
    host.github.other = (method) => (method === 'POST' ? { status: 502 } : undefined);
    assert.deepEqual(await host.run(), { asked: 0, failures: 1 });
    assert.equal(host.store.githubDeliveries.findAsked('5', ['g']).get('g')?.times, 0);
    host.github.other = (method) => (method === 'POST' ? { status: 422 } : undefined);
    host.list('o/r/5', [{ guid: 'h' }]);
    await host.run();
    assert.equal(host.store.githubDeliveries.findAsked('5', ['h']).get('h')?.times, 1);
  });

  test('no further one is asked for by a worker that ends', async (t) => {
    const host = await start(t);
    host.list('o/r/5', [{}, {}, {}]);
    host.github.onAgain = () => host.leaving.abort();
    assert.deepEqual(await host.run(), { asked: 1, failures: 0 });
    assert.equal(host.again().length, 1);
  });

  test('nothing is asked by a worker that ends', async (t) => {
    const host = await start(t);
    host.list('o/r/5', [{}]);
    host.leaving.abort();
    assert.deepEqual(await host.run(), { asked: 0, failures: 0 });
    assert.deepEqual(host.github.asked, []);
  });
});

describe('a hook', () => {
  const headers = {
    'x-github-hook-id': '5',
    'x-github-hook-installation-target-type': 'repository',
  };
  const body = JSON.stringify({ repository: { full_name: 'o/r' } });
  const take = (store: Awaited<ReturnType<typeof start>>['store'], end: number, over: object) =>
    takeOver(
      store,
      [spoolEntry({ id: `dlv_${end}`, headers, ...over }, body)],
      { segment: 'b', end },
      { windowMs: 0 },
    );

  test('is learned from what it delivers, however that is meant', async (t) => {
    const { store } = await start(t);
    take(store, 1, { source: 'gitea' });
    take(store, 2, { replay: { of: 'dlv_0', by: 'me' } });
    take(store, 3, { headers: {} });
    assert.deepEqual(store.githubDeliveries.listLearned(), []);
    take(store, 4, { verdict: { verdict: 'ping' } });
    assert.deepEqual(store.githubDeliveries.listLearned(), ['o/r/5']);
  });

  test('one of more than a hundred is not', async (t) => {
    const { store } = await start(t);
    for (let id = 1; id <= 101; id++) store.githubDeliveries.learn(`a/b/${id}`, `${id}`, 1);
    assert.equal(store.githubDeliveries.listLearned().length, 100);
  });
});
