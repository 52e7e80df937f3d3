import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ScheduleView } from '../../app/api/schedule-views.ts';
import { Product } from '../helpers/product.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';
const DAY_MS = 86_400_000;

/** The clock is looked at every 30 seconds: longer than other tests wait. */
const patiently = {
  skip: existsSync(LIBRARY) ? false : 'libfaketime is not there',
  timeout: 180_000,
};

test(
  'a service whose wall clock is set goes by the new time, and makes up once for what was missed',
  patiently,
  async (t) => {
    const file = join(makeTempFolder(t), 'clock');
    const set = (days: number) => writeFileSync(file, `${days < 0 ? '' : '+'}${days}d\n`);
    set(0);
    await using product = await Product.start({
      ...{ LD_PRELOAD: LIBRARY, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1' },
      // The timers of Node go by the clock that nobody sets.
      ...{ FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' },
      ...{ PODUP_TASK_EXECUTOR: 'child', PODUP_SCHEDULE_TIME_ZONE: 'UTC' },
      ...{ PODUP_PRUNE_CRON: '0 0 1 1 *', PODUP_BACKUP_CRON: '0 4 * * *' },
    });
    const begun = () => product.lines.filter(({ msg }) => msg === 'it is time');
    const began = async (job: string, after: number) => {
      for (;;) {
        const line = begun()
          .slice(after)
          .find((one) => one['job'] === job);
        if (line) return Date.parse(String(line['due']));
        await product
          .logged((one) => one.msg === 'it is time' && one['job'] === job, product.lines.length)
          .catch(() => undefined);
      }
    };
    const nextOf = async (job: string) => {
      const { now, jobs } = await product.api<ScheduleView>('/api/schedule');
      const next = jobs.find(({ name }) => name === job)?.next_run_at ?? '';
      return Date.parse(next) - Date.parse(now);
    };
    assert.deepEqual(begun(), []);

    set(400);
    const ahead = Date.now() + 400 * DAY_MS;
    const backup = await began('backup', 0);
    await began('prune', 0);
    assert.ok(ahead - backup < DAY_MS + 60_000, 'the last one of four hundred');
    assert.equal(begun().length, 2, 'each once');
    assert.ok((await nextOf('backup')) <= DAY_MS);

    set(-3);
    const again = await began('backup', 2);
    assert.ok(again < Date.now() - 2 * DAY_MS, 'by the new time');
    assert.ok((await nextOf('backup')) <= DAY_MS);
    const jumps = product.lines.filter(({ msg }) => String(msg).startsWith('the clock was set'));
    assert.deepEqual(
      jumps.map(({ jumpMs }) => Math.round(Number(jumpMs) / DAY_MS)),
      [400, -403],
    );
  },
);
