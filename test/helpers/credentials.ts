import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createHookBody } from '../../app/api/hook-requests.ts';
import { openStore, type Store } from '../../app/db/store.ts';
import { openAccess } from '../../app/join-access.ts';
import { joinHooks } from '../../app/join-hooks.ts';
import { loadSettings } from '../../shared/config/load-settings.ts';
import { keepLog } from '../app/http/http-fixture.ts';

const TOKEN = 'admin-token-of-the-tests';

/** A state directory whose credentials are managed as the worker does it. */
export function credentialState(stateDir: string) {
  const result = loadSettings({ PODUP_STATE_DIR: stateDir, PODUP_TOKEN: TOKEN });
  assert.ok(result.ok);
  const { loaded } = result;
  const { paths } = loaded;
  mkdirSync(paths.dataDir, { recursive: true });
  /** Opens the database as a worker does, and lets it go. */
  const use = <T>(act: (open: ReturnType<typeof joinAll>) => T): T => {
    const opened = openStore(paths.database, { version: '1.0.0', nowMs: 1 });
    assert.ok(opened.ok, JSON.stringify(opened));
    try {
      return act(joinAll(opened.value));
    } finally {
      opened.value.close();
    }
  };
  const joinAll = (store: Store) => {
    const { book } = openAccess(loaded.settings, store, keepLog().log);
    const { hooks, book: hookBook } = joinHooks(loaded, store);
    hooks.reload();
    return {
      ...{ store, book, hooks, hookBook },
      makeToken(name: string): string {
        const made = book.tokens.create({ name, scopes: ['admin'], expiresAt: null, by: 'admin' });
        assert.ok(made.ok, JSON.stringify(made));
        return made.value.token;
      },
      /** `good`, or the code of why not; undefined where nobody knows it. */
      token(secret: string): string | undefined {
        const found = book.findToken(secret, null);
        return found && (found.ok ? 'good' : found.failure.code);
      },
      session(cookie: string): string {
        const found = book.findSession(cookie);
        return found.ok ? 'good' : found.failure.code;
      },
      makeHook(name: string): string {
        const made = hooks.create(createHookBody.parse({ name, source: 'generic' }), 'admin');
        assert.ok(made.ok, JSON.stringify(made));
        return made.value.secret.id;
      },
      /** The ids of the secrets that open it; undefined where there is none. */
      opens: (name: string) => hookBook.find(name)?.secrets.map(({ id }) => id),
      isDisabled: (name: string) => hookBook.find(name)?.disabledAt !== null,
    };
  };
  return { paths, use };
}
