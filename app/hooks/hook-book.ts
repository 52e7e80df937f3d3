import type { HookRecord } from '../db/stored-hooks.ts';
import type { Source } from '../domain/sources/source.ts';
import { SOURCES } from '../domain/sources/sources.ts';
import type { StoredHook } from '../domain/stored-hook.ts';
import type { HookKey } from './hook-key.ts';
import { type LiveSecret, openSecret } from './hook-secrets.ts';
import { openSourceNetworks, type SourceNetworks } from './source-networks.ts';

/** A hook as deliveries are held against it: in memory, so that none waits for the database. */
export type OpenHook = StoredHook & {
  readonly sender: Source;
  readonly isFrom: SourceNetworks;
  /** Those that this host can open. */
  readonly secrets: readonly LiveSecret[];
  /** It has secrets, and this host can open none of them. */
  readonly isLocked: boolean;
};

/** What of a hook is needed to take deliveries. */
export type BookEntry = StoredHook & {
  readonly secrets: readonly Pick<
    HookRecord['secrets'][number],
    'id' | 'digest' | 'sealed' | 'keyId'
  >[];
};

/** The hooks of this host by name. */
export class HookBook {
  #hooks: ReadonlyMap<string, OpenHook> = new Map();

  /** From now on these, and no others. */
  load(entries: readonly BookEntry[], key: HookKey | undefined): void {
    const hooks = entries.map((entry) => openHook(entry, key));
    this.#hooks = new Map(hooks.flatMap((hook) => (hook ? [[hook.name, hook] as const] : [])));
  }

  find(name: string): OpenHook | undefined {
    return this.#hooks.get(name);
  }

  /** Those that let nobody in because this host cannot open any of their secrets. */
  listLocked(): readonly string[] {
    return [...this.#hooks.values()].filter(({ isLocked }) => isLocked).map(({ name }) => name);
  }
}

function openHook(entry: BookEntry, key: HookKey | undefined): OpenHook | undefined {
  // A later version may have known more kinds: such a hook is none here.
  const sender: Source | undefined = SOURCES[entry.source];
  if (!sender?.schemes.includes(entry.scheme)) return undefined;
  const secrets = entry.secrets.flatMap((secret) => openSecret(entry, secret, key) ?? []);
  const isLocked = secrets.length === 0 && entry.secrets.length > 0;
  const isFrom = openSourceNetworks(entry.networks);
  return { ...entry, sender, isFrom, secrets, isLocked };
}
