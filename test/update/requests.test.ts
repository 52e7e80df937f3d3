import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Installation } from '../helpers/installation.ts';
import { checkLeftovers, digestOf } from '../helpers/update-checks.ts';
import { BLOCK, Host, inRole, listFiles, type Offer } from './fault-fixture.ts';

/** What every run leaves in the state: the tale of it. Beside that, what the worker notes of the host in its own time. */
const TALE =
  /history|reports|update-answers|pod-upgrade-trigger\.db|intake|found-units\.json|podman-info\./;

/** Holds up the copy of the database for as long as this file is there. */
const SLOW_BACKUP = 'slow-backup';
const FIRST = {
  prologue: inRole(
    'db-backup',
    `if (require('node:fs').existsSync(process.env.HOME + '/${SLOW_BACKUP}')) ${BLOCK}`,
  ),
};

describe('asking for an update', () => {
  let host: Host;
  let installation: Installation;
  let was: { readonly pid: number; readonly digest: string };
  before(async () => {
    host = await Host.start({
      first: FIRST,
      environment: { PODUP_SELF_UPDATE_START_TIMEOUT_MS: '6000' },
    });
    installation = host.installation;
  });
  after(() => host[Symbol.asyncDispose]());
  beforeEach(() => {
    was = { pid: host.service.workerPid, digest: digestOf(installation.program.target) };
  });

  /** The program is the same as before, and its worker has never stopped or serves again. */
  const checkUntouched = async (worker: 'same' | 'started again' = 'same') => {
    assert.equal(digestOf(installation.program.target), was.digest);
    assert.equal(host.service.workerPid === was.pid, worker === 'same');
    assert.equal(await host.service.version(), '1.0.0');
    checkLeftovers(installation);
  };

  const listAll = () => [
    listFiles(join(installation.folder, 'bin')),
    listFiles(installation.paths.stateDir, (path) => TALE.test(path)),
  ];

  test('a dry run proves the release and changes nothing', async () => {
    const { tag, digest } = await host.offer();
    const all = listAll();
    const { outcome, to, failure } = await installation.update({ tag, dryRun: true });
    assert.deepEqual([outcome, to?.digest, failure], ['dry-run', digest, null]);
    assert.deepEqual(listAll(), all);
    await checkUntouched();
  });

  test('a dry run of a release that does not pass its self-check says so and changes nothing', async () => {
    const { tag } = await host.offer({ break: 'self-check-fails' });
    const all = listAll();
    const { outcome, failure } = await installation.update({ tag, dryRun: true });
    assert.deepEqual([outcome, failure?.code], ['failed', 'RELEASE_SELF_CHECK_FAILED']);
    assert.match(failure?.detail ?? '', /broken on purpose/);
    assert.deepEqual(listAll(), all);
    await checkUntouched();
  });

  for (const [what, tag, code] of [
    ['that nobody offers', 'v7.7.7', 'RELEASE_NOT_FOUND'],
    ['that is no tag', '../../etc', 'RELEASE_NOT_FOUND'],
  ] as const) {
    test(`a tag ${what} ends as failed with ${code}`, async () => {
      const { outcome, failure } = await installation.update({ tag });
      assert.deepEqual([outcome, failure?.code], ['failed', code]);
      await checkUntouched();
    });
  }

  test('an older release is refused', async () => {
    const { tag } = await host.offer({ version: '0.9.0' });
    const { outcome, failure } = await installation.update({ tag });
    assert.deepEqual([outcome, failure?.code], ['failed', 'RELEASE_DOWNGRADE']);
    await checkUntouched();
  });

  test('a request that nobody can read is thrown away, and the next one is heard', async () => {
    const { now } = host;
    writeFileSync(installation.paths.updateRequest, '{"id": "torn", "comm');
    await host.service.logged(({ msg }) => msg === 'a request for an update cannot be read', now);
    assert.equal((await installation.ask({ command: 'status' })).failure, null);
    await checkUntouched();
  });

  test('a hold refuses, until it is over', async () => {
    await installation.ask({ command: 'hold', reason: 'Exams.' });
    const refused = await installation.ask({ command: 'run' });
    assert.deepEqual(refused.failure, { code: 'UPDATE_ON_HOLD', detail: 'Exams.' });
    await installation.ask({ command: 'resume' });
    const { outcome } = await installation.update({ tag: (await host.offer()).tag, dryRun: true });
    assert.equal(outcome, 'dry-run');
    await checkUntouched();
  });

  test('cancelling nothing is refused', async () => {
    const { failure } = await installation.ask({ command: 'cancel' });
    assert.equal(failure?.code, 'UPDATE_NONE_OPEN');
  });

  describe('while it is staged', () => {
    let txn: string;
    /** Its staging hangs, so each of these ends by being cancelled. */
    beforeEach(async () => {
      const { tag } = await host.offer({ break: 'self-check-hangs' });
      txn = (await installation.ask({ id: `first-of-${host.now}`, command: 'run', tag })).txn ?? '';
    });

    test('it can be cancelled', async () => {
      await cancel(txn);
      await checkUntouched();
    });

    test('a second request is refused, and the first one goes on', async () => {
      for (const command of ['run', 'rollback'] as const) {
        const second = await installation.ask({ command, version: '1.0.0' });
        assert.deepEqual([second.txn, second.failure?.code], [null, 'UPDATE_IN_PROGRESS']);
      }
      await cancel(txn);
    });

    test('the same request again opens no other update', async () => {
      const again = await installation.ask({ id: host.record().request.id, command: 'run' });
      assert.deepEqual([again.txn, again.failure], [txn, null]);
      await cancel(txn);
    });
  });

  test('it can be cancelled while a task still runs', async () => {
    const { now } = host;
    const txn = await begin();
    // A worker that does not answer is as good as one with a task that does not end.
    process.kill(was.pid, 'SIGSTOP');
    try {
      await host.reached('staged', now);
      await cancel(txn);
    } finally {
      process.kill(was.pid, 'SIGCONT');
    }
    await checkUntouched();
  });

  test('it can be cancelled while the worker stops', async () => {
    const { now } = host;
    const half = await openHalfRequest(host.service.address);
    const txn = await begin();
    await host.reached('quiescing', now);
    await cancel(txn);
    half.destroy();
    await host.service.ready(now);
    await checkUntouched('started again');
  });

  test('it can be cancelled while the database is copied', async () => {
    const { now } = host;
    const slow = join(installation.folder, SLOW_BACKUP);
    writeFileSync(slow, '');
    const txn = await begin();
    await host.reached('backing-up', now);
    await cancel(txn);
    rmSync(slow);
    await host.service.ready(now);
    await checkUntouched('started again');
  });

  test('once the program is exchanged it cannot be cancelled any more', async () => {
    const { now } = host;
    const txn = await begin({ break: 'hang' });
    await host.reached('trial', now);
    const { failure } = await installation.ask({ command: 'cancel' });
    assert.equal(failure?.code, 'UPDATE_TOO_LATE_TO_CANCEL');
    assert.equal((await installation.finished(txn)).outcome, 'rolled-back');
    await checkUntouched('started again');
  });

  test('the release that is pinned is taken, and no newer one', async () => {
    const pinned = await host.offer();
    await host.offer();
    const { outcome, to } = await installation.update({ tag: pinned.tag });
    assert.deepEqual([outcome, to?.version], ['committed', pinned.version]);
    assert.equal(await host.service.version(), pinned.version);
  });

  test('the same release again is no update: nothing is touched', async () => {
    const all = listAll();
    const tag = `v${await host.service.version()}`;
    const { outcome, steps } = await installation.update({ tag });
    assert.equal(outcome, 'current');
    assert.deepEqual(
      steps.map(({ state }) => state),
      ['requested', 'staging', 'aborting'],
    );
    assert.deepEqual(listAll(), all);
    assert.equal(host.service.workerPid, was.pid);
  });

  const begin = async (offer: Offer = {}) => {
    const { tag } = await host.offer(offer);
    const { txn } = await installation.ask({ command: 'run', tag, force: true });
    return txn ?? '';
  };

  const cancel = async (txn: string) => {
    assert.deepEqual((await installation.ask({ command: 'cancel' })).failure, null);
    assert.equal((await installation.finished(txn)).outcome, 'cancelled');
  };
});

/** Keeps the worker from ending: it waits for the rest. */
async function openHalfRequest(address: string): Promise<Socket> {
  const [host = '', port = ''] = address.split(':');
  const socket = connect({ host, port: Number(port) });
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.write('POST /github-package-update/web HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n');
  return socket;
}
