// Needs: strace
import { test } from 'node:test';
import { countCalls, killAt, TRANSACTIONS, type TransactionName } from './syscall-run.ts';

for (const name of Object.keys(TRANSACTIONS) as TransactionName[]) {
  test(`killed in the middle of any system call: ${name}`, { concurrency: 3 }, async (t) => {
    const kills = await countCalls(name);
    await Promise.all(
      kills.map((kill) => t.test(`${kill.call} ${kill.n} of ${kill.of}`, () => killAt(name, kill))),
    );
  });
}
