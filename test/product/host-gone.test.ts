import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AttentionView } from '../../app/api/attention-views.ts';
import type { HealthView } from '../../app/api/health-views.ts';
import { storedDeliveries } from '../helpers/deliveries.ts';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { SteadyClient } from '../helpers/steady-client.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';
import { until } from '../helpers/until.ts';

/** A host on which podman and the manager answer; what else they are asked for fails. */
function makeHost(folder: string) {
  const programs = join(folder, 'bin');
  const runtime = join(folder, 'run');
  mkdirSync(join(runtime, 'systemd'), { recursive: true });
  mkdirSync(programs);
  const put = (name: string, script: string) => {
    writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(programs, name), 0o755);
  };
  const host = {
    environment: {
      PATH: `${programs}:${process.env['PATH']}`,
      XDG_RUNTIME_DIR: runtime,
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${runtime}/bus`,
    },
    putPodman: (exit = 0) => put('podman', `echo 'podman version 5.4.2'; exit ${exit}`),
    putManager: () => {
      put('systemctl', `case "$*" in *is-system-running*) echo running;; *) exit 1;; esac`);
      writeFileSync(join(runtime, 'systemd/private'), '');
    },
    takeManager: () => {
      put('systemctl', 'exit 1');
      rmSync(join(runtime, 'systemd/private'));
    },
  };
  host.putPodman();
  host.putManager();
  return host;
}

test('podman and the user manager go and come back: told with the fix, wanted of a person, and over without a restart', async (t) => {
  const host = makeHost(makeTempFolder(t));
  const stateDir = makeTempFolder(t);
  const product = await Product.start({
    ...host.environment,
    PODUP_STATE_DIR: stateDir,
    PODUP_MANUAL_UNITS: 'web',
    PODUP_TASK_EXECUTOR: 'child',
    PODUP_MIN_FREE_BYTES: '0',
  });
  t.after(() => product.stop());
  const client = new SteadyClient(product.address);
  t.after(() => client[Symbol.dispose]());
  const { workerPid } = product;
  const issues = async () => {
    const { issues: told } = await product.api<HealthView>('/health');
    return told.filter(({ status }) => status === 'error');
  };
  const becomes = (codes: readonly string[]) =>
    until(`health is ${codes.join(', ') || 'good'}`, 2 * PATIENCE_MS, async () => {
      const found = await issues();
      assert.ok(found.every(({ hint, since }) => hint !== '' && since !== ''));
      return (
        found
          .map(({ code }) => code)
          .sort()
          .join() === codes.join()
      );
    });
  await becomes([]);
  host.putPodman(125);
  await becomes(['PODMAN_FAILED']);
  host.takeManager();
  await becomes(['PODMAN_FAILED', 'USER_MANAGER_UNAVAILABLE']);
  const { items } = await product.api<AttentionView>('/api/attention');
  const wanted = items.filter(({ kind }) => kind === 'health').map(({ code }) => code);
  assert.ok(wanted.includes('PODMAN_FAILED') && wanted.includes('USER_MANAGER_UNAVAILABLE'));
  host.putPodman();
  host.putManager();
  await becomes([]);
  await client.stop();
  assert.equal(product.workerPid, workerPid, 'no worker has ended');
  assert.equal(await product.stop(), 0);
  const stored = storedDeliveries(join(stateDir, 'data/pod-upgrade-trigger.db'));
  assert.ok(client.acknowledged.length > 0);
  assert.deepEqual(
    client.acknowledged.filter((id) => !stored.has(id)),
    [],
  );
});
