import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { parseJson } from '../../shared/contract/read-shape.ts';
import type { AccessTokenRow } from '../db/access-tokens.ts';
import type { Store } from '../db/store.ts';
import { type Access, toAccess } from '../domain/access.ts';
import { newIdentifier } from '../intake/new-identifier.ts';
import type { Identity } from './identity.ts';
import { digestToken, newToken } from './secrets.ts';
import { createUseNotes, type UseNotes } from './use-notes.ts';

/** What a token is to be. */
export type NewToken = {
  readonly name: string;
  /** In the form of `readScopes`. */
  readonly scopes: readonly string[];
  /** Milliseconds; null: never. */
  readonly expiresAt: number | null;
  readonly by: string;
};

/** A token with its last use. */
export type KnownToken = AccessTokenRow & { readonly access: Access };

/** Nobody can look after more than these. */
const MAX_LIVE = 200;

type Parts = {
  readonly store: Pick<Store, 'accessTokens' | 'accessSessions' | 'transact'>;
  readonly onError: (error: unknown) => void;
};

/** The tokens of the API, in memory: no request waits for the database, nor depends on it. */
export class TokenBook {
  readonly #store: Parts['store'];
  readonly #uses: UseNotes;
  #byId = new Map<string, KnownToken>();
  #byDigest = new Map<string, KnownToken>();

  constructor({ store, onError }: Parts) {
    this.#store = store;
    this.#uses = createUseNotes((uses) => store.accessTokens.noteUses(uses), onError);
  }

  /** Reads them again. @throws what the database throws; then those that were known stay. */
  reload(): void {
    const rows = this.#store.accessTokens.list();
    const tokens = rows.map((row) => ({ ...row, access: toAccess(readList(row.scopes)) }));
    this.#byId = new Map(tokens.map((token) => [token.id, token]));
    this.#byDigest = new Map(tokens.map((token) => [token.digest, token]));
  }

  get isEmpty(): boolean {
    return this.#byId.size === 0;
  }

  /** All of them, the newest first, each with its last use. */
  list(): KnownToken[] {
    return [...this.#byId.values()].map((token) => {
      const use = this.#uses.lastOf(token.id);
      return use ? { ...token, used_at: use.at, used_from: use.from } : token;
    });
  }

  /** Undefined where the token is none of ours. TOKEN_REVOKED and TOKEN_EXPIRED are for its holder alone, who has it whole. */
  find(given: string, address: string | null): Outcome<Identity> | undefined {
    const token = this.#byDigest.get(digestToken(given));
    if (!token) return undefined;
    const now = Date.now();
    const state = stateOf(token, now);
    const { name } = token;
    if (state === 'revoked') return fail('TOKEN_REVOKED', `${name}, at ${iso(token.revoked_at)}.`);
    if (state === 'expired') return fail('TOKEN_EXPIRED', `${name}, at ${iso(token.expires_at)}.`);
    this.#uses.note({ id: token.id, at: now, from: address }, token.used_at ?? 0);
    return succeed({
      ...{ name: `token:${name}`, by: 'token', access: token.access, isAmbient: false },
      ...{ endsAt: token.expires_at, id: token.id },
      isGood: () => this.findGood(token.id) !== undefined,
    });
  }

  /** The token of an id while it is good. */
  findGood(id: string): KnownToken | undefined {
    const token = this.#byId.get(id);
    return token && stateOf(token, Date.now()) === 'valid' ? token : undefined;
  }

  /** Makes a token, which is told this once. TOKEN_NAME_TAKEN by one that is still good, TOO_MANY_TOKENS. */
  create({ name, scopes, expiresAt, by }: NewToken): Outcome<{ token: string; row: KnownToken }> {
    const { accessTokens, transact } = this.#store;
    const now = Date.now();
    const token = newToken();
    const made = transact((): Outcome<string> => {
      const live = accessTokens.list().filter(({ revoked_at }) => revoked_at === null);
      const former = live.find((one) => one.name === name);
      if (former && stateOf(former, now) === 'valid') return fail('TOKEN_NAME_TAKEN', `${name}.`);
      if (!former && live.length >= MAX_LIVE) return fail('TOO_MANY_TOKENS', `${live.length}.`);
      if (former) accessTokens.revoke(former.id, by, now);
      const id = newIdentifier('tok');
      accessTokens.add({
        ...{ id, name, digest: digestToken(token), scopes: JSON.stringify(scopes) },
        ...{ created_at: now, created_by: by, expires_at: expiresAt },
      });
      return succeed(id);
    });
    if (!made.ok) return made;
    this.reload();
    const row = this.#byId.get(made.value);
    return row ? succeed({ token, row }) : fail('TOKEN_NOT_FOUND', name);
  }

  /** Ends a token and the sessions that were begun with it: TOKEN_NOT_FOUND where none of that name is left. */
  revoke(name: string, by: string): Outcome<KnownToken> {
    const { accessTokens, accessSessions, transact } = this.#store;
    const id = transact(() => {
      const found = accessTokens.findLive(name);
      if (!found) return undefined;
      accessTokens.revoke(found.id, by, Date.now());
      accessSessions.removeOf(found.id);
      return found.id;
    });
    this.reload();
    const row = id === undefined ? undefined : this.#byId.get(id);
    return row ? succeed(row) : fail('TOKEN_NOT_FOUND', `${name.slice(0, 100)}.`);
  }

  close(): void {
    this.#uses.close();
  }
}

/** What is stored may be anything, and must not keep the other tokens from being read; what is no list allows nothing. */
function readList(text: string): readonly string[] {
  const value = parseJson(text);
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

/** What has become of a token by now. */
export function stateOf(
  { revoked_at, expires_at }: Pick<AccessTokenRow, 'revoked_at' | 'expires_at'>,
  nowMs: number,
): 'valid' | 'expired' | 'revoked' {
  if (revoked_at !== null) return 'revoked';
  return expires_at !== null && expires_at <= nowMs ? 'expired' : 'valid';
}

function iso(ms: number | null): string {
  return new Date(ms ?? 0).toISOString();
}
