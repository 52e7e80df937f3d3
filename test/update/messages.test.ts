import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { Installation } from '../helpers/installation.ts';
import { Host, onReady, PUPPET } from './fault-fixture.ts';

/** Beyond what it needs anyway; a supervisor that kept what it is sent would need far more. */
const MORE_MEMORY_KB = 64 * 1024;

describe('a worker that says what it should not', () => {
  let host: Host;
  let installation: Installation;
  let memoryKb: number;
  before(async () => {
    host = await Host.start({ first: { prologue: PUPPET } });
    installation = host.installation;
    memoryKb = peakOf(host.service.child.pid);
  });
  after(() => host[Symbol.asyncDispose]());

  /** Has the worker say it, and waits until the supervisor has heard all of it. */
  const say = async (code: string) => {
    const { now } = host;
    const id = `end-of-${now}`;
    // Answered in turn, so everything before it was read.
    host.pull(`
      process.on('message', ({ kind, answer }) => {
        if (kind === 'update-answer' && answer.id === '${id}') console.log(JSON.stringify({ msg: '${id}' }));
      });
      ${code}
      process.send({ kind: 'update-request', request: { id: '${id}', command: 'status' } });`);
    await host.service.logged(({ msg }) => msg === id, now);
  };

  const checkUntouched = async () => {
    assert.equal(existsSync(installation.paths.updateRecord), false);
    assert.equal(await host.service.version(), '1.0.0');
    const more = peakOf(host.service.child.pid) - memoryKb;
    assert.ok(more < MORE_MEMORY_KB, `${more} kB more memory`);
  };

  for (const [what, code] of [
    [
      'ten thousand notices at once',
      `for (let i = 0; i < 10000; i++) process.send({ kind: 'worker-starting', step: 'migrating' });`,
    ],
    [
      'ten thousand things that mean nothing',
      `for (let i = 0; i < 10000; i++) process.send({ kind: 'worker-' + i, n: [i] });`,
    ],
    [
      'lines that are no JSON',
      `require('node:fs').writeSync(4, 'no JSON\\n{"kind":\\n\\u0000\\n[]\\nnull\\n');`,
    ],
    ['a message of 20 MB', `process.send({ kind: 'x'.repeat(20 * 1024 * 1024) });`],
    [
      'that it is idle, and that it is ready as another program',
      `process.send({ kind: 'worker-idle' });
       process.send({ kind: 'worker-ready', version: '9.9.9', schema: 99, digest: '${'a'.repeat(64)}' });`,
    ],
    [
      'requests that are none',
      `for (const request of [null, {}, { id: 'x' }, { id: '../x', command: 'run' }, { id: 'x', command: 'rm' }])
         process.send({ kind: 'update-request', request });`,
    ],
    [
      'requests for what there is not',
      `process.send({ kind: 'update-request', request: { id: 'a', command: 'rollback', version: '../../etc/passwd' } });
       process.send({ kind: 'update-request', request: { id: 'b', command: 'cancel' } });`,
    ],
  ] as const) {
    test(`${what}: nothing follows`, async () => {
      await say(code);
      await checkUntouched();
    });
  }

  test('a thousand requests at once: one update is opened, all others are refused', async () => {
    const { tag } = await host.offer({ break: 'self-check-hangs' });
    const { now } = host;
    const { length } = installation.history();
    await say(`
      const codes = {};
      process.on('message', ({ kind, answer }) => {
        if (kind !== 'update-answer' || !answer.id.startsWith('many-')) return;
        const code = answer.failure?.code ?? 'opened';
        codes[code] = (codes[code] ?? 0) + 1;
        if (Object.values(codes).reduce((a, b) => a + b) === 1000) console.log(JSON.stringify({ msg: 'all answered', codes }));
      });
      for (let i = 0; i < 1000; i++)
        process.send({ kind: 'update-request', request: { id: 'many-' + i, command: 'run', tag: '${tag}' } });`);
    const { codes } = await host.service.logged(({ msg }) => msg === 'all answered', now);
    assert.deepEqual(codes, { opened: 1, UPDATE_IN_PROGRESS: 999 });
    const { txn } = await installation.ask({ command: 'cancel' });
    await installation.finished(txn ?? '');
    assert.equal(installation.history().length, length + 1);
    await checkUntouched();
  });

  test('a new version that floods in its trial is judged by what it does: it is installed', async () => {
    const flood = `for (let i = 0; i < 5000; i++) send({ kind: 'worker-idle', i }); require('node:fs').writeSync(4, 'no JSON\\n');`;
    const { outcome, to } = await host.install({ prologue: onReady(flood) });
    assert.equal(outcome, 'committed');
    assert.equal(await host.service.version(), to?.version);
  });
});

/** The most memory that a process has needed so far, proc_pid_status(5). */
function peakOf(pid: number | undefined): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
