import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readAutoUpdateLog } from '../../../app/domain/auto-update-log.ts';

const WARNING = {
  type: 'dry-run-error',
  at: '2026-01-01T00:00:00Z',
  container: 'web',
  image: 'ghcr.io/o/web:stable',
  error: 'unauthorized',
};
const SUMMARY = { type: 'summary', counts: { total: 3, succeeded: 2, failed: 1 } };
const lines = (...entries: unknown[]) =>
  `${entries.map((one) => JSON.stringify(one)).join('\n')}\n`;

describe('readAutoUpdateLog', () => {
  test('reads warnings, errors and the summary, and nothing of other lines', () => {
    const error = { ...WARNING, type: 'auto-update-error', error: undefined, message: 'it broke' };
    const log = readAutoUpdateLog(lines({ type: 'start' }, WARNING, error, SUMMARY));
    assert.deepEqual(log.counts, SUMMARY.counts);
    assert.deepEqual([log.lines, log.faults, log.warningCount], [4, 0, 2]);
    assert.deepEqual(
      log.warnings.map(({ type, at, message }) => [type, at, message]),
      [
        ['dry-run-error', '2026-01-01T00:00:00Z', 'unauthorized'],
        ['auto-update-error', '2026-01-01T00:00:00Z', 'it broke'],
      ],
    );
    assert.deepEqual(JSON.parse(log.warnings[0]?.event ?? ''), WARNING);
  });

  test('leaves a torn last line out, and what is no object', () => {
    const log = readAutoUpdateLog(`${lines(WARNING, 3, null, [])}not json\n{"type":"summ`);
    assert.deepEqual([log.lines, log.faults, log.counts, log.warningCount], [6, 5, null, 1]);
  });

  for (const counts of [undefined, 7, { total: 1 }, { total: -1, succeeded: 0, failed: 0 }]) {
    test(`has no summary where the counts are ${JSON.stringify(counts)}`, () => {
      assert.equal(readAutoUpdateLog(lines({ type: 'summary', counts })).counts, null);
    });
  }

  test('is bounded: a hundred warnings, short messages, no long event, no long line', () => {
    const many = lines(...Array.from({ length: 150 }, () => WARNING));
    const { warnings, warningCount } = readAutoUpdateLog(many);
    assert.deepEqual([warnings.length, warningCount], [100, 150]);
    const [long] = readAutoUpdateLog(lines({ ...WARNING, error: 'x'.repeat(9_000) })).warnings;
    assert.deepEqual([long?.message.length, long?.event], [500, null]);
    const longer = readAutoUpdateLog(lines({ ...WARNING, error: 'x'.repeat(70_000) }));
    assert.deepEqual([longer.warningCount, longer.faults], [0, 1]);
    assert.equal(readAutoUpdateLog('{}\n'.repeat(30_000)).lines, 20_000);
  });

  test('reads nothing of nothing', () => {
    assert.deepEqual(readAutoUpdateLog('\n\n'), {
      ...{ warnings: [], warningCount: 0, counts: null, lines: 0, faults: 0 },
    });
  });
});
