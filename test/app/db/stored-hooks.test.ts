import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openTestStore } from '../../helpers/store.ts';
import { storedHook } from '../../helpers/stored-hook.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const BY = { at: 1_000, by: 'admin' };
const SECRET = {
  ...{ id: 'sec_1', createdAt: 1_000, createdBy: 'admin', lastUsedAt: null },
  ...{ digest: Buffer.alloc(32, 1), sealed: null, keyId: null },
} as const;

describe('the tables of hooks', () => {
  test('give back what was put in, secrets newest first', (t) => {
    const { storedHooks } = openTestStore(t, makeTempFolder(t)).store;
    const hook = storedHook('forge', { images: ['a.io/b'], units: ['web.service'] });
    storedHooks.insert(hook, BY);
    storedHooks.addSecret('forge', SECRET);
    const sealed = { digest: null, sealed: Buffer.from('x'), keyId: 'k' } as const;
    storedHooks.addSecret('forge', { ...SECRET, id: 'sec_2', createdAt: 2_000, ...sealed });
    const [found, ...others] = storedHooks.list();
    assert.deepEqual(others, []);
    assert.deepEqual(found, storedHooks.find('forge'));
    const { secrets, createdBy, lastUsedAt, ...rest } = found ?? assert.fail();
    assert.deepEqual(
      secrets.map(({ id }) => id),
      ['sec_2', 'sec_1'],
    );
    assert.deepEqual([createdBy, lastUsedAt], ['admin', null]);
    for (const [key, value] of Object.entries(hook)) {
      assert.deepEqual(rest[key as keyof typeof rest], value, key);
    }
  });

  test('remember the latest use, in whatever order uses are told; of a hook that is gone nothing', (t) => {
    const { storedHooks } = openTestStore(t, makeTempFolder(t)).store;
    storedHooks.insert(storedHook(), BY);
    storedHooks.addSecret('forge', SECRET);
    const use = { hook: 'forge', secret: 'sec_1', reason: null };
    storedHooks.noteUse({ ...use, at: 9, verdict: 'accepted' });
    storedHooks.noteUse({ ...use, at: 5, verdict: 'ignored' });
    const found = storedHooks.find('forge');
    assert.deepEqual([found?.lastUsedAt, found?.lastVerdict], [9, 'accepted']);
    assert.equal(found?.secrets[0]?.lastUsedAt, 9);
    storedHooks.noteUse({ ...use, hook: 'gone', secret: 'none', at: 1, verdict: 'ping' });
  });

  test('lose the secrets of a hook with it', (t) => {
    const { storedHooks } = openTestStore(t, makeTempFolder(t)).store;
    storedHooks.insert(storedHook(), BY);
    storedHooks.addSecret('forge', SECRET);
    assert.equal(storedHooks.remove('forge', BY), true);
    assert.equal(storedHooks.remove('forge', BY), false);
    storedHooks.insert(storedHook(), BY);
    assert.deepEqual(storedHooks.find('forge')?.secrets, []);
  });
});
