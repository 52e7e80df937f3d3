import assert from 'node:assert/strict';
import {
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { PRUNED, type PruneCounts, type Retention } from '../../../app/domain/retention.ts';
import { countPrunable, pruneState } from '../../../app/maintenance/prune-state.ts';
import { SETTINGS } from '../../../shared/config/settings.ts';
import { statePaths } from '../../../shared/contract/state-paths.ts';
import { someEvent } from '../../helpers/events.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-03-04T12:00:00Z');
const RETENTION: Retention = {
  ...{ taskMaxAgeMs: 100 * DAY, deliveryMaxAgeMs: 50 * DAY, shortMaxAgeMs: DAY },
  events: { maxAgeMs: 20 * DAY, maxRows: 1_000 },
};
const NONE = Object.fromEntries(PRUNED.map((what) => [what, 0])) as PruneCounts;

function open(context: Pick<TestContext, 'after'>, folder: string) {
  const { store } = openTestStore(context, folder);
  const state = { store, paths: statePaths(folder) };
  const put = (name: string, ageMs: number) => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'x');
    utimesSync(path, (NOW - ageMs) / 1_000, (NOW - ageMs) / 1_000);
  };
  const files = () =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => !name.startsWith('data'))
      .sort();
  const prune = async () => {
    const { signal } = new AbortController();
    const pause = () => Promise.resolve();
    return (await pruneState(state, RETENTION, NOW, { signal, pause })).removed;
  };
  const count = (retention = RETENTION) => countPrunable(state, retention, NOW);
  return { store, put, files, prune, count, folder };
}

describe('files that are pruned', () => {
  test('are those of earlier programs, with the folders that they leave empty', async (t) => {
    const { put, files, prune, count } = open(t, makeTempFolder(t));
    for (const name of ['ratelimit.db', 'ratelimit.lock', 'task-pids/tsk_1.pid'])
      put(name, 2 * DAY);
    put('github-image-limits/ghcr.io_o_web.db', 2 * DAY);
    put('github-image-limits/fresh.db', HOUR);
    put('github-image-locks/ghcr.io_o_web.lock', 2 * DAY);
    put('github-image-locks/note.txt', 2 * DAY);
    const expected = { ...NONE, legacy_tokens: 2, legacy_locks: 3, legacy_folders: 1 };
    assert.deepEqual(count(), expected);
    assert.equal(files().length, 10, 'a count touches nothing');
    assert.deepEqual(await prune(), expected);
    assert.deepEqual(files(), [
      ...['github-image-limits', 'github-image-limits/fresh.db'],
      ...['github-image-locks', 'github-image-locks/note.txt'],
    ]);
    assert.deepEqual(await prune(), NONE);
  });

  test('are younger where a person says so', (t) => {
    const { put, count } = open(t, makeTempFolder(t));
    put('github-image-limits/a.db', 3 * HOUR);
    assert.equal(count().legacy_tokens, 0);
    assert.equal(count({ ...RETENTION, shortMaxAgeMs: 2 * HOUR }).legacy_tokens, 1);
  });

  test('are damaged segments and reports that were dealt with, and nothing else of their folders', async (t) => {
    const { put, files, prune } = open(t, makeTempFolder(t));
    put('intake/1-2-3.spool', 999 * DAY);
    put('intake/1-2-3.spool.damaged', 51 * DAY);
    put('intake/1-2-4.spool.damaged', 49 * DAY);
    put('self-update-reports/a.json', 999 * DAY);
    put('self-update-reports/a.json.imported', 101 * DAY);
    put('self-update-reports/b.json.rejected', 101 * DAY);
    put('self-update-reports/c.json.imported', 99 * DAY);
    assert.deepEqual(await prune(), { ...NONE, damaged_segments: 1, reports: 2 });
    assert.deepEqual(
      files().filter((name) => name.includes('/')),
      [
        ...['intake/1-2-3.spool', 'intake/1-2-4.spool.damaged'],
        ...['self-update-reports/a.json', 'self-update-reports/c.json.imported'],
      ],
    );
  });

  test('are never what a link leads to', async (t) => {
    const other = makeTempFolder(t);
    const { put, prune, folder } = open(t, makeTempFolder(t));
    const { put: putOther, files: others } = open(t, other);
    putOther('elsewhere/a.db', 9 * DAY);
    symlinkSync(join(other, 'elsewhere'), join(folder, 'github-image-limits'));
    put('github-image-locks/b.lock', 9 * DAY);
    symlinkSync(join(other, 'elsewhere/a.db'), join(folder, 'ratelimit.db'));
    lutimesSync(join(folder, 'ratelimit.db'), 1, 1);
    assert.deepEqual(await prune(), { ...NONE, legacy_locks: 1, legacy_folders: 1 });
    assert.deepEqual(others(), ['elsewhere', 'elsewhere/a.db']);
    assert.ok(lstatSync(join(folder, 'ratelimit.db')).isSymbolicLink());
  });
});

