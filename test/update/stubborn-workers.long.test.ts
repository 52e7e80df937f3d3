import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Host, inWorker, onReady } from './fault-fixture.ts';

const environment = {
  PODUP_STOP_TIMEOUT_MS: '1000',
  PODUP_SELF_UPDATE_IDLE_TIMEOUT_MS: '1500',
};

test('an old worker that ignores SIGTERM is killed, and the update is made', async () => {
  await using host = await Host.start({ environment, first: { break: 'ignore-sigterm' } });
  const { outcome, to } = await host.install();
  assert.equal(outcome, 'committed');
  assert.ok(host.service.lines.some(({ msg }) => msg === 'worker killed: it did not stop in time'));
  assert.equal(await host.service.version(), to?.version);
});

test('a new worker that ignores SIGTERM is killed when the supervisor follows, and the update is made', async () => {
  await using host = await Host.start({ environment });
  const { pid } = host.service.child;
  const { outcome, to } = await host.install({ break: 'ignore-sigterm' });
  assert.equal(outcome, 'committed');
  assert.equal(await host.service.version(), to?.version);
  assert.equal(host.service.child.pid, pid);
});

test('an old worker that does not say that it is idle puts the update off, and goes on as before', async () => {
  await using host = await Host.start({ environment });
  const { installation, service } = host;
  const pid = service.workerPid;
  process.kill(pid, 'SIGSTOP');
  try {
    const { outcome, failure } = await host.install();
    assert.deepEqual([outcome, failure?.code], ['failed', 'UPDATE_BUSY']);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  assert.equal(await service.version(), '1.0.0');
  assert.equal(service.workerPid, pid);
  assert.equal((await installation.update()).outcome, 'committed');
});

test('an old worker that crashes again and again is cured by an update', async () => {
  const crashing = onReady('setTimeout(() => process.exit(1), 300);');
  await using host = await Host.start({ environment, first: { prologue: crashing } });
  const { outcome, to } = await host.install();
  assert.equal(outcome, 'committed');
  assert.equal(await host.service.version(), to?.version);
});

test('an old worker that never gets ready is cured by an update', async () => {
  // The first time it does, for else it would count as a wrong configuration.
  const once = inWorker(`{
    const fs = require('node:fs');
    const path = process.env.HOME + '/was-ready';
    if (fs.existsSync(path)) process.exit(1);
    fs.writeFileSync(path, '');
  }`);
  await using host = await Host.start({ environment, first: { prologue: once } });
  const { now } = host;
  process.kill(host.service.workerPid, 'SIGKILL');
  await host.service.logged(({ msg }) => msg === 'waiting before the next start', now);
  const { outcome, to } = await host.install();
  assert.equal(outcome, 'committed');
  assert.equal(await host.service.version(), to?.version);
});
