import { type FSWatcher, watch } from 'node:fs';
import type { Logger } from 'pino';
import {
  type Failure,
  fail,
  formatFailure,
  type Outcome,
  succeed,
} from '../../shared/contract/outcome.ts';
import { explainDatabaseError } from './explain-database-error.ts';
import { glanceAtDatabase } from './glance-at-database.ts';
import {
  type DatabaseFiles,
  describeContent,
  findWriteProtection,
  identifyDatabase,
} from './identify-database.ts';
import { setStaleLogAside } from './rescue-database.ts';
import type { StoreHolder } from './store-holder.ts';

/** How the thread opens its own connection that writes deliveries and events. */
export type Reopening = {
  /** The files have lost their names: what is still open of them is to be put at the path, unless something stands there. */
  readonly isLost: boolean;
  /** All pages are to be read first: it was damaged before. */
  readonly isDoubtful: boolean;
};

/** The other thread that has the database open. */
export type Partner = {
  /** Closes its connection; `failure` is told to who would use it. */
  release(failure: Failure): void;
  /** Closes what it has, and opens what lies at the path now. */
  reopen(order: Reopening): Promise<Outcome<number>>;
  /** Takes up what it could not write. */
  resume(): void;
};

type Parts = {
  readonly path: string;
  readonly holder: StoreHolder;
  readonly partner: Partner;
  readonly log: Pick<Logger, 'warn' | 'error' | 'info'>;
  /** Each time that it is ill in another way, or well again. */
  readonly onChange: () => void;
  /** It was opened anew: what is known of its content may be wrong. */
  readonly onOpened: () => Promise<void>;
};

/** Nothing tells of what a kernel without a watch (another file system, its limit) sees. */
const LOOK_EVERY_MS = 10_000;
/** Writes into the file itself, which are many under load, are looked at together. */
const GATHER_MS = 500;
/** Between two tries while it is ill. */
const RETRY_MS = 2_000;

/** Of these the connection stays open: what can be read is read. */
const READABLE: ReadonlySet<string> = new Set(['DATABASE_DISK_FULL', 'DATABASE_READ_ONLY']);

/**
 * Sees to it that the database is the one at its path and takes reads and writes, and mends what can be mended while the
 * process goes on: a database that was deleted or replaced is written to its path again from what is still open; one that
 * is damaged is let go until another content lies there; one that cannot be written is tried until it can. Heard from the
 * errors of both threads, from the kernel's word that the file has changed, and every ten seconds.
 */
export class DatabaseKeeper {
  readonly #parts: Parts;
  #failure: Failure | undefined;
  #watcher: FSWatcher | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #isMending = false;
  #isClosed = false;
  /** The content that was found to be damaged; another one is tried. */
  #damaged: { readonly content: string | null; readonly files: DatabaseFiles } | null = null;
  /** The files have lost their names, and what is open of them in the other thread is all there is. */
  #isLost = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Why it cannot be used, or only read; undefined while it is well. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** Begins to keep it. `failure` is why it could not even be opened. */
  start(failure?: Failure): void {
    this.#sweep = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.#sweep.unref();
    this.#watch();
    if (failure) this.#fail(failure);
  }

  /** An error was seen, here or in the other thread; others than those of the database itself say nothing. */
  suspect(error: unknown): void {
    const failure = explainDatabaseError(error);
    if (failure) this.fault(failure);
  }

