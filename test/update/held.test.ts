import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Installation, UPDATE_PATIENCE_MS } from '../helpers/installation.ts';
import { until } from '../helpers/until.ts';
import { quarantined } from '../helpers/update-checks.ts';
import { checkRecorded, deliver, Host, inWorker } from './fault-fixture.ts';

/** The first version does not run where this file lies; the second one puts it there and dies. */
const BROKEN = 'broken';
const FIRST = {
  prologue: inWorker(
    `if (require('node:fs').existsSync(process.env.HOME + '/${BROKEN}')) process.exit(1);`,
  ),
};
const BREAKS_ALL = {
  prologue: inWorker(
    `require('node:fs').writeFileSync(process.env.HOME + '/${BROKEN}', ''); process.exit(78);`,
  ),
};

describe('a host on which neither version runs', () => {
  let host: Host;
  let installation: Installation;
  let held: { readonly txn: string; readonly digest: string };
  const accepted: string[] = [];
  before(async () => {
    host = await Host.start({ first: FIRST });
    installation = host.installation;
    held = await breakAll();
  });
  after(() => host[Symbol.asyncDispose]());

  const breakAll = async () => {
    const { now } = host;
    const { tag, digest } = await host.offer(BREAKS_ALL);
    const { txn } = await installation.ask({ command: 'run', tag, force: true });
    await host.reached('held', now);
    await host.service.logged(
      ({ msg }) => msg === 'accepting webhooks in place of the worker',
      now,
    );
    return { txn: txn ?? '', digest };
  };

  const acceptOne = async () => {
    const { status, delivery } = await deliver(host.service.address);
    assert.equal(status, 202);
    accepted.push(delivery);
  };

  const ask = (accept: string, path = '/') =>
    fetch(`http://${host.service.address}${path}`, { headers: { accept } });

  test('is held after the old version was tried three times, and says why', () => {
    const { failure, warnings, rollbackAttempts } = host.record();
    assert.equal(failure?.code, 'UPDATE_CONFIG_REJECTED');
    assert.match(warnings.at(-1) ?? '', /^UPDATE_ROLLBACK_FAILED: It exited with 1/);
    assert.equal(rollbackAttempts, 3);
  });

  test('accepts webhooks', acceptOne);

  test('shows browsers a page', async () => {
    const answer = await ask('text/html,application/xhtml+xml');
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '10']);
    assert.match(answer.headers.get('content-type') ?? '', /^text\/html/);
    assert.match(await answer.text(), /Under repair/);
  });

  test('tells programs in the form of a problem', async () => {
    const answer = await ask('application/json', '/api/tasks');
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '10']);
    assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
    assert.equal(((await answer.json()) as { code?: string }).code, 'MAINTENANCE');
  });

  test('is held still after its supervisor was stopped and started again', async () => {
    assert.equal(await host.service.stop(), 0);
    host.restart();
    await host.service.logged(({ msg }) => msg === 'accepting webhooks in place of the worker');
    await acceptOne();
    assert.equal(host.record().state, 'held');
  });

  test('is held still when it is told to resume and nothing was repaired', async () => {
    const { now } = host;
    await installation.ask({ command: 'resume' });
    await host.reached('held', now);
    assert.equal(host.record().txn, held.txn);
  });

  test('goes back once it was repaired and told to resume; each delivery is recorded once', async () => {
    rmSync(join(installation.folder, BROKEN));
    const { now } = host;
    await installation.ask({ command: 'resume' });
    const { outcome, failure } = await installation.finished(held.txn);
    assert.deepEqual([outcome, failure?.code], ['rolled-back', 'UPDATE_CONFIG_REJECTED']);
    await host.service.ready(now);
    await serves('1.0.0');
    assert.ok(quarantined(installation).includes(held.digest));
    await checkRecorded(installation, accepted);
  });

  test('goes back once it was repaired and got SIGHUP', async () => {
    const { txn } = await breakAll();
    rmSync(join(installation.folder, BROKEN));
    host.service.child.kill('SIGHUP');
    assert.equal((await installation.finished(txn)).outcome, 'rolled-back');
    await serves('1.0.0');
  });

  test('is cured by a newer release', async () => {
    const { txn } = await breakAll();
    await acceptOne();
    const { outcome, to } = await host.install();
    assert.equal(outcome, 'committed');
    await serves(to?.version);
    const superseded = installation.history().find((entry) => entry.txn === txn);
    assert.equal(superseded?.outcome, 'superseded');
    await checkRecorded(installation, accepted);
  });

  /** On a connection that was kept open the standby may answer once more, while it ends. */
  const serves = (version: string | undefined) =>
    until(
      `${version} serves`,
      UPDATE_PATIENCE_MS,
      async () => (await host.service.version()) === version,
    );
});
