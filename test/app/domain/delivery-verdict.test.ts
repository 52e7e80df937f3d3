import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type DeliveryVerdict,
  decideVerdict,
  IGNORED_REASONS,
  type UnitFacts,
} from '../../../app/domain/delivery-verdict.ts';
import { parseImageReference } from '../../../app/domain/image-reference.ts';
import type { ImageReading, Push } from '../../../app/domain/sources/source.ts';
import { REFUSALS, type RefusalReason } from '../../../app/domain/unit-triggers.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}`;
const REPOSITORY = 'ghcr.io/octo-org/hello';

function push(tags: readonly string[], digest?: string): ImageReading {
  const image = { registry: 'ghcr.io', repository: 'octo-org/hello' };
  return {
    kind: 'push',
    action: 'published',
    pushes: [{ image, tags, ...(digest !== undefined && { digest }) }],
  };
}

function running(raw: string): UnitFacts {
  const image = parseImageReference(raw);
  assert.ok(image);
  return {
    name: 'web.service',
    admission: { allowed: true, because: 'listed' },
    state: 'known',
    image,
  };
}

function without(state: 'unknown-to-systemd' | 'image-unknown' | 'not-looked-up'): UnitFacts {
  return { name: 'web.service', admission: { allowed: true, because: 'listed' }, state };
}

function refused(reason: RefusalReason): UnitFacts {
  return { ...running(REPOSITORY), admission: { allowed: false, reason } };
}

const UNLISTED = refused('unknown');
const CHILD: ImageReading = { kind: 'ignored', reason: 'untagged-child', detail: 'It is x.' };
const NAMED = 'The unit is web.service.';

function ignored(reason: keyof typeof IGNORED_REASONS, detail: string): DeliveryVerdict {
  return { verdict: 'ignored', reason, detail };
}

function accepted(image: string, matched: 'tag' | 'repository', digest?: string): DeliveryVerdict {
  const verdict = { verdict: 'accepted', unit: 'web.service', image, matched } as const;
  return digest === undefined ? verdict : { ...verdict, digest };
}

describe('decideVerdict', () => {
  const ROWS: readonly (readonly [title: string, ImageReading, UnitFacts, DeliveryVerdict])[] = [
    ['a ping is a ping', { kind: 'ping' }, running(REPOSITORY), { verdict: 'ping' }],
    [
      'a ping is a ping for a unit that is not configured',
      { kind: 'ping' },
      UNLISTED,
      { verdict: 'ping' },
    ],
    [
      'a push to a unit that is not configured is ignored',
      push(['latest']),
      UNLISTED,
      ignored('unit-unknown', NAMED),
    ],
    [
      'a push to a unit that turns webhooks off is ignored',
      push(['latest']),
      refused('webhooks-off'),
      ignored('unit-webhooks-off', NAMED),
    ],
    ...(['not-opted-in', 'discovery-off'] as const).map(
      (reason) =>
        [
          `a push to a unit that was found is ignored: ${reason}`,
          push(['latest']),
          refused(reason),
          ignored('unit-not-opted-in', `web.service: ${REFUSALS[reason]}`),
        ] as const,
    ),
    [
      'a unit that is not configured comes before what the body says',
      CHILD,
      UNLISTED,
      ignored('unit-unknown', NAMED),
    ],
    [
      'what the body says is kept',
      CHILD,
      running(REPOSITORY),
      ignored('untagged-child', 'It is x.'),
    ],
    [
      'what the body says comes before what systemd says',
      CHILD,
      without('unknown-to-systemd'),
      ignored('untagged-child', 'It is x.'),
    ],
    [
      'a unit that systemd does not know is ignored',
      push(['latest']),
      without('unknown-to-systemd'),
      ignored('unit-not-found', NAMED),
    ],
    [
      'a unit whose image cannot be told is ignored',
      push(['latest']),
      without('image-unknown'),
      ignored('unit-image-unknown', NAMED),
    ],
    [
      'a push is accepted while systemd cannot be asked',
      push(['latest'], DIGEST),
      without('not-looked-up'),
      { verdict: 'accepted', unit: 'web.service', matched: 'repository' },
    ],
    [
      'a push of the tag of the unit is accepted with its digest',
      push(['v1', 'main'], DIGEST),
      running(`${REPOSITORY}:main`),
      accepted(`${REPOSITORY}:main`, 'tag', DIGEST),
    ],
    [
      'a push of the tag of the unit is accepted without a digest',
      push(['main']),
      running(`${REPOSITORY}:main`),
      accepted(`${REPOSITORY}:main`, 'tag'),
    ],
    [
      'a unit without tag runs latest',
      push(['latest'], DIGEST),
      running(REPOSITORY),
      accepted(`${REPOSITORY}:latest`, 'tag', DIGEST),
    ],
    [
      'a push of another tag is accepted and its digest dropped',
      push(['v2'], DIGEST),
      running(`${REPOSITORY}:main`),
      accepted(`${REPOSITORY}:main`, 'repository'),
    ],
    [
      'a tag in another case is another tag',
      push(['Main'], DIGEST),
      running(`${REPOSITORY}:main`),
      accepted(`${REPOSITORY}:main`, 'repository'),
    ],
    [
      'a push of another repository is ignored',
      push(['latest']),
      running('ghcr.io/octo-org/other'),
      ignored(
        'unit-image-differs',
        `web.service runs ghcr.io/octo-org/other, pushed was ${REPOSITORY}.`,
      ),
    ],
    [
      'a push to another registry is ignored',
      push(['latest']),
      running('quay.io/octo-org/hello'),
      ignored(
        'unit-image-differs',
        `web.service runs quay.io/octo-org/hello, pushed was ${REPOSITORY}.`,
      ),
    ],
    [
      'a unit that names a digest is left alone',
      push(['v1'], DIGEST),
      running(`${REPOSITORY}:v1@${DIGEST}`),
      ignored('unit-image-pinned', `web.service runs ${REPOSITORY}:v1@${DIGEST}.`),
    ],
  ];
  for (const [title, reading, unit, expected] of ROWS)
    test(title, () => assert.deepEqual(decideVerdict(reading, unit), expected));
});

