import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Installation, Service } from '../helpers/installation.ts';
import { makeInstallation } from './fault-fixture.ts';

describe('the program started by itself, without the launcher', () => {
  test('is updated and goes back, in one process', async () => {
    await using installation = await makeInstallation();
    const service = start(installation, installation.program.target);
    await service.ready();
    const { pid } = service.child;
    await installation.offer({ version: '1.1.0' });
    assert.equal((await installation.update()).outcome, 'committed');
    assert.equal(await service.version(), '1.1.0');
    await installation.offer({ version: '1.2.0', break: 'exit-78', generation: 2 });
    assert.equal((await installation.update()).outcome, 'rolled-back');
    assert.equal(await service.version(), '1.1.0');
    assert.equal(service.child.pid, pid);
    assert.equal(await service.stop(), 0);
  });

  test('ends where a new supervisor dies, and the former program puts everything right when it is started', async () => {
    await using installation = await makeInstallation();
    const { target, old } = installation.program;
    const service = start(installation, target);
    await service.ready();
    await installation.offer({ version: '1.1.0', break: 'supervisor-throws' });
    const { txn } = await installation.ask({ command: 'run' });
    await service.exited;
    assert.equal(service.child.exitCode, 1);
    const repair = start(installation, old);
    const { outcome, failure } = await installation.finished(txn ?? '');
    assert.deepEqual([outcome, failure?.code], ['rolled-back', 'UPDATE_SUPERVISOR_FAILED']);
    assert.equal(await repair.version(), '1.0.0');
    await repair.stop();
    const again = start(installation, target);
    await again.ready();
    assert.equal(await again.version(), '1.0.0');
  });
});

function start(installation: Installation, file: string): Service {
  const service = new Service([file, 'supervise'], installation.environment);
  installation.services.push(service);
  return service;
}
