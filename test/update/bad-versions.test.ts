import { describeBadVersions } from './bad-versions.ts';
import { inRole, inWorker } from './fault-fixture.ts';

describeBadVersions('a trial', [
  {
    that: 'crashes at its start',
    offer: { break: 'crash-at-start' },
    code: 'UPDATE_START_FAILED',
    detail: /exited with 1/,
    starts: 3,
  },
  {
    that: 'crashes in the middle of its soak',
    offer: { break: 'crash-after-ms:150' },
    code: 'UPDATE_START_FAILED',
    starts: 3,
  },
  {
    that: 'hangs',
    offer: { break: 'hang' },
    code: 'UPDATE_START_TIMEOUT',
    starts: 1,
  },
  {
    that: 'refuses the configuration',
    offer: { break: 'exit-78' },
    code: 'UPDATE_CONFIG_REJECTED',
    starts: 1,
  },
  {
    that: 'ends with exit code 10',
    offer: { break: 'exit-10' },
    code: 'UPDATE_START_FAILED',
    detail: /exited with 10/,
    starts: 3,
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
  {
    that: 'is stopped (SIGSTOP) before it serves',
    offer: { prologue: inWorker(`process.kill(process.pid, 'SIGSTOP');`) },
    code: 'UPDATE_START_TIMEOUT',
    starts: 1,
  },
]);