describe('a delivery that names several images', () => {
  const OTHER_DIGEST = `sha256:${'1b'.repeat(32)}`;
  const named = (repository: string, tag: string, digest: string): Push => ({
    image: { registry: 'ghcr.io', repository },
    tags: [tag],
    digest,
  });
  const several = (...pushes: readonly Push[]) =>
    decideVerdict({ kind: 'push', action: 'push', pushes }, running(`${REPOSITORY}:v1`));

  test('leads to the one that the unit runs', () =>
    assert.deepEqual(
      several(named('octo-org/other', 'v1', OTHER_DIGEST), named('octo-org/hello', 'v1', DIGEST)),
      accepted(`${REPOSITORY}:v1`, 'tag', DIGEST),
    ));

  test('gives the digest of the tag that the unit runs, not of another', () =>
    assert.deepEqual(
      several(named('octo-org/hello', 'v2', OTHER_DIGEST), named('octo-org/hello', 'v1', DIGEST)),
      accepted(`${REPOSITORY}:v1`, 'tag', DIGEST),
    ));

  test('gives no digest where it names two for the tag', () =>
    assert.deepEqual(
      several(named('octo-org/hello', 'v1', OTHER_DIGEST), named('octo-org/hello', 'v1', DIGEST)),
      accepted(`${REPOSITORY}:v1`, 'tag'),
    ));

  test('is ignored where it names none of the unit, with the first three of them', () => {
    const names = ['a', 'b', 'b', 'c', 'd'].map((name) => named(`octo-org/${name}`, 'v1', DIGEST));
    const three = 'ghcr.io/octo-org/a, ghcr.io/octo-org/b, ghcr.io/octo-org/c';
    assert.deepEqual(
      several(...names),
      ignored(
        'unit-image-differs',
        `web.service runs ${REPOSITORY}, pushed was ${three} and more.`,
      ),
    );
  });
});

test('every reason is one sentence', () => {
  for (const [reason, sentence] of Object.entries(IGNORED_REASONS))
    assert.match(sentence, /^(?:[A-Z]|systemd )[^.\n]*\.$/, reason);
});
