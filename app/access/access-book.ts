import type { Logger } from 'pino';
import type { Outcome } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import type { Access } from '../domain/access.ts';
import type { Identity } from './identity.ts';
import { SessionBook, type SessionTimes } from './session-book.ts';
import { TokenBook } from './token-book.ts';

/** A token of the settings, as its variable is called. */
export type FixedToken = {
  readonly name: string;
  readonly secret: string;
  readonly access: Access;
};

type Parts = {
  readonly store: Pick<Store, 'accessTokens' | 'accessSessions' | 'transact'>;
  readonly tokens: readonly FixedToken[];
  readonly times: SessionTimes;
  readonly log: Pick<Logger, 'warn'>;
};

/** What is kept of tokens and sessions, as long as this process runs. */
export class AccessBook {
  readonly tokens: TokenBook;
  readonly sessions: SessionBook;
  readonly #parts: Parts;
  readonly #listeners = new Set<() => void>();
  /** As of the database when it was read last. */
  #count = -1;

  constructor(parts: Parts) {
    const { store, times } = parts;
    this.#parts = parts;
    const onError = (error: unknown) =>
      parts.log.warn({ err: error }, 'what is kept of credentials could not be written');
    this.tokens = new TokenBook({ store, onError });
    const findToken = (token: string) => {
      const fixed = parts.tokens.find(({ name }) => name === token);
      if (fixed) return { ...fixed, endsAt: null };
      const stored = this.tokens.findGood(token);
      return stored && { ...stored, endsAt: stored.expires_at };
    };
    const key = JSON.stringify(parts.tokens.map(({ name, secret }) => [name, secret]));
    this.sessions = new SessionBook({ ...{ store, times, key, findToken, onError } });
  }

  /** Reads all of it, whatever was read before: the database is another one perhaps. What was known stays where it cannot be read. */
  reload(): void {
    this.#read(() => true);
  }

  /** Something was committed. */
  refresh(): void {
    this.#read((count) => count !== this.#count);
  }

  /** `listener` is told when somebody may have ceased to be known. Gives what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get isEmpty(): boolean {
    return this.tokens.isEmpty;
  }

  findToken(token: string, address: string | null): Outcome<Identity> | undefined {
    return this.tokens.find(token, address);
  }

  findSession(secret: string): Outcome<Identity> {
    return this.sessions.find(secret);
  }

  /** Writes what waits. */
  close(): void {
    this.tokens.close();
    this.sessions.close();
  }

  #read(isWanted: (count: number) => boolean): void {
    try {
      const count = this.#parts.store.accessTokens.countChanges();
      if (!isWanted(count)) return;
      this.tokens.reload();
      this.sessions.reload();
      this.#count = count;
    } catch {
      // Health says what is wrong with the database; those who were known are known without it.
      return;
    }
    for (const listener of this.#listeners) listener();
  }
}
