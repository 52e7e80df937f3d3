import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type FoundUnit, mergeMarks, type UnitSource } from '../../../app/domain/found-unit.ts';

type Place = FoundUnit & { readonly source: UnitSource };

function place(source: UnitSource, marks: Partial<FoundUnit> = {}): Place {
  return {
    ...{ source, unit: 'web.service', path: null, image: null, fault: null },
    ...{ isAutoUpdated: false, hasPolicy: false, webhookEnabled: null },
    ...marks,
  };
}

describe('what a unit says in several places', () => {
  for (const [title, places, expected] of [
    ['nothing', [place('quadlet'), place('podman')], [false, false, null]],
    [
      'a container alone is believed',
      [place('podman', { isAutoUpdated: true })],
      [true, false, null],
    ],
    [
      'a label of a container that its file no longer asks for does not count',
      [place('quadlet'), place('podman', { isAutoUpdated: true })],
      [false, false, null],
    ],
    [
      'what systemd has loaded counts beside the file that is not yet',
      [place('quadlet'), place('unit-file', { isAutoUpdated: true, hasPolicy: true })],
      [true, true, null],
    ],
    [
      'who turns webhooks off wins',
      [place('quadlet', { webhookEnabled: true }), place('unit-file', { webhookEnabled: false })],
      [false, false, false],
    ],
    [
      'one place that asks for webhooks is enough',
      [place('quadlet'), place('unit-file', { webhookEnabled: true })],
      [false, false, true],
    ],
  ] as const) {
    test(title, () => {
      const { isAutoUpdated, hasPolicy, webhookEnabled } = mergeMarks(places);
      assert.deepEqual([isAutoUpdated, hasPolicy, webhookEnabled], expected);
    });
  }
});
