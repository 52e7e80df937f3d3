import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Admission,
  admit,
  type KnownUnit,
  type Trigger,
  type UnitMarks,
} from '../../../app/domain/unit-triggers.ts';

const SILENT: UnitMarks = { isAutoUpdated: false, hasPolicy: false, webhookEnabled: null };

function unit(isListed: boolean, marks: Partial<UnitMarks> | null): KnownUnit {
  return { unit: 'web.service', isListed, image: null, marks: marks && { ...SILENT, ...marks } };
}

const LISTED = 'listed';
const NAMED = 'named';
const ASKS = 'opted-in';
const SILENCE = 'not-opted-in';
const OFF = 'discovery-off';
const NO_HOOKS = 'webhooks-off';
const TRIGGERS = ['person', 'batch', 'webhook', 'schedule'] as const satisfies readonly Trigger[];

/** What comes of each trigger without and, behind the arrow, with `autoDiscover`. */
const TABLE: readonly (readonly [string, KnownUnit | undefined, readonly string[]])[] = [
  ['no unit of ours', undefined, ['unknown', 'unknown', 'unknown', 'unknown']],
  ['neither listed nor found', unit(false, null), ['unknown', 'unknown', 'unknown', 'unknown']],
  ['listed', unit(true, null), [LISTED, LISTED, LISTED, LISTED]],
  ['listed and found', unit(true, {}), [LISTED, LISTED, LISTED, LISTED]],
  [
    'listed, turns webhooks off',
    unit(true, { webhookEnabled: false }),
    [LISTED, LISTED, NO_HOOKS, LISTED],
  ],
  ['found, says nothing', unit(false, {}), [NAMED, SILENCE, SILENCE, SILENCE]],
  ['found, has a policy', unit(false, { hasPolicy: true }), [NAMED, ASKS, SILENCE, SILENCE]],
  [
    'found, AutoUpdate',
    unit(false, { isAutoUpdated: true }),
    [NAMED, ASKS, `${OFF}>${ASKS}`, `${OFF}>${ASKS}`],
  ],
  [
    'found, asks for webhooks',
    unit(false, { webhookEnabled: true }),
    [NAMED, ASKS, `${OFF}>${ASKS}`, `${OFF}>${ASKS}`],
  ],
  [
    'found, AutoUpdate, turns webhooks off',
    unit(false, { isAutoUpdated: true, webhookEnabled: false }),
    [NAMED, ASKS, NO_HOOKS, `${OFF}>${ASKS}`],
  ],
  [
    'found, has a policy, turns webhooks off',
    unit(false, { hasPolicy: true, webhookEnabled: false }),
    [NAMED, ASKS, NO_HOOKS, SILENCE],
  ],
];

function wordOf(admission: Admission): string {
  return admission.allowed ? admission.because : admission.reason;
}

describe('who may be deployed by which trigger', () => {
  for (const [title, known, words] of TABLE) {
    test(title, () => {
      const seen = TRIGGERS.map((trigger) => {
        const [off, on] = [false, true].map((autoDiscover) =>
          wordOf(admit(trigger, known, { autoDiscover })),
        );
        return off === on ? off : `${off}>${on}`;
      });
      assert.deepEqual(seen, words);
    });
  }

  test('a word is a permission exactly where it is none of the refusals', () => {
    for (const [, known] of TABLE) {
      for (const trigger of TRIGGERS) {
        const admission = admit(trigger, known, { autoDiscover: true });
        assert.equal(admission.allowed, [LISTED, NAMED, ASKS].includes(wordOf(admission)));
      }
    }
  });
});
