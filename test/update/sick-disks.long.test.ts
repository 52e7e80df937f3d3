import { describeSickDisks } from './sick-disks.ts';

/** So often that it stays so. */
const ALWAYS = 100_000;

describeSickDisks('a disk that refuses one write (EIO, ENOSPC)', [
  {
    what: 'of the record when an update is asked for',
    point: 'sync#1:persist:requested=error(EIO)',
    refused: 'UPDATE_RECORD_UNWRITABLE',
    outcome: 'failed',
    code: 'UPDATE_RECORD_UNWRITABLE',
  },
  {
    what: 'of the record before the exchange',
    point: 'sync#1:persist:switching=error(EIO)',
    outcome: 'failed',
    code: 'UPDATE_RECORD_UNWRITABLE',
  },
  {
    what: 'of the record before the trial',
    point: 'sync#1:persist:trial=error(EIO)',
    outcome: 'rolled-back',
    code: 'UPDATE_RECORD_UNWRITABLE',
  },
  {
    what: 'of the folder of the copies',
    point: 'makeDirectory#1:back-up:backing-up=error(ENOSPC)',
    outcome: 'failed',
    code: 'UPDATE_DISK_FULL',
  },
  {
    what: 'of the folder of the program, in the exchange',
    point: 'syncDirectory#1:switch-program:switching=error(EIO)',
    outcome: 'rolled-back',
    code: 'UPDATE_SWAP_FAILED',
  },
  {
    what: 'of the history of a proven version',
    point: 'openToAppend#1:close:committing=error(ENOSPC)',
    outcome: 'committed',
  },
]);

describeSickDisks('a disk that becomes read-only', [
  {
    what: 'before the exchange',
    point: `makeDirectory#1:back-up:backing-up=error(EROFS)*${ALWAYS}`,
    staysSickUntil: 'self-update: the record cannot be written',
    outcome: 'committed',
  },
  {
    what: 'in the middle of the exchange',
    point: `link#1:switch-program:switching=error(EROFS)*${ALWAYS}`,
    staysSickUntil: 'self-update goes back',
    outcome: 'committed',
  },
]);
