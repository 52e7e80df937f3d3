import {
  type Failure,
  FailureError,
  type Outcome,
  succeed,
} from '../../shared/contract/outcome.ts';
import { type DatabaseFiles, identifyDatabase } from './identify-database.ts';
import { openStore, type Store } from './store.ts';

type Parts = {
  readonly path: string;
  readonly version: string;
  /** Told of each error that SQLite gives while it is open. */
  readonly onError: (error: unknown) => void;
};

/**
 * The database of one thread, which may be lost and found while the process runs. `store` is the same object all the
 * time, and leads to what is open now; while nothing is, each use of it throws the failure that was given for that.
 */
export class StoreHolder {
  readonly store: Store;
  readonly #parts: Parts;
  #open: Store | undefined;
  #files: DatabaseFiles | undefined;
  #failure: Failure = { code: 'DATABASE_UNAVAILABLE', detail: 'It is not open yet.' };

  constructor(parts: Parts) {
    this.#parts = parts;
    this.store = new Proxy({} as Store, {
      // Whoever prints it or awaits what holds it asks for these; a store has none of them.
      get: (_none, name) =>
        typeof name === 'symbol' || name === 'then'
          ? undefined
          : Reflect.get(this.#current(), name),
    });
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Which files it has open; undefined while it has none. */
  get files(): DatabaseFiles | undefined {
    return this.#files;
  }

  /** Opens the database, makes and migrates it where needed; the schema that it has. Where it is open already nothing is done. */
  open(): Outcome<number> {
    if (this.#open) return succeed(this.#open.schema);
    const { path, version, onError } = this.#parts;
    const opened = openStore(path, { version, nowMs: Date.now() }, { onError });
    if (!opened.ok) {
      this.#failure = opened.failure;
      return opened;
    }
    this.#open = opened.value;
    this.#files = identifyDatabase(path);
    return succeed(opened.value.schema);
  }

  /** Closes it. `failure` is what its users are told from now on. */
  release(failure: Failure): void {
    this.#failure = failure;
    const open = this.#open;
    this.#open = undefined;
    this.#files = undefined;
    try {
      open?.close();
    } catch {
      // What ails it is why it is closed.
    }
  }

  #current(): Store {
    if (!this.#open) throw new FailureError(this.#failure);
    return this.#open;
  }
}
