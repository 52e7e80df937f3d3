import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UpdateState } from '../../shared/contract/update-record.ts';
import { UPDATE_PATIENCE_MS } from '../helpers/installation.ts';
import { findAddress, ServiceManager } from '../helpers/service-manager.ts';
import { until } from '../helpers/until.ts';
import { checkLeftovers, digestOf, quarantined } from '../helpers/update-checks.ts';
import { checkProcesses, makeInstallation, type Offer } from './fault-fixture.ts';

/** What befalls the supervisor, and what has to follow. */
export type SupervisorFault = {
  readonly what: string;
  readonly offer: Offer;
  /** The supervisor is killed when it first comes into this state. */
  readonly killIn?: UpdateState;
  readonly outcome: 'committed' | 'rolled-back' | 'failed';
  readonly code?: string;
  readonly detail?: RegExp;
  /** Whether the service was one process from the first to the last. */
  readonly isOneProcess: boolean;
};

/** Goes through the cases, each with a service of its own that is started again whenever it ends. */
export function describeSupervisorFaults(title: string, cases: readonly SupervisorFault[]): void {
  describe(title, () => {
    for (const each of cases) test(each.what, () => checkCase(each));
  });
}

async function checkCase(each: SupervisorFault): Promise<void> {
  await using installation = await makeInstallation({
    environment: { PODUP_HTTP_ADDR: await findAddress() },
  });
  const before = digestOf(installation.program.target);
  const release = await installation.offer({ version: '1.1.0', ...each.offer });
  await using manager = new ServiceManager(installation, [{}]);
  await manager.service.ready();
  const { pid } = manager.service.child;
  const asked = await installation.ask({ command: 'run' });
  if (each.killIn) await killIn(manager, each.killIn);
  const { outcome, failure } = await installation.finished(asked.txn ?? '');

  assert.deepEqual([outcome, failure?.code], [each.outcome, each.code]);
  if (each.detail) assert.match(failure?.detail ?? '', each.detail);
  const isNew = outcome === 'committed';
  assert.equal(await manager.serves(UPDATE_PATIENCE_MS), isNew ? '1.1.0' : '1.0.0');
  assert.equal(digestOf(installation.program.target), isNew ? release.digest : before);
  assert.equal(manager.service.child.pid === pid, each.isOneProcess);
  const { length } = manager.services;
  assert.equal(length, each.isOneProcess ? 1 : 2, 'so many starts of the service');
  assert.deepEqual(quarantined(installation), isNew ? [] : [release.digest]);
  checkLeftovers(installation);
  await manager[Symbol.asyncDispose]();
  assert.equal(manager.service.child.exitCode, 0);
  await checkProcesses(installation);
}

async function killIn(manager: ServiceManager, state: UpdateState): Promise<void> {
  const { service } = manager;
  await service.logged((line) => line.msg === 'self-update' && line['state'] === state);
  service.child.kill('SIGKILL');
  await until('the next start', UPDATE_PATIENCE_MS, () => manager.service !== service);
}
