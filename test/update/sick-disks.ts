import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import { UPDATE_PATIENCE_MS } from '../helpers/installation.ts';
import { until } from '../helpers/until.ts';
import { checkLeftovers, digestOf, quarantined } from '../helpers/update-checks.ts';
import { type Offer, prepareFailpoints } from './fault-fixture.ts';

/** A disk that fails at one point, and what has to follow. */
export type SickDisk = {
  readonly what: string;
  /** As `FAILPOINTS` has it. */
  readonly point: string;
  readonly offer?: Offer;
  /** The request is refused so. */
  readonly refused?: ErrorCode;
  readonly outcome: 'committed' | 'rolled-back' | 'failed';
  readonly code?: ErrorCode;
  /** It stays sick until the service has been started again; these words are logged when it serves all the same. */
  readonly staysSickUntil?: string;
};

/** Makes an update with each of these disks; where the old version is left, another update is made afterwards. */
export function describeSickDisks(title: string, cases: readonly SickDisk[]): void {
  describe(title, () => {
    for (const each of cases) test(`${each.what}: ${each.outcome}`, () => checkCase(each));
  });
}

async function checkCase(sick: SickDisk): Promise<void> {
  await using installation = await prepareFailpoints(sick.offer ?? {});
  const was = digestOf(installation.program.target);
  let service = installation.start({ FAILPOINTS: sick.point });
  await service.ready();
  const { failure } = await installation.ask({ command: 'run' });
  assert.equal(failure?.code, sick.refused);
  if (sick.staysSickUntil) {
    await service.logged(({ msg }) => msg === sick.staysSickUntil);
    await service.logged(({ msg }) => msg === 'worker ready');
    assert.equal(await service.version(), '1.0.0', 'the old version serves on');
    assert.equal(digestOf(installation.program.target), was);
    await service.stop();
    service = installation.start();
    await service.ready();
  }
  const end = await until(
    'the end of the update',
    UPDATE_PATIENCE_MS,
    () => installation.history()[0],
  );
  await installation.finished(end.txn);
  assert.deepEqual([end.outcome, end.failure?.code], [sick.outcome, sick.code]);
  const isOld = sick.outcome !== 'committed';
  assert.equal(await service.version(), isOld ? '1.0.0' : '1.1.0');
  assert.equal(digestOf(installation.program.target) === was, isOld);
  assert.deepEqual(quarantined(installation), [], 'no program is to blame for a disk');
  checkLeftovers(installation);
  // The disk is well again.
  if (isOld) assert.equal((await installation.update()).outcome, 'committed');
  assert.equal(await service.version(), '1.1.0');
}
