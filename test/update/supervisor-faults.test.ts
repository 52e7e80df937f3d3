import { inRole } from './fault-fixture.ts';
import { describeSupervisorFaults } from './supervisor-faults.ts';

describeSupervisorFaults('an update meets', [
  {
    what: 'a new supervisor that throws when it is loaded: the launcher falls back, and all goes back',
    offer: { break: 'supervisor-throws' },
    outcome: 'rolled-back',
    code: 'UPDATE_SUPERVISOR_FAILED',
    isOneProcess: false,
  },
  {
    what: 'a program that may not be executed any more when the supervisor is to become it',
    offer: {
      prologue: inRole(
        'post-update-check',
        `require('node:fs').chmodSync(process.argv[1], 0o644);`,
      ),
    },
    outcome: 'rolled-back',
    code: 'UPDATE_SUPERVISOR_FAILED',
    detail: /EACCES/,
    isOneProcess: true,
  },
]);
