import { inRole, inWorker, STATE_OF_RECORD } from './fault-fixture.ts';
import { describeSupervisorFaults } from './supervisor-faults.ts';

describeSupervisorFaults('an update meets', [
  {
    what: 'a new supervisor that dies a moment later: the launcher falls back, and all goes back',
    offer: { prologue: inRole('supervise', 'setTimeout(() => process.exit(1), 150);') },
    outcome: 'rolled-back',
    code: 'UPDATE_SUPERVISOR_FAILED',
    isOneProcess: false,
  },
  {
    what: 'a new worker that crashes under its own supervisor only: the process becomes the old one again',
    offer: { prologue: inWorker(`if (${STATE_OF_RECORD} === 'handing-over') process.exit(1);`) },
    outcome: 'rolled-back',
    code: 'UPDATE_START_FAILED',
    isOneProcess: true,
  },
  {
    what: 'a supervisor that is killed while it stages: the update is made by the next one',
    offer: {},
    killIn: 'staging',
    outcome: 'committed',
    isOneProcess: false,
  },
  {
    what: 'a supervisor that is killed in a trial: the update is made by the next one',
    offer: {},
    killIn: 'trial',
    outcome: 'committed',
    isOneProcess: false,
  },
  {
    what: 'a supervisor that is killed while it goes back: the next one ends that',
    offer: { break: 'exit-78' },
    killIn: 'rolling-back',
    outcome: 'rolled-back',
    code: 'UPDATE_CONFIG_REJECTED',
    isOneProcess: false,
  },
]);
