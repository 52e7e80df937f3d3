import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { listTasks, readTask } from '../../../app/tasks/read-tasks.ts';
import { type ImportParts, ReportImporter } from '../../../app/updates/import-reports.ts';
import { keepLog } from '../../helpers/log-lines.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { until } from '../../helpers/until.ts';

const LONG_MS = 20_000;
const NAME = 'self-update-1700000000-4711.json';
const REPORT = {
  type: 'self-update-run',
  started_at: 1_700_000_000,
  finished_at: 1_700_000_060,
  status: 'succeeded',
  release_tag: 'v1.2.3',
  runner_host: 'host-1',
};

/** An importer of a folder of the test that is not there yet. */
function makeImporter(context: TestContext, over: Partial<ImportParts> = {}) {
  const home = makeTempFolder(context);
  const folder = join(home, 'self-update-reports');
  const { store } = openTestStore(context, home);
  const { log, lines } = keepLog();
  const told: (readonly [file: string, task: string])[] = [];
  const onImported = (file: string, task: string) => void told.push([file, task]);
  const importer = new ReportImporter({ folder, store, log, onImported, ...over });
  context.after(() => importer.close());
  const names = () => readdirSync(folder).sort();
  const tasks = () => store.tasks.list({ limit: 1000 });
  const becomes = (expected: readonly string[], withinMs = LONG_MS) =>
    until(`${expected}`, withinMs, () => JSON.stringify(names()) === JSON.stringify(expected));
  return { folder, store, importer, lines, told, names, tasks, becomes };
}

/** Writes a report as a runner does: aside, then renamed. */
function writeReport(folder: string, name: string, report: unknown = REPORT): void {
  const path = join(folder, name);
  writeFileSync(`${path}.tmp`, typeof report === 'string' ? report : JSON.stringify(report));
  renameSync(`${path}.tmp`, path);
}

/** Makes a file old enough to be surely whole. */
function age(path: string): void {
  utimesSync(path, 1_000_000, 1_000_000);
}

