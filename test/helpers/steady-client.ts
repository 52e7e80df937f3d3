import { setTimeout as wait } from 'node:timers/promises';
import { makeBody, makeHeaders, post } from './webhook.ts';

const BODY = makeBody('registry_package', {
  repository: 'ghcr.io/octo-org/hello',
  tag: 'latest',
  digest: `sha256:${'a'.repeat(64)}`,
});

/** Between two deliveries: enough of them to find a loss, few enough to leave the machine to what is tested. */
const PAUSE_MS = 20;
const TIMEOUT_MS = 30_000;

/** Sends signed deliveries one after another, whatever becomes of them, and keeps account of those acknowledged. */
export class SteadyClient implements Disposable {
  readonly acknowledged: string[] = [];
  /** The longest time without an acknowledgement between two. */
  longestGapMs = 0;
  readonly #url: string;
  readonly #ended: Promise<void>;
  #lastMs = performance.now();
  #isOver = false;
  #isAbandoned = false;

  constructor(address: string) {
    this.#url = `http://${address}/github-package-update/web`;
    this.#ended = this.#run();
  }

  /** Waits for one more acknowledgement, then ends. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#ended;
  }

  /** Ends it wherever it stands. */
  [Symbol.dispose](): void {
    this.#isAbandoned = true;
  }

  async #run(): Promise<void> {
    const startedMs = this.#lastMs;
    while (!this.#isAbandoned) {
      const isLast = this.#isOver;
      const isAcknowledged = await this.#send();
      if (isLast && (isAcknowledged || performance.now() - startedMs > 10 * TIMEOUT_MS)) return;
      await wait(PAUSE_MS);
    }
  }

  async #send(): Promise<boolean> {
    const headers = makeHeaders('registry_package', BODY);
    const status = await Promise.race([
      post(this.#url, BODY, headers).then(
        (answer) => answer.status,
        () => undefined,
      ),
      wait(TIMEOUT_MS, undefined, { ref: false }),
    ]);
    if (status !== 202) return false;
    this.acknowledged.push(headers['x-github-delivery']);
    const now = performance.now();
    this.longestGapMs = Math.max(this.longestGapMs, now - this.#lastMs);
    this.#lastMs = now;
    return true;
  }
}
