import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { AutoUpdateLogImporter } from '../../../app/tasks/import-auto-update-logs.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { until } from '../../helpers/until.ts';
import { keepLog } from '../http/http-fixture.ts';

const WARNING = '{"type":"dry-run-error","at":"2026-01-01T00:00:00Z","error":"unauthorized"}\n';
const ERROR = '{"type":"auto-update-error","message":"it broke"}\n';
const summary = (failed: number) =>
  `{"type":"summary","counts":{"total":3,"succeeded":${3 - failed},"failed":${failed}}}\n`;

function start(context: TestContext, { quietMs = 600_000, isFolderThere = true } = {}) {
  const root = makeTempFolder(context);
  const folder = join(root, 'logs');
  if (isFolderThere) mkdirSync(folder);
  const { store } = openTestStore(context, root);
  const imported: [string, number][] = [];
  const open = () => {
    const importer = new AutoUpdateLogImporter({
      ...{ folder, store, log: keepLog().log, quietMs, sweepEveryMs: 50 },
      unit: 'podman-auto-update.service',
      onImported: (name, _task, warnings) => imported.push([name, warnings]),
    });
    importer.start();
    return importer;
  };
  const importer = open();
  context.after(() => importer.close());
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const count = (wanted: number) =>
    until(`${wanted} imported`, 10_000, () => Promise.resolve(imported.length >= wanted));
  const tasks = () => store.tasks.list({ limit: 50 });
  return { store, folder, imported, importer, open, write, count, tasks };
}

describe('the import of logs of auto-update', () => {
  test('makes a task of a run, with its warnings', async (t) => {
    const { store, write, count, imported, tasks } = start(t);
    write('run-1.jsonl', WARNING + ERROR + summary(0));
    await count(1);
    assert.deepEqual(imported, [['run-1.jsonl', 2]]);
    const [task] = tasks();
    assert.deepEqual(
      [task?.status, task?.unit, task?.kind, task?.trigger_source],
      ['succeeded', 'podman-auto-update.service', 'scheduler', 'auto-update-log'],
    );
    const logs = store.taskLogs.listByTask(task?.id ?? '');
    assert.deepEqual(
      logs.map(({ level, action, summary: said }) => [level, action, said]),
      [
        ['info', 'auto-update-log', task?.summary],
        ['warning', 'auto-update-warnings', '2 warnings.'],
        ['warning', 'auto-update-warning', '[dry-run-error] unauthorized'],
        ['error', 'auto-update-warning', '[auto-update-error] it broke'],
      ],
    );
  });

  test('says of a run that has failed units that it has failed', async (t) => {
    const { write, count, tasks } = start(t);
    write('run-1.jsonl', summary(1));
    await count(1);
    assert.deepEqual(
      [tasks()[0]?.status, tasks()[0]?.error_code],
      ['failed', 'AUTO_UPDATE_FAILED'],
    );
  });

  test('takes each file once, also after a start anew', async (t) => {
    const { write, count, importer, open, imported, folder, tasks } = start(t);
    write('run-1.jsonl', summary(0));
    await count(1);
    await importer.close();
    appendFileSync(join(folder, 'run-1.jsonl'), WARNING);
    const again = open();
    t.after(() => again.close());
    write('run-2.jsonl', summary(0));
    await count(2);
    assert.deepEqual(
      imported.map(([name]) => name),
      ['run-1.jsonl', 'run-2.jsonl'],
    );
    assert.equal(tasks().length, 2);
  });

  test('waits for the end of a run, and takes what is left of one that was torn', async (t) => {
    const { write, count, imported, folder, tasks } = start(t);
    write('growing.jsonl', WARNING);
    write('torn.jsonl', `${WARNING}{"type":"summ`);
    const before = new Date(Date.now() - 700_000);
    utimesSync(join(folder, 'torn.jsonl'), before, before);
    await count(1);
    assert.deepEqual(imported, [['torn.jsonl', 1]]);
    assert.equal(tasks()[0]?.status, 'unknown');
    appendFileSync(join(folder, 'growing.jsonl'), summary(0));
    await count(2);
    assert.deepEqual(imported[1], ['growing.jsonl', 1]);
  });

  test('looks at no link, no folder, no other file, and at none that is old', async (t) => {
    const { write, count, folder, imported } = start(t);
    write('other.txt', summary(0));
    symlinkSync(join(folder, 'other.txt'), join(folder, 'link.jsonl'));
    mkdirSync(join(folder, 'folder.jsonl'));
    write('a-old.jsonl', summary(0));
    const old = new Date(Date.now() - 8 * 86_400_000);
    utimesSync(join(folder, 'a-old.jsonl'), old, old);
    write('z-new.jsonl', summary(0));
    await count(1);
    assert.deepEqual(imported, [['z-new.jsonl', 0]]);
  });

  test('reads the beginning of a file that is too large, and says so', async (t) => {
    const { store, write, count, tasks } = start(t);
    write('large.jsonl', WARNING + `${'x'.repeat(1_000)}\n`.repeat(5_000) + summary(0));
    await count(1);
    const [task] = tasks();
    assert.equal(task?.status, 'unknown');
    const [entry] = store.taskLogs.listByTask(task?.id ?? '');
    assert.equal((JSON.parse(entry?.meta ?? '{}') as { truncated: boolean }).truncated, true);
  });

  test('does not make the folder, and finds it when somebody does', async (t) => {
    const { write, count, folder, imported } = start(t, { isFolderThere: false });
    mkdirSync(folder);
    write('run-1.jsonl', summary(0));
    await count(1);
    assert.equal(imported.length, 1);
  });
});