describe('a report', () => {
  test('becomes a task within a second, and is renamed', async (t) => {
    const { folder, store, importer, becomes, tasks, told } = makeImporter(t);
    importer.start();
    await until('the watch', LONG_MS, () => readdirSync(join(folder, '..')).length > 1);
    writeReport(folder, NAME);
    await becomes([`${NAME}.imported`], 1_000);
    const [task] = listTasks(store, { limit: 9 }).tasks;
    assert.equal(tasks().length, 1);
    assert.deepEqual(told, [[NAME, task?.task_id]]);
    const { kind, status, phase, unit, summary, trigger, error, attempts } = task ?? {};
    assert.deepEqual(
      { kind, status, phase, unit, summary, trigger, error, attempts },
      {
        kind: 'self-update',
        status: 'succeeded',
        phase: 'done',
        unit: 'pod-upgrade-trigger-http.service',
        summary: 'The self-update to v1.2.3 succeeded.',
        trigger: {
          source: 'self-update-runner',
          request_id: NAME,
          path: '/self-update-report',
          caller: 'host-1',
          reason: 'v1.2.3',
        },
        error: null,
        attempts: 0,
      },
    );
    const { logs } = readTask(store, task?.task_id ?? '') ?? {};
    assert.deepEqual(
      logs?.map(({ action, meta }) => [action, meta]),
      [['self-update-run', { ...REPORT, dry_run: false }]],
    );
  });

  test('that lay there before is imported at the start', async (t) => {
    const { folder, store, importer, becomes, tasks } = makeImporter(t);
    mkdirSync(folder);
    writeReport(folder, NAME);
    writeReport(folder, 'self-update-1700000001-1.json');
    writeFileSync(join(folder, 'self-update-1700000002-1.json.tmp'), '{');
    writeFileSync(join(folder, 'notes.txt'), 'kept');
    importer.start();
    await becomes([
      'notes.txt',
      `${NAME}.imported`,
      'self-update-1700000001-1.json.imported',
      'self-update-1700000002-1.json.tmp',
    ]);
    assert.equal(tasks().length, 2);
    // They are over: nobody is to carry them out.
    assert.deepEqual(
      [store.tasks.listDispatchable(9, Date.now()), store.tasks.listRunning()],
      [[], []],
    );
  });

  test('makes its task once, also when the rename was cut off, or it is written again', async (t) => {
    const { folder, store, importer, becomes, tasks } = makeImporter(t);
    mkdirSync(folder);
    writeReport(folder, NAME);
    importer.start();
    await becomes([`${NAME}.imported`]);
    await importer.close();
    renameSync(join(folder, `${NAME}.imported`), join(folder, NAME));
    const { log } = keepLog();
    const next = new ReportImporter({ folder, store, log });
    t.after(() => next.close());
    next.start();
    await becomes([`${NAME}.imported`]);
    writeReport(folder, NAME, { ...REPORT, started_at: 1, status: 'failed' });
    await becomes([`${NAME}.imported`]);
    assert.equal(tasks().length, 1);
    assert.equal(store.taskLogs.listByTask(tasks()[0]?.id ?? '').length, 1);
  });

  test('is not imported in part: a log that cannot be written takes the task with it', async (t) => {
    const { folder, store, importer, names, lines, tasks } = makeImporter(t, { sweepEveryMs: 50 });
    const append = store.taskLogs.append;
    const failing = {
      append: () => {
        throw new Error('disk I/O error');
      },
    };
    Object.assign(store.taskLogs, failing);
    mkdirSync(folder);
    writeReport(folder, NAME);
    importer.start();
    const said = 'importing self-update reports failed';
    await until(said, LONG_MS, () => lines.some(({ msg }) => msg === said));
    assert.deepEqual([tasks().length, names()], [0, [NAME]]);
    Object.assign(store.taskLogs, { append });
    await until('the next sweep', LONG_MS, () => names()[0] === `${NAME}.imported`);
    assert.equal(tasks().length, 1);
  });

  test('that no watch tells of is found by the sweep', async (t) => {
    const { folder, importer, becomes } = makeImporter(t, { sweepEveryMs: 50 });
    // A file in the place of the folder: neither folder nor watch can be made.
    writeFileSync(folder, '');
    importer.start();
    rmSync(folder);
    mkdirSync(folder);
    writeReport(folder, NAME);
    await becomes([`${NAME}.imported`]);
  });

  test('written in place, half first, is waited for', async (t) => {
    const { folder, importer, becomes, names, tasks } = makeImporter(t);
    mkdirSync(folder);
    const text = JSON.stringify(REPORT);
    writeFileSync(join(folder, NAME), text.slice(0, 30));
    importer.start();
    writeReport(folder, 'self-update-1700000009-1.json');
    // The sweep that imported the second one has passed over the first.
    await becomes([NAME, 'self-update-1700000009-1.json.imported']);
    assert.ok(names().includes(NAME));
    writeFileSync(join(folder, NAME), text);
    await becomes([`${NAME}.imported`, 'self-update-1700000009-1.json.imported']);
    assert.equal(tasks().length, 2);
  });
});

