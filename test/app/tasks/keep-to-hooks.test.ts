import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { parseImageReference } from '../../../app/domain/image-reference.ts';
import { keepToHooks } from '../../../app/tasks/keep-to-hooks.ts';
import { succeed } from '../../../shared/contract/outcome.ts';
import { deliveryRow } from '../../helpers/delivery-row.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const FOUND = succeed({ digest: `sha256:${'0a'.repeat(32)}` });
const REST = { networks: [], registry: null, image: null, expiresAt: null, disabledAt: null };

type Rights = { readonly images?: readonly string[]; readonly units?: readonly string[] };

/** A task of web.service that these hooks wanted; `null` is a delivery without one, `gone` one of a hook that is not there. */
function open(
  context: TestContext,
  hooks: Readonly<Record<string, Rights | null>>,
  trigger_caller = 'hook:ci',
) {
  const { store } = openTestStore(context, makeTempFolder(context));
  store.tasks.insert(newTask({ id: 'tsk_1' }));
  for (const [name, rights] of Object.entries(hooks)) {
    const hook = rights === null ? null : name;
    store.deliveries.insert(deliveryRow({ id: `dlv_${name}`, task_id: 'tsk_1', hook }));
    if (rights === null || name === 'gone') continue;
    const of = { name, source: 'generic', scheme: 'standard-webhooks', action: 'deploy' } as const;
    store.storedHooks.insert(
      { ...of, ...REST, images: [], units: [], ...rights },
      { at: 1, by: 'ann' },
    );
  }
  const task = { id: 'tsk_1', unit: 'web.service', trigger_caller };
  const lookUp = keepToHooks(store, task, () => Promise.resolve(FOUND));
  const image = parseImageReference('ghcr.io/o/web:v2');
  assert.ok(image);
  return () => lookUp(image, {});
}

describe('a task that a hook has made for a unit that could not be asked what it runs', () => {
  const ROWS: readonly (readonly [
    title: string,
    hooks: Readonly<Record<string, Rights | null>>,
    isFor: boolean,
  ])[] = [
    ['a hook for all', { ci: {} }, true],
    ['a hook for the image', { ci: { images: ['ghcr.io/o/*:v2'] } }, true],
    ['a hook for another tag', { ci: { images: ['ghcr.io/o/web:v1.*'] } }, false],
    ['a hook for another repository', { ci: { images: ['ghcr.io/acme/**'] } }, false],
    ['a hook for another unit', { ci: { units: ['api.service'] } }, false],
    ['two hooks for others', { ci: { units: ['api.service'] }, b: { images: ['i/b'] } }, false],
    ['one of two hooks', { ci: { images: ['ghcr.io/acme/**'] }, b: {} }, true],
    ['a hook, and its own path', { ci: { images: ['ghcr.io/acme/**'] }, path: null }, true],
    ['a hook that is gone', { gone: {} }, true],
    ['nobody that is known', {}, true],
  ];
  for (const [title, hooks, isFor] of ROWS)
    test(`wanted by ${title}: its tag ${isFor ? 'is' : 'is not'} looked up`, async (t) => {
      const looked = await open(t, hooks)();
      if (isFor) return assert.deepEqual(looked, FOUND);
      assert.ok(!looked.ok);
      assert.deepEqual(looked.failure, {
        code: 'UNIT_IMAGE_CHANGED',
        detail: 'It runs ghcr.io/o/web:v2, for which no hook that wanted it may report.',
      });
    });

  test('is not what others have made', async (t) => {
    const looked = await open(t, { ci: { units: ['api.service'] } }, 'token:ci at 192.0.2.1')();
    assert.deepEqual(looked, FOUND);
  });
});
