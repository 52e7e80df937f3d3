import type { StoredHook } from '../domain/stored-hook.ts';
import type { Database } from './open-database.ts';
import type { RevocationTable } from './revocations.ts';

/** Who did what last with a hook. Times are milliseconds since the epoch. */
export type HookHistory = {
  readonly createdAt: number;
  readonly createdBy: string;
  readonly updatedAt: number;
  readonly updatedBy: string;
  /** When the last delivery was let in, and what became of it. */
  readonly lastUsedAt: number | null;
  readonly lastVerdict: string | null;
  readonly lastReason: string | null;
};

/** A secret as it is kept: by its SHA-256, or sealed with the key of that id. */
export type KeptSecret = {
  readonly id: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly lastUsedAt: number | null;
} & (
  | { readonly digest: Buffer; readonly sealed: null; readonly keyId: null }
  | { readonly digest: null; readonly sealed: Buffer; readonly keyId: string }
);

/** A hook with its secrets, the newest first. */
export type HookRecord = StoredHook & HookHistory & { readonly secrets: readonly KeptSecret[] };

/** What of a hook can be changed. */
export type HookChange = Omit<StoredHook, 'name' | 'source' | 'scheme'>;

/** What is written down of the use of a hook, with the delivery. */
export type HookUse = {
  readonly hook: string;
  readonly secret: string;
  readonly at: number;
  readonly verdict: string;
  readonly reason: string | null;
};

/** Who does something to a hook, and when. */
type Doing = { readonly at: number; readonly by: string };

/** The tables of hooks and of their secrets. What takes something from whoever may call a hook is so that it stays so, @throws REVOCATION_NOT_KEPT. */
export type StoredHookTable = {
  /** All of them, by name. */
  list(): HookRecord[];
  find(name: string): HookRecord | undefined;
  count(): number;
  insert(hook: StoredHook, by: Doing): void;
  update(name: string, change: HookChange, by: Doing): void;
  /** With its secrets; false where there was none. Its deliveries stay. */
  remove(name: string, by: Doing): boolean;
  addSecret(hook: string, secret: KeptSecret): void;
  removeSecret(id: string, by: Doing): void;
  /** Nothing where the hook is gone. */
  noteUse(use: HookUse): void;
};

type Row = {
  readonly name: string;
  readonly source: string;
  readonly scheme: string;
  readonly action: string;
  readonly images: string;
  readonly units: string;
  readonly networks: string;
  readonly registry: string | null;
  readonly image: string | null;
  readonly expires_at: number | null;
  readonly disabled_at: number | null;
  readonly created_at: number;
  readonly created_by: string;
  readonly updated_at: number;
  readonly updated_by: string;
  readonly last_used_at: number | null;
  readonly last_verdict: string | null;
  readonly last_reason: string | null;
};

type SecretRow = {
  readonly id: string;
  readonly hook: string;
  readonly digest: Buffer | null;
  readonly sealed: Buffer | null;
  readonly key_id: string | null;
  readonly created_at: number;
  readonly created_by: string;
  readonly last_used_at: number | null;
};