  /** The same, told by its name. */
  fault(failure: Failure): void {
    if (this.#isClosed || this.#isMending) return;
    // What was let go is tried anyway.
    if (this.#failure && !this.#parts.holder.isOpen) return;
    // A file that is gone gives all kinds of errors.
    this.#fail(this.#findLoss() ?? failure);
  }

  /** Looks whether it is well. */
  look(): void {
    if (this.#isClosed || this.#isMending || this.#failure) return;
    const failure =
      this.#findLoss() ??
      findWriteProtection(this.#parts.path) ??
      glanceAtDatabase(this.#parts.path);
    if (failure) this.#fail(failure);
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#sweep);
    clearTimeout(this.#soon);
    this.#watcher?.close();
  }

  /** Whether what is open is not what lies at the path any more. */
  #findLoss(): Failure | undefined {
    const { holder, path } = this.#parts;
    const open = holder.files;
    if (!open) return undefined;
    const now = identifyDatabase(path);
    if (now.database !== open.database) return lost(path, now.database);
    // While anybody has the database open its log has a name.
    if (open.log !== null && now.log !== open.log) return lost(`${path}-wal`, now.log);
    return undefined;
  }

  #fail(failure: Failure): void {
    const isNews = this.#failure?.code !== failure.code;
    this.#failure = failure;
    if (failure.code === 'DATABASE_MISSING') this.#isLost = true;
    if (!READABLE.has(failure.code)) {
      this.#parts.holder.release(failure);
      // Of one that has lost its name the other thread has the last that is open.
      if (!this.#isLost) this.#parts.partner.release(failure);
    }
    if (isNews) {
      this.#parts.log.error({ code: failure.code }, formatFailure(failure));
      clearTimeout(this.#soon);
      this.#soon = undefined;
      this.#parts.onChange();
    }
    // Not put off by further errors of the same kind, which may come faster than it is tried.
    const afterMs = failure.code === 'DATABASE_MISSING' && isNews ? 0 : RETRY_MS;
    this.#soon ??= this.#timer(afterMs, () => this.#mend());
  }

  #mend(): void {
    if (this.#isClosed || this.#isMending) return;
    this.#isMending = true;
    this.#tryToMend()
      .catch((error: unknown): Outcome<void> => {
        this.#parts.log.error({ err: error }, 'the database could not be tried');
        return fail('DATABASE_UNAVAILABLE', String(error));
      })
      .then((outcome) => {
        this.#isMending = false;
        if (this.#isClosed) return;
        if (outcome.ok) this.#beWell();
        else this.#fail(outcome.failure);
      })
      .catch((error: unknown) =>
        this.#parts.log.error({ err: error }, 'the database could not be kept'),
      );
  }

  async #tryToMend(): Promise<Outcome<void>> {
    const { holder, partner, path, onOpened } = this.#parts;
    const failure = this.#failure;
    if (!failure) return succeed(undefined);
    if (holder.isOpen) {
      const illness = this.#findLoss() ?? findWriteProtection(path);
      return illness ? { ok: false, failure: illness } : holder.store.checkWrite();
    }
    const isDamaged = failure.code === 'DATABASE_DAMAGED';
    if (isDamaged && this.#damaged !== null) {
      if (describeContent(path) === this.#damaged.content) return { ok: false, failure };
      setStaleLogAside(path, this.#damaged.files);
    }
    const reopened = await partner.reopen({
      isLost: this.#isLost,
      isDoubtful: isDamaged,
    });
    if (this.#isClosed) return succeed(undefined);
    if (!reopened.ok) {
      // Nobody has it open now, so that nothing of ours changes it any more.
      if (reopened.failure.code === 'DATABASE_DAMAGED') this.#damaged = this.#describe();
      return reopened;
    }
    const opened = holder.open();
    if (!opened.ok) return opened;
    const written = holder.store.checkWrite();
    if (!written.ok) return written;
    this.#watch();
    await onOpened();
    return succeed(undefined);
  }

  #beWell(): void {
    this.#failure = undefined;
    this.#damaged = null;
    this.#isLost = false;
    this.#parts.log.info('the database is well again');
    this.#parts.partner.resume();
    this.#parts.onChange();
  }

  #describe() {
    const { path } = this.#parts;
    return { content: describeContent(path), files: identifyDatabase(path) };
  }

  /** The file itself: its own changes are few, for commits go into the log beside it, and the loss of its name is one. */
  #watch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    try {
      const watcher = watch(this.#parts.path, () => {
        if (!this.#failure) this.#soon ??= this.#timer(GATHER_MS, () => this.look());
      });
      watcher.on('error', () => watcher.close());
      this.#watcher = watcher;
    } catch {
      // The look every ten seconds remains.
    }
  }

  #timer(afterMs: number, act: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#soon = undefined;
      act();
    }, afterMs);
    return timer;
  }
}

function lost(path: string, now: string | null): Failure {
  const detail = now === null ? `${path} is gone.` : `${path} is another file than the open one.`;
  return fail('DATABASE_MISSING', detail).failure;
}
