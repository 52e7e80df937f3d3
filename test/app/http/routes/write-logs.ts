/** A task's process: writes so many entries into the log, in commits of several, and ends the task. */
import { openStore } from '../../../../app/db/store.ts';
import { finish, write } from './live-fixture.ts';

const [path = '', task = '', count = '0'] = process.argv.slice(2);
const opened = openStore(path, { version: '0.0.0', nowMs: 1 });
if (!opened.ok) throw new Error(opened.failure.detail);
const store = opened.value;
for (let from = 0; from < Number(count); from += 5) {
  store.transact(() => {
    for (let at = from; at < from + 5; at++) write(store, `line ${at}`, task);
  });
}
finish(store, task);
store.close();
