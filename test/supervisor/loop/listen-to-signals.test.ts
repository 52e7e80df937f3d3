import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import type { SupervisorEvent } from '../../../supervisor/core/supervisor.ts';
import { listenToSignals } from '../../../supervisor/loop/listen-to-signals.ts';

const stop = (signal: 'SIGTERM' | 'SIGINT') => [
  { to: 'update', event: { kind: 'stop' } },
  { to: 'worker', event: { kind: 'stop-requested', signal } },
];

describe('listenToSignals', () => {
  for (const [signal, expected] of [
    // The update first: it gives back what the stop would cost it.
    ['SIGTERM', stop('SIGTERM')],
    ['SIGINT', stop('SIGINT')],
    [
      'SIGHUP',
      [
        { to: 'update', event: { kind: 'reload' } },
        { to: 'worker', event: { kind: 'reload-requested' } },
      ],
    ],
    ['SIGUSR1', []],
    ['SIGUSR2', []],
  ] as const) {
    test(`tells of ${signal}, until it is told not to`, async (t) => {
      const keep = () => undefined;
      process.on(signal, keep);
      t.after(() => process.off(signal, keep));
      const events: SupervisorEvent[] = [];
      const end = listenToSignals((event) => events.push(event));
      const before = process.listenerCount(signal);
      const arrived = once(process, signal);
      process.kill(process.pid, signal);
      await arrived;
      assert.deepEqual(events, expected);
      end();
      assert.equal(process.listenerCount(signal), before - 1);
      const again = once(process, signal);
      process.kill(process.pid, signal);
      await again;
      assert.equal(events.length, expected.length);
    });
  }
});
