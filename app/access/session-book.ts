import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { AccessSessionRow } from '../db/access-sessions.ts';
import type { Store } from '../db/store.ts';
import type { Access } from '../domain/access.ts';
import { newIdentifier } from '../intake/new-identifier.ts';
import type { Identity } from './identity.ts';
import { digestSession, newSessionSecret } from './secrets.ts';
import { createUseNotes, type UseNotes } from './use-notes.ts';

/** The token that a session was begun with, while it is good. */
export type SessionToken = {
  readonly name: string;
  readonly access: Access;
  readonly endsAt: number | null;
};

/** How long sessions last, in milliseconds. */
export type SessionTimes = {
  /** After so long without a request it is over. */
  readonly idleMs: number;
  /** And after so long in any case. */
  readonly maxMs: number;
};

type Parts = {
  readonly store: Pick<Store, 'accessSessions'>;
  readonly times: SessionTimes;
  /** See `digestSession`. */
  readonly key: string;
  readonly findToken: (token: string) => SessionToken | undefined;
  readonly onError: (error: unknown) => void;
};

/** Whoever has seen a cookie once has no use for it a quarter of an hour later. */
const ROTATED_AFTER_MS = 15 * 60_000;
/** What was on its way with the former cookie still arrives. */
const FORMER_GOOD_MS = 10_000;
const MAX_FORMER = 2_000;

/** People who have signed in, in memory. One who signs in while there is no database is known until this process ends. */
export class SessionBook {
  readonly #parts: Parts;
  readonly #uses: UseNotes;
  #byId = new Map<string, AccessSessionRow>();
  #byDigest = new Map<string, AccessSessionRow>();
  /** Those that were left while that could not be written. */
  readonly #left = new Set<string>();
  /** Those that could not be stored. */
  readonly #unstored = new Map<string, AccessSessionRow>();
  readonly #former = new Map<string, { readonly id: string; readonly until: number }>();

  constructor(parts: Parts) {
    const { store, onError } = parts;
    this.#parts = parts;
    this.#uses = createUseNotes((uses) => store.accessSessions.noteSeen(uses), onError);
  }

  /** Reads them again. @throws what the database throws; then those that were known stay. */
  reload(): void {
    this.#forgetLeft();
    this.#index(this.#parts.store.accessSessions.list());
  }

  /** Who has this in the cookie: SESSION_ENDED where nobody has any more, or never had. */
  find(secret: string): Outcome<Identity> {
    const { key } = this.#parts;
    const now = Date.now();
    const digest = digestSession(secret, key);
    const former = this.#former.get(digest);
    const row = this.#byDigest.get(digest) ?? (former && this.#findFormer(former, now));
    const token = row && this.#findToken(row, now);
    if (!row || !token) return fail('SESSION_ENDED', '');
    this.#uses.note({ id: row.id, at: now, from: null }, row.seen_at);
    const { name, access } = token;
    return succeed({
      ...{ name: `session:${name}`, by: 'session', access, isAmbient: true, id: row.id },
      endsAt: Math.min(row.created_at + this.#parts.times.maxMs, token.endsAt ?? Infinity),
      isGood: () => {
        const current = this.#byId.get(row.id);
        return current !== undefined && this.#findToken(current, Date.now()) !== undefined;
      },
    });
  }

  /** Begins a session of whoever holds this token; what the cookie is to hold. */
  begin(token: string): string {
    const { store, times, key, onError } = this.#parts;
    const now = Date.now();
    const secret = newSessionSecret();
    const row: AccessSessionRow = {
      ...{ id: newIdentifier('ses'), digest: digestSession(secret, key), token },
      ...{ created_at: now, rotated_at: now, seen_at: now },
    };
    try {
      store.accessSessions.add(row, now - times.idleMs);
      this.reload();
    } catch (error) {
      onError(error);
      this.#unstored.set(row.id, row);
      this.#index([...this.#byId.values()]);
    }
    return secret;
  }

  /** What the cookie is to hold from now on, where the time has come for that and it holds the present one. */
  rotate(id: string, secret: string): string | undefined {
    const { store, key, onError } = this.#parts;
    const now = Date.now();
    const digest = digestSession(secret, key);
    const row = this.#byDigest.get(digest);
    if (row?.id !== id || now - row.rotated_at < ROTATED_AFTER_MS) return undefined;
    if (this.#unstored.has(id)) return undefined;
    const next = newSessionSecret();
    try {
      store.accessSessions.rotate(id, digestSession(next, key), now);
      this.reload();
    } catch (error) {
      // It goes on as it is.
      onError(error);
      return undefined;
    }
    if (this.#former.size >= MAX_FORMER) this.#former.clear();
    this.#former.set(digest, { id, until: now + FORMER_GOOD_MS });
    return next;
  }

  /** Ends a session. */
  end(id: string): void {
    const { store, onError } = this.#parts;
    this.#unstored.delete(id);
    try {
      store.accessSessions.remove(id);
      this.reload();
    } catch (error) {
      onError(error);
      this.#left.add(id);
      this.#index([...this.#byId.values()]);
    }
  }

  close(): void {
    this.#uses.close();
  }

  /** What is left must not come back with the database. */
  #forgetLeft(): void {
    try {
      for (const id of this.#left) {
        this.#parts.store.accessSessions.remove(id);
        this.#left.delete(id);
      }
    } catch {
      // It is left all the same, and is tried again the next time.
    }
  }

  #index(rows: readonly AccessSessionRow[]): void {
    const all = [...rows, ...this.#unstored.values()].filter(({ id }) => !this.#left.has(id));
    this.#byId = new Map(all.map((row) => [row.id, row]));
    this.#byDigest = new Map(all.map((row) => [row.digest, row]));
  }

  #findFormer(
    { id, until }: { readonly id: string; readonly until: number },
    now: number,
  ): AccessSessionRow | undefined {
    return now < until ? this.#byId.get(id) : undefined;
  }

  #findToken(row: AccessSessionRow, now: number): SessionToken | undefined {
    const { times, findToken } = this.#parts;
    const seen = Math.max(row.seen_at, this.#uses.lastOf(row.id)?.at ?? 0);
    if (now - seen >= times.idleMs || now - row.created_at >= times.maxMs) return undefined;
    return findToken(row.token);
  }
}
