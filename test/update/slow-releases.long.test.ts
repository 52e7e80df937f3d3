import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../helpers/update-checks.ts';
import { checkRecorded, deliver, Host } from './fault-fixture.ts';

test('a migration of eight seconds is no time-out of two, and webhooks are accepted meanwhile', async () => {
  await using host = await Host.start({
    environment: { PODUP_SELF_UPDATE_START_TIMEOUT_MS: '2000' },
  });
  const { installation, service } = host;
  const { tag, version } = await host.offer({ break: 'slow-migration:8000' });
  const { txn } = await installation.ask({ command: 'run', tag });
  await service.logged(({ msg }) => msg === 'accepting webhooks in place of the worker');
  const { status, delivery } = await deliver(service.address);
  assert.equal(status, 202);
  const page = await fetch(`http://${service.address}/`);
  assert.deepEqual([page.status, page.headers.get('retry-after')], [503, '10']);
  assert.equal(host.record().state, 'trial');
  const { outcome, steps } = await installation.finished(txn ?? '');
  assert.equal(outcome, 'committed');
  const trialMs = steps.find(({ state }) => state === 'trial')?.ms ?? 0;
  assert.ok(trialMs > 5_000, `the trial took ${trialMs} ms`);
  await checkRecorded(installation, [delivery]);
  assert.equal(await service.version(), version);
});

test('a self-check that hangs is ended, and nothing has changed', async () => {
  await using host = await Host.start();
  const { installation, service } = host;
  const was = [digestOf(installation.program.target), service.workerPid];
  const { outcome, failure } = await host.install({ break: 'self-check-hangs' });
  assert.deepEqual([outcome, failure?.code], ['failed', 'RELEASE_SELF_CHECK_FAILED']);
  assert.deepEqual([digestOf(installation.program.target), service.workerPid], was);
});
