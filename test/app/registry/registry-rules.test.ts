import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ImageReference, parseImageReference } from '../../../app/domain/image-reference.ts';
import { locateImage, parseRegistryRules, ruleFor } from '../../../app/registry/registry-rules.ts';

/** What `podman info --format json` prints under `.registries`, as podman 4.3.1 printed it. */
const PRINTED = {
  '*.example.com': {
    Prefix: '*.example.com',
    Location: '',
    Insecure: true,
    PullFromMirror: '',
    Mirrors: null,
    Blocked: false,
    MirrorByDigestOnly: false,
  },
  'docker.io/library': {
    Prefix: 'docker.io/library',
    Location: 'mirror.local:5000/hub/library',
    Insecure: false,
    PullFromMirror: '',
    Mirrors: [{ Location: 'm2.local', Insecure: false, PullFromMirror: '' }],
    Blocked: false,
    MirrorByDigestOnly: false,
  },
  '10.0.0.1:5000': {
    Prefix: '10.0.0.1:5000',
    Location: '10.0.0.1:5000',
    Insecure: false,
    PullFromMirror: '',
    Mirrors: null,
    Blocked: true,
    MirrorByDigestOnly: false,
  },
  search: ['docker.io'],
};

function imageOf(text: string): ImageReference {
  const image = parseImageReference(text);
  assert.ok(image, text);
  return image;
}

function rulesFor(...prefixes: readonly string[]) {
  return parseRegistryRules(Object.fromEntries(prefixes.map((Prefix) => [Prefix, { Prefix }])));
}

describe('parseRegistryRules', () => {
  test('the rules that podman prints are read, the search list and mirrors are not', () => {
    assert.deepEqual(parseRegistryRules(PRINTED), [
      { prefix: '*.example.com', location: '', insecure: true, blocked: false },
      {
        prefix: 'docker.io/library',
        location: 'mirror.local:5000/hub/library',
        insecure: false,
        blocked: false,
      },
      { prefix: '10.0.0.1:5000', location: '10.0.0.1:5000', insecure: false, blocked: true },
    ]);
  });

  for (const raw of [undefined, null, {}, 'x', { search: ['docker.io'] }, { a: null }]) {
    test(`${JSON.stringify(raw)} gives no rules`, () => {
      assert.deepEqual(parseRegistryRules(raw), []);
    });
  }
});

describe('ruleFor', () => {
  const rows: readonly (readonly [
    prefixes: string[],
    image: string,
    chosen: string | undefined,
  ])[] = [
    [['a.io', 'a.io/x', 'a.io/x/y'], 'a.io/x/y/z:1', 'a.io/x/y'],
    [['a.io/x/y', 'a.io/x', 'a.io'], 'a.io/x/y/z:1', 'a.io/x/y'],
    [['a.io/x'], 'a.io/xy:1', undefined],
    [['a.io/x'], 'a.io/x:1', 'a.io/x'],
    [['a.io/x:1'], 'a.io/x:1', 'a.io/x:1'],
    [['a.io/x:1'], 'a.io/x:11', undefined],
    [['a.io'], 'a.io.evil.net/x', undefined],
    [['a.io'], 'a.io:5000/x', undefined],
    [['a.io:500'], 'a.io:5000/x', undefined],
    [['*.a.io'], 'b.a.io/x', '*.a.io'],
    [['*.a.io'], 'c.b.a.io/x', '*.a.io'],
    [['*.a.io'], 'b.a.io:5000/x', '*.a.io'],
    [['*.a.io'], 'a.io/x', undefined],
    [['*.a.io'], 'bba.io/x', undefined],
    [['*.a.io'], 'b.a.io.evil.net/x', undefined],
    [['*.a.io'], 'evil.net/b.a.io/x', undefined],
    [['*.a.io', 'b.a.io/x'], 'b.a.io/x', 'b.a.io/x'],
    [['*.a.io', '*.b.a.io'], 'c.b.a.io/x', '*.b.a.io'],
  ];
  for (const [prefixes, image, chosen] of rows) {
    test(`of ${prefixes.join(' ')} the image ${image} gets ${chosen ?? 'none'}`, () => {
      assert.equal(ruleFor(rulesFor(...prefixes), imageOf(image))?.prefix, chosen);
    });
  }
});

describe('locateImage', () => {
  const moved = (Prefix: string, Location: string) =>
    parseRegistryRules({ [Prefix]: { Prefix, Location, Insecure: true } });

  const rows: readonly (readonly [prefix: string, to: string, image: string, location: string])[] =
    [
      ['a.io', 'b.io:5000', 'a.io/x/y:1', 'b.io:5000/x/y:1'],
      ['a.io/foo', 'b.io/bar', 'a.io/foo/my:1', 'b.io/bar/my:1'],
      ['a.io/foo', 'b.io/bar/baz', 'a.io/foo:1', 'b.io/bar/baz:1'],
      ['docker.io', 'b.io/hub', 'nginx', 'b.io/hub/library/nginx'],
      ['*.a.io', 'b.io/all', 'c.a.io/x:1', 'b.io/all/x:1'],
      ['*.a.io', '', 'c.a.io/x:1', 'c.a.io/x:1'],
    ];
  for (const [prefix, to, image, location] of rows) {
    test(`${image} lies at ${location} under ${prefix} -> "${to}"`, () => {
      const located = locateImage(moved(prefix, to), imageOf(image));
      assert.deepEqual(located, { ok: true, value: { image: imageOf(location), insecure: true } });
    });
  }

  test('without a rule an image lies where it says, securely', () => {
    const image = imageOf('a.io/x:1');
    assert.deepEqual(locateImage([], image), { ok: true, value: { image, insecure: false } });
  });

  test('a blocked registry is refused', () => {
    const located = locateImage(parseRegistryRules(PRINTED), imageOf('10.0.0.1:5000/x'));
    assert.equal(!located.ok && located.failure.code, 'REGISTRY_BLOCKED');
  });

  for (const to of ['mirror', 'b.io/UPPER', 'user@b.io']) {
    test(`a location that gives no image name is refused: ${to}`, () => {
      const located = locateImage(moved('a.io/x', to), imageOf('a.io/x/y:1'));
      assert.equal(!located.ok && located.failure.code, 'REGISTRY_BLOCKED');
    });
  }
});
