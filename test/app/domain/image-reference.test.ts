import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  formatImageReference,
  type ImageReference,
  isDigest,
  isTag,
  parseImageReference,
  parseQualifiedReference,
  repositoryOf,
  sameRepository,
  tagOf,
  withDigest,
  withTag,
} from '../../../app/domain/image-reference.ts';

const HEX = 'af'.repeat(32);
const DIGEST = `sha256:${HEX}`;

function read(raw: string): ImageReference {
  const image = parseImageReference(raw);
  assert.ok(image, `${raw} is not read`);
  return image;
}

describe('parseImageReference', () => {
  const ACCEPTED: readonly (readonly [raw: string, expected: ImageReference])[] = [
    ['ghcr.io/octo-org/hello', { registry: 'ghcr.io', repository: 'octo-org/hello' }],
    [
      'ghcr.io/octo-org/hello:v1.2.3',
      { registry: 'ghcr.io', repository: 'octo-org/hello', tag: 'v1.2.3' },
    ],
    [
      `ghcr.io/octo-org/hello@${DIGEST}`,
      { registry: 'ghcr.io', repository: 'octo-org/hello', digest: DIGEST },
    ],
    [
      `ghcr.io/octo-org/hello:v1@${DIGEST}`,
      { registry: 'ghcr.io', repository: 'octo-org/hello', tag: 'v1', digest: DIGEST },
    ],
    ['ghcr.io/a/b/c/d:_x', { registry: 'ghcr.io', repository: 'a/b/c/d', tag: '_x' }],
    ['GHCR.IO/octo/hello', { registry: 'ghcr.io', repository: 'octo/hello' }],
    ['localhost/web:dev', { registry: 'localhost', repository: 'web', tag: 'dev' }],
    ['localhost:5000/web', { registry: 'localhost:5000', repository: 'web' }],
    ['registry:5000/web:1', { registry: 'registry:5000', repository: 'web', tag: '1' }],
    ['10.0.0.7:5000/web', { registry: '10.0.0.7:5000', repository: 'web' }],
    ['[::1]:5000/web:1', { registry: '[::1]:5000', repository: 'web', tag: '1' }],
    ['[2001:DB8::1]/web', { registry: '[2001:db8::1]', repository: 'web' }],
    ['nginx', { registry: 'docker.io', repository: 'library/nginx' }],
    ['nginx:1.27', { registry: 'docker.io', repository: 'library/nginx', tag: '1.27' }],
    ['docker.io/nginx', { registry: 'docker.io', repository: 'library/nginx' }],
    ['index.docker.io/nginx', { registry: 'docker.io', repository: 'library/nginx' }],
    ['octo/hello', { registry: 'docker.io', repository: 'octo/hello' }],
    ['docker.io/octo/hello', { registry: 'docker.io', repository: 'octo/hello' }],
    ['registry:5000', { registry: 'docker.io', repository: 'library/registry', tag: '5000' }],
    ['quay.io/a_b/c__d/e--f.g', { registry: 'quay.io', repository: 'a_b/c__d/e--f.g' }],
    [`h.io/a:${'t'.repeat(128)}`, { registry: 'h.io', repository: 'a', tag: 't'.repeat(128) }],
    [`h.io/${'a'.repeat(255)}`, { registry: 'h.io', repository: 'a'.repeat(255) }],
  ];
  for (const [raw, expected] of ACCEPTED)
    test(`reads ${raw.slice(0, 60)}`, () => assert.deepEqual(parseImageReference(raw), expected));

  const REFUSED: readonly (readonly [why: string, raw: string])[] = [
    ['an empty text', ''],
    ['an option', '--tls-verify=false'],
    ['an option that looks like a name', '-ghcr.io/octo/hello'],
    ['a leading dash in the path', 'ghcr.io/-octo/hello'],
    ['a space', 'ghcr.io/octo/hello world'],
    ['a space at the end', 'ghcr.io/octo/hello '],
    ['a line feed at the end', 'ghcr.io/octo/hello\n'],
    ['a line feed after the tag', 'ghcr.io/octo/hello:v1\n'],
    ['a line feed after the digest', `ghcr.io/octo/hello@${DIGEST}\n`],
    ['upper case in the path', 'ghcr.io/Octo/hello'],
    ['upper case on Docker Hub', 'Octo/hello'],
    ['a bare colon', 'ghcr.io/octo/hello:'],
    ['a bare at sign', 'ghcr.io/octo/hello@'],
    ['a tag that begins with a dot', 'ghcr.io/octo/hello:.x'],
    ['a tag that begins with a dash', 'ghcr.io/octo/hello:-x'],
    ['a tag of 129 characters', `ghcr.io/octo/hello:${'t'.repeat(129)}`],
    ['a digest as tag', `ghcr.io/octo/hello:${DIGEST}`],
    ['two tags', 'ghcr.io/octo/hello:a:b'],
    ['two digests', `ghcr.io/octo/hello@${DIGEST}@${DIGEST}`],
    ['a short digest', 'ghcr.io/octo/hello@sha256:abc'],
    ['another algorithm', `ghcr.io/octo/hello@sha512:${HEX}`],
    ['an upper-case digest', `ghcr.io/octo/hello@sha256:${HEX.toUpperCase()}`],
    ['an image id', HEX],
    ['a scheme', 'https://ghcr.io/octo/hello'],
    ['a transport', 'docker://ghcr.io/octo/hello'],
    ['an empty component', 'ghcr.io//hello'],
    ['a slash at the end', 'ghcr.io/octo/'],
    ['a slash at the beginning', '/octo/hello'],
    ['a host alone', 'ghcr.io/'],
    ['a path that climbs', 'ghcr.io/octo/../hello'],
    ['three underscores', 'ghcr.io/octo/a___b'],
    ['a host that begins with a dash', '-x.io/octo/hello'],
    ['a label of the host that ends in a dash', 'a-.io/octo/hello'],
    ['a host that ends in a dot', 'ghcr.io./octo/hello'],
    ['an underscore in the host', 'my_host.io/octo/hello'],
    ['a user in the host', 'user:pass@ghcr.io/octo/hello'],
    ['an empty port', 'ghcr.io:/octo/hello'],
    ['a port above 65535', 'ghcr.io:65536/octo/hello'],
    ['a malformed IPv6 address', '[1::2::3]/octo/hello'],
    ['a path of 256 characters', `h.io/${'a'.repeat(256)}`],
    ['a percent escape', 'ghcr.io/octo/hell%6f'],
    ['a shell metacharacter', 'ghcr.io/octo/hello;id'],
    ['a NUL', 'ghcr.io/octo/hello\0'],
    ['a letter that is not ASCII', 'ghcr.io/octo/hellö'],
  ];
  for (const [why, raw] of REFUSED)
    test(`refuses ${why}`, () => assert.equal(parseImageReference(raw), undefined));

  test('allows 512 characters and not one more', () => {
    const host = `${'h'.repeat(61)}.io`;
    const fits = `${host}/${'a'.repeat(247)}:${'t'.repeat(127)}@${DIGEST}`;
    assert.equal(fits.length, 512);
    assert.ok(parseImageReference(fits));
    assert.equal(parseImageReference(`h${fits}`), undefined);
  });

  test('gives back nothing that could be an option, has white space, or reads differently again', () => {
    const piece = fc.constantFrom(
      'ghcr.io',
      'Localhost',
      'a',
      'B',
      '-',
      '/',
      ':',
      '@',
      '.',
      '_',
      '5000',
      DIGEST,
      ' ',
      '\n',
      '[::1]',
    );
    const soup = fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(fc.oneof(soup, fc.string()), (raw) => {
        const image = parseImageReference(raw);
        if (!image) return;
        const formatted = formatImageReference(image);
        assert.match(formatted, /^[a-z0-9[][^\s]*$/);
        assert.deepEqual(parseImageReference(formatted), image);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the printed forms', () => {
  const both = read(`ghcr.io/octo/hello:v1@${DIGEST}`);
  const bare = read('ghcr.io/octo/hello');
  const ROWS: readonly (readonly [title: string, printed: string, expected: string])[] = [
    [
      'formatImageReference keeps tag and digest',
      formatImageReference(both),
      `ghcr.io/octo/hello:v1@${DIGEST}`,
    ],
    ['formatImageReference adds nothing', formatImageReference(bare), 'ghcr.io/octo/hello'],
    ['repositoryOf leaves both out', repositoryOf(both), 'ghcr.io/octo/hello'],
    [
      'withDigest leaves the tag out',
      withDigest(read('nginx:1'), DIGEST),
      `docker.io/library/nginx@${DIGEST}`,
    ],
    ['withTag leaves the digest out', withTag(both), 'ghcr.io/octo/hello:v1'],
    ['withTag means latest without a tag', withTag(bare), 'ghcr.io/octo/hello:latest'],
    ['tagOf is the tag', tagOf(both), 'v1'],
    ['tagOf is latest without a tag', tagOf(bare), 'latest'],
  ];
  for (const [title, printed, expected] of ROWS) test(title, () => assert.equal(printed, expected));
});

describe('sameRepository', () => {
  const ROWS: readonly (readonly [a: string, b: string, same: boolean])[] = [
    ['nginx', 'docker.io/library/nginx:1', true],
    ['ghcr.io/octo/hello:v1', `GHCR.io/octo/hello@${DIGEST}`, true],
    ['ghcr.io/octo/hello', 'quay.io/octo/hello', false],
    ['ghcr.io/octo/hello', 'ghcr.io/octo/hello-web', false],
    ['ghcr.io/octo/hello', 'ghcr.io:443/octo/hello', false],
  ];
  for (const [a, b, same] of ROWS)
    test(`${a} and ${b} are ${same ? 'one' : 'two'}`, () =>
      assert.equal(sameRepository(read(a), read(b)), same));
});

test('isDigest and isTag never hold for one text', () => {
  assert.ok(isDigest(DIGEST));
  assert.ok(!isTag(DIGEST));
  assert.ok(isTag(HEX));
  assert.ok(!isDigest(HEX));
  for (const neither of ['', `${DIGEST}0`, `${DIGEST}\n`, ' latest', 'a/b'])
    assert.ok(!isDigest(neither) && !isTag(neither), JSON.stringify(neither));
});

test('a name is qualified where it says its registry itself', () => {
  for (const name of [
    'ghcr.io/o/a:1',
    'docker.io/library/a',
    `r:5000/a@sha256:${'a'.repeat(64)}`,
  ]) {
    assert.deepEqual(parseQualifiedReference(name), parseImageReference(name));
    assert.ok(parseQualifiedReference(name));
  }
  for (const name of ['nginx', 'o/a:1', 'docker.io/nginx', 'web.image', 'web.build', '', '-x']) {
    assert.equal(parseQualifiedReference(name), undefined, name);
  }
});
