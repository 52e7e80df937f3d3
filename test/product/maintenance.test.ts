import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { PruneView } from '../../app/api/prune-views.ts';
import { type LogLine, PROGRAM_FILE, Product } from '../helpers/product.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';

const EVERY_SECOND = '* * * * * *';

describe('keeping the state in order', () => {
  test('begins by the clock, as a task that can be looked at', async () => {
    await using product = await Product.start({
      ...{ PODUP_TASK_EXECUTOR: 'child', PODUP_BACKUP_CRON: EVERY_SECOND },
    });
    const { kind, unit, status, summary, trigger } = await product.ended();
    assert.deepEqual(
      [kind, unit, status, trigger.source],
      ['maintenance', 'pod-upgrade-trigger', 'succeeded', 'scheduler'],
      summary,
    );
    const names = readdirSync(join(product.stateDir, 'data/backups/database'));
    const [, name = ''] = /backed up: (\S+\.db),/.exec(summary) ?? [];
    assert.ok(names.includes(name) && names.includes(`${name}.json`), names.join());
    const ticks = (await product.events()).filter(({ action }) => action === 'scheduler');
    assert.ok(ticks.some(({ method, path }) => method === 'SYSTEM' && path === 'backup'));
  });

  test('is done at the word of a person, too', async () => {
    await using product = await Product.start({ PODUP_TASK_EXECUTOR: 'child' });
    const asked = await product.post('/api/tasks', { kind: 'prune' });
    assert.equal(asked.status, 202);
    const { status, summary, logs } = await product.ended();
    assert.equal(status, 'succeeded', summary);
    assert.match(summary, /^Removed: nothing; 0\.0 MB given back\.$/);
    assert.ok(logs.some(({ action }) => action === 'state-prune-run'));
  });

  test('removes what an earlier program has left, as a dry run has told', async () => {
    await using product = await Product.start({ PODUP_TASK_EXECUTOR: 'child' });
    const folder = join(product.stateDir, 'github-image-limits');
    mkdirSync(folder);
    for (const [name, at] of [
      ['old.db', 1],
      ['new.db', Date.now() / 1_000],
    ] as const) {
      writeFileSync(join(folder, name), '');
      utimesSync(join(folder, name), at, at);
    }
    const ask = (body: object) => product.post<PruneView>('/api/prune-state', body);
    const dry = await ask({ dry_run: true });
    assert.deepEqual([dry.status, dry.body.tokens_removed], [200, 1]);
    assert.equal(readdirSync(folder).length, 2);
    const { status, body } = await ask({ max_age_hours: 24 });
    assert.equal(status, 200);
    assert.deepEqual(body.removed, dry.body.removed);
    assert.deepEqual(readdirSync(folder), ['new.db']);
    assert.equal((await product.task(body.task_id ?? '')).status, 'succeeded');
  });

  test('serves each time once beside a process that has a clock of its own', async (t) => {
    const home = makeTempFolder(t);
    const quadlets = join(home, '.config/containers/systemd');
    mkdirSync(quadlets, { recursive: true });
    const unit = '[Container]\nImage=ghcr.io/o/web:main\nAutoUpdate=registry\n';
    writeFileSync(join(quadlets, 'web.container'), unit);
    await using product = await Product.start({
      ...{ PODUP_TASK_EXECUTOR: 'child', PODUP_AUTO_DISCOVER: '1', HOME: home },
      ...{ PODUP_AUTO_UPDATE_CRON: '*/2 * * * * *', PODUP_SCHEDULE_SPREAD_MS: '0' },
    });
    const isTime = (line: LogLine) => line.msg === 'it is time' && line['job'] === 'auto-update';
    await product.logged(isTime);
    const words = ['scheduler', '--interval', '2', '--max-iterations', '6'];
    const env = { ...process.env, PODUP_STATE_DIR: product.stateDir, HOME: home };
    const beside = await promisify(execFile)(process.execPath, [PROGRAM_FILE, ...words], {
      env: { ...env, PODUP_SCHEDULER_MIN_INTERVAL_SECS: '1' },
    });
    await product.logged(isTime, product.lines.length);
    const theirs = [...beside.stdout.matchAll(/^(\S+) {2}tsk_\S+ begun$/gm)].map(([, due]) => due);
    const own = product.lines.filter(isTime).map((line) => line['due']);
    const all = [...theirs, ...own];
    assert.equal(new Set(all).size, all.length, all.join('\n'));
    assert.match(beside.stdout, /served already|begun/);
  });
});