describe('what is no report', () => {
  for (const [title, put, reason] of [
    ['a file of another type', (path: string) => writeFileSync(path, '{"type":"x"}'), /no report/],
    ['half a file that grew old', (path: string) => writeFileSync(path, '{"type":'), /no report/],
    ['bytes', (path: string) => writeFileSync(path, Buffer.from([0xff, 0xfe])), /no report/],
    [
      'a file that is too large',
      (path: string) => writeFileSync(path, JSON.stringify({ ...REPORT, x: 'x'.repeat(262_144) })),
      /it has 262\d+ bytes, more than 262144/,
    ],
    ['a folder', (path: string) => mkdirSync(path), /no file/],
    ['a link', (path: string) => symlinkSync('/etc/hostname', path), /no file/],
    ['a pipe', (path: string) => void execFileSync('mkfifo', [path]), /no file/],
  ] as const) {
    test(`${title} is put aside with one warning and never looked at again`, async (t) => {
      const { folder, importer, becomes, lines, tasks } = makeImporter(t, { sweepEveryMs: 20 });
      mkdirSync(folder);
      put(join(folder, NAME));
      if (!/link/.test(title)) age(join(folder, NAME));
      importer.start();
      await becomes([`${NAME}.rejected`]);
      writeReport(folder, 'self-update-1700000009-1.json');
      await becomes([`${NAME}.rejected`, 'self-update-1700000009-1.json.imported']);
      const warnings = lines.filter(({ level }) => level === 40);
      assert.deepEqual(
        warnings.map(({ msg, file }) => [msg, file]),
        [['this is no self-update report', NAME]],
      );
      assert.match(String(warnings[0]?.['reason']), reason);
      assert.equal(tasks().length, 1);
    });
  }

  test('half a file that nobody finishes is put aside after a while', async (t) => {
    const { folder, importer, becomes } = makeImporter(t);
    mkdirSync(folder);
    importer.start();
    writeFileSync(join(folder, NAME), '{"type":');
    await becomes([`${NAME}.rejected`], 6_000);
  });

  test('and cannot be renamed is complained of once, however often it is seen', async (t) => {
    const { folder, importer, lines } = makeImporter(t, { sweepEveryMs: 20 });
    mkdirSync(folder);
    // A name that has no room for an ending.
    const name = `${'x'.repeat(245)}.json`;
    writeFileSync(join(folder, name), '{}');
    age(join(folder, name));
    importer.start();
    const seen = () => lines.filter(({ level }) => level === 40).map(({ msg }) => msg);
    await until('both warnings', LONG_MS, () => seen().length >= 2);
    writeReport(folder, NAME);
    for (const later of [NAME, 'self-update-1700000009-1.json']) {
      const isImported = () => readdirSync(folder).includes(`${later}.imported`);
      writeReport(folder, later);
      await until('a later sweep', LONG_MS, isImported);
    }
    assert.deepEqual(seen(), [
      'this is no self-update report',
      'a self-update report cannot be renamed',
    ]);
  });
});

describe('many reports', () => {
  test('are all imported; the newest 200 files are kept, and as many that were none', async (t) => {
    const { folder, importer, names, tasks } = makeImporter(t);
    mkdirSync(folder);
    const ids = Array.from({ length: 210 }, (_, index) => 1_700_000_000 + index);
    for (const id of ids) {
      writeReport(folder, `self-update-${id}-1.json`);
      writeFileSync(join(folder, `bad-${id}.json`), '{}');
      for (const name of [`self-update-${id}-1.json`, `bad-${id}.json`]) {
        utimesSync(join(folder, name), id, id);
      }
    }
    importer.start();
    await until('all', LONG_MS, () => tasks().length === 210 && names().length === 400);
    await importer.close();
    const kept = ids.slice(10);
    assert.deepEqual(names(), [
      ...kept.map((id) => `bad-${id}.json.rejected`),
      ...kept.map((id) => `self-update-${id}-1.json.imported`),
    ]);
  });

  test('that come while others are imported are not missed', async (t) => {
    const { folder, importer, names } = makeImporter(t);
    importer.start();
    await until('the folder', LONG_MS, () => readdirSync(join(folder, '..')).length > 1);
    for (let index = 0; index < 60; index += 1) {
      writeReport(folder, `self-update-17000000${String(index).padStart(2, '0')}-1.json`);
      if (index % 7 === 0) await new Promise(setImmediate);
    }
    await until('all', LONG_MS, () => names().every((name) => name.endsWith('.imported')));
    assert.equal(names().length, 60);
  });
});

describe('an importer that is closed', () => {
  test('imports nothing more and leaves no timer, also when it is started again', async (t) => {
    const { folder, importer, names, becomes } = makeImporter(t, { sweepEveryMs: 5 });
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout');
    const before = timers().length;
    mkdirSync(folder);
    writeFileSync(join(folder, 'half.json'), '{');
    importer.start();
    importer.start();
    writeReport(folder, NAME);
    await becomes(['half.json', `${NAME}.imported`]);
    await importer.close();
    importer.start();
    assert.equal(timers().length, before);
    writeReport(folder, NAME);
    importer.start();
    // It would wait for a sweep that was begun.
    await importer.close();
    assert.deepEqual(names(), ['half.json', NAME, `${NAME}.imported`]);
  });
});
