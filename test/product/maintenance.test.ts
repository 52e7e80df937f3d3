import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Product } from '../helpers/product.ts';

const EVERY_SECOND = '* * * * * *';

describe('keeping the state in order', () => {
  test('begins by the clock, as a task that can be looked at', async () => {
    await using product = await Product.start({
      ...{ PODUP_TASK_EXECUTOR: 'child', PODUP_BACKUP_CRON: EVERY_SECOND, PODUP_PRUNE_CRON: 'off' },
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
    await using product = await Product.start({
      ...{ PODUP_TASK_EXECUTOR: 'child', PODUP_BACKUP_CRON: 'off', PODUP_PRUNE_CRON: 'off' },
    });
    const asked = await product.post('/api/tasks', { kind: 'prune' });
    assert.equal(asked.status, 202);
    const { status, summary, logs } = await product.ended();
    assert.equal(status, 'succeeded', summary);
    assert.match(summary, /^Removed: nothing; 0\.0 MB given back\.$/);
    assert.ok(logs.some(({ action }) => action === 'state-prune-run'));
  });
});
