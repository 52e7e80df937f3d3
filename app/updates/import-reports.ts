import { lstat, readdir } from 'node:fs/promises';
import { type FSWatcher, watch } from 'chokidar';
import type { Logger } from 'pino';
import { makeDirectoryDurably, renameDurably } from '../../shared/fs/durable-file.ts';
import { realFiles } from '../../shared/fs/files.ts';
import type { Store } from '../db/store.ts';
import { createSweeps, type Sweeps } from '../domain/sweeps.ts';
import { importReport } from './import-report.ts';

/** What the import works with. */
export type ImportParts = {
  readonly folder: string;
  readonly store: Store;
  readonly log: Logger;
  /** Told of each report that has become a task. */
  readonly onImported?: (file: string, taskId: string) => void;
  readonly sweepEveryMs?: number;
};

/** A watch may miss something: on a network file system, or when the kernel's queue overflows. */
const SWEEP_EVERY_MS = 60_000;
/** When a report that was not whole is looked at again. */
const AGAIN_MS = 2_500;
/** So many reports are kept that were imported, and as many that were none. */
const MAX_KEPT = 200;

/**
 * Makes a task of each report of a self-update, whoever wrote it. A report is imported and then renamed; what is cut
 * off in between finds the task there and only renames. What is no report is put aside once and not looked at again.
 */
export class ReportImporter {
  readonly #parts: ImportParts;
  /** What could not be renamed, so that it is complained of once and not every minute. */
  readonly #stuck = new Set<string>();
  readonly #timers: NodeJS.Timeout[] = [];
  #again: NodeJS.Timeout | undefined;
  #watcher: FSWatcher | undefined;
  readonly #sweeps: Sweeps;

  constructor(parts: ImportParts) {
    this.#parts = parts;
    this.#sweeps = createSweeps(
      () => this.#sweep(),
      // The reports stay, and the next sweep finds them.
      (error) => parts.log.error({ err: error }, 'importing self-update reports failed'),
    );
  }

  /** Imports what is there and, from now on, what comes. Nothing once it is closed. */
  start(): void {
    if (this.#sweeps.isClosed() || this.#timers.length > 0) return;
    const { folder, log, sweepEveryMs = SWEEP_EVERY_MS } = this.#parts;
    this.#timers.push(setInterval(() => this.#sweeps.look(), sweepEveryMs));
    try {
      makeDirectoryDurably(folder);
      const look = () => this.#sweeps.look();
      this.#watcher = watch(folder, { depth: 0, ignored: isOther })
        .on('add', look)
        .on('change', look)
        .on('error', (error) => log.warn({ err: error }, 'self-update reports are found late'));
    } catch (error) {
      log.warn({ err: error, folder }, 'the folder of self-update reports cannot be made');
    }
    this.#sweeps.look();
  }

  /** Settles when nothing is being imported any more; from then on the database may be closed. */
  async close(): Promise<void> {
    const swept = this.#sweeps.close();
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#again);
    await this.#watcher?.close();
    await swept;
  }

  async #sweep(): Promise<void> {
    const { folder } = this.#parts;
    const names = (await readdir(folder).catch((): string[] => [])).sort();
    for (const name of names.filter(isReportName)) {
      if (this.#sweeps.isClosed()) return;
      await this.#import(name);
    }
    await forgetOldest(folder, '.json.imported');
    await forgetOldest(folder, '.json.rejected');
  }

  async #import(name: string): Promise<void> {
    const { folder, store, log, onImported } = this.#parts;
    const came = await importReport(store, { folder, name, nowMs: Date.now() });
    switch (came.kind) {
      case 'gone':
        return;
      case 'unfinished':
        this.#again ??= setTimeout(() => {
          this.#again = undefined;
          this.#sweeps.look();
        }, AGAIN_MS);
        return;
      case 'imported':
        if (came.isNew) {
          log.info({ file: name, task: came.task }, 'self-update report imported');
          onImported?.(name, came.task);
        }
        return this.#mark(name, 'imported');
      case 'rejected':
        if (!this.#stuck.has(name)) {
          log.warn({ file: name, reason: came.reason }, 'this is no self-update report');
        }
        return this.#mark(name, 'rejected');
    }
  }

  #mark(name: string, end: 'imported' | 'rejected'): void {
    const { folder, log } = this.#parts;
    try {
      renameDurably(`${folder}/${name}`, `${folder}/${name}.${end}`);
      this.#stuck.delete(name);
    } catch (error) {
      if (!this.#stuck.has(name)) {
        log.warn({ err: error, file: name }, 'a self-update report cannot be renamed');
      }
      this.#stuck.add(name);
    }
  }
}

function isReportName(name: string): boolean {
  return name.endsWith('.json');
}

/** What is no report in the folder, and not the folder itself. */
function isOther(path: string, facts?: { isFile(): boolean }): boolean {
  return (facts?.isFile() ?? false) && !isReportName(path);
}

async function forgetOldest(folder: string, ending: string): Promise<void> {
  const all = await readdir(folder).catch((): string[] => []);
  const names = all.filter((name) => name.endsWith(ending));
  if (names.length <= MAX_KEPT) return;
  const dated = await Promise.all(
    names.map(async (name) => {
      const facts = await lstat(`${folder}/${name}`).catch(() => undefined);
      return facts?.isFile() ? [{ name, at: facts.mtimeMs }] : [];
    }),
  );
  const newestFirst = dated.flat().sort((a, b) => b.at - a.at || (a.name < b.name ? 1 : -1));
  for (const { name } of newestFirst.slice(MAX_KEPT)) realFiles.unlink(`${folder}/${name}`);
}
