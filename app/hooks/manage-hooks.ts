import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { CreateHook, UpdateHook } from '../api/hook-requests.ts';
import type { HookWithSecretView, StoredHookView } from '../api/hook-views.ts';
import type { Store } from '../db/store.ts';
import type { HookRecord, KeptSecret } from '../db/stored-hooks.ts';
import { isSigning, MAX_SECRETS, type StoredHook } from '../domain/stored-hook.ts';
import { toChanged, toHook } from './describe-hook.ts';
import type { BookEntry, HookBook } from './hook-book.ts';
import { type HookKeySource, obtainHookKey, readHookKey } from './hook-key.ts';
import { keepSecret, makeSecret, makeSecretId } from './hook-secrets.ts';
import { viewHook, viewNewSecret } from './view-hook.ts';

/** What managing hooks works with. */
export type HookAdminParts = {
  readonly store: Pick<Store, 'storedHooks' | 'hooks' | 'transact'>;
  readonly book: HookBook;
  readonly key: HookKeySource;
  /** Writes down what the standby goes by; throws where it cannot. */
  readonly keep: (hooks: readonly BookEntry[]) => void;
  /** What was written down last; undefined where it cannot be read. */
  readonly readKept: () => readonly BookEntry[] | undefined;
  /** PODUP_PUBLIC_BASE_URL. */
  readonly baseUrl: string | undefined;
};

const MAX_HOOKS = 500;

type Change = (hook: HookRecord) => Outcome<void>;
type Made = { readonly text: string; readonly kept: KeptSecret };

/**
 * Manages the hooks; `by` is who does it. A change is in the file of the standby before it is in the database, for its transaction
 * ends after that: what was disabled or removed is so for both, whatever happens in between, and a new secret was shown to nobody
 * yet. It counts from the moment on in which it is answered.
 */
export class HookAdmin {
  readonly #parts: HookAdminParts;
  #isLoaded = false;

  constructor(parts: HookAdminParts) {
    this.#parts = parts;
  }

