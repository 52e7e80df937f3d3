import { describeBadVersions } from './bad-versions.ts';
import { BLOCK, inWorker, onReady } from './fault-fixture.ts';

describeBadVersions('a trial that fails at once', [
  {
    that: 'crashes in the middle of its soak',
    offer: { break: 'crash-after-ms:150' },
    code: 'UPDATE_START_FAILED',
    starts: 3,
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
    that: 'is stopped (SIGSTOP) before it serves',
    offer: { prologue: inWorker(`process.kill(process.pid, 'SIGSTOP');`) },
    code: 'UPDATE_START_TIMEOUT',
    starts: 1,
  },
  {
    that: 'crashes a tenth of a second after it was ready',
    offer: { break: 'crash-after-ms:100' },
    code: 'UPDATE_START_FAILED',
    starts: 3,
  },
  {
    that: 'crashes at the end of its soak',
    offer: { break: 'crash-after-ms:280' },
    code: 'UPDATE_START_FAILED',
    starts: 3,
  },
  {
    that: 'is killed, as by the OOM killer',
    offer: { break: 'killed-after-ms:100' },
    code: 'UPDATE_START_FAILED',
    detail: /SIGKILL/,
    starts: 3,
  },
  {
    that: 'ends with 0 although nobody has asked it to',
    offer: { prologue: onReady('setTimeout(() => process.exit(0), 50);') },
    code: 'UPDATE_START_FAILED',
    detail: /exited with 0/,
    starts: 3,
  },
  {
    that: 'asks to be started again at once (75)',
    offer: { prologue: inWorker('process.exit(75);') },
    code: 'UPDATE_START_FAILED',
    detail: /exited with 75/,
    starts: 3,
  },
  {
    that: 'aborts',
    offer: { prologue: inWorker('process.abort();') },
    code: 'UPDATE_START_FAILED',
    detail: /SIGABRT/,
    starts: 3,
  },
  {
    that: 'fails in its migration',
    offer: { break: 'migration-throws' },
    code: 'UPDATE_START_FAILED',
    starts: 3,
  },
  {
    that: 'hangs and ignores SIGTERM',
    offer: { break: ['hang', 'ignore-sigterm'] },
    code: 'UPDATE_START_TIMEOUT',
    starts: 1,
  },
  {
    that: 'never says anything',
    offer: { prologue: inWorker('process.send = () => true;') },
    code: 'UPDATE_START_TIMEOUT',
    starts: 1,
  },
]);

describeBadVersions('a trial that fails after a while', [
  {
    that: 'says that it gets on, and then nothing any more',
    offer: {
      prologue: inWorker(`{
        const send = process.send.bind(process);
        let isFirst = true;
        process.send = (...words) => isFirst ? (isFirst = false, send(...words)) : true;
      }`),
    },
    code: 'UPDATE_START_TIMEOUT',
    starts: 1,
  },
  {
    that: 'blocks its only thread once it is ready',
    offer: { prologue: onReady(`setTimeout(() => { ${BLOCK} }, 50);`) },
    code: 'UPDATE_PROBE_FAILED',
    detail: /No answer within/,
    starts: 1,
  },
  {
    that: 'is stopped (SIGSTOP) once it is ready',
    offer: { prologue: onReady(`setTimeout(() => process.kill(process.pid, 'SIGSTOP'), 50);`) },
    code: 'UPDATE_PROBE_FAILED',
    detail: /No answer within/,
    starts: 1,
  },
]);
