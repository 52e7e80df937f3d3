import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UpdateState } from '../../shared/contract/update-record.ts';
import { UPDATE_PATIENCE_MS } from '../helpers/installation.ts';
import { findAddress, ServiceManager } from '../helpers/service-manager.ts';
import { until } from '../helpers/until.ts';
import { checkLeftovers, digestOf, quarantined } from '../helpers/update-checks.ts';
import {
  checkProcesses,
  inRole,
  inWorker,
  makeInstallation,
  type Offer,
  STATE_OF_RECORD,
} from './fault-fixture.ts';

type Case = {
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

const LAST_ACT = 'post-update-check';
const CASES: readonly Case[] = [
  {
    what: 'a new supervisor that throws when it is loaded: the launcher falls back, and all goes back',
    offer: { break: 'supervisor-throws' },
    outcome: 'rolled-back',
    code: 'UPDATE_SUPERVISOR_FAILED',
    isOneProcess: false,
  },
  {
    what: 'a new supervisor that dies a moment later: the launcher falls back, and all goes back',
    offer: { prologue: inRole('supervise', 'setTimeout(() => process.exit(1), 150);') },
    outcome: 'rolled-back',
    code: 'UPDATE_SUPERVISOR_FAILED',
    isOneProcess: false,
  },
  {
    what: 'a program that may not be executed any more when the supervisor is to become it',
    offer: {
      prologue: inRole(LAST_ACT, `require('node:fs').chmodSync(process.argv[1], 0o644);`),
    },
    outcome: 'rolled-back',
    code: 'UPDATE_SUPERVISOR_FAILED',
    detail: /EACCES/,
    isOneProcess: true,
  },
  {
    what: 'a new worker that crashes under its own supervisor only: the process becomes the old one again',
    offer: { prologue: inWorker(`if (${STATE_OF_RECORD} === 'handing-over') process.exit(1);`) },
    outcome: 'rolled-back',
    code: 'UPDATE_START_FAILED',
    isOneProcess: true,
  },
  {
    what: 'a supervisor that is killed while it stages: the update is made by the next one',
    offer: {},
    killIn: 'staging',
    outcome: 'committed',
    isOneProcess: false,
  },
  {
    what: 'a supervisor that is killed in a trial: the update is made by the next one',
    offer: {},
    killIn: 'trial',
    outcome: 'committed',
    isOneProcess: false,
  },
  {
    what: 'a supervisor that is killed while it goes back: the next one ends that',
    offer: { break: 'exit-78' },
    killIn: 'rolling-back',
    outcome: 'rolled-back',
    code: 'UPDATE_CONFIG_REJECTED',
    isOneProcess: false,
  },
];

for (const each of CASES) {
  test(each.what, async () => {
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
  });
}

async function killIn(manager: ServiceManager, state: UpdateState): Promise<void> {
  const { service } = manager;
  await service.logged((line) => line.msg === 'self-update' && line['state'] === state);
  service.child.kill('SIGKILL');
  await until('the next start', UPDATE_PATIENCE_MS, () => manager.service !== service);
}
