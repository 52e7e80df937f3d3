import { describeBadVersions } from './bad-versions.ts';
import { inRole } from './fault-fixture.ts';

describeBadVersions('a trial', [
  {
    that: 'crashes at its start',
    offer: { break: 'crash-at-start' },
    code: 'UPDATE_START_FAILED',
    detail: /exited with 1/,
    starts: 3,
  },
  {
    that: 'hangs',
    offer: { break: 'hang' },
    code: 'UPDATE_START_TIMEOUT',
    starts: 1,
  },
  {
    that: 'calls itself another one',
    offer: { break: 'wrong-version' },
    code: 'UPDATE_WRONG_PROGRAM',
    starts: 1,
  },
  {
    that: 'finds itself unwell once it serves',
    offer: { prologue: inRole('post-update-check', 'process.exit(1);') },
    code: 'UPDATE_CHECK_FAILED',
    starts: 1,
  },
]);
