import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { formatImageReference, parseImageReference } from '../../../app/domain/image-reference.ts';
import { endOfHook, provePush } from '../../../app/tasks/prove-push.ts';
import { fail, succeed } from '../../../shared/contract/outcome.ts';
import { deliveryRow } from '../../helpers/delivery-row.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const NOW = `sha256:${'0a'.repeat(32)}`;
const OLDER = `sha256:${'0b'.repeat(32)}`;
const FORGED = `sha256:${'0f'.repeat(32)}`;

/** A registry that has two images, of which the tag means the first; it remembers what it was asked. */
function open(context: TestContext) {
  const { store } = openTestStore(context, makeTempFolder(context));
  store.tasks.insert(newTask({ id: 'tsk_1' }));
  const asked: string[] = [];
  const image = parseImageReference('ghcr.io/o/web:main');
  assert.ok(image);
  const lookUp = provePush(store, { id: 'tsk_1' }, (wanted) => {
    asked.push(formatImageReference(wanted));
    const { digest = NOW } = wanted;
    const isThere = digest === NOW || digest === OLDER;
    return Promise.resolve(
      isThere ? succeed({ digest }) : fail('REGISTRY_IMAGE_NOT_FOUND', 'It says 404.'),
    );
  });
  let count = 0;
  const said = (over: Parameters<typeof deliveryRow>[0]) => {
    count++;
    const row = { id: `dlv_${count}`, received_at: count, task_id: 'tsk_1', hook: 'hub' };
    store.deliveries.insert(deliveryRow({ ...row, needs_proof: 1, ...over }));
  };
  return { said, asked, look: () => lookUp(image, {}) };
}

describe('what a sender says that can prove nothing', () => {
  test('is not needed where it is what the tag means', async (t) => {
    const { said, asked, look } = open(t);
    said({ digest: NOW });
    assert.deepEqual(await look(), succeed({ digest: NOW }));
    assert.deepEqual(asked, ['ghcr.io/o/web:main']);
  });

  test('has to be at the registry, though the tag may mean something newer by now', async (t) => {
    const { said, asked, look } = open(t);
    said({ digest: OLDER });
    assert.deepEqual(await look(), succeed({ digest: NOW }));
    assert.deepEqual(asked, ['ghcr.io/o/web:main', `ghcr.io/o/web@${OLDER}`]);
  });

  test('and is not there leads to nothing, with the reason', async (t) => {
    const { said, look } = open(t);
    said({ digest: FORGED });
    const looked = await look();
    assert.ok(!looked.ok);
    assert.equal(looked.failure.code, 'PUSH_NOT_PROVEN');
    assert.match(looked.failure.detail, /0f0f.*404/);
  });

  test('of another tag of the repository has to be there as well', async (t) => {
    const { said, look } = open(t);
    said({ matched: 'repository', understood: JSON.stringify({ digest: FORGED }) });
    const looked = await look();
    assert.ok(!looked.ok && looked.failure.code === 'PUSH_NOT_PROVEN');
  });

  test('does not count any more once somebody has said so who can prove it', async (t) => {
    const { said, look } = open(t);
    said({ digest: FORGED });
    said({ digest: OLDER, needs_proof: 0, hook: null });
    assert.deepEqual(await look(), succeed({ digest: NOW }));
  });

  test('is proven by any of what was said: a lie does not take the others with it', async (t) => {
    const { said, look, asked } = open(t);
    said({ digest: OLDER });
    said({ digest: FORGED });
    assert.deepEqual(await look(), succeed({ digest: NOW }));
    assert.deepEqual(asked.slice(1), [`ghcr.io/o/web@${FORGED}`, `ghcr.io/o/web@${OLDER}`]);
  });

  test('is looked for five times at most, however much is said', async (t) => {
    const { said, look, asked } = open(t);
    for (let n = 0; n < 9; n++) said({ digest: `sha256:${`${n}f`.repeat(32)}` });
    const looked = await look();
    assert.ok(!looked.ok && looked.failure.code === 'PUSH_NOT_PROVEN');
    assert.equal(asked.length, 6);
    assert.match(asked[1] ?? '', /@sha256:8f/);
  });

  test('without a digest is what the tag means', async (t) => {
    const { said, asked, look } = open(t);
    said({});
    assert.ok((await look()).ok);
    assert.equal(asked.length, 1);
  });
});

describe('a task of a hook', () => {
  const failed = (code: Parameters<typeof fail>[0]) =>
    ({ status: 'failed', summary: 'x', isDiagnosed: false, ...fail(code, 'It runs y.') }) as const;

  test('for a unit that runs something else is skipped; one for the unit itself has failed', () => {
    const end = failed('UNIT_IMAGE_CHANGED');
    const ended = endOfHook({ unit: 'web.service', trigger_caller: 'hook:hub' }, end);
    assert.deepEqual(ended.status, 'skipped');
    assert.match(ended.summary, /web\.service does not run what was pushed\. It runs y\./);
    assert.equal(endOfHook({ unit: 'web.service', trigger_caller: 'github:1' }, end), end);
    assert.equal(endOfHook({ unit: 'web.service', trigger_caller: null }, end), end);
    const other = failed('PULL_FAILED');
    assert.equal(endOfHook({ unit: 'web.service', trigger_caller: 'hook:hub' }, other), other);
  });
});
