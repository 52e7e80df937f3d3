import type { Loaded } from '../shared/config/load-settings.ts';
import { makeDirectoryDurably } from '../shared/fs/durable-file.ts';
import type { Store } from './db/store.ts';
import { HookBook } from './hooks/hook-book.ts';
import { keepHooks, readKeptHooks } from './hooks/keep-hooks.ts';
import { HookAdmin } from './hooks/manage-hooks.ts';

/** Joins the hooks to the store, to their key, and to what the standby goes by. */
export function joinHooks(
  { settings, paths }: Pick<Loaded, 'settings' | 'paths'>,
  store: Store,
): { readonly book: HookBook; readonly hooks: HookAdmin } {
  const book = new HookBook();
  const hooks = new HookAdmin({
    ...{ store, book, baseUrl: settings.publicBaseUrl },
    key: { given: settings.hookKey, path: paths.hookKey },
    keep(entries) {
      makeDirectoryDurably(paths.dataDir);
      keepHooks(paths.standbyHooks, entries);
    },
    readKept: () => readKeptHooks(paths.standbyHooks),
  });
  return { book, hooks };
}
