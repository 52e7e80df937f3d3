import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { findProcesses } from '../helpers/processes.ts';
import { checkProcesses, checkRecorded, deliver, Host, SLOW_START } from './fault-fixture.ts';

const STANDS_IN = 'accepting webhooks in place of the worker';

describe('while no worker serves for long', () => {
  let host: Host;
  const accepted: string[] = [];
  before(async () => {
    host = await Host.start({
      environment: {
        PODUP_RESTART_BACKOFF_INITIAL_MS: '60000',
        PODUP_SELF_UPDATE_START_TIMEOUT_MS: '2000',
      },
    });
  });
  after(() => host[Symbol.asyncDispose]());

  const standsIn = (after: number) => host.service.logged(({ msg }) => msg === STANDS_IN, after);
  const acceptOne = async () => {
    const { status, delivery } = await deliver(host.service.address);
    assert.equal(status, 202);
    accepted.push(delivery);
  };
  const checkMaintenance = async () => {
    const answer = await fetch(`http://${host.service.address}/`);
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '10']);
  };
  test('the start of a new version is no time-out as long as it gets on; the standby accepts webhooks', async () => {
    const { now } = host;
    const { tag } = await host.offer({ prologue: SLOW_START });
    const { txn } = await host.installation.ask({ command: 'run', tag });
    await standsIn(now);
    await acceptOne();
    await checkMaintenance();
    const { outcome, failure } = await host.installation.finished(txn ?? '');
    assert.deepEqual([outcome, failure], ['committed', null]);
    await checkRecorded(host.installation, accepted);
  });

  test('a back-off of a minute: the standby accepts webhooks, and SIGHUP cuts it short', async () => {
    const { now } = host;
    process.kill(host.service.workerPid, 'SIGKILL');
    await standsIn(now);
    await acceptOne();
    await checkMaintenance();
    host.service.child.kill('SIGHUP');
    await host.service.ready(now);
    await checkRecorded(host.installation, accepted);
  });

  test('a standby that is killed is started again', async () => {
    const { now } = host;
    process.kill(host.service.workerPid, 'SIGKILL');
    await standsIn(now);
    const again = host.now;
    for (const pid of findProcesses(`${host.installation.program.target}\0intake`))
      process.kill(pid, 'SIGKILL');
    await standsIn(again);
    await acceptOne();
  });

  test('a stop ends the standby, too, and nothing is left behind', async () => {
    assert.equal(await host.service.stop(), 0);
    await checkProcesses(host.installation);
  });

  test('the next worker records what the standby has accepted', async () => {
    host.restart();
    await host.service.ready();
    await checkRecorded(host.installation, accepted);
  });
});