test('how far a segment was taken over is forgotten once the segment is gone', async (t) => {
  const { store, put, prune } = open(t, makeTempFolder(t));
  put('intake/1-2-3.spool', 0);
  store.segments.setConsumed('1-2-3.spool', 5);
  store.segments.setConsumed('1-2-4.spool', 7);
  assert.deepEqual(await prune(), { ...NONE, spool_positions: 1 });
  assert.deepEqual(store.segments.listNames(), ['1-2-3.spool']);
});

test('of the runs of the schedule that went well those of the last month stay', async (t) => {
  const { store, prune } = open(t, makeTempFolder(t));
  const end = (id: string, ageDays: number, status: 'succeeded' | 'failed') => {
    const at = NOW - ageDays * DAY;
    const unit = 'pod-upgrade-trigger';
    store.tasks.insert({ ...newTask({ id, created_at: at, unit, maintenance: 'prune' }) });
    store.tasks.finish({ id, attempts: 0 }, { status, summary: '', at });
  };
  for (let at = 0; at < 12; at++) end(`tsk_good${at}`, 40 - at, 'succeeded');
  for (let at = 0; at < 12; at++) end(`tsk_bad${at}`, 60 - at, 'failed');
  for (let at = 0; at < 10; at++) end(`tsk_new${at}`, 10 - at, 'succeeded');
  assert.equal((await prune()).tasks, 10, 'of 40 to 31 days');
});

