import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, type TestContext, test } from 'node:test';
import {
  becomeProgram,
  isHandedOver,
  withoutHandOver,
} from '../../../supervisor/acts/hand-over.ts';
import { makeExecutable } from '../../helpers/executable.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/helpers');

/** Starts a program that holds a socket; a request is on its way before it is told to become `target`. */
async function handOver(context: TestContext, target: string, more: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [join(FIXTURES, 'hand-over.ts'), target], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'], ...more },
  });
  const exit = once(child, 'exit');
  context.after(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value ?? 'null');
  const { address } = await next();
  const answer = fetch(`http://${address}/`, { signal: AbortSignal.timeout(20_000) });
  child.kill('SIGHUP');
  return { pid: child.pid, address, next, answer: async () => (await answer).text() };
}

describe('becomeProgram', { concurrency: true }, () => {
  test('is the same process with the same socket, and no request is lost', async (t) => {
    const target = join(makeTempFolder(t), 'program');
    makeExecutable(target, join(FIXTURES, 'handed-over.ts'));
    const { pid, address, answer } = await handOver(t, target);
    assert.deepEqual(JSON.parse(await answer()), {
      pid,
      words: ['supervise'],
      isHandedOver: true,
      address,
      word: 'kept',
      childIsTold: false,
      childHasSocket: false,
    });
  });

  const FAILURES: readonly [string, string, (path: string) => void][] = [
    ['is missing', 'ENOENT', () => undefined],
    ['may not be executed', 'EACCES', (path) => writeFileSync(path, '#!/bin/sh\n')],
    ['is a folder', 'EACCES', (path) => mkdirSync(path)],
    ['is no program', 'ENOEXEC', (path) => writeFileSync(path, 'garbage', { mode: 0o755 })],
    [
      'has a missing interpreter',
      'ENOENT',
      (path) => writeFileSync(path, '#!/x\n', { mode: 0o755 }),
    ],
  ];
  for (const [title, code, make] of FAILURES) {
    test(`comes back where the target ${title}, and all is as before`, async (t) => {
      const target = join(makeTempFolder(t), 'program');
      make(target);
      const { next, answer } = await handOver(t, target);
      const detail = `${target} cannot be executed (${code}).`;
      const failure = { code: 'UPDATE_SUPERVISOR_FAILED', detail };
      assert.deepEqual(await next(), { failure, input: '/dev/null', canStart: true });
      assert.equal(await answer(), 'still here');
    });
  }

  test('comes back where the system has not even a number for the socket to spare', (t) => {
    const target = join(makeTempFolder(t), 'program');
    makeExecutable(target, 'none');
    const given: (readonly [number, number])[] = [];
    const failure = becomeProgram(target, 7, {}, (from, to) => {
      given.push([from, to]);
      if (from === 7) throw Object.assign(new Error('EMFILE: no'), { code: 'EMFILE' });
    });
    assert.equal(failure.detail, `${target} cannot be executed (EMFILE).`);
    assert.deepEqual(
      given.map(([, to]) => to),
      [0, 0],
    );
  });

  test('leaves a socket that was handed over before where it is', () => {
    const failure = becomeProgram('/nonexistent', 0, {}, () => assert.fail('it was moved'));
    assert.equal(failure.detail, '/nonexistent cannot be executed (ENOENT).');
  });
});

describe('isHandedOver', () => {
  test('goes by the one word that is known, and what was meant for this process goes no further', () => {
    const told = { PODUP_HANDOVER: 'socket=0', PODUP_LAUNCHED_SLOT: 'old', PATH: '/bin' };
    assert.equal(isHandedOver(told), true);
    assert.deepEqual(withoutHandOver(told), { PATH: '/bin' });
    for (const environment of [{}, { PODUP_HANDOVER: '' }, { PODUP_HANDOVER: 'socket=3' }]) {
      assert.equal(isHandedOver(environment), false);
    }
  });
});