  get #table() {
    return this.#parts.store.storedHooks;
  }

  list(): readonly StoredHookView[] {
    if (this.#parts.book.listLocked().length > 0) this.load();
    const hooks = this.#table.list();
    const refusals = this.#parts.store.hooks.lastRefused(hooks.map(({ name }) => name));
    return hooks.map((hook) => this.#view(hook, refusals));
  }

  /** Those whose secrets this host cannot open, since when they are as they are; the key may be back meanwhile. */
  listLocked(): readonly { readonly name: string; readonly at: number }[] {
    const { book } = this.#parts;
    if (book.listLocked().length === 0) return [];
    this.load();
    const locked = new Set(book.listLocked());
    return this.#table
      .list()
      .filter((hook) => locked.has(hook.name) && hook.disabledAt === null)
      .map(({ name, updatedAt }) => ({ name, at: updatedAt }));
  }

  find(name: string): Outcome<StoredHookView> {
    const hook = this.#table.find(name);
    return hook ? succeed(this.#view(hook)) : unknown(name);
  }

  create(wish: CreateHook, by: string): Outcome<HookWithSecretView> {
    const hook = toHook(wish);
    if (!hook.ok) return hook;
    const made = this.#makeSecret(hook.value, by);
    if (!made.ok) return made;
    const { name } = hook.value;
    const { kept } = made.value;
    const changed = this.#change(() => {
      if (this.#table.find(name)) return fail('HOOK_EXISTS', `${name}.`);
      if (this.#table.count() >= MAX_HOOKS)
        return fail('HOOK_LIMIT_REACHED', `There are ${MAX_HOOKS}.`);
      this.#table.insert(hook.value, { at: kept.createdAt, by });
      this.#table.addSecret(name, kept);
      return succeed(undefined);
    });
    return changed.ok ? this.#withSecret(name, made.value) : changed;
  }

  update(name: string, wish: UpdateHook, by: string): Outcome<StoredHookView> {
    return this.#changeOne(name, (hook) => {
      const wanted = toChanged(hook, wish);
      if (!wanted.ok) return wanted;
      this.#table.update(name, wanted.value, { at: Date.now(), by });
      return succeed(undefined);
    });
  }

  setDisabled(name: string, isDisabled: boolean, by: string): Outcome<StoredHookView> {
    return this.#changeOne(name, (hook) => {
      const at = Date.now();
      // Since when it is, if it is already.
      const disabledAt = isDisabled ? (hook.disabledAt ?? at) : null;
      this.#table.update(name, { ...hook, disabledAt }, { at, by });
      return succeed(undefined);
    });
  }

  /** A new secret; of those before it the newest opens the hook as well where `keepsPrevious`. */
  rotate(name: string, keepsPrevious: boolean, by: string): Outcome<HookWithSecretView> {
    const known = this.#table.find(name);
    if (!known) return unknown(name);
    const made = this.#makeSecret(known, by);
    if (!made.ok) return made;
    const { kept } = made.value;
    const changed = this.#changeOne(name, (hook) => {
      const gone = hook.secrets.slice(keepsPrevious ? MAX_SECRETS - 1 : 0);
      const doing = { at: kept.createdAt, by };
      for (const { id } of gone) this.#table.removeSecret(id, doing);
      this.#table.addSecret(name, kept);
      this.#table.update(name, hook, doing);
      return succeed(undefined);
    });
    return changed.ok ? this.#withSecret(name, made.value) : changed;
  }

  removeSecret(name: string, id: string, by: string): Outcome<StoredHookView> {
    return this.#changeOne(name, (hook) => {
      if (!hook.secrets.some((secret) => secret.id === id)) {
        return fail('HOOK_SECRET_NOT_FOUND', `${id.slice(0, 100)} of ${name}.`);
      }
      const doing = { at: Date.now(), by };
      this.#table.removeSecret(id, doing);
      this.#table.update(name, hook, doing);
      return succeed(undefined);
    });
  }

  /** Its deliveries stay. */
  remove(name: string, by: string): Outcome<void> {
    return this.#change(() =>
      this.#table.remove(name, { at: Date.now(), by }) ? succeed(undefined) : unknown(name),
    );
  }

  /** Reads the hooks, to be able to say which of their secrets open. */
  load(): void {
    this.#load(this.#table.list());
  }

  /**
   * Reads the hooks anew, as after the database was opened; what is known stays while it cannot be read, and where nothing is known
   * yet the standby knows them.
   */
  reload(): void {
    try {
      const hooks = this.#table.list();
      this.#load(hooks);
      this.#parts.keep(hooks);
    } catch {
      // Health says what is wrong with the database or the disk; who is known is let in without it.
      if (!this.#isLoaded) this.#load(this.#parts.readKept() ?? []);
    }
  }

  #load(hooks: readonly BookEntry[]): void {
    this.#isLoaded = true;
    const key = readHookKey(this.#parts.key);
    this.#parts.book.load(hooks, key.ok ? key.value : undefined);
  }

  #change(act: () => Outcome<void>): Outcome<void> {
    try {
      const changed = this.#parts.store.transact((): Outcome<readonly HookRecord[]> => {
        const acted = act();
        if (!acted.ok) return acted;
        const all = this.#table.list();
        this.#parts.keep(all);
        return succeed(all);
      });
      if (!changed.ok) return changed;
      this.#load(changed.value);
      return succeed(undefined);
    } catch (error) {
      const { code, syscall } = error as NodeJS.ErrnoException;
      // What ails the database is told by whoever asked.
      if (syscall === undefined) throw error;
      return fail('HOOK_NOT_KEPT', `The system said ${code}.`);
    }
  }

  #changeOne(name: string, act: Change): Outcome<StoredHookView> {
    const changed = this.#change(() => {
      const hook = this.#table.find(name);
      return hook ? act(hook) : unknown(name);
    });
    return changed.ok ? this.find(name) : changed;
  }

  #makeSecret(hook: StoredHook, by: string): Outcome<Made> {
    const text = makeSecret(hook.scheme);
    const making = { id: makeSecretId(), createdAt: Date.now(), createdBy: by };
    if (!isSigning(hook.scheme)) {
      return succeed({ text, kept: keepSecret(hook.name, text, making) });
    }
    const key = obtainHookKey(this.#parts.key);
    return key.ok ? succeed({ text, kept: keepSecret(hook.name, text, making, key.value) }) : key;
  }

  #withSecret(name: string, { text, kept }: Made): Outcome<HookWithSecretView> {
    const hook = this.#table.find(name);
    if (!hook) return unknown(name);
    const secret = viewNewSecret(hook, kept.id, text, this.#parts.baseUrl);
    return succeed({ hook: this.#view(hook), secret });
  }

  #view(hook: HookRecord, refusals = this.#parts.store.hooks.lastRefused([hook.name])) {
    const { book, baseUrl } = this.#parts;
    const opens = book.find(hook.name)?.secrets ?? [];
    return viewHook(hook, { opens, baseUrl, nowMs: Date.now(), refusal: refusals.get(hook.name) });
  }
}

function unknown(name: string) {
  return fail('HOOK_NOT_FOUND', `${name.slice(0, 100)}.`);
}
