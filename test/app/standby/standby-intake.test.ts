import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StandbyIntake } from '../../../app/standby/standby-intake.ts';
import { spoolEntry } from '../../helpers/spool.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

test('of very many deliveries the oldest are forgotten, so that the memory is bounded', async (t) => {
  const intake = new StandbyIntake(makeTempFolder(t));
  const accept = (id: string) => intake.accept(spoolEntry({ id }));
  await Promise.all(Array.from({ length: 10_001 }, (_, index) => accept(`dlv_${index}`)));
  const find = (id: string) =>
    intake.findDuplicate({ source: 'github' }, `guid of ${id}`, 'web.service');
  assert.equal(find('dlv_0'), undefined);
  assert.deepEqual([find('dlv_1'), find('dlv_10000')], ['dlv_1', 'dlv_10000']);
  await intake.close();
});

test('what is no work is not remembered', async (t) => {
  const intake = new StandbyIntake(makeTempFolder(t));
  await intake.accept(spoolEntry({ verdict: { verdict: 'ignored', reason: 'untagged-child' } }));
  assert.equal(
    intake.findDuplicate({ source: 'github' }, 'guid of dlv_1', 'web.service'),
    undefined,
  );
  await intake.close();
});
