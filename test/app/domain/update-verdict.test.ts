import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  judgeUpdate,
  lastKnown,
  needsIndex,
  type TagFacts,
  type UpdateFacts,
} from '../../../app/domain/update-verdict.ts';

const A = `sha256:${'a'.repeat(64)}`;
const B = `sha256:${'b'.repeat(64)}`;
const TIMEOUT = { code: 'REGISTRY_TIMEOUT', detail: 'slow' } as const;
const NOT_FOUND = { code: 'REGISTRY_IMAGE_NOT_FOUND', detail: '' } as const;

const tag = (digest: string | null, over: Partial<TagFacts> = {}): TagFacts => ({
  ...{ digest, isIndex: false, platformDigests: [], resolvedAt: 1, checkedAt: 1, failure: null },
  ...over,
});
const facts = (over: Partial<UpdateFacts>): UpdateFacts => ({
  ...{ containers: [[A]], failure: null, tag: tag(A), latest: null },
  ...over,
});

describe('the verdict', () => {
  const rows: readonly (readonly [string, UpdateFacts, string])[] = [
    ['its tag means what runs', facts({}), 'up_to_date'],
    ['its tag means another', facts({ tag: tag(B) }), 'tag_update_available'],
    ['one of two containers is behind', facts({ containers: [[A], [B]] }), 'tag_update_available'],
    [
      'the index is another and the manifest the same',
      facts({ tag: tag(B, { isIndex: true, platformDigests: [A] }) }),
      'up_to_date',
    ],
    ['latest means another', facts({ latest: tag(B) }), 'latest_ahead'],
    ['latest means the same', facts({ latest: tag(A) }), 'up_to_date'],
    [
      'latest has the same manifest',
      facts({ latest: tag(B, { platformDigests: [A] }) }),
      'up_to_date',
    ],
    ['there is no latest', facts({ latest: tag(null, { failure: NOT_FOUND }) }), 'up_to_date'],
    [
      'latest was not answered',
      facts({ latest: tag(A, { failure: TIMEOUT }) }),
      'REGISTRY_TIMEOUT',
    ],
    ['latest was never asked for', facts({ latest: undefined }), 'CHECK_NOT_DONE'],
    ['its tag was not answered', facts({ tag: tag(A, { failure: TIMEOUT }) }), 'REGISTRY_TIMEOUT'],
    ['its tag is gone', facts({ tag: tag(A, { failure: NOT_FOUND }) }), 'REGISTRY_IMAGE_NOT_FOUND'],
    ['its tag was never asked for', facts({ tag: undefined }), 'CHECK_NOT_DONE'],
    ['nothing runs', facts({ containers: [] }), 'CHECK_NOTHING_RUNS'],
    [
      'podman did not answer',
      facts({ failure: { code: 'PODMAN_FAILED', detail: '' } }),
      'PODMAN_FAILED',
    ],
  ];
  for (const [title, of, expected] of rows) {
    test(`is ${expected} where ${title}`, () => {
      const verdict = judgeUpdate(of);
      assert.equal(verdict.failure?.code ?? verdict.status, expected);
      assert.equal(verdict.failure !== null, verdict.status === 'unknown');
    });
  }
});

test('what was known before a failure is told, and nothing where nothing was', () => {
  assert.equal(lastKnown(facts({ tag: tag(A, { failure: TIMEOUT }) })), 'up_to_date');
  assert.equal(lastKnown(facts({ tag: tag(B, { failure: TIMEOUT }) })), 'tag_update_available');
  assert.equal(lastKnown(facts({ tag: tag(null, { failure: TIMEOUT }) })), null);
  assert.equal(lastKnown(facts({ tag: undefined })), null);
  const none = tag(null, { failure: TIMEOUT });
  assert.equal(lastKnown(facts({ latest: none })), 'up_to_date');
});

test('an index is read only where its digest is not known here', () => {
  assert.equal(needsIndex([[A]], { digest: B, isIndex: true }), true);
  assert.equal(needsIndex([[A, B]], { digest: B, isIndex: true }), false);
  assert.equal(needsIndex([[A, B], [A]], { digest: B, isIndex: true }), true);
  assert.equal(needsIndex([[A]], { digest: B, isIndex: false }), false);
});
