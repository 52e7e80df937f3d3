import { statSync } from 'node:fs';
import { HookBook, type OpenHook } from '../hooks/hook-book.ts';
import { type HookKey, type HookKeySource, readHookKey } from '../hooks/hook-key.ts';
import { readKeptHooks } from '../hooks/keep-hooks.ts';

/** What could not be read or opened may be the next time. */
const LOOK_AGAIN_MS = 1_000;

/**
 * The hooks as the worker has written them down. A command may change them while no worker runs, so that each delivery looks whether
 * the file is another one: one question to the kernel. What is known stays while it cannot be read, and is read again a while later,
 * as it is where a secret cannot be opened: the key may be back.
 */
export class StandbyHooks {
  readonly #path: string;
  readonly #key: HookKeySource;
  readonly #lookAgainMs: number;
  readonly #book = new HookBook();
  #openedWith: HookKey | undefined;
  #seen = '';
  /** When it is read again, by the steady clock, although it is the same. */
  #againAt = Number.POSITIVE_INFINITY;

  constructor(path: string, key: HookKeySource, lookAgainMs = LOOK_AGAIN_MS) {
    this.#path = path;
    this.#key = key;
    this.#lookAgainMs = lookAgainMs;
  }

  find(name: string): OpenHook | undefined {
    const version = versionOf(this.#path);
    if (version !== this.#seen || performance.now() >= this.#againAt) this.#load(version);
    return this.#book.find(name);
  }

  #load(version: string): void {
    const hooks = readKeptHooks(this.#path);
    const key = readHookKey(this.#key);
    if (key.ok) this.#openedWith = key.value;
    if (hooks) this.#book.load(hooks, this.#openedWith);
    this.#seen = version;
    const isWhole = hooks !== undefined && this.#book.listLocked().length === 0;
    this.#againAt = isWhole ? Number.POSITIVE_INFINITY : performance.now() + this.#lookAgainMs;
  }
}

/** Each time it is written it is another file; none is a version, too. */
function versionOf(path: string): string {
  try {
    const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
    return stat ? `${stat.ino} ${stat.mtimeNs} ${stat.size}` : 'none';
  } catch {
    return 'unreadable';
  }
}
