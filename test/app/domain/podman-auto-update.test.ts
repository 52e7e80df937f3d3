import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  describeResults,
  findReasons,
  isKeptOff,
  judgeUnit,
  parseAutoUpdateReport,
} from '../../../app/domain/podman-auto-update.ts';

const ID = 'ab'.repeat(32);
/** As podman 4.3.1 and 5.4.2 print it. */
const ROW = {
  Unit: 'web.service',
  Container: `${ID.slice(0, 12)} (web)`,
  ContainerName: 'web',
  ContainerID: ID,
  Image: 'ghcr.io/o/web:stable',
  Policy: 'registry',
  Updated: 'pending',
};

describe('parseAutoUpdateReport', () => {
  test('reads a row, and fields of later versions beside it', () => {
    assert.deepEqual(parseAutoUpdateReport(JSON.stringify([{ ...ROW, Later: 1 }])), [
      {
        ...{ unit: 'web.service', containerId: ID, container: 'web', policy: 'registry' },
        ...{ image: 'ghcr.io/o/web:stable', updated: 'pending' },
      },
    ]);
  });

  for (const nothing of ['', '\n', '[]', 'null']) {
    test(`takes ${JSON.stringify(nothing)} for no container`, () => {
      assert.deepEqual(parseAutoUpdateReport(nothing), []);
    });
  }

  for (const other of ['UNIT  CONTAINER', '{}', '[{"Unit":1}]', '[{"Unit":"web.service"}]']) {
    test(`does not take ${other}`, () => {
      assert.equal(parseAutoUpdateReport(other), undefined);
    });
  }
});

const RESULTS = [
  [['false'], 'unchanged'],
  [['false', 'true'], 'updated'],
  [['true', 'failed'], 'failed'],
  [['failed', 'rolled back'], 'rolled-back'],
  [['false', 'pending'], 'pending'],
  [['true', 'pending'], 'updated'],
  [['true', 'something of a later podman'], 'failed'],
  [[], 'unchanged'],
] as const;

describe('judgeUnit', () => {
  for (const [words, expected] of RESULTS) {
    test(`${words.join(', ') || 'nothing'}: ${expected}`, () => {
      assert.equal(judgeUnit(words.map((updated) => ({ updated }))), expected);
    });
  }
});

test('why podman could not update a container is found by its id', () => {
  const stderr = `Error: 2 errors occurred:
\t* checking image updates for container ${ID}: registry 127.0.0.1:5000/web is blocked in /x.conf
\t* restarting container ${'cd'.repeat(32)} during update: failed
`;
  const reasons = findReasons(stderr);
  assert.equal(isKeptOff(reasons.get(ID)), true);
  assert.equal(reasons.get('cd'.repeat(32)), 'during update: failed');
  assert.deepEqual([isKeptOff('unauthorized'), isKeptOff(undefined)], [false, false]);
});

test('results are told by their units, the uneventful ones by their number', () => {
  const results = new Map([
    ['a.service', 'updated'],
    ['b.service', 'unchanged'],
    ['c.service', 'unchanged'],
    ['d.service', 'rolled-back'],
  ] as const);
  assert.equal(
    describeResults(results),
    '1 updated (a.service); 1 rolled back by podman (d.service); 2 with nothing new.',
  );
  assert.equal(describeResults(new Map()), 'podman has no container to update.');
});
