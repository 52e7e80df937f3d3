// Needs: strace
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sample } from './failpoint-scenarios.ts';
import { countCalls, killAt, TRANSACTIONS, type TransactionName } from './syscall-run.ts';

/** So many kills of each transaction with every change; all of them in the `long` file beside this one. */
const SAMPLES = 3;

for (const name of Object.keys(TRANSACTIONS) as TransactionName[]) {
  test(`killed in the middle of a system call: ${name}`, { concurrency: 2 }, async (t) => {
    const kills = await countCalls(name);
    assert.ok(kills.length > 50, `only ${kills.length} calls were counted`);
    await Promise.all(
      sample(kills, SAMPLES).map((kill) =>
        t.test(`${kill.call} ${kill.n} of ${kill.of}`, () => killAt(name, kill)),
      ),
    );
  });
}
