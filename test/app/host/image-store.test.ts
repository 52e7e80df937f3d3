import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { listDigests, readPlatform } from '../../../app/host/image-store.ts';
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
