import { describeMissingFiles } from './missing-files.ts';

describeMissingFiles('files that are gone when the service starts again', [
  {
    state: 'staged',
    fault: 'TARGET.new is gone',
    end: 'rolled-back',
    code: 'UPDATE_SWAP_FAILED',
    isBlamed: false,
  },
  { state: 'trial', fault: 'TARGET.old is gone', end: 'committed' },
  {
    state: 'trial',
    fault: 'TARGET.old is gone',
    newVersion: 'dies',
    end: 'rolled-back',
    code: 'UPDATE_CONFIG_REJECTED',
    isBlamed: true,
  },
  { state: 'trial', fault: 'TARGET is gone', end: 'rolled-back', code: 'UPDATE_WRONG_PROGRAM' },
  {
    state: 'trial',
    fault: 'the folder of the backup is gone',
    newVersion: 'dies',
    end: 'held',
    code: 'UPDATE_RESTORE_FAILED',
  },
  { state: 'committing', fault: 'TARGET.old is gone', end: 'committed' },
]);
