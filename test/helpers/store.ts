import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { NewTask } from '../../app/db/new-task.ts';
import { openStore, type Store } from '../../app/db/store.ts';

const PROGRAM = { version: '0.0.0-test', nowMs: 1_000 };

/** A real, migrated database in `folder`, closed after the test. */
export function openTestStore(
  context: Pick<TestContext, 'after'>,
  folder: string,
): { readonly store: Store; readonly path: string } {
  const path = join(folder, 'data/test.db');
  const opened = openStore(path, PROGRAM);
  assert.ok(opened.ok, JSON.stringify(opened));
  context.after(() => opened.value.close());
  return { store: opened.value, path };
}

/** A task that a webhook made, as `over` changes it. */
export function newTask(over: Partial<NewTask> = {}): NewTask {
  return {
    id: 'tsk_1',
    kind: 'github-webhook',
    unit: 'web.service',
    image: 'ghcr.io/o/web:main',
    created_at: 1_000,
    summary: 'A test asked for it.',
    trigger_source: 'webhook',
    trigger_request_id: null,
    trigger_path: null,
    trigger_caller: null,
    webhook_digest: null,
    ...over,
  };
}
