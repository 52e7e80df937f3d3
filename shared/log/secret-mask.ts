import { maskSecrets } from './mask-secrets.ts';

/** How many secrets are known at a time; the oldest that was learnt is forgotten for a newer one. */
const MAX_LEARNT = 50;

/** Hides secrets by their value, those that are configured and those that become known while it is in use. */
export class SecretMask {
  readonly #configured: readonly string[];
  readonly #learnt = new Set<string>();
  #mask: (text: string) => string;

  constructor(configured: readonly string[]) {
    this.#configured = configured;
    this.#mask = maskSecrets(configured);
  }

  /** From now on this one is hidden, too. */
  add(secret: string): void {
    // Again as the newest, and not forgotten before those that came after it.
    const isKnown = this.#learnt.delete(secret);
    this.#learnt.add(secret);
    if (isKnown) return;
    const [oldest] = this.#learnt;
    if (this.#learnt.size > MAX_LEARNT && oldest !== undefined) this.#learnt.delete(oldest);
    this.#mask = maskSecrets([...this.#configured, ...this.#learnt]);
  }

  mask(text: string): string {
    return this.#mask(text);
  }
}
