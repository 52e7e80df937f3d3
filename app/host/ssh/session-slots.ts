/** sshd allows ten sessions for each connection (sshd_config(5) MaxSessions); one of them holds the connection open. */
const SLOTS = 8;

/** Sessions that may be open at once over one connection; who comes when all are taken waits in order. */
export class SessionSlots {
  #free = SLOTS;
  readonly #waiting: (() => void)[] = [];

  /** A slot, given back by calling the result; undefined where `signal` was aborted first. */
  async take(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return undefined;
    if (this.#free > 0) {
      this.#free--;
      return this.#makeRelease();
    }
    const { promise, resolve } = Promise.withResolvers<(() => void) | undefined>();
    const admit = () => resolve(this.#makeRelease());
    this.#waiting.push(admit);
    signal.addEventListener('abort', () => {
      const at = this.#waiting.indexOf(admit);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      resolve(undefined);
    });
    return promise;
  }

  #makeRelease(): () => void {
    return () => {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    };
  }
}
