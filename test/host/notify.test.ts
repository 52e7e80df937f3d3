import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

const MODULE = new URL('../../shared/native/system-calls.ts', import.meta.url).href;
const UNIT = 'podup-notify-test';

/** Says that it is ready and what it does, and goes on until it is stopped. */
const PROGRAM = `
  const { loadSystemCalls } = await import(${JSON.stringify(MODULE)});
  const calls = await loadSystemCalls();
  calls.value.notify(process.env.NOTIFY_SOCKET, 'READY=1\\nSTATUS=all is well');
  setInterval(() => {}, 1000);`;

test('systemd hears what it is told', (t) => {
  t.after(() => execFileSync('systemctl', ['--user', 'stop', UNIT]));
  // Comes back when the service is ready; without a word that would be never.
  execFileSync(
    'systemd-run',
    [
      ...['--user', '--quiet', `--unit=${UNIT}`, '--property=Type=notify'],
      ...['--property=TimeoutStartSec=20', process.execPath],
      ...['--input-type=module', '-e', PROGRAM],
    ],
    { timeout: 30_000 },
  );
  const show = ['--user', 'show', UNIT, '--property=ActiveState', '--property=StatusText'];
  const shown = execFileSync('systemctl', show, { encoding: 'utf8' });
  assert.deepEqual(shown.trim().split('\n').sort(), [
    'ActiveState=active',
    'StatusText=all is well',
  ]);
});