test('a dry run counts what the run behind it removes, and touches nothing', async () => {
  const age = fc.integer({ min: 0, max: 120 }).map((days) => days * DAY + HOUR);
  const unit = fc.constantFrom('a.service', 'b.service', 'pod-upgrade-trigger');
  const status = fc.constantFrom('succeeded' as const, 'failed' as const, 'skipped' as const);
  const file = fc.constantFrom(
    ...['ratelimit.db', 'ratelimit.lock', 'github-image-limits/N.db', 'github-image-limits/N.txt'],
    ...['github-image-locks/N.lock', 'task-pids/N.pid', 'intake/N.spool.damaged'],
    ...['intake/N.spool', 'self-update-reports/N.json.imported', 'self-update-reports/N.json'],
  );
  const state = fc.record({
    tasks: fc.array(fc.record({ age, unit, status, isOpen: fc.boolean() }), { maxLength: 60 }),
    files: fc.array(fc.record({ age, file }), { maxLength: 25 }),
    events: fc.array(age, { maxLength: 40 }),
    plans: fc.array(age, { maxLength: 10 }),
    calls: fc.array(age, { maxLength: 10 }),
    tags: fc.array(age, { maxLength: 10 }),
    segments: fc.array(fc.integer({ min: 0, max: 25 }), { maxLength: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(state, async (given) => {
      const endings: (() => unknown)[] = [];
      const context = { after: (end: () => unknown) => void endings.unshift(end) };
      try {
        const { store, put, files, prune, count } = open(context, makeTempFolder(context));
        given.tasks.forEach(({ age: old, unit: of, status: how, isOpen }, at) => {
          const id = `tsk_${at}`;
          store.tasks.insert(newTask({ id, created_at: NOW - old, unit: of }));
          if (isOpen) return;
          store.tasks.finish({ id, attempts: 0 }, { status: how, summary: '', at: NOW - old });
        });
        for (const [at, { age: old, file: name }] of given.files.entries()) {
          put(name.replace('N', `${at}`), old);
        }
        store.events.insertAll(given.events.map((old) => someEvent({ ts: NOW - old })));
        given.plans.forEach((old, at) => {
          const row = { id: `pln_${at}`, unit: 'a', body: '{}', created_at: 0 };
          store.plans.add({ ...row, expires_at: NOW - old + DAY });
        });
        for (const [at, old] of given.calls.entries()) {
          const answered = { request_sha256: 'x', status: 200, answer: '{}' };
          store.idempotency.add({ key: `${at}`, ...answered, created_at: NOW - old });
          store.rateLimits.add('manual', NOW - old, 1_000 * DAY);
        }
        for (const [at, old] of given.tags.entries()) {
          const digest = `sha256:${at}`;
          store.registryAnswers.noteTag(`ghcr.io/o/${at}:1`, { digest, isIndex: true }, NOW - old);
          store.registryAnswers.noteManifest(digest, 'linux/amd64', `${digest}1`);
          store.autoUpdateImports.add(`${at}`, NOW - old);
        }
        for (const at of given.segments) store.segments.setConsumed(`${at}.spool`, 1);

        const before = files();
        const counted = count();
        assert.deepEqual([files(), count()], [before, counted]);
        assert.deepEqual(await prune(), counted);
        assert.deepEqual(count(), NONE);
      } finally {
        for (const end of endings) await end();
      }
    }),
    { numRuns: 25 },
  );
});

test('an answer that may be asked for again is kept for a day, whatever a person says', (t) => {
  const { store, count } = open(t, makeTempFolder(t));
  const add = (key: string, ageMs: number) =>
    store.idempotency.add({
      ...{ key, request_sha256: 'x', status: 200, answer: '{}', created_at: NOW - ageMs },
    });
  add('old', 25 * HOUR);
  add('young', 23 * HOUR);
  assert.equal(count({ ...RETENTION, shortMaxAgeMs: HOUR }).idempotency_keys, 1);
});

test('a call that is counted is kept for as long as any window may be, whatever a person says', async (t) => {
  const { store, prune, count } = open(t, makeTempFolder(t));
  const windows = Object.values(SETTINGS).filter(({ variable }) =>
    /_LIMIT.*_WINDOW$/.test(variable),
  );
  assert.equal(windows.length, 4);
  for (const { variable, schema } of windows) {
    assert.ok(!schema.safeParse(String(31 * 86_400 + 1)).success, `${variable} is bounded`);
  }
  store.rateLimits.add('manual', NOW - 31 * DAY - 1, 40 * DAY);
  store.rateLimits.add('manual', NOW - 31 * DAY + 1, 40 * DAY);
  store.rateLimits.add('manual', NOW - 3 * HOUR, 40 * DAY);
  assert.equal(count({ ...RETENTION, shortMaxAgeMs: HOUR }).rate_limit_tokens, 1);
  assert.deepEqual(await prune(), { ...NONE, rate_limit_tokens: 1 });
  assert.equal(store.rateLimits.list('manual', 9).length, 2);
});

test('what registries have said is kept for thirty days, of an index as long as a tag means it', async (t) => {
  const { store, prune } = open(t, makeTempFolder(t));
  const { registryAnswers: answers } = store;
  for (const [name, days] of [
    ['old', 31],
    ['young', 29],
  ] as const) {
    const at = NOW - days * DAY;
    answers.noteTag(`ghcr.io/o/${name}:1`, { digest: `sha256:${name}`, isIndex: true }, at);
    answers.noteManifest(`sha256:${name}`, 'linux/amd64', 'sha256:a');
    answers.noteManifest(`sha256:${name}`, 'linux/arm64', 'sha256:b');
  }
  assert.deepEqual(await prune(), { ...NONE, registry_tags: 1, index_manifests: 2 });
  assert.equal(answers.hasManifests('sha256:young', 'linux/amd64'), true);
});
