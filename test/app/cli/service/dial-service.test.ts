import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { dialService } from '../../../../app/cli/service/dial-service.ts';
import { statePaths } from '../../../../shared/contract/state-paths.ts';
import { lockFile } from '../../../../shared/fs/lock-file.ts';
import { makeFolder } from '../../http/http-fixture.ts';

/** A state directory in which nothing runs. */
function makeState(context: TestContext) {
  const paths = statePaths(makeFolder(context));
  mkdirSync(paths.dataDir);
  return paths;
}

/** Holds a lock as a process of the service does. */
function hold(path: string) {
  const lock = lockFile(path);
  if (!lock.ok) throw new Error(lock.failure.detail);
  return lock.value;
}

function listen(context: TestContext, path: string): void {
  const server = createServer((socket) => socket.end()).listen(path);
  context.after(() => server.close());
}

describe('dialling the service', () => {
  test('finds none where nothing runs, and leaves no trace', async (t) => {
    const paths = makeState(t);
    assert.deepEqual(await dialService(paths), { ok: true, value: undefined });
    assert.deepEqual(readdirSync(paths.dataDir), []);
    const nowhere = statePaths('/nonexistent/podup');
    assert.deepEqual(await dialService(nowhere), { ok: true, value: undefined });
  });

  test('finds none where one has been, and gives its locks back', async (t) => {
    const paths = makeState(t);
    for (const path of [paths.workerLock, paths.supervisorLock]) hold(path).release();
    assert.deepEqual(await dialService(paths), { ok: true, value: undefined });
    for (const path of [paths.workerLock, paths.supervisorLock]) hold(path).release();
  });

  for (const name of ['workerLock', 'supervisorLock'] as const) {
    test(`waits for a service that holds its ${name}`, async (t) => {
      const paths = makeState(t);
      const lock = hold(paths[name]);
      // It is told of the wait after the first failure, so the server comes later for sure.
      const dialled = await dialService(paths, { onWait: () => listen(t, paths.serviceSocket) });
      assert.ok(dialled.ok && dialled.value);
      dialled.value.destroy();
      lock.release();
    });

    test(`says who holds its ${name} where it does not answer in time`, async (t) => {
      const paths = makeState(t);
      const lock = hold(paths[name]);
      const dialled = await dialService(paths, { withinMs: 0 });
      lock.release();
      assert.ok(!dialled.ok);
      assert.equal(dialled.failure.code, 'SERVICE_NOT_READY');
      assert.ok(dialled.failure.detail.includes(`Process ${process.pid} `), dialled.failure.detail);
    });
  }

  test('works on the state once a service that it waited for has ended', async (t) => {
    const paths = makeState(t);
    const lock = hold(paths.supervisorLock);
    const dialled = await dialService(paths, { onWait: () => lock.release() });
    assert.deepEqual(dialled, { ok: true, value: undefined });
  });
});
