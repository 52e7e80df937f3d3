import { describeStops } from './signals.ts';

describeStops('SIGTERM', [
  {
    what: 'a bad update',
    offer: { break: 'exit-78' },
    states: ['staged', 'quiescing', 'switching', 'rolling-back', 'rolled-back'],
    outcome: 'rolled-back',
  },
  {
    what: 'another good update',
    offer: {},
    states: ['backing-up'],
    outcome: 'committed',
  },
]);

describeStops('SIGINT', [
  {
    what: 'a good update',
    offer: {},
    states: ['staging', 'switching', 'trial', 'handing-over'],
    outcome: 'committed',
  },
  {
    what: 'a bad update',
    offer: { break: 'exit-78' },
    states: ['backing-up', 'rolling-back'],
    outcome: 'rolled-back',
  },
]);
