import { createHash } from 'node:crypto';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';

/** What a request is answered with where it does not fail. */
export type Answer<T> = { readonly status: number; readonly body: T };

/** A request as far as it can be told from another. */
export type Repeatable = {
  /** What the client gave; undefined: nothing is remembered. */
  readonly key: string | undefined;
  readonly path: string;
  readonly body: unknown;
};

/**
 * Does what is asked for and remembers the answer under the key of the client, both in one transaction: whoever asks
 * again, because the answer got lost, or at the same time, gets the same answer and nothing is done again. A failure is
 * not remembered, for nothing was done. IDEMPOTENCY_KEY_REUSED where the key came with another request before.
 */
export function answerOnce<T>(
  store: Store,
  { key, path, body }: Repeatable,
  act: () => Outcome<Answer<T>>,
): Outcome<Answer<T> & { readonly isRepeated: boolean }> {
  if (key === undefined) return first(act());
  // The token is no part of what is asked for, and changes.
  const { token: _, ...asked } = body as { readonly token?: string };
  const request_sha256 = createHash('sha256')
    .update(JSON.stringify([path, sortKeys(asked)]))
    .digest('hex');
  return store.transact(() => {
    const now = Date.now();
    const known = store.idempotency.find(key, now);
    if (known && known.request_sha256 !== request_sha256) {
      return fail('IDEMPOTENCY_KEY_REUSED', 'Path or body differ from those of the first request.');
    }
    if (known) {
      const answer = JSON.parse(known.answer) as T;
      return succeed({ status: known.status, body: answer, isRepeated: true });
    }
    const done = act();
    if (!done.ok) return done;
    const answer = JSON.stringify(done.value.body);
    const { status } = done.value;
    store.idempotency.add({ key, request_sha256, status, answer, created_at: now });
    return first(done);
  });
}

function first<T>(done: Outcome<Answer<T>>): Outcome<Answer<T> & { readonly isRepeated: boolean }> {
  return done.ok ? succeed({ ...done.value, isRepeated: false }) : done;
}

/** The order in which a client writes its fields says nothing. */
function sortKeys(asked: object): object {
  return Object.fromEntries(Object.entries(asked).sort(([a], [b]) => (a < b ? -1 : 1)));
}
