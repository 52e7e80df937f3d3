import type { StagerNotice } from '../../../shared/contract/stager-messages.ts';

type Progress = Extract<StagerNotice, { readonly kind: 'progress' }>;

/** Five times a second is as often as anybody looks. */
const PROGRESS_EVERY_MS = 200;

/** Says notices, progress not too often: of what comes in between the newest is said when it is time again. */
export class NoticeSayer {
  readonly #write: (line: string) => void;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #waiting: Progress | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  progress(progress: Omit<Progress, 'kind'>): void {
    this.#waiting = { kind: 'progress', ...progress };
    if (this.#timer) return;
    const wait = this.#saidAtMs + PROGRESS_EVERY_MS - performance.now();
    if (wait <= 0) this.#sayWaiting();
    else this.#timer = setTimeout(() => this.#sayWaiting(), wait);
  }

  /** The last notice; progress that waits is not said any more. */
  last(notice: Exclude<StagerNotice, Progress>): void {
    clearTimeout(this.#timer);
    this.#waiting = undefined;
    this.#say(notice);
  }

  #sayWaiting(): void {
    this.#timer = undefined;
    if (!this.#waiting) return;
    this.#saidAtMs = performance.now();
    this.#say(this.#waiting);
    this.#waiting = undefined;
  }

  #say(notice: StagerNotice): void {
    this.#write(`${JSON.stringify(notice)}\n`);
  }
}