/** Prepares the statements of both. */
export function openStoredHookTable(
  database: Database,
  revocations: Pick<RevocationTable, 'note' | 'noteEnabled'>,
): StoredHookTable {
  const list = database.prepare<[], Row>('SELECT * FROM stored_hooks ORDER BY name');
  const find = database.prepare<[string], Row>('SELECT * FROM stored_hooks WHERE name = ?');
  const count = database.prepare<[], number>('SELECT count(*) FROM stored_hooks').pluck();
  const allSecrets = database.prepare<[], SecretRow>(
    'SELECT * FROM hook_secrets ORDER BY created_at DESC, id DESC',
  );
  const secretsOf = database.prepare<[string], SecretRow>(
    'SELECT * FROM hook_secrets WHERE hook = ? ORDER BY created_at DESC, id DESC',
  );
  const insert = database.prepare(
    `INSERT INTO stored_hooks (name, source, scheme, action, images, units, networks, registry, image, expires_at,
       disabled_at, created_at, created_by, updated_at, updated_by)
     VALUES (@name, @source, @scheme, @action, @images, @units, @networks, @registry, @image, @expires_at,
       @disabled_at, @at, @by, @at, @by)`,
  );
  const update = database.prepare(
    `UPDATE stored_hooks SET action = @action, images = @images, units = @units, networks = @networks,
       registry = @registry, image = @image, expires_at = @expires_at, disabled_at = @disabled_at,
       updated_at = @at, updated_by = @by WHERE name = @name`,
  );
  const remove = database.prepare('DELETE FROM stored_hooks WHERE name = ?');
  const addSecret = database.prepare(
    `INSERT INTO hook_secrets (id, hook, digest, sealed, key_id, created_at, created_by)
     VALUES (@id, @hook, @digest, @sealed, @keyId, @createdAt, @createdBy)`,
  );
  const removeSecret = database.prepare('DELETE FROM hook_secrets WHERE id = ?');
  // Deliveries may be taken over in another order than they came in.
  const noteHook = database.prepare(
    `UPDATE stored_hooks SET last_used_at = @at, last_verdict = @verdict, last_reason = @reason
     WHERE name = @hook AND coalesce(last_used_at, 0) <= @at`,
  );
  const noteSecret = database.prepare(
    'UPDATE hook_secrets SET last_used_at = max(coalesce(last_used_at, 0), @at) WHERE id = @secret',
  );
  return {
    list() {
      const secrets = Map.groupBy(allSecrets.all(), ({ hook }) => hook);
      return list.all().map((row) => toRecord(row, secrets.get(row.name) ?? []));
    },
    find(name) {
      const row = find.get(name);
      return row && toRecord(row, secretsOf.all(name));
    },
    count: () => count.get() ?? 0,
    insert: (hook, by) => void insert.run({ ...toColumns(hook), ...by, ...pickFixed(hook) }),
    update(name, change, by) {
      const made = find.get(name)?.created_at;
      if (made === undefined) return;
      update.run({ ...toColumns(change), ...by, name });
      const { disabledAt: at } = change;
      if (at === null) revocations.noteEnabled({ name, made });
      else revocations.note({ kind: 'disabled', name, made, at, by: by.by });
    },
    remove(name, by) {
      const made = find.get(name)?.created_at;
      if (made === undefined) return false;
      remove.run(name);
      revocations.note({ kind: 'hook', name, made, ...by });
      return true;
    },
    addSecret: (hook, { lastUsedAt: _, ...secret }) => void addSecret.run({ ...secret, hook }),
    removeSecret(id, by) {
      if (removeSecret.run(id).changes === 0) return;
      revocations.note({ kind: 'secret', name: id, made: 0, ...by });
    },
    noteUse(use) {
      noteHook.run(use);
      noteSecret.run(use);
    },
  };
}

function pickFixed({ name, source, scheme }: StoredHook) {
  return { name, source, scheme };
}

function toColumns(hook: HookChange) {
  return {
    action: hook.action,
    images: JSON.stringify(hook.images),
    units: JSON.stringify(hook.units),
    networks: JSON.stringify(hook.networks),
    registry: hook.registry,
    image: hook.image,
    expires_at: hook.expiresAt,
    disabled_at: hook.disabledAt,
  };
}

function toRecord(row: Row, secrets: readonly SecretRow[]): HookRecord {
  return {
    name: row.name,
    // What is stored was checked when it came in; a later version may know more kinds.
    source: row.source as StoredHook['source'],
    scheme: row.scheme as StoredHook['scheme'],
    action: row.action as StoredHook['action'],
    images: JSON.parse(row.images) as string[],
    units: JSON.parse(row.units) as string[],
    networks: JSON.parse(row.networks) as string[],
    registry: row.registry,
    image: row.image,
    expiresAt: row.expires_at,
    disabledAt: row.disabled_at,
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
    updatedBy: row.updated_by,
    lastUsedAt: row.last_used_at,
    lastVerdict: row.last_verdict,
    lastReason: row.last_reason,
    secrets: secrets.map(toSecret),
  };
}

function toSecret(row: SecretRow): KeptSecret {
  const { id, digest, sealed, key_id: keyId } = row;
  const facts = {
    id,
    createdAt: row.created_at,
    createdBy: row.created_by,
    lastUsedAt: row.last_used_at,
  };
  // The table holds exactly one of both.
  return digest !== null
    ? { ...facts, digest, sealed: null, keyId: null }
    : { ...facts, digest: null, sealed: sealed as Buffer, keyId: keyId as string };
}
