import { statSync } from 'node:fs';
import { HookBook, type OpenHook } from '../hooks/hook-book.ts';
import { type HookKeySource, readHookKey } from '../hooks/hook-key.ts';
import { readKeptHooks } from '../hooks/keep-hooks.ts';

/**
 * The hooks as the worker has written them down. A command may change them while no worker runs, so that each delivery looks whether
 * the file is another one: one question to the kernel.
 */
export class StandbyHooks {
  readonly #path: string;
  readonly #key: HookKeySource;
  readonly #book = new HookBook();
  #seen = '';

  constructor(path: string, key: HookKeySource) {
    this.#path = path;
    this.#key = key;
  }

  find(name: string): OpenHook | undefined {
    const version = versionOf(this.#path);
    if (version !== this.#seen) this.#load(version);
    return this.#book.find(name);
  }

  #load(version: string): void {
    const key = readHookKey(this.#key);
    this.#book.load(readKeptHooks(this.#path), key.ok ? key.value : undefined);
    this.#seen = version;
  }
}

/** Each time it is written it is another file; none is a version, too. */
function versionOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat ? `${stat.ino} ${stat.mtimeNs} ${stat.size}` : 'none';
}
