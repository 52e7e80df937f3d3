import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  findKeptId,
  findKeptImage,
  listDigests,
  listKeptNames,
  readPlatform,
} from '../../../app/host/image-store.ts';
import { answerCommands } from '../tasks/task-fixture.ts';

const ID = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);
const INDEX = `sha256:${'1'.repeat(64)}`;
const MANIFEST = `sha256:${'2'.repeat(64)}`;
const CONFIG = `/s/overlay-images/${ID}/=${Buffer.from(`sha256:${ID}`).toString('base64')}`;

function store(files: Readonly<Record<string, string>>) {
  const { run, asked } = answerCommands((argv) => ({
    stdout: argv
      .slice(argv.indexOf('--') + 1)
      .map((id) => `${id} linux s390x ${MANIFEST} ["r/a@${MANIFEST}","r/a@${INDEX}"]\n`)
      .join(''),
  }));
  const readText = (path: string) => {
    const text = files[path];
    return text === undefined ? Promise.reject(new Error('EACCES')) : Promise.resolve(text);
  };
  return { images: { host: { run, readText }, graphRoot: '/s' }, asked };
}

const LIST = '/s/overlay-images/images.json';
const list = (...images: readonly object[]) => ({ [LIST]: JSON.stringify(images) });
const kept = {
  ...{ id: ID, digest: INDEX, names: ['r/a:1'] },
  'big-data-names': [`sha256:${ID}`, `manifest-${INDEX}`, `manifest-${MANIFEST}`, 'manifest'],
};

describe('the digests of images', () => {
  test('are read from the list of podman, without podman', async () => {
    const { images, asked } = store(list(kept, { id: OTHER, digest: MANIFEST }));
    const found = await listDigests(images, [ID, OTHER]);
    assert.ok(found.ok);
    assert.deepEqual(Object.fromEntries(found.value), {
      [ID]: [INDEX, MANIFEST],
      [OTHER]: [MANIFEST],
    });
    assert.equal(asked.length, 0);
  });

  for (const [title, files] of [
    ['that are not in it', list({ ...kept, id: OTHER })],
    ['without any there', list({ id: ID })],
    ['of a list that cannot be read', {}],
    ['of a list that is another', { [LIST]: '{"images":[]}' }],
    ['of a list that is none', { [LIST]: '[{' }],
  ] as const) {
    test(`${title} are told by podman`, async () => {
      const { images, asked } = store(files);
      const found = await listDigests(images, [ID]);
      assert.ok(found.ok);
      assert.deepEqual(Object.fromEntries(found.value), { [ID]: [MANIFEST, INDEX] });
      assert.deepEqual(asked[0]?.argv.slice(-2), ['--', ID]);
      assert.equal(asked.length, 1);
    });
  }
});

test('the platform is that of the configuration, else what podman says', async () => {
  const { images, asked } = store({ [CONFIG]: '{"os":"linux","architecture":"arm64"}' });
  assert.deepEqual(await readPlatform(images, ID), { ok: true, value: 'linux/arm64' });
  assert.equal(asked.length, 0);
  assert.deepEqual(await readPlatform(store({}).images, ID), { ok: true, value: 'linux/s390x' });
});

describe('an image in the list of podman', () => {
  const IMAGE = { registry: 'r.io', repository: 'a', tag: '1' };
  const LAYERS = '/s/overlay-layers/layers.json';
  const layers = [
    { id: 'top', parent: 'middle', 'diff-size': 10 },
    { id: 'other', parent: 'bottom', 'diff-size': 1_000 },
    // One that adds nothing has no size.
    { id: 'middle', parent: 'bottom' },
    { id: 'bottom', 'diff-size': 200 },
  ];
  const image = { ...kept, names: ['r.io/b:1', 'r.io/a:1'], layer: 'top' };
  const files = (entry: object = image, rows: unknown = layers) => ({
    ...list({ id: OTHER, names: ['r.io/b:2'] }, entry),
    [LAYERS]: JSON.stringify(rows),
  });
  const find = (found: Readonly<Record<string, string>>, wanted = IMAGE) =>
    findKeptImage(store(found).images, wanted);

  test('is found by its name, with all its digests and the size of its layers', async () => {
    assert.deepEqual(await find(files()), {
      ...{ id: ID, digest: INDEX, sizeBytes: 210 },
      repoDigests: [`r.io/a@${INDEX}`, `r.io/a@${MANIFEST}`],
    });
  });

  for (const [title, found] of [
    ['that is not in it', files({ ...image, names: ['r.io/a:2'] })],
    ['without a name', files({ ...image, names: null })],
    ['without a digest', files({ ...image, digest: undefined, 'big-data-names': null })],
    ['whose layer is not known', files({ ...image, layer: 'none' })],
    ['whose layers have no end', files(image, [{ id: 'top', parent: 'top', 'diff-size': 1 }])],
    ['whose layers have no size', files(image, [{ id: 'top', 'diff-size': -1 }])],
    ['whose layers are no list', files(image, { top: {} })],
    ['whose layers cannot be read', list(image)],
    ['beside an entry that is none', { ...files(), ...list(image, { id: 7 }) }],
    ['in a list that cannot be read', {}],
  ] as const) {
    test(`${title} is left to podman`, async () => assert.equal(await find(found), undefined));
  }

  test('all names are given where the images are there that are known to be', async () => {
    const { images } = store(files());
    const names = await listKeptNames(images, [ID, OTHER]);
    assert.deepEqual(
      names?.map(({ id, names: all }) => [id, all]),
      [
        [OTHER, ['r.io/b:2']],
        [ID, ['r.io/b:1', 'r.io/a:1']],
      ],
    );
    assert.equal(await listKeptNames(images, [ID, 'c'.repeat(64)]), undefined);
    assert.equal(await listKeptNames(store({}).images, []), undefined);
  });

  test('by a digest it is found only under a name of its repository', async () => {
    const { images } = store(files());
    const ofTag = (repository: string) => ({ ...IMAGE, repository });
    assert.equal(await findKeptId(images, ofTag('a'), MANIFEST), ID);
    assert.equal(await findKeptId(images, ofTag('b'), INDEX), ID);
    assert.equal(await findKeptId(images, ofTag('c'), INDEX), null);
    assert.equal(await findKeptId(images, ofTag('a'), `sha256:${'3'.repeat(64)}`), null);
    assert.equal(await findKeptId(store({}).images, IMAGE, INDEX), undefined);
  });
});
