import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { StoreHolder } from '../../../app/db/store-holder.ts';
import { FailureError } from '../../../shared/contract/outcome.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

test('the store is the same object while it is closed and opened anew; closed, it says why', async (t) => {
  const path = join(makeTempFolder(t), 'x.db');
  const holder = new StoreHolder({ path, version: '0', onError: () => undefined });
  const { store } = holder;
  assert.throws(() => store.tasks, /DATABASE_UNAVAILABLE/);
  assert.ok(holder.open().ok);
  assert.equal(store.tasks.countRunning(), 0);
  assert.ok(holder.files?.database);
  holder.release({ code: 'DATABASE_DAMAGED', detail: 'seen' });
  assert.equal(holder.isOpen, false);
  assert.throws(
    () => store.tasks,
    (error) => error instanceof FailureError && error.failure.code === 'DATABASE_DAMAGED',
  );
  assert.equal(await Promise.resolve(store), store, 'it can be handed on all the same');
  assert.ok(holder.open().ok);
  assert.equal(store.tasks.countRunning(), 0);
  holder.release({ code: 'DATABASE_UNAVAILABLE', detail: '' });
});
