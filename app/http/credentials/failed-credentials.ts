import { type Failure, fail } from '../../../shared/contract/outcome.ts';
import { addressGroup } from '../../domain/address-group.ts';
import {
  ALL_ADDRESSES,
  type CredentialKind,
  type CredentialLimits,
  type CredentialTally,
  countFailure,
  emptyTally,
  isKnownAddress,
  isStale,
  limitedUntil,
} from '../../domain/failed-credentials.ts';

/** Which tally: every one has this. */
export type TallyKey = Pick<CredentialTally, 'kind' | 'address'>;

/** What has changed since it was written last. */
export type TallyChanges = {
  readonly changed: readonly CredentialTally[];
  readonly gone: readonly TallyKey[];
};

type Options = {
  readonly limits: CredentialLimits;
  /** Writes changes, some time: what is lost in a crash is a second of counting. */
  readonly save: (changes: TallyChanges) => void;
  /** Told when an address, or all, have failed too often; not again in the same window. */
  readonly onLimited: (tally: CredentialTally, until: number) => void;
};

/** More addresses than these are not remembered: those that failed longest ago go first. */
const MAX_TALLIES = 4_096;
const SAVE_WITHIN_MS = 1_000;
/** A good credential is written down so seldom, for it says the same each time. */
const NOTE_GOOD_EVERY_MS = 3_600_000;

/**
 * Counts credentials that fail, by address and in all, in memory; what has changed is handed on once a second. Whoever fails too
 * often is told to come later. A good credential is worth as much as ever, from every other address, and from one that has shown
 * a good one within a day: people behind one proxy are one address. A delivery with a good signature is never refused.
 */
export class FailedCredentials {
  readonly #options: Options;
  /** By kind and address, the one first that was changed longest ago. */
  readonly #tallies = new Map<string, CredentialTally>();
  readonly #changed = new Set<string>();
  readonly #gone = new Map<string, TallyKey>();
  readonly #sums: Record<CredentialKind, { failed: number; refused: number }> = {
    admin: { failed: 0, refused: 0 },
    webhook: { failed: 0, refused: 0 },
  };
  #timer: NodeJS.Timeout | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Goes on from what was written down; what was counted here meanwhile counts. */
  load(tallies: readonly CredentialTally[]): void {
    for (const tally of [...tallies].sort((a, b) => a.last_at - b.last_at)) {
      const key = keyOf(tally);
      if (!this.#tallies.has(key)) this.#tallies.set(key, tally);
    }
  }

  /** Why no credential of an address is looked at now; undefined where one is. */
  refuse(kind: CredentialKind, from: string): Failure | undefined {
    const now = Date.now();
    const tally = this.#tallies.get(keyOf({ kind, address: addressGroup(from) }));
    const until = tally && limitedUntil(tally, this.#options.limits, now);
    if (!tally || until === undefined || isKnownAddress(tally, now)) return undefined;
    this.#sums[kind].failed++;
    return this.#refuse(tally, until, now);
  }

  /** What came of a credential that was looked at; a failure that is to be answered in place of its own, or undefined. */
  tell(kind: CredentialKind, from: string, isGood: boolean): Failure | undefined {
    const address = addressGroup(from);
    const now = Date.now();
    if (isGood) {
      this.#noteGood({ kind, address }, now);
      return undefined;
    }
    this.#sums[kind].failed++;
    const failures = [address, ALL_ADDRESSES].map((one) =>
      this.#count({ kind, address: one }, now),
    );
    return failures.find((failure) => failure !== undefined);
  }

  /** What is counted now, the latest first. */
  list(): readonly CredentialTally[] {
    return [...this.#tallies.values()].reverse();
  }

  /** How many failed and were refused since the start. */
  sums(): Readonly<Record<CredentialKind, { readonly failed: number; readonly refused: number }>> {
    return this.#sums;
  }

  /** Forgets what was counted of an address; all of it without one. How many tallies those were. */
  release(address?: string): number {
    const found = [...this.#tallies.values()].filter(
      (tally) => address === undefined || tally.address === address,
    );
    for (const { kind, address: of } of found) {
      const key = keyOf({ kind, address: of });
      this.#tallies.delete(key);
      this.#gone.set(key, { kind, address: of });
    }
    this.flush();
    return found.length;
  }

  /** Hands on what has changed. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const changed = [...this.#changed].flatMap((key) => this.#tallies.get(key) ?? []);
    const gone = [...this.#gone.values()];
    this.#changed.clear();
    this.#gone.clear();
    if (changed.length + gone.length > 0) this.#options.save({ changed, gone });
  }

  #noteGood(of: TallyKey, now: number): void {
    const tally = this.#tallies.get(keyOf(of)) ?? emptyTally(of.kind, of.address);
    // Of a sender of deliveries nobody asks.
    if (of.kind === 'webhook' || now - tally.good_at < NOTE_GOOD_EVERY_MS) return;
    this.#put({ ...tally, good_at: now });
  }

  #count(of: TallyKey, now: number): Failure | undefined {
    const { limits, onLimited } = this.#options;
    const before = this.#tallies.get(keyOf(of)) ?? emptyTally(of.kind, of.address);
    const untilBefore = limitedUntil(before, limits, now);
    const tally = countFailure(before, limits.windowMs, now);
    if (untilBefore !== undefined) return this.#refuse(tally, untilBefore, now);
    this.#put(tally);
    const until = limitedUntil(tally, limits, now);
    if (until !== undefined) onLimited(tally, until);
    return undefined;
  }

  #refuse(tally: CredentialTally, until: number, now: number): Failure {
    this.#put({ ...tally, refused: tally.refused + 1, last_at: now });
    this.#sums[tally.kind].refused++;
    const detail = `Credentials are looked at again in ${Math.ceil((until - now) / 1000)} s.`;
    return { ...fail('CREDENTIALS_LIMITED', detail).failure, retryAfterMs: until - now };
  }

  #put(tally: CredentialTally): void {
    const key = keyOf(tally);
    this.#tallies.delete(key);
    this.#tallies.set(key, tally);
    this.#changed.add(key);
    this.#gone.delete(key);
    if (this.#tallies.size > MAX_TALLIES) this.#forgetOne();
    this.#timer ??= setTimeout(() => this.flush(), SAVE_WITHIN_MS).unref();
  }

  /** One that says nothing any more, else the oldest that no good credential has come from. */
  #forgetOne(): void {
    const now = Date.now();
    const { windowMs } = this.#options.limits;
    const all = [...this.#tallies.values()].slice(0, MAX_TALLIES);
    const victim =
      all.find((tally) => isStale(tally, windowMs, now)) ??
      all.find((tally) => !isKnownAddress(tally, now) && tally.address !== ALL_ADDRESSES) ??
      all[0];
    if (!victim) return;
    const { kind, address } = victim;
    const key = keyOf(victim);
    this.#tallies.delete(key);
    this.#changed.delete(key);
    this.#gone.set(key, { kind, address });
  }
}

function keyOf({ kind, address }: TallyKey): string {
  return `${kind} ${address}`;
}
