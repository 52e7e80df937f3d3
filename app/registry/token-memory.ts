import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { Authorization } from './answer-challenge.ts';

/** A token of a realm, and for how long it holds. */
export type GrantedToken = { readonly authorization: Authorization; readonly lifeMs: number };

/** Tokens that still hold, so that a realm is not asked for each tag anew. In memory only. */
export type TokenMemory = {
  /**
   * The one for realm, scope and login (`key`), fetched where there is none that holds: once, however many want it at
   * the same time. What a realm refuses is not kept.
   */
  take(
    key: readonly string[],
    fetchToken: () => Promise<Outcome<GrantedToken>>,
  ): Promise<Outcome<Authorization>>;
  /** One that a registry did not take, though it should have held. */
  forget(header: string): void;
};

/** A request that is under way must not arrive with a token that has just run out. */
const MARGIN_MS = 10_000;
/** Whatever a realm says. */
const MAX_LIFE_MS = 3_600_000;

type Kept = { readonly authorization: Authorization; readonly untilMs: number };

/** Makes an empty memory; `now` is a clock in milliseconds that never goes back. */
export function createTokenMemory(now: () => number): TokenMemory {
  const kept = new Map<string, Kept>();
  const underWay = new Map<string, Promise<Outcome<Authorization>>>();

  async function fetchOne(
    name: string,
    fetchToken: () => Promise<Outcome<GrantedToken>>,
  ): Promise<Outcome<Authorization>> {
    const fetched = await fetchToken();
    if (!fetched.ok) return fetched;
    const { authorization, lifeMs } = fetched.value;
    kept.set(name, { authorization, untilMs: now() + Math.min(lifeMs, MAX_LIFE_MS) - MARGIN_MS });
    return succeed(authorization);
  }

  return {
    take(key, fetchToken) {
      const name = key.join('\n');
      const known = kept.get(name);
      if (known && known.untilMs > now()) return Promise.resolve(succeed(known.authorization));
      const fetching =
        underWay.get(name) ?? fetchOne(name, fetchToken).finally(() => underWay.delete(name));
      underWay.set(name, fetching);
      return fetching;
    },
    forget(header) {
      for (const [name, { authorization }] of kept) {
        if (authorization.header === header) kept.delete(name);
      }
    },
  };
}
