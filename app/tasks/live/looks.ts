import type { CommitSource } from './commit-source.ts';
import { attempt, type Gathered, gather } from './gather.ts';
import type { LiveReader } from './live-reader.ts';

/** Each look costs questions, and a write for each reader: the more read, the more is gathered. In milliseconds. */
export type LookPauses = {
  readonly min: number;
  readonly perReader: number;
  readonly max: number;
};

type Parts = {
  readonly commits: CommitSource;
  readonly look: () => void;
  readonly pauses: LookPauses;
  /** Of a look, or of one that catches up: nobody else would hear of it. */
  readonly onError: (error: unknown) => void;
};

/** Looks for what is new whenever the database has changed, as long as anybody reads. */
export class Looks {
  readonly #parts: Parts;
  readonly #looks: Gathered;
  #readers = 0;
  #unsubscribe: (() => void) | undefined;

  constructor(parts: Parts) {
    const { look, pauses, onError } = parts;
    this.#parts = parts;
    this.#looks = gather(
      () => attempt(look, onError),
      () => Math.min(pauses.min + this.#readers * pauses.perReader, pauses.max),
    );
  }

  /** One reads from now on, until `live` is closed; `onFirst` is called where nobody did before. */
  enter(live: LiveReader, onFirst: () => void, onLeave: () => void): void {
    if (!this.#unsubscribe) {
      onFirst();
      this.#unsubscribe = this.#parts.commits.subscribe(() => this.#looks.ask());
    }
    this.#readers++;
    live.onClose(() => {
      onLeave();
      this.#readers--;
      if (this.#readers === 0) this.#stop();
    });
  }

  /** Has one that reads told what there was before; where that fails it comes again, and goes on where it was. */
  catchUp(live: LiveReader, act: Promise<void>): void {
    act.catch((error: unknown) => {
      this.#parts.onError(error);
      live.end(Buffer.alloc(0));
    });
  }

  /** There is more already. */
  ask(): void {
    this.#looks.ask();
  }

  close(): void {
    this.#looks.close();
    this.#stop();
  }

  #stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }
}
