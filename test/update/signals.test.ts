import { describe, test } from 'node:test';
import { describeStops, disturb } from './signals.ts';

describeStops('SIGTERM', [
  {
    what: 'a good update',
    offer: {},
    states: ['requested', 'staging', 'trial', 'handing-over', 'committing'],
    outcome: 'committed',
  },
]);

describe('signals that nobody needs', () => {
  test('SIGHUP, SIGUSR1 and SIGUSR2 in every state of an update disturb nothing', disturb);
});
