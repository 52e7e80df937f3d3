import { describeMissingFiles } from './missing-files.ts';

describeMissingFiles('before the exchange', [
  {
    state: 'staged',
    fault: 'TARGET.new is gone',
    end: 'rolled-back',
    code: 'UPDATE_SWAP_FAILED',
    isBlamed: false,
  },
  {
    state: 'staged',
    fault: 'TARGET.new is cut off',
    end: 'rolled-back',
    code: 'UPDATE_SWAP_FAILED',
    isBlamed: false,
  },
  { state: 'staged', fault: 'TARGET.new is not executable', end: 'rolled-back' },
  {
    state: 'switching',
    fault: 'TARGET.new is gone',
    end: 'rolled-back',
    code: 'UPDATE_SWAP_FAILED',
    isBlamed: false,
  },
  { state: 'switching', fault: 'the folder of the backup is gone', end: 'committed' },
]);

describeMissingFiles('in the trial', [
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
  {
    state: 'trial',
    fault: 'TARGET.old and the kept program are gone',
    newVersion: 'dies',
    end: 'held',
    code: 'UPDATE_ROLLBACK_FAILED',
  },
  { state: 'trial', fault: 'TARGET is empty', end: 'rolled-back' },
  { state: 'trial', fault: 'TARGET is cut off', end: 'rolled-back', code: 'UPDATE_START_FAILED' },
  { state: 'trial', fault: 'TARGET is not executable', end: 'rolled-back' },
  { state: 'trial', fault: 'the folder of the backup is gone', end: 'committed' },
  {
    state: 'trial',
    fault: 'the folder of the backup is gone',
    newVersion: 'refuses',
    end: 'rolled-back',
    code: 'UPDATE_CONFIG_REJECTED',
    isBlamed: true,
  },
]);

describeMissingFiles('in and after the hand-over, and on the way back', [
  {
    state: 'handing-over',
    fault: 'nothing is missing',
    end: 'rolled-back',
    code: 'UPDATE_SUPERVISOR_FAILED',
  },
  { state: 'handing-over', fault: 'TARGET.old is gone', end: 'committed' },
  {
    state: 'handing-over',
    fault: 'TARGET is gone',
    end: 'rolled-back',
    code: 'UPDATE_SUPERVISOR_FAILED',
  },
  {
    state: 'rolling-back',
    fault: 'TARGET.old is gone',
    end: 'rolled-back',
    code: 'UPDATE_SUPERVISOR_FAILED',
  },
  {
    state: 'rolling-back',
    fault: 'TARGET is gone',
    end: 'rolled-back',
    code: 'UPDATE_SUPERVISOR_FAILED',
  },
  {
    state: 'rolling-back',
    fault: 'TARGET.old and the kept program are gone',
    end: 'held',
    code: 'UPDATE_ROLLBACK_FAILED',
  },
  {
    state: 'rolled-back',
    fault: 'TARGET.old is gone',
    end: 'rolled-back',
    code: 'UPDATE_SUPERVISOR_FAILED',
  },
  {
    state: 'rolled-back',
    fault: 'the folder of the backup is gone',
    end: 'rolled-back',
    code: 'UPDATE_SUPERVISOR_FAILED',
  },
  { state: 'committing', fault: 'nothing is missing', end: 'committed' },
  { state: 'committing', fault: 'the folder of the backup is gone', end: 'committed' },
  { state: 'committing', fault: 'TARGET.old is gone', end: 'committed' },
]);
